#include "model/text.h"

#include <errno.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "model/json.h"
#include "model/utf8.h"

#define REPLACEMENT STR("\xef\xbf\xbd")
#define ELLIPSIS    STR("\xe2\x80\xa6")

/* --- one text --- */

/* The next character as it is shown: itself or the replacement; and its columns. */
static bool next_shown(struct str *rest, struct str *ret, size_t *ret_width)
{
	struct str before = *rest;
	int32_t c;

	if (!utf8_next(rest, &c))
		return false;

	int width = utf8_width(c);
	*ret = width < 0 ? REPLACEMENT : str_head(before, before.n - rest->n);
	*ret_width = width < 0 ? 1 : (size_t)width;
	return true;
}

void text_put(struct buf *out, struct str s)
{
	struct str shown;
	size_t width;

	while (next_shown(&s, &shown, &width))
		buf_put(out, shown);
}

size_t text_width(struct str s)
{
	struct str shown;
	size_t sum = 0, width;

	while (next_shown(&s, &shown, &width))
		sum += width;
	return sum;
}

void text_put_cut(struct buf *out, struct str s, size_t width)
{
	struct str shown;
	size_t room = width > 0 ? width - 1 : 0, w;

	if (text_width(s) <= width) {
		text_put(out, s);
		return;
	}
	while (next_shown(&s, &shown, &w) && w <= room) {
		buf_put(out, shown);
		room -= w;
	}
	if (width > 0)
		buf_put(out, ELLIPSIS);
}

static void pad(struct buf *out, size_t n)
{
	for (; n > 0; n--)
		buf_putc(out, ' ');
}

void text_put_cell(struct buf *out, struct str s, size_t width, bool is_right)
{
	size_t shown = text_width(s), space = shown < width ? width - shown : 0;

	if (is_right)
		pad(out, space);
	text_put_cut(out, s, width);
	if (!is_right)
		pad(out, space);
}

/* --- JSON values as one line --- */

static void put_value(const json_t *v, struct buf *out);

static void put_items(const json_t *array, struct buf *out)
{
	for (size_t i = 0; i < json_array_size(array); i++) {
		if (i > 0)
			buf_putz(out, ", ");
		put_value(json_array_get(array, i), out);
	}
}

static void put_dump(const json_t *v, struct buf *out)
{
	char *dump = json_dumps(v, JSON_COMPACT | JSON_ENCODE_ANY);

	if (dump)
		buf_putz(out, dump);
	else
		out->err = -ENOMEM; /* sticky, as when the buffer itself cannot grow */
	free(dump);
}

static void put_value(const json_t *v, struct buf *out)
{
	if (json_is_string(v))
		buf_put(out, str_n(json_string_value(v), json_string_length(v)));
	else if (json_is_array(v))
		put_items(v, out);
	else if (v && !json_is_null(v))
		put_dump(v, out);
}

static json_t *writable(const json_t *j)
{
	/* jansson's iterators only read, yet want a pointer that may write. */
	return (json_t *)(uintptr_t)j;
}

void text_put_changes(const json_t *of, const json_t *other, struct buf *out)
{
	bool is_first = true;
	const char *name;
	json_t *v;

	json_object_foreach(writable(of), name, v)
	{
		const json_t *was = json_object_get(other, name);
		bool is_nothing = json_is_null(v) || (json_is_array(v) && !json_array_size(v));

		if (was ? json_equal(v, was) : is_nothing)
			continue;
		buf_printf(out, "%s%s=", is_first ? "" : " ", name);
		put_value(v, out);
		is_first = false;
	}
}

int text_unfold_decisions(json_t *record)
{
	static const char *const columns[] = { "step", "verdict", "detail" };
	const char *text = json_string_value(json_object_get(record, "decisions"));
	CLEANUP(json_decref) json_t *steps = text ? json_loads(text, 0, NULL) : NULL;
	CLEANUP(json_decref) json_t *rows = json_array();
	const json_t *step;
	size_t i;

	if (!rows)
		return -ENOMEM;
	json_array_foreach(steps, i, step)
	{
		json_t *row = json_object();

		for (size_t c = 0; row && c < sizeof(columns) / sizeof(columns[0]); c++) {
			json_t *v = json_object_get(step, columns[c]);

			(void)json_object_set(row, columns[c], v ? v : json_null());
		}
		if (json_array_append_new(rows, row) < 0)
			return -ENOMEM;
	}
	if (json_array_size(rows) == 0)
		return 0;
	return json_object_set(record, "decisions", rows) < 0 ? -ENOMEM : 0;
}

/* --- tables --- */

struct column {
	const char *name;
	size_t width;
	bool is_right;
};

struct table {
	struct column *column;
	size_t count;
};

static void table_done_cleanup(struct table *t)
{
	free(t->column);
}

static int table_init(struct table *t, const json_t *rows, const char *const *columns)
{
	json_t *first = json_array_get(rows, 0), *v;
	const char *name;
	size_t count = 0;

	while (columns && columns[count])
		count++;
	if (!columns)
		count = json_object_size(first);
	t->count = 0;
	t->column = calloc(count + 1, sizeof(*t->column));
	if (!t->column)
		return -ENOMEM;

	for (size_t i = 0; columns && i < count; i++)
		t->column[t->count++].name = columns[i];
	if (!columns) {
		json_object_foreach(first, name, v) t->column[t->count++].name = name;
	}
	return 0;
}

