#include "store/rows.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

#include "base/buf.h"
#include "model/op.h"
#include "store/key.h"

/* --- columns --- */

bool rows_is_stored(const struct field *f)
{
	return !(f->flags & FIELD_COMPUTED);
}

int rows_column_count(const struct entity *e)
{
	int n = 0;

	for (int i = 0; i < e->fields; i++)
		n += rows_is_stored(&e->field[i]);
	return n;
}

void rows_columns(const struct entity *e, struct buf *out)
{
	const char *comma = "";

	for (int i = 0; i < e->fields; i++) {
		if (!rows_is_stored(&e->field[i]))
			continue;
		buf_printf(out, "%s\"%s\"", comma, e->field[i].name);
		comma = ", ";
	}
}

void rows_marks(const struct entity *e, struct buf *out)
{
	for (int i = 0; i < rows_column_count(e); i++)
		buf_putz(out, i > 0 ? ", ?" : "?");
}

static void bind_text(struct stmt *s, int i, const struct field *f, const char *text)
{
	if (!text && f->flags & FIELD_SUBKEY)
		text = "";
	stmt_bind_text(s, i, str_of(text));
}

void rows_bind(const struct entity *e, struct stmt *s, int first, const void *row)
{
	for (const struct field *f = e->field, *end = f + e->fields; f < end; f++) {
		if (!rows_is_stored(f))
			continue;
		if (f->type == FIELD_TEXT || f->type == FIELD_LIST)
			bind_text(s, first, f, row_text(f, row));
		else if (row_is_absent(f, row))
			stmt_bind_null(s, first);
		else if (f->type == FIELD_ENUM)
			stmt_bind_text(s, first, str_of(f->values[row_int(f, row)]));
		else
			stmt_bind_int(s, first, row_int(f, row));
		first++;
	}
}

static int64_t enum_index(const struct field *f, struct str word)
{
	for (int64_t i = 0; f->values[i]; i++) {
		if (str_eq(word, str_of(f->values[i])))
			return i;
	}
	return FIELD_ABSENT;
}

static int read_field(const struct field *f, struct stmt *s, int column, void *row)
{
	if (f->type == FIELD_TEXT || f->type == FIELD_LIST)
		return row_set_text(f, row, stmt_text(s, column));
	if (f->type == FIELD_ENUM)
		row_set_int(f, row, enum_index(f, stmt_text(s, column)));
	else
		row_set_int(f, row, stmt_is_null(s, column) ? FIELD_ABSENT : stmt_int(s, column));
	return 0;
}

void *rows_read(const struct entity *e, struct stmt *s, int first)
{
	void *row = row_create(e);

	for (int i = 0; row && i < e->fields; i++) {
		if (rows_is_stored(&e->field[i]) && read_field(&e->field[i], s, first++, row) < 0)
			row = row_free(e, row);
	}
	return row;
}

/* --- statements and their errors --- */

static int prepare(struct stmt **ret, struct db *d, struct buf *sql)
{
	const char *text = buf_cstr(sql);

	return text ? stmt_prepare(ret, d, text) : -ENOMEM;
}

int rows_prepare_insert(struct stmt **ret, struct db *d, const struct entity *e, const char *into,
			const char *more_columns, const char *more_marks)
{
	CLEANUP(buf_done) struct buf sql = BUF_INIT;

	buf_printf(&sql, "%s (", into);
	rows_columns(e, &sql);
	buf_printf(&sql, "%s) VALUES (", more_columns);
	rows_marks(e, &sql);
	buf_printf(&sql, "%s)", more_marks);
	return prepare(ret, d, &sql);
}

static int store_error(struct db *d, int r, struct err *err)
{
	if (r == -ENOMEM)
		(void)err_set(err, ERR_INTERNAL, "", STR(""), NULL, "memory is short");
	else
		(void)err_set(err, ERR_STORE, "", STR(""), NULL, "the store refused: %s",
			      db_error(d));
	return r;
}

/* "wholesale/880" or "GROUP/PREFIX, as `rate list` shows it" */
static void put_key_form(struct buf *out, const struct entity *e)
{
	struct key k = key_of(e, FIELD_KEY);

	for (int i = 0; i < k.parts; i++) {
		buf_putz(out, i ? "/" : "");
		for (const char *p = k.field[i]->name; *p; p++)
			buf_putc(out, (char)toupper((unsigned char)*p));
	}
	if (op_find_verb(str_of(e->name), STR("list")) != OP_COUNT)
		buf_printf(out, ", as `%s list` shows it", e->name);
}

