#include <errno.h>
#include <string.h>

#include "base/csv.h"
#include "base/trie.h"
#include "number/areas.h"
#include "ops/directory.h"
#include "ops/inner.h"
#include "store/rows.h"

/* Number lists, areas and transforms beyond add, set, show, list and del: files, and questions. */

/* ---- files: all of it or nothing ---- */

struct import {
	struct csv csv;
	struct stmt *insert;
	int64_t rows;
};

/* Says what is wrong with the row that was read, or NULL; binds what is to be stored. */
typedef const char *bind_fn(struct import *i);

static int refuse_line(const struct import *i, struct str given, const char *fault, struct err *err)
{
	return err_set(err, ERR_BAD_VALUE, "content", given, "a file without such a line",
		       "line %u: %s; nothing was changed", i->csv.line, fault);
}

static int take_lines(struct import *i, const char *header, bind_fn *bind, struct err *err)
{
	int r;

	while ((r = csv_next(&i->csv)) == 1) {
		struct str first = str_trim(i->csv.cell[0]);

		if (i->csv.line == 1 && str_ieq(first, str_of(header)))
			continue;
		const char *fault = bind(i);
		if (fault)
			return refuse_line(i, first, fault, err);
		r = stmt_run(i->insert);
		if (r == -EEXIST)
			return refuse_line(i, first, "it stands in the file twice", err);
		if (r < 0)
			return r;
		i->rows++;
	}
	return r == -EBADMSG ? refuse_line(i, STR(""), i->csv.error, err) : r;
}

/* content, with what a mode may be; *ret_second: it is the other one. */
static int read_arguments(const struct request *r, struct buf *content, const char *first,
			  const char *second, bool *ret_second, struct err *err)
{
	CLEANUP(buf_done) struct buf mode = BUF_INIT;
	CLEANUP(buf_done) struct buf modes = BUF_INIT;
	int error = arg_need(r, "content", content, err);

	*ret_second = false;
	if (error < 0 || !arg_text(r, "mode", &mode))
		return error;
	*ret_second = str_eq(buf_str(&mode), str_of(second));
	if (*ret_second || str_eq(buf_str(&mode), str_of(first)))
		return 0;
	buf_printf(&modes, "%s or %s", first, second);
	return err_set(err, ERR_BAD_VALUE, "mode", buf_str(&mode), buf_cstr(&modes),
		       "there is no such mode");
}

static int run(struct ops *o, const char *sql, struct str value)
{
	CLEANUP(stmt_free) struct stmt *s = NULL;
	int r = stmt_prepare(&s, o->db, sql);

	if (r < 0)
		return r;
	if (value.p)
		stmt_bind_text(s, 1, value);
	return stmt_run(s);
}

static int import(struct ops *o, struct import *i, struct str content, const char *sql,
		  struct str list, const char *header, bind_fn *bind, struct err *err)
{
	int r = stmt_prepare(&i->insert, o->db, sql);

	if (r == 0) {
		if (list.p)
			stmt_bind_text(i->insert, 2, list);
		csv_init(&i->csv, content, ',');
		r = take_lines(i, header, bind, err);
		csv_done(&i->csv);
	}
	i->insert = stmt_free(i->insert);
	return r;
}

static const char *bind_number(struct import *i)
{
	struct str number = str_trim(i->csv.cell[0]);

	if (number.n == 0 || !trie_is_key(number) || str_chr(number, '+') >= 0)
		return "not a number of up to 40 digits, * and #";
	stmt_bind_text(i->insert, 1, number);
	return NULL;
}

int number_list_import(struct ops *o, struct request *r, json_t **ret, struct err *err)
{
	CLEANUP(buf_done) struct buf name = BUF_INIT;
	CLEANUP(buf_done) struct buf content = BUF_INIT;
	struct change c = { .changed = CHANGED_LISTS };
	struct import i = { 0 };
	bool appends = false;
	int error = arg_need(r, "name", &name, err);

	if (error == 0)
		error = read_arguments(r, &content, "replace", "append", &appends, err);
	if (error == 0)
		error = change_begin(o, err);
	if (error < 0)
		return error;
	c.key = c.group = buf_cstr(&name);
	if (rows_has(o->db, &entities[ENTITY_NUMBER_LIST], NUMBER_LIST_NAME, buf_str(&name)) != 1)
		error = err_set(err, ERR_NOT_FOUND, "name", buf_str(&name),
				"the name of a number list", "there is no such number list");
	if (error == 0 && !appends)
		error = run(o, "DELETE FROM listed_number WHERE list = ?", buf_str(&name));
	if (error == 0)
		error = import(o, &i, buf_str(&content),
			       "INSERT OR IGNORE INTO listed_number (number, list) VALUES (?, ?)",
			       buf_str(&name), "number", bind_number, err);
	c.after = json_pack("{s:s s:I}", "mode", appends ? "append" : "replace", "lines",
			    (json_int_t)i.rows);
	error = change_end(o, r, &c, error, err);
	json_decref(c.after);
	if (error == 0)
		*ret = json_pack("{s:s s:I}", "name", buf_cstr(&name), "lines", (json_int_t)i.rows);
	return error;
}