/* With an entity its types say what a number is; without, the cells do. */
static bool is_number(const struct entity *e, const char *name, const json_t *cell)
{
	int i = e ? entity_field(e, str_of(name)) : -1;

	if (i >= 0)
		return e->field[i].type == FIELD_INT || e->field[i].type == FIELD_MONEY;
	return json_is_number(cell) || json_is_null(cell) || !cell;
}

/* The text of a cell, for as long as b is not used again. */
static int cell_text(const json_t *row, const char *name, struct buf *b, struct str *ret)
{
	buf_clear(b);
	put_value(json_object_get(row, name), b);
	*ret = buf_str(b);
	return buf_error(b);
}

static int measure(struct column *col, const json_t *rows, const struct entity *e)
{
	CLEANUP(buf_done) struct buf b = BUF_INIT;

	col->width = text_width(str_of(col->name));
	col->is_right = true;
	for (size_t i = 0; i < json_array_size(rows); i++) {
		const json_t *row = json_array_get(rows, i);
		struct str cell;

		int r = cell_text(row, col->name, &b, &cell);
		if (r < 0)
			return r;
		if (text_width(cell) > col->width)
			col->width = text_width(cell);
		if (!is_number(e, col->name, json_object_get(row, col->name)))
			col->is_right = false;
	}
	if (col->width > TEXT_CELL_MAX)
		col->width = TEXT_CELL_MAX;
	return 0;
}

/* The line of a row, or of the names if it is NULL. */
static int put_line(const struct table *t, const json_t *row, size_t indent, struct buf *out)
{
	CLEANUP(buf_done) struct buf b = BUF_INIT;

	pad(out, indent);
	for (size_t c = 0; c < t->count; c++) {
		const struct column *col = &t->column[c];
		bool is_last = c + 1 == t->count;
		struct str cell = str_of(col->name);

		int r = row ? cell_text(row, col->name, &b, &cell) : 0;
		if (r < 0)
			return r;
		if (is_last && !col->is_right)
			text_put_cut(out, cell, TEXT_LAST_MAX);
		else
			text_put_cell(out, cell, col->width, col->is_right);
		if (!is_last)
			buf_putz(out, "  ");
	}
	buf_putc(out, '\n');
	return buf_error(out);
}

static int put_table(const json_t *rows, const char *const *columns, const struct entity *e,
		     size_t indent, struct buf *out)
{
	CLEANUP(table_done) struct table t = { 0 };

	int r = table_init(&t, rows, columns);
	for (size_t c = 0; r == 0 && c < t.count; c++)
		r = measure(&t.column[c], rows, e);
	if (r == 0)
		r = put_line(&t, NULL, indent, out);
	for (size_t i = 0; r == 0 && i < json_array_size(rows); i++)
		r = put_line(&t, json_array_get(rows, i), indent, out);
	return r;
}

int text_table(const json_t *rows, const char *const *columns, const struct entity *e,
	       struct buf *out)
{
	return put_table(rows, columns, e, 0, out);
}

/* --- objects --- */

static int put_object(const json_t *object, size_t indent, struct buf *out);

static bool is_table(const json_t *v)
{
	return json_is_array(v) && json_is_object(json_array_get(v, 0));
}

static int put_member(const char *name, const json_t *v, size_t width, size_t indent,
		      struct buf *out)
{
	CLEANUP(buf_done) struct buf b = BUF_INIT;

	pad(out, indent);
	text_put(out, str_of(name));
	buf_putc(out, ':');
	if (json_is_object(v) || is_table(v)) {
		buf_putc(out, '\n');
		return is_table(v) ? put_table(v, NULL, NULL, indent + 2, out)
				   : put_object(v, indent + 2, out);
	}
	put_value(v, &b);
	if (b.n > 0)
		pad(out, width - text_width(str_of(name)) + 1);
	text_put(out, buf_str(&b));
	buf_putc(out, '\n');
	return buf_error(&b) ? buf_error(&b) : buf_error(out);
}

static int put_object(const json_t *object, size_t indent, struct buf *out)
{
	size_t width = 0;
	const char *name;
	json_t *v;

	json_object_foreach(writable(object), name, v)
	{
		size_t w = text_width(str_of(name));

		if (w > width)
			width = w;
	}
	json_object_foreach(writable(object), name, v)
	{
		int r = put_member(name, v, width, indent, out);
		if (r < 0)
			return r;
	}
	return 0;
}

int text_object(const json_t *object, struct buf *out)
{
	return put_object(object, 0, out);
}

int text_json(const json_t *doc, struct buf *out)
{
	CLEANUP(free) char *dump = json_dumps(doc, JSON_INDENT(2));

	if (!dump)
		return -ENOMEM;
	buf_putz(out, dump);
	buf_putc(out, '\n');
	return buf_error(out);
}

void text_put_failure(struct buf *out, const char *program, const struct err *e, int error)
{
	buf_printf(out, "%s: ", program);
	text_put(out, str_of(err_is_set(e) ? e->message : strerror(-error)));
	if (e->given[0]) {
		buf_putz(out, ": ");
		text_put(out, str_of(e->given));
	}
	if (e->accepted[0])
		buf_printf(out, "\n  accepted: %s", e->accepted);
	buf_putc(out, '\n');
}