static void say_no_such(const char *field, const struct entity *e, struct str key, struct err *err)
{
	CLEANUP(buf_done) struct buf form = BUF_INIT;

	put_key_form(&form, e);
	(void)err_set(err, ERR_NOT_FOUND, field, key, buf_cstr(&form), "there is no %s '%.*s'",
		      e->name, (int)(key.n < 64 ? key.n : 64), key.p ? key.p : "");
}

static int no_such(const struct entity *e, struct str key, struct err *err)
{
	say_no_such("", e, key, err);
	return -ENOENT;
}

static void say_exists(const struct entity *e, const char *field, struct str key, struct err *err)
{
	CLEANUP(buf_done) struct buf form = BUF_INIT;

	buf_printf(&form, "another %s", field);
	if (op_find_verb(str_of(e->name), STR("set")) != OP_COUNT)
		buf_printf(&form, "; `%s set %.*s` changes this one", e->name,
			   (int)(key.n < 128 ? key.n : 128), key.p ? key.p : "");
	(void)err_set(err, ERR_EXISTS, field, key, buf_cstr(&form), "this %s exists already",
		      e->name);
}

/* Is there a row of that entity with that key, as a reference names it? */
static bool is_there(struct db *d, const struct entity *e, struct str key)
{
	CLEANUP(buf_done) struct buf sql = BUF_INIT;
	CLEANUP(stmt_free) struct stmt *s = NULL;

	buf_printf(&sql, "SELECT 1 FROM \"%s\" WHERE \"%s\" = ?", e->table,
		   key_of(e, FIELD_KEY).field[0]->name);
	if (prepare(&s, d, &sql) < 0)
		return true;
	stmt_bind_text(s, 1, key);
	return stmt_step(s) != 0;
}

/* The reference that leads nowhere, by its field. */
static int broken_link(struct db *d, const struct entity *e, const void *row, struct err *err)
{
	for (const struct field *f = e->field, *end = f + e->fields; f < end; f++) {
		const struct entity *other = f->ref ? entity_find(str_of(f->ref)) : NULL;
		struct str key = other ? str_of(row_text(f, row)) : (struct str){ NULL, 0 };

		if (!other || str_is_empty(key) || is_there(d, other, key))
			continue;
		say_no_such(f->name, other, key, err);
		return -ENOLINK;
	}
	(void)err_set(err, ERR_NOT_FOUND, "", STR(""), "the names of what exists",
		      "the %s names something that does not exist", e->name);
	return -ENOLINK;
}

/* Why a row was not written. */
static int write_error(struct db *d, const struct entity *e, const void *row, int r,
		       struct err *err)
{
	CLEANUP(buf_done) struct buf key = BUF_INIT;
	struct key k = key_of(e, FIELD_KEY);

	if (r == -EEXIST) {
		row_key(e, row, &key);
		say_exists(e, k.field[k.parts - 1]->name, buf_str(&key), err);
		return r;
	}
	return r == -ENOLINK ? broken_link(d, e, row, err) : store_error(d, r, err);
}

/* --- writing --- */

static void set_new_id(struct db *d, const struct entity *e, void *row)
{
	struct key k = key_of(e, FIELD_KEY);

	if (k.field[0]->flags & FIELD_AUTO && row_is_absent(k.field[0], row))
		row_set_int(k.field[0], row, db_last_id(d));
}

int rows_add(struct db *d, const struct entity *e, void *row, struct err *err)
{
	CLEANUP(buf_done) struct buf into = BUF_INIT;
	CLEANUP(stmt_free) struct stmt *s = NULL;

	int r = row_check(e, row, err);
	if (r < 0)
		return r;

	buf_printf(&into, "INSERT INTO \"%s\"", e->table);
	r = buf_cstr(&into) ? rows_prepare_insert(&s, d, e, into.p, "", "") : -ENOMEM;
	if (r < 0)
		return store_error(d, r, err);

	rows_bind(e, s, 1, row);
	r = stmt_run(s);
	if (r < 0)
		return write_error(d, e, row, r, err);
	set_new_id(d, e, row);
	return 0;
}

/* "a" = ?1, "b" = ?2, ...: those of the stored fields that have one of the flags (0 = all),
 * numbered as rows_bind binds them. */
