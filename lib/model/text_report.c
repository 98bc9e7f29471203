#include <errno.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "model/json.h"
#include "model/text.h"

enum { COLUMNS_MAX = 64 };

bool text_is_report(const json_t *doc)
{
	return json_is_array(json_object_get(doc, "columns")) ||
	       json_is_array(json_object_get(doc, "sections"));
}

/* The sums are told from the rows by a word in the first column, where that is none of theirs. */
static int add_totals(json_t *all, const json_t *totals, const char *first)
{
	const json_t *row;
	size_t i;

	json_array_foreach(totals, i, row)
	{
		json_t *copy = json_copy((json_t *)(uintptr_t)row);

		if (copy && first && !json_object_get(copy, first) &&
		    json_object_set_new(copy, first, json_string("total")) < 0) {
			json_decref(copy);
			return -ENOMEM;
		}
		if (json_array_append_new(all, copy) < 0)
			return -ENOMEM;
	}
	return 0;
}

/* Rows, and their sums below. */
static int put_table(const json_t *doc, struct buf *out)
{
	const char *columns[COLUMNS_MAX] = { NULL };
	CLEANUP(json_decref) json_t *all = json_copy(json_object_get(doc, "rows"));
	const json_t *names = json_object_get(doc, "columns");
	const json_t *totals = json_object_get(doc, "totals");

	for (size_t i = 0; i < json_array_size(names) && i < COLUMNS_MAX - 1; i++)
		columns[i] = json_string_value(json_array_get(names, i));
	if (!all || add_totals(all, totals, columns[0]) < 0)
		return -ENOMEM;
	int r = text_table(all, columns, NULL, out);
	if (json_is_true(json_object_get(doc, "is_cut")))
		buf_putz(out, "there are more rows: ask for less\n");
	return r < 0 ? r : buf_error(out);
}

static void put_line(const json_t *text, struct buf *out)
{
	buf_putc(out, '\n');
	text_put(out, str_n(json_string_value(text), json_string_length(text)));
	buf_putc(out, '\n');
}

int text_report(const json_t *doc, struct buf *out)
{
	const json_t *facts = json_object_get(doc, "facts"), *v;
	int r = 0;
	size_t i;

	if (json_is_array(json_object_get(doc, "columns")))
		return put_table(doc, out);
	if (facts)
		r = text_object(facts, out);
	json_array_foreach(json_object_get(doc, "sections"), i, v)
	{
		put_line(json_object_get(v, "help"), out);
		if (r == 0)
			r = put_table(v, out);
	}
	json_array_foreach(json_object_get(doc, "notes"), i, v) put_line(v, out);
	return r < 0 ? r : buf_error(out);
}
