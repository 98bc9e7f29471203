/*
 * sample: a row of any entity with every field set, made from the field table alone, so that a
 * field that is added is tested without anybody thinking of it.
 */
#pragma once

#include <stdio.h>

#include "base/buf.h"
#include "model/entity.h"

static inline const char *sample_text(const struct field *f)
{
	static const char *const texts[] = {
		[FIELD_TEXT] = "Zo\xc3\xab \xe4\xb8\xad",
		[FIELD_LIST] = "a:1,b:2,c",
		[FIELD_INT] = "3",
		[FIELD_BOOL] = "true",
		[FIELD_MONEY] = "0.00000001",
		[FIELD_TIME] = "2026-11-22T23:34:05.123Z",
		[FIELD_ID] = "0123456789abcdef",
	};

	if (f->flags & FIELD_NUMBER)
		return f->type == FIELD_LIST ? "880,44,*7#" : "880*#";
	if (f->type != FIELD_ENUM)
		return texts[f->type];
	/* The last of its values. */
	int last = 0;
	while (f->values[last + 1])
		last++;
	return f->values[last];
}

/* 0, -ENOMEM; anything else is a mistake of the tables. */
static inline int sample_fill(const struct entity *e, void *row)
{
	for (int i = 0; i < e->fields; i++) {
		const struct field *f = &e->field[i];
		char least[24];
		bool is_more = f->type == FIELD_INT && f->min > 3;

		(void)snprintf(least, sizeof(least), "%lld", (long long)f->min);
		int r = row_parse(f, row, str_of(is_more ? least : sample_text(f)), NULL);
		if (r < 0)
			return r;
	}
	return 0;
}

/* Printed alike (where there is memory to print) and absent in the same places. */
static inline bool sample_is_same(const struct entity *e, const void *a, const void *b,
				  unsigned but_flags)
{
	bool is_same = true;

	for (int i = 0; is_same && i < e->fields; i++) {
		const struct field *f = &e->field[i];
		struct buf x = BUF_INIT, y = BUF_INIT;

		if (f->flags & but_flags)
			continue;
		row_print(f, a, &x);
		row_print(f, b, &y);
		is_same = row_is_absent(f, a) == row_is_absent(f, b);
		if (!buf_error(&x) && !buf_error(&y))
			is_same = is_same && str_eq(buf_str(&x), buf_str(&y));
		if (!is_same)
			fprintf(stderr, "%s.%s: '%.*s' became '%.*s'\n", e->name, f->name,
				STR_ARG(buf_str(&x)), STR_ARG(buf_str(&y)));
		buf_done(&x);
		buf_done(&y);
	}
	return is_same;
}