static void put_equal(const struct entity *e, unsigned flags, const char *between, struct buf *sql)
{
	const char *before = "";
	int n = 0;

	for (int i = 0; i < e->fields; i++) {
		const struct field *f = &e->field[i];

		if (!rows_is_stored(f))
			continue;
		n++;
		if (flags && !(f->flags & flags))
			continue;
		buf_printf(sql, "%s\"%s\" = ?%d", before, f->name, n);
		before = between;
	}
}

int rows_set(struct db *d, const struct entity *e, const void *row, struct err *err)
{
	CLEANUP(buf_done) struct buf sql = BUF_INIT, key = BUF_INIT;
	CLEANUP(stmt_free) struct stmt *s = NULL;

	int r = row_check(e, row, err);
	if (r < 0)
		return r;
	buf_printf(&sql, "UPDATE \"%s\" SET ", e->table);
	put_equal(e, 0, ", ", &sql);
	buf_putz(&sql, " WHERE ");
	put_equal(e, FIELD_KEY | FIELD_SUBKEY, " AND ", &sql);
	r = prepare(&s, d, &sql);
	if (r < 0)
		return store_error(d, r, err);

	rows_bind(e, s, 1, row);
	r = stmt_run(s);
	if (r < 0)
		return write_error(d, e, row, r, err);
	if (db_changes(d) > 0)
		return 0;
	row_key(e, row, &key);
	return no_such(e, buf_str(&key), err);
}

/* The first row that names this key, as "mapping-gateway 'acme-in'". */
static bool find_user(struct db *d, const struct entity *e, const struct field *f, struct str key,
		      struct buf *out)
{
	CLEANUP(buf_done) struct buf sql = BUF_INIT;
	CLEANUP(stmt_free) struct stmt *s = NULL;

	buf_printf(&sql, "SELECT \"%s\" FROM \"%s\" WHERE \"%s\" = ? LIMIT 1",
		   key_of(e, FIELD_KEY).field[0]->name, e->table, f->name);
	if (prepare(&s, d, &sql) < 0)
		return false;
	stmt_bind_text(s, 1, key);
	if (stmt_step(s) != 1)
		return false;
	buf_printf(out, "%s '%.*s'", e->name, STR_ARG(stmt_text(s, 0)));
	return true;
}

static int in_use(struct db *d, const struct entity *e, struct str key, struct err *err)
{
	CLEANUP(buf_done) struct buf user = BUF_INIT;

	for (int i = 0; i < ENTITY_COUNT && user.n == 0; i++) {
		const struct entity *other = &entities[i];

		for (int n = 0; other->home == HOME_SWITCH && n < other->fields; n++) {
			const struct field *f = &other->field[n];

			if (f->ref && strcmp(f->ref, e->name) == 0 &&
			    find_user(d, other, f, key, &user))
				break;
		}
	}
	(void)err_set(err, ERR_IN_USE, key_of(e, FIELD_KEY).field[0]->name, key, NULL,
		      "the %s is still in use%s%.*s", e->name, user.n ? " by " : "",
		      STR_ARG(buf_str(&user)));
	return -ENOLINK;
}

int rows_del(struct db *d, const struct entity *e, struct str key, struct err *err)
{
	CLEANUP(buf_done) struct buf sql = BUF_INIT;
	CLEANUP(stmt_free) struct stmt *s = NULL;
	struct key k = key_of(e, FIELD_KEY);

	buf_printf(&sql, "DELETE FROM \"%s\" WHERE ", e->table);
	key_put_match(&k, &sql);
	int r = prepare(&s, d, &sql);
	if (r < 0)
		return store_error(d, r, err);
	if (!key_bind(&k, key, s))
		return no_such(e, key, err);

	r = stmt_run(s);
	if (r == -ENOLINK)
		return in_use(d, e, key, err);
	if (r < 0)
		return store_error(d, r, err);
	return db_changes(d) > 0 ? 0 : no_such(e, key, err);
}

/* --- reading --- */

static void put_select(const struct entity *e, struct buf *sql)
{
	buf_putz(sql, "SELECT ");
	rows_columns(e, sql);
	buf_printf(sql, " FROM \"%s\"", e->table);
}

/* Of the versions of a rate: not over, in force before to come, the latest of the former, the
 * first of the latter. */
static void put_version(const struct key *k, struct str name, ms_t now_ms, struct buf *sql)
{
	long long now = now_ms;

	if (name.n)
		buf_printf(sql, " AND origin = ?%d", k->parts + 1);
	buf_printf(sql,
		   " AND (\"end\" IS NULL OR \"end\" > %lld)"
		   " ORDER BY origin <> '', effective > %lld, abs(effective - %lld) LIMIT 1",
		   now, now, now);
}

