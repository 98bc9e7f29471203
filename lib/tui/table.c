#include "tui/table.h"

#include <errno.h>
#include <stdlib.h>

#include "base/buf.h"
#include "model/json.h"
#include "model/text.h"
#include "tui/keys.h"

enum { GAP = 2, WIDTH_MAX = 48, CUT_MIN = 8, CELL_MAX = 512 };

struct column {
	const char *name;
	int width;
	bool is_right;
};

struct table {
	struct column *column;
	int columns;
	const char *const *keys;
	const struct entity *entity;
	enum role (*look)(const json_t *row);
	json_t *rows;
	struct buf filter;
	size_t *visible; /* indices of the rows that the filter leaves */
	size_t count;
	size_t selected, top; /* of visible */
	int page;             /* rows on the screen at the last drawing */
	int first;            /* column behind the first one, when scrolled */
	bool has_more;        /* columns to the right */
	bool has_head;
};

int table_set_columns(struct table *t, const char *const *columns)
{
	struct column *column;
	int n = 0;

	while (columns[n])
		n++;
	column = calloc((size_t)n + 1, sizeof(*column));
	if (!column)
		return -ENOMEM;
	for (int i = 0; i < n; i++)
		column[i].name = columns[i];
	free(t->column);
	t->column = column;
	t->columns = n;
	t->first = 1;
	return 0;
}

int table_create(struct table **ret, const char *const *columns, const char *const *keys,
		 const struct entity *entity)
{
	struct table *t = calloc(1, sizeof(*t));

	if (!t || table_set_columns(t, columns) < 0) {
		free(t);
		return -ENOMEM;
	}
	t->keys = keys;
	t->entity = entity;
	t->page = 1;
	t->has_head = true;
	*ret = t;
	return 0;
}

struct table *table_free(struct table *t)
{
	if (!t)
		return NULL;
	json_decref(t->rows);
	buf_done(&t->filter);
	free(t->visible);
	free(t->column);
	free(t);
	return NULL;
}

/* --- cells --- */

/* For as long as b is not used again; what cannot be read is empty. */
static struct str cell(const json_t *row, const char *name, struct buf *b)
{
	const json_t *v = json_object_get(row, name);

	buf_clear(b);
	if (json_is_object(v) || json_to_text(v, b) < 0) {
		char *dump = json_dumps(v, JSON_COMPACT | JSON_ENCODE_ANY);

		buf_clear(b);
		buf_put(b, str_head(str_of(dump), CELL_MAX));
		free(dump);
	}
	return buf_error(b) ? STR("") : str_head(buf_str(b), CELL_MAX);
}

static bool is_number(const struct table *t, const char *name, const json_t *v)
{
	int i = t->entity ? entity_field(t->entity, str_of(name)) : -1;

	if (i >= 0)
		return t->entity->field[i].type == FIELD_INT ||
		       t->entity->field[i].type == FIELD_MONEY;
	return json_is_number(v) || json_is_null(v) || !v;
}

static void measure(struct table *t, struct column *c)
{
	CLEANUP(buf_done) struct buf b = BUF_INIT;

	c->width = (int)text_width(str_of(c->name));
	c->is_right = json_array_size(t->rows) > 0;
	for (size_t i = 0; i < json_array_size(t->rows); i++) {
		const json_t *row = json_array_get(t->rows, i);
		int width = (int)text_width(cell(row, c->name, &b));

		if (width > c->width)
			c->width = width;
		if (!is_number(t, c->name, json_object_get(row, c->name)))
			c->is_right = false;
	}
	if (c->width > WIDTH_MAX)
		c->width = WIDTH_MAX;
}

/* --- which rows --- */

static bool matches(const struct table *t, const json_t *row)
{
	CLEANUP(buf_done) struct buf b = BUF_INIT;

	for (int i = 0; i < t->columns; i++) {
		if (str_ifind(cell(row, t->column[i].name, &b), buf_str(&t->filter)) >= 0)
			return true;
	}
	return t->filter.n == 0;
}

static void put_key(const struct table *t, const json_t *row, struct buf *out)
{
	CLEANUP(buf_done) struct buf b = BUF_INIT;

	for (int i = 0; row && t->keys[i]; i++) {
		buf_put(out, cell(row, t->keys[i], &b));
		buf_putc(out, '\0');
	}
}

static void select_key(struct table *t, struct str key)
{
	CLEANUP(buf_done) struct buf b = BUF_INIT;

	for (size_t i = 0; key.n && i < t->count; i++) {
		buf_clear(&b);
		put_key(t, json_array_get(t->rows, t->visible[i]), &b);
		if (str_eq(buf_str(&b), key)) {
			t->selected = i;
			return;
		}
	}
	if (t->selected >= t->count)
		t->selected = t->count ? t->count - 1 : 0;
}

/* The rows or the filter are new; what was selected stays so if it can. */
static int look_through(struct table *t, struct str key)
{
	size_t n = json_array_size(t->rows);
	size_t *visible = calloc(n + 1, sizeof(*visible));

	if (!visible)
		return -ENOMEM;
	free(t->visible);
	t->visible = visible;
	t->count = 0;
	for (size_t i = 0; i < n; i++) {
		if (matches(t, json_array_get(t->rows, i)))
			visible[t->count++] = i;
	}
	select_key(t, key);
	return 0;
}

