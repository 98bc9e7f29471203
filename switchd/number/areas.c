#include "number/areas.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/trie.h"

struct areas_at {
	uint32_t prefix, prefix_n, name; /* offsets in the text */
};

struct areas {
	struct trie *trie; /* → offset of the name */
	struct buf text;
};

void areas_add(struct areas_draft *d, struct str prefix, struct str name)
{
	struct areas_at at = { .prefix = (uint32_t)d->text.n, .prefix_n = (uint32_t)prefix.n };

	buf_put(&d->text, prefix);
	buf_putc(&d->text, '\0');
	at.name = (uint32_t)d->text.n;
	buf_put(&d->text, name);
	buf_putc(&d->text, '\0');
	buf_put(&d->where, str_n(&at, sizeof(at)));
}

void areas_draft_done(struct areas_draft *d)
{
	buf_done(&d->text);
	buf_done(&d->where);
}

int areas_create(struct areas **ret, struct areas_draft *d)
{
	CLEANUP(areas_free) struct areas *a = calloc(1, sizeof(*a));
	size_t n = d->where.n / sizeof(struct areas_at);
	CLEANUP(free) struct trie_key *key = calloc(n + 1, sizeof(*key));
	struct areas_at at;

	if (!a || !key || buf_error(&d->text) || buf_error(&d->where) || d->text.n >= TRIE_NONE)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		memcpy(&at, d->where.p + i * sizeof(at), sizeof(at));
		key[i] = (struct trie_key){ str_n(d->text.p + at.prefix, at.prefix_n), at.name };
	}
	int r = trie_create(&a->trie, key, n);
	if (r < 0)
		return r;
	a->text = d->text;
	d->text = BUF_INIT;
	*ret = TAKE(a);
	return 0;
}

struct areas *areas_free(struct areas *a)
{
	if (a) {
		trie_free(a->trie);
		buf_done(&a->text);
	}
	free(a);
	return NULL;
}

const char *areas_find(const struct areas *a, struct str number)
{
	size_t len;
	uint32_t name = a ? trie_longest(a->trie, number, &len) : TRIE_NONE;

	return name == TRIE_NONE ? NULL : a->text.p + name;
}
