#include "store/key.h"

#include <assert.h>
#include <ctype.h>

struct key key_of(const struct entity *e, unsigned flags)
{
	struct key k = { 0 };

	for (int i = 0; i < e->fields; i++) {
		if (!(e->field[i].flags & flags))
			continue;
		assert(k.parts < KEY_PARTS);
		k.field[k.parts++] = &e->field[i];
	}
	return k;
}

/* Takes the part behind the last '/' off the end. */
static bool take_last(struct str *text, struct str *ret)
{
	size_t at = text->n;

	while (at > 0 && text->p[at - 1] != '/')
		at--;
	if (at == 0)
		return false;
	*ret = str_skip(*text, at);
	*text = str_head(*text, at - 1);
	return true;
}

struct str key_take_name(const struct entity *e, struct str *text)
{
	struct key sub = key_of(e, FIELD_SUBKEY);
	struct str rest = *text, last;

	if (sub.parts == 0 || sub.field[0]->type != FIELD_TEXT || !take_last(&rest, &last) ||
	    last.n == 0 || !isalpha((unsigned char)last.p[0]))
		return STR("");
	*text = rest;
	return last;
}

bool key_bind(const struct key *k, struct str text, struct stmt *s)
{
	for (int i = k->parts; i > 0; i--) {
		struct str part = text;
		int64_t n;

		if (i > 1 && !take_last(&text, &part))
			return false;
		if (k->field[i - 1]->type == FIELD_TEXT)
			stmt_bind_text(s, i, part);
		else if (str_to_i64(part, 1, INT64_MAX, &n) == 0)
			stmt_bind_int(s, i, n);
		else
			return false;
	}
	return true;
}

void key_put_match(const struct key *k, struct buf *sql)
{
	for (int i = 0; i < k->parts; i++)
		buf_printf(sql, "%s\"%s\" = ?%d", i > 0 ? " AND " : "", k->field[i]->name, i + 1);
}

void key_put_names(const struct key *k, struct buf *sql)
{
	for (int i = 0; i < k->parts; i++)
		buf_printf(sql, "%s\"%s\"", i > 0 ? ", " : "", k->field[i]->name);
}