static int read_one(struct db *d, const struct entity *e, struct stmt *s, struct str key,
		    void **ret, struct err *err)
{
	int r = stmt_step(s);

	if (r < 0)
		return store_error(d, r, err);
	if (r == 0)
		return no_such(e, key, err);

	void *row = rows_read(e, s, 0);
	if (!row)
		return store_error(d, -ENOMEM, err);
	*ret = row;
	return 0;
}

int rows_get(struct db *d, const struct entity *e, struct str key, ms_t now_ms, void **ret,
	     struct err *err)
{
	CLEANUP(buf_done) struct buf sql = BUF_INIT;
	CLEANUP(stmt_free) struct stmt *s = NULL;
	struct key k = key_of(e, FIELD_KEY);
	struct str shorter = key, name = key_take_name(e, &shorter);

	put_select(e, &sql);
	buf_putz(&sql, " WHERE ");
	key_put_match(&k, &sql);
	if (key_of(e, FIELD_SUBKEY).parts > 0)
		put_version(&k, name, now_ms, &sql);
	int r = prepare(&s, d, &sql);
	if (r < 0)
		return store_error(d, r, err);
	if (!key_bind(&k, shorter, s))
		return no_such(e, key, err);
	if (name.n)
		stmt_bind_text(s, k.parts + 1, name);
	return read_one(d, e, s, key, ret, err);
}

/* SELECT ... WHERE (key) > (?1, ?2) ORDER BY primary key */
static int prepare_each(struct stmt **ret, struct db *d, const struct entity *e, struct str after)
{
	CLEANUP(buf_done) struct buf sql = BUF_INIT;
	CLEANUP(stmt_free) struct stmt *s = NULL;
	struct key key = key_of(e, FIELD_KEY), all = key_of(e, FIELD_KEY | FIELD_SUBKEY);

	put_select(e, &sql);
	if (!str_is_empty(after)) {
		buf_putz(&sql, " WHERE (");
		key_put_names(&key, &sql);
		buf_putz(&sql, key.parts == 1 ? ") > (?1)" : ") > (?1, ?2)");
	}
	buf_putz(&sql, " ORDER BY ");
	key_put_names(&all, &sql);

	int r = prepare(&s, d, &sql);
	if (r < 0)
		return r;
	(void)key_take_name(e, &after);
	if (!str_is_empty(after) && !key_bind(&key, after, s))
		return -EINVAL;
	*ret = TAKE(s);
	return 0;
}

static bool is_same_key(const struct entity *e, const void *a, const void *b)
{
	struct key k = key_of(e, FIELD_KEY);

	for (int i = 0; i < k.parts; i++) {
		const struct field *f = k.field[i];

		if (f->type == FIELD_TEXT ? strcmp(row_text(f, a), row_text(f, b)) != 0
					  : row_int(f, a) != row_int(f, b))
			return false;
	}
	return true;
}

/* The limit is reached, and this row is no further version of the last one. */
static bool is_beyond(const struct entity *e, int64_t n, int64_t limit, const void *row,
		      const void *last)
{
	return limit > 0 && n >= limit && !is_same_key(e, row, last);
}

int rows_each(struct db *d, const struct entity *e, struct str after, int64_t limit,
	      rows_fn *on_row, void *ctx)
{
	CLEANUP(stmt_free) struct stmt *s = NULL;
	void *last = NULL;

	int r = prepare_each(&s, d, e, after);
	if (r < 0)
		return r;
	for (int64_t n = 0; (r = stmt_step(s)) == 1; n++) {
		void *row = rows_read(e, s, 0);
		bool is_end = !row || is_beyond(e, n, limit, row, last);

		r = is_end ? (row ? 0 : -ENOMEM) : on_row(ctx, row);
		row_free(e, last);
		last = row;
		if (is_end || r != 0)
			break;
	}
	row_free(e, last);
	return r;
}

int rows_has(struct db *d, const struct entity *e, int field, struct str value)
{
	CLEANUP(buf_done) struct buf sql = BUF_INIT;
	CLEANUP(stmt_free) struct stmt *s = NULL;

	buf_printf(&sql, "SELECT 1 FROM \"%s\" WHERE \"%s\" = ?1 LIMIT 1", e->table,
		   e->field[field].name);
	int r = prepare(&s, d, &sql);
	if (r < 0)
		return r;
	stmt_bind_text(s, 1, value);
	return stmt_step(s);
}