static const char *bind_area(struct import *i)
{
	struct str prefix = str_trim(i->csv.cell[0]),
		   name = i->csv.cells > 1 ? str_trim(i->csv.cell[1]) : STR("");
	const struct field *f = &entities[ENTITY_AREA].field[AREA_NAME];
	size_t characters = 0;

	if (prefix.n == 0 || !trie_is_key(prefix) || str_chr(prefix, '+') >= 0)
		return "its prefix is not one of up to 40 digits, * and #";
	if (name.n == 0)
		return "it has no name";
	for (struct str rest = name; rest.n > 0; characters++) {
		uint32_t code;
		size_t n = str_utf8(rest, &code);

		if (n == 0 || code < 0x20 || code == 0x7f)
			return "its name is not text in UTF-8";
		rest = str_skip(rest, n);
	}
	if (characters > (size_t)f->max)
		return "its name is too long";
	stmt_bind_text(i->insert, 1, prefix);
	stmt_bind_text(i->insert, 2, name);
	return NULL;
}

int area_import(struct ops *o, struct request *r, json_t **ret, struct err *err)
{
	CLEANUP(buf_done) struct buf content = BUF_INIT;
	struct change c = { .changed = CHANGED_AREAS, .key = "" };
	struct import i = { 0 };
	bool replaces = false;
	int error = read_arguments(r, &content, "merge", "replace", &replaces, err);

	if (error == 0)
		error = change_begin(o, err);
	if (error < 0)
		return error;
	if (replaces)
		error = run(o, "DELETE FROM area", (struct str){ NULL, 0 });
	if (error == 0)
		error = import(o, &i, buf_str(&content),
			       replaces
				       ? "INSERT INTO area (prefix, name) VALUES (?, ?)"
				       : "INSERT OR REPLACE INTO area (prefix, name) VALUES (?, ?)",
			       (struct str){ NULL, 0 }, "prefix", bind_area, err);
	c.after = json_pack("{s:s s:I}", "mode", replaces ? "replace" : "merge", "lines",
			    (json_int_t)i.rows);
	error = change_end(o, r, &c, error, err);
	json_decref(c.after);
	if (error == 0)
		*ret = json_pack("{s:I}", "lines", (json_int_t)i.rows);
	return error;
}

/* ---- questions ---- */

int listed_number_list(struct ops *o, struct request *r, json_t **ret, struct err *err)
{
	CLEANUP(buf_done) struct buf list = BUF_INIT;
	CLEANUP(buf_done) struct buf number = BUF_INIT;
	CLEANUP(buf_done) struct buf after = BUF_INIT;
	CLEANUP(stmt_free) struct stmt *s = NULL;
	json_t *array = NULL;
	int64_t limit;
	int error = arg_int(r, "limit", 1, 10000000, 10000, &limit, err);

	(void)arg_text(r, "list", &list);
	(void)arg_text(r, "number", &number);
	(void)arg_text(r, "after", &after);
	if (error == 0)
		error = stmt_prepare(
			&s, o->db,
			"SELECT list, number FROM listed_number WHERE"
			" (?1 = '' OR list = ?1) AND (?2 = '' OR number = ?2)"
			" AND list || '/' || number > ?3 ORDER BY list, number LIMIT ?4");
	if (error < 0)
		return error;
	stmt_bind_text(s, 1, list.n ? buf_str(&list) : STR(""));
	stmt_bind_text(s, 2, number.n ? buf_str(&number) : STR(""));
	stmt_bind_text(s, 3, after.n ? buf_str(&after) : STR(""));
	stmt_bind_int(s, 4, limit);
	array = json_array();
	while (array && (error = stmt_step(s)) == 1) {
		struct str l = stmt_text(s, 0), n = stmt_text(s, 1);

		(void)json_array_append_new(
			array, json_pack("{s:s% s:s%}", "list", l.p, l.n, "number", n.p, n.n));
	}
	if (error == 0)
		*ret = array;
	else
		json_decref(array);
	return error;
}

int area_find(struct ops *o, struct request *r, json_t **ret, struct err *err)
{
	CLEANUP(buf_done) struct buf number = BUF_INIT;
	const struct world *w = catalog_world(o->catalog);
	int error = arg_need(r, "number", &number, err);

	if (error < 0)
		return error;
	if (!trie_is_key(buf_str(&number)))
		return err_set(err, ERR_BAD_VALUE, "number", buf_str(&number), "up to 40 digits",
			       "not a number");

	const char *area = areas_find(w->areas, buf_str(&number));
	const struct phone *p = world_phone_called(w, buf_str(&number));

	*ret = json_pack("{s:s s:s? s:s? s:s?}", "number", buf_cstr(&number), "area", area, "phone",
			 p ? p->row->number : NULL, "account", p ? p->row->account : NULL);
	return 0;
}

int transform_try(struct ops *o, struct request *r, json_t **ret, struct err *err)
{
	CLEANUP(buf_done) struct buf name = BUF_INIT;
	CLEANUP(buf_done) struct buf number = BUF_INIT;
	char room[TRANSFORM_NUMBER_MAX + 1];
	struct buf out = buf_fixed(room, sizeof(room));
	const struct transform *t;
	int error = arg_need(r, "name", &name, err);

	if (error == 0)
		error = arg_need(r, "number", &number, err);
	if (error < 0)
		return error;
	t = directory_transform(catalog_directory(o->catalog), buf_cstr(&name));
	if (!t)
		return err_set(err, ERR_NOT_FOUND, "name", buf_str(&name),
			       "the name of a transform", "there is no such transform");
	if (transform_apply(t, buf_str(&number), &out) < 0)
		return err_set(err, ERR_BAD_VALUE, "number", buf_str(&number),
			       "one of which 1 to 40 characters are left",
			       "a call with this number would be refused: NumberInvalid");
	*ret = json_pack("{s:s s:s}", "number", buf_cstr(&number), "result", buf_cstr(&out));
	return 0;
}
