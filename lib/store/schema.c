#include "store/schema.h"

#include <errno.h>

#include "base/buf.h"
#include "store/rows.h"

/* --- what should be --- */

static const char *sql_type(const struct field *f)
{
	switch (f->type) {
	case FIELD_TEXT:
	case FIELD_LIST:
	case FIELD_ENUM:
		return "TEXT";
	default:
		return "INTEGER";
	}
}

/* As rows_bind stores it. */
static void put_default(const struct field *f, struct buf *out)
{
	if (f->flags & FIELD_SUBKEY && f->type == FIELD_TEXT)
		buf_putz(out, " DEFAULT ''");
	else if (f->default_text && f->default_int == FIELD_ABSENT)
		buf_printf(out, " DEFAULT '%s'", f->default_text);
	else if (f->default_int != FIELD_ABSENT && f->type == FIELD_ENUM)
		buf_printf(out, " DEFAULT '%s'", f->values[f->default_int]);
	else if (f->default_int != FIELD_ABSENT)
		buf_printf(out, " DEFAULT %lld", (long long)f->default_int);
}

/* Rows of two entities of one file may name each other; of two files they cannot. */
static const struct entity *referred(const struct entity *e, const struct field *f)
{
	const struct entity *other = f->ref ? entity_find(str_of(f->ref)) : NULL;

	return other && e->home == HOME_SWITCH && other->home == HOME_SWITCH ? other : NULL;
}

static const struct field *key_field(const struct entity *e)
{
	const struct field *f = e->field;

	while (!(f->flags & FIELD_KEY))
		f++;
	return f;
}

static void put_column(const struct entity *e, const struct field *f, struct buf *out)
{
	unsigned key = FIELD_KEY | FIELD_SUBKEY;
	bool is_needed = f->flags & (key | FIELD_REQUIRED) || f->default_text;
	const struct entity *other = referred(e, f);

	buf_printf(out, "\"%s\" %s", f->name, sql_type(f));
	if (is_needed && !(f->flags & FIELD_AUTO))
		buf_putz(out, " NOT NULL");
	put_default(f, out);
	if (f->type == FIELD_BOOL)
		buf_printf(out, " CHECK (\"%s\" IN (0, 1))", f->name);
	if (other)
		buf_printf(out, " REFERENCES \"%s\" (\"%s\")", other->table,
			   key_field(other)->name);
}

static void put_primary_key(const struct entity *e, struct buf *out)
{
	const char *comma = "";

	buf_putz(out, ", PRIMARY KEY (");
	for (int i = 0; i < e->fields; i++) {
		if (!(e->field[i].flags & (FIELD_KEY | FIELD_SUBKEY)))
			continue;
		buf_printf(out, "%s\"%s\"", comma, e->field[i].name);
		comma = ", ";
	}
	buf_putc(out, ')');
}

void schema_ddl(const struct table *t, struct buf *out)
{
	const char *comma = "";

	buf_printf(out, "CREATE TABLE \"%s\" (", t->name);
	for (int i = 0; t->entity && i < t->entity->fields; i++) {
		if (!rows_is_stored(&t->entity->field[i]))
			continue;
		buf_putz(out, comma);
		put_column(t->entity, &t->entity->field[i], out);
		comma = ", ";
	}
	for (int i = 0; t->columns[i]; i++) {
		buf_printf(out, "%s%s", comma, t->columns[i]);
		comma = ", ";
	}
	if (t->entity && !t->key)
		put_primary_key(t->entity, out);
	if (t->check)
		buf_printf(out, ", %s", t->check);
	if (t->key)
		buf_printf(out, ", PRIMARY KEY (%s)", t->key);
	buf_putz(out, t->key ? ") STRICT, WITHOUT ROWID" : ") STRICT");
}

/* --- what is --- */

int schema_is_empty(struct db *d)
{
	CLEANUP(stmt_free) struct stmt *s = NULL;

	int r = stmt_prepare(&s, d, "SELECT count(*) = 0 FROM sqlite_schema");
	if (r < 0)
		return r;
	r = stmt_step(s);
	return r == 1 ? (int)stmt_int(s, 0) : r;
}

static int add_names(struct db *d, const char *sql, const char *table, struct buf *out)
{
	CLEANUP(stmt_free) struct stmt *s = NULL;

	int r = stmt_prepare(&s, d, sql);
	if (r < 0)
		return r;
	stmt_bind_text(s, 1, str_of(table));
	while ((r = stmt_step(s)) == 1) {
		buf_put(out, stmt_text(s, 0));
		buf_putc(out, '\0');
	}
	return r < 0 ? r : buf_error(out);
}

