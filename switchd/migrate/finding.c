#include "migrate/finding.h"

#include <errno.h>
#include <stdlib.h>

#include "base/buf.h"

static void put(char *to, size_t size, struct str s)
{
	struct buf b = buf_fixed(to, size - 1);

	buf_put_printable(&b, str_head(s, size / 2));
	to[b.n] = '\0';
}

struct finding finding_at(struct str table, uint64_t line, struct str column)
{
	struct finding x = { .line = line };

	put(x.table, sizeof(x.table), table);
	put(x.column, sizeof(x.column), column);
	return x;
}

int finding_add(struct findings *f, struct finding x, struct str given, const char *reason)
{
	struct buf b = buf_fixed(x.reason, sizeof(x.reason) - 1);

	if (!f->list)
		f->list = calloc(FINDINGS_MAX, sizeof(*f->list));
	if (!f->list)
		return -ENOMEM;
	put(x.given, sizeof(x.given), given);
	buf_put(&b, str_head(str_of(reason), sizeof(x.reason) - 1));
	if (f->count < FINDINGS_MAX)
		f->list[f->count] = x;
	f->count++;
	return 0;
}

void findings_done(struct findings *f)
{
	free(f->list);
}