int table_set_rows(struct table *t, json_t *rows)
{
	CLEANUP(buf_done) struct buf key = BUF_INIT;
	json_t *old = t->rows;

	put_key(t, table_selected(t), &key);
	t->rows = rows;
	int r = look_through(t, buf_str(&key));
	if (r < 0) {
		t->rows = old;
		json_decref(rows);
		return r;
	}
	json_decref(old);
	for (int i = 0; i < t->columns; i++)
		measure(t, &t->column[i]);
	return 0;
}

int table_set_filter(struct table *t, struct str text)
{
	CLEANUP(buf_done) struct buf key = BUF_INIT;

	put_key(t, table_selected(t), &key);
	buf_clear(&t->filter);
	buf_put(&t->filter, text);
	int r = buf_error(&t->filter);
	if (r < 0)
		buf_clear(&t->filter);
	int error = look_through(t, buf_str(&key));
	return r < 0 ? r : error;
}

struct str table_filter(const struct table *t)
{
	return buf_str(&t->filter);
}

size_t table_count(const struct table *t)
{
	return json_array_size(t->rows);
}

size_t table_visible(const struct table *t)
{
	return t->count;
}

const json_t *table_selected(const struct table *t)
{
	return t->selected < t->count ? json_array_get(t->rows, t->visible[t->selected]) : NULL;
}

void table_set_look(struct table *t, enum role (*look)(const json_t *row))
{
	t->look = look;
}

void table_hide_head(struct table *t)
{
	t->has_head = false;
}

/* --- the picture --- */

/* One line: of a row, or of the column names if it is NULL. */
static void draw_line(struct table *t, struct area a, int y, enum role role, const json_t *row)
{
	CLEANUP(buf_done) struct buf b = BUF_INIT;
	int x = 0;

	draw_cell(a, y, 0, a.cols, role, STR(""), false);
	t->has_more = false;
	for (int i = 0; i < t->columns; i = i ? i + 1 : t->first) {
		const struct column *c = &t->column[i];
		struct str text = row ? cell(row, c->name, &b) : str_of(c->name);
		bool is_last = i + 1 >= t->columns;

		/* A text may be cut; half a number looks like another number. */
		int room = a.cols - x, width = is_last && !c->is_right ? room : c->width;
		bool is_cut = width > room || (is_last && c->width > room);
		if (i > 0 && is_cut && (c->is_right || (room < CUT_MIN && !is_last))) {
			t->has_more = true;
			break;
		}
		draw_cell(a, y, x, width, role, text, c->is_right);
		if (is_cut && !is_last)
			t->has_more = true;
		x += c->width + GAP;
	}
}

static void keep_in_sight(struct table *t)
{
	size_t page = (size_t)t->page;

	if (t->selected < t->top)
		t->top = t->selected;
	if (t->selected >= t->top + page)
		t->top = t->selected - page + 1;
	if (t->top + page > t->count)
		t->top = t->count > page ? t->count - page : 0;
}

static void draw_foot(const struct table *t, struct area a)
{
	size_t all = table_count(t);
	int y = a.rows - 1, x = 0;

	if (t->count)
		x = draw_format(a, y, 0, ROLE_DIM, "%zu of %zu", t->selected + 1, t->count);
	if (t->filter.n)
		x += draw_format(a, y, x, ROLE_WARN, "%swith \"%.*s\" (%zu in all)",
				 x ? " " : "none ", STR_ARG(buf_str(&t->filter)), all);
	if (t->first > 1 || t->has_more)
		draw_cell(a, y, a.cols - 28, 28, ROLE_DIM,
			  t->has_more ? STR("more columns: Right") : STR("more columns: Left"),
			  true);
}

void table_draw(struct table *t, struct area a)
{
	int head = t->has_head;

	t->page = a.rows > 3 ? a.rows - 1 - head : 1;
	keep_in_sight(t);
	if (head)
		draw_line(t, a, 0, ROLE_HEAD, NULL);
	for (int y = 0; y < t->page && t->top + (size_t)y < t->count; y++) {
		size_t i = t->top + (size_t)y;
		const json_t *row = json_array_get(t->rows, t->visible[i]);
		enum role role = t->look ? t->look(row) : ROLE_PLAIN;

		draw_line(t, a, y + head, i == t->selected ? ROLE_SELECTED : role, row);
	}
	if (t->count == 0 && t->filter.n == 0)
		(void)draw_text(a, 2, 2, ROLE_DIM, STR("There is nothing here yet."));
	draw_foot(t, a);
}

/* --- keys --- */

static void move_by(struct table *t, int64_t n)
{
	int64_t to = (int64_t)t->selected + n, last = (int64_t)t->count - 1;

	if (to > last)
		to = last;
	t->selected = to < 0 ? 0 : (size_t)to;
}

bool table_key(struct table *t, int key)
{
	int64_t all = (int64_t)t->count;
	const struct {
		int key;
		int64_t by;
	} moves[] = {
		{ K_UP, -1 },
		{ K_DOWN, 1 },
		{ K_PAGE_UP, -t->page },
		{ K_PAGE_DOWN, t->page },
		{ K_HOME, -all },
		{ K_END, all },
		{ K_CTRL('p'), -1 },
		{ K_CTRL('n'), 1 },
		{ K_CTRL('b'), -t->page },
		{ K_CTRL('f'), t->page },
	};

	for (size_t i = 0; i < sizeof(moves) / sizeof(moves[0]); i++) {
		if (moves[i].key == key) {
			move_by(t, moves[i].by);
			return true;
		}
	}
	if (key == K_RIGHT && t->has_more)
		t->first++;
	else if (key == K_LEFT && t->first > 1)
		t->first--;
	return key == K_RIGHT || key == K_LEFT;
}