int schema_columns(struct db *d, const char *table, struct buf *out)
{
	return add_names(d, "SELECT name FROM pragma_table_info(?1)", table, out);
}

bool schema_has(struct str names, struct str column)
{
	struct str name;

	while (str_split(&names, '\0', &name)) {
		if (str_eq(name, column))
			return true;
	}
	return false;
}

/* --- making it so --- */

/* The name in "name TYPE ...". */
static struct str name_of(const char *column)
{
	struct str s = str_of(column), name = s;

	(void)str_split(&s, ' ', &name);
	return name;
}

static bool is_declared(const struct table *t, struct str column)
{
	int i = t->entity ? entity_field(t->entity, column) : -1;

	if (i >= 0 && rows_is_stored(&t->entity->field[i]))
		return true;
	for (i = 0; t->columns[i]; i++) {
		if (str_eq(name_of(t->columns[i]), column))
			return true;
	}
	return false;
}

/*
 * A column that a newer program added is left alone if rows can be made without it: so a program that
 * comes back after an update that failed works with the same file.
 */
static int refuse_newer(struct db *d, const struct table *t, struct err *err)
{
	CLEANUP(buf_done) struct buf needed = BUF_INIT;
	int r = add_names(d,
			  "SELECT name FROM pragma_table_info(?1)"
			  " WHERE pk > 0 OR (\"notnull\" AND dflt_value IS NULL)",
			  t->name, &needed);
	struct str name, names = buf_str(&needed);

	if (r < 0)
		return r;
	while (str_split(&names, '\0', &name)) {
		if (str_is_empty(name) || is_declared(t, name))
			continue;
		(void)err_set(err, ERR_STORE, t->name, name,
			      "the version that wrote it, or a newer one",
			      "the database was written by a newer version of Tandem");
		return -EPROTO;
	}
	return 0;
}

static int run(struct db *d, struct buf *sql, struct err *err)
{
	const char *text = buf_cstr(sql);
	int r = text ? db_exec(d, text) : -ENOMEM;

	if (r < 0)
		(void)err_set(err, ERR_STORE, "", STR(""), NULL, "the schema cannot be made: %s",
			      text ? db_error(d) : "memory is short");
	return r;
}

static int add_field(struct db *d, const struct table *t, const struct field *f, struct err *err)
{
	CLEANUP(buf_done) struct buf sql = BUF_INIT;

	buf_printf(&sql, "ALTER TABLE \"%s\" ADD COLUMN ", t->name);
	put_column(t->entity, f, &sql);
	return run(d, &sql, err);
}

static int add_column(struct db *d, const struct table *t, const char *column, struct err *err)
{
	CLEANUP(buf_done) struct buf sql = BUF_INIT;

	buf_printf(&sql, "ALTER TABLE \"%s\" ADD COLUMN %s", t->name, column);
	return run(d, &sql, err);
}

static int add_missing(struct db *d, const struct table *t, struct str names, struct err *err)
{
	int r = refuse_newer(d, t, err);

	for (int i = 0; r == 0 && t->entity && i < t->entity->fields; i++) {
		const struct field *f = &t->entity->field[i];

		if (rows_is_stored(f) && !schema_has(names, str_of(f->name)))
			r = add_field(d, t, f, err);
	}
	for (int i = 0; r == 0 && t->columns[i]; i++) {
		if (!schema_has(names, name_of(t->columns[i])))
			r = add_column(d, t, t->columns[i], err);
	}
	return r;
}

static int apply(struct db *d, const struct table *t, struct err *err)
{
	CLEANUP(buf_done) struct buf names = BUF_INIT, sql = BUF_INIT;

	int r = schema_columns(d, t->name, &names);
	if (r < 0) {
		(void)err_set(err, ERR_STORE, "", STR(""), NULL, "the schema cannot be read");
		return r;
	}
	if (names.n > 0)
		r = add_missing(d, t, buf_str(&names), err);
	else
		schema_ddl(t, &sql);
	if (t->indexes)
		buf_printf(&sql, ";%s", t->indexes);
	if (r < 0 || (sql.n == 0 && buf_error(&sql) == 0))
		return r;
	return run(d, &sql, err);
}

int schema_apply(struct db *d, const struct table *tables, int count, struct err *err)
{
	int r = 0;

	for (int i = 0; r == 0 && i < count; i++)
		r = apply(d, &tables[i], err);
	return r;
}
