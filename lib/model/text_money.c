#include <errno.h>

#include "base/cleanup.h"
#include "base/money.h"
#include "model/json.h"
#include "model/text.h"

bool text_has_amounts(const struct entity *e)
{
	for (int i = 0; e && i < e->fields; i++) {
		if (e->field[i].flags & FIELD_AMOUNT)
			return true;
	}
	return false;
}

/* "12.5" of three decimals: "12.500". */
static void put_padded(struct buf *out, money_t m, int decimals)
{
	char text[MONEY_TEXT];
	struct str shown = str_of(money_text(m, text));
	ptrdiff_t point = str_chr(shown, '.');
	int there = point < 0 ? 0 : (int)(shown.n - (size_t)point) - 1;

	buf_put(out, shown);
	if (there == 0 && decimals > 0)
		buf_putc(out, '.');
	for (; there < decimals; there++)
		buf_putc(out, '0');
}

/* NULL: it is not money, or short of memory. */
static json_t *rounded(const json_t *v, int decimals)
{
	char room[MONEY_TEXT + 16];
	struct buf out = buf_fixed(room, sizeof(room));
	money_t exact, shown;

	if (!json_is_string(v) || money_parse(str_of(json_string_value(v)), &exact) < 0 ||
	    money_round(exact, 1, money_unit(decimals), &shown) < 0)
		return NULL;
	if (shown != exact)
		buf_putc(&out, '~');
	put_padded(&out, shown, decimals);
	return json_string(buf_cstr(&out));
}

static int round_row(json_t *row, const struct entity *e, int decimals)
{
	for (int i = 0; i < e->fields; i++) {
		const struct field *f = &e->field[i];
		json_t *v = f->flags & FIELD_AMOUNT ? json_object_get(row, f->name) : NULL;
		json_t *shown = v ? rounded(v, decimals) : NULL;

		if (shown && json_object_set_new(row, f->name, shown) < 0)
			return -ENOMEM;
	}
	return 0;
}

int text_round_amounts(json_t *rows, const struct entity *e, int decimals)
{
	json_t *row;
	size_t i;
	int r = 0;

	if (!text_has_amounts(e))
		return 0;
	json_array_foreach(rows, i, row)
	{
		if (r == 0 && json_is_object(row))
			r = round_row(row, e, decimals);
	}
	return r;
}
