/*
 * A mysqldump: CREATE TABLE says which columns a table has, in their order, INSERT INTO brings its rows; everything else is passed over.
 * Comments are too, also those that MySQL runs (they set variables). Nothing is taken for granted: a file that is cut off in the middle of a
 * row gives the rows before it, and a problem.
 */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "migrate/source.h"

enum { LOOK_EVERY = 1024 };

/* A cell in `scratch` is known by where it begins there, for that grows. */
struct value {
	struct str text;
	size_t at;
	bool is_kept, is_null;
};

struct dump {
	const char *p, *end;
	uint64_t line;
	const struct source_user *u;
	struct str table; /* of the last CREATE TABLE */
	struct str column[SOURCE_COLUMNS];
	size_t columns;
	struct value value[SOURCE_COLUMNS];
	struct source_cell cell[SOURCE_COLUMNS];
	struct buf scratch; /* strings of a row that had to be unescaped */
	uint64_t rows;
};

/* ---- characters ---- */

static int peek(const struct dump *d)
{
	return d->p < d->end ? (unsigned char)*d->p : -1;
}

static void step(struct dump *d)
{
	d->line += *d->p == '\n';
	d->p++;
}

static bool at(const struct dump *d, struct str word)
{
	return (size_t)(d->end - d->p) >= word.n && memcmp(d->p, word.p, word.n) == 0;
}

static void skip_until(struct dump *d, struct str end)
{
	while (d->p < d->end && !at(d, end))
		step(d);
	for (size_t i = 0; i < end.n && d->p < d->end; i++)
		step(d);
}

static void skip_blank(struct dump *d)
{
	while (d->p < d->end) {
		if (isspace(peek(d)))
			step(d);
		else if (at(d, STR("/*")))
			skip_until(d, STR("*/"));
		else if (at(d, STR("--")) || peek(d) == '#')
			skip_until(d, STR("\n"));
		else
			return;
	}
}

static bool take(struct dump *d, char c)
{
	skip_blank(d);
	if (peek(d) != (unsigned char)c)
		return false;
	step(d);
	return true;
}

/* Behind the closing quote; false: there is none. */
static bool skip_quoted(struct dump *d, struct str *ret)
{
	char quote = *d->p;
	bool has_escapes = quote != '`';

	step(d);
	ret->p = d->p;
	while (d->p < d->end) {
		if (*d->p == '\\' && has_escapes && d->p + 1 < d->end) {
			step(d);
		} else if (*d->p == quote) {
			if (d->p + 1 == d->end || d->p[1] != quote) {
				ret->n = (size_t)(d->p - ret->p);
				step(d);
				return true;
			}
			step(d);
		}
		step(d);
	}
	return false;
}

static bool is_quote(int c)
{
	return c == '\'' || c == '"' || c == '`';
}

/* Behind the next of these characters that is in no quotes; which one it was, or -1. */
static int skip_to(struct dump *d, const char *any)
{
	struct str inside;

	for (;;) {
		skip_blank(d);
		int c = peek(d);
		if (c < 0)
			return -1;
		if (is_quote(c)) {
			if (!skip_quoted(d, &inside))
				return -1;
			continue;
		}
		step(d);
		if (c && strchr(any, c))
			return c;
	}
}

/* ---- words ---- */

static bool is_name(int c)
{
	return isalnum(c) || c == '_' || c == '$' || c >= 0x80;
}

static struct str take_bare(struct dump *d)
{
	struct str s = { d->p, 0 };

	while (d->p < d->end && is_name(peek(d)))
		step(d);
	s.n = (size_t)(d->p - s.p);
	return s;
}

static struct str take_word(struct dump *d)
{
	skip_blank(d);
	return take_bare(d);
}

/* A name with or without quotes; of `db`.`table` the second. */
static bool take_name(struct dump *d, struct str *ret, bool *ret_quoted)
{
	do {
		skip_blank(d);
		*ret_quoted = is_quote(peek(d));
		if (*ret_quoted && !skip_quoted(d, ret))
			return false;
		if (!*ret_quoted)
			*ret = take_bare(d);
	} while (take(d, '.'));
	return ret->n > 0;
}

static bool is_one_of(struct str word, const char *const *words)
{
	for (; *words; words++) {
		if (str_ieq(word, str_of(*words)))
			return true;
	}
	return false;
}

/* ---- CREATE TABLE ---- */

/* Behind the name of a column; the same for keys and what else stands between the commas. */
static int skip_element(struct dump *d)
{
	int depth = 0;

	for (;;) {
		int c = skip_to(d, "(),");

		if (c < 0 || (depth == 0 && c != '('))
			return c;
		depth += c == '(' ? 1 : c == ')' ? -1 : 0;
	}
}

static int read_create(struct dump *d)
{
	static const char *const no_column[] = { "PRIMARY",  "KEY",        "UNIQUE", "INDEX",
						 "FULLTEXT", "CONSTRAINT", "CHECK",  "FOREIGN",
						 "SPATIAL",  NULL };
	static const char *const before[] = { "IF", "NOT", "EXISTS", NULL };
	struct str name;
	bool is_quoted;

	do {
		if (!take_name(d, &name, &is_quoted))
			return 0;
	} while (!is_quoted && is_one_of(name, before));
	d->table = name;
	d->columns = 0;
	if (!take(d, '('))
		return 0;
	do {
		if (!take_name(d, &name, &is_quoted))
			return 0;
		if (!is_quoted && is_one_of(name, no_column))
			continue;
		if (d->columns == SOURCE_COLUMNS)
			return d->u->on_problem(d->u->ctx, d->table, d->line,
						"more than 256 columns");
		d->column[d->columns++] = name;
	} while (skip_element(d) == ',');
	return 0;
}

/* ---- INSERT ---- */

static char unescaped(char c)
{
	switch (c) {
	case 'n':
		return '\n';
	case 't':
		return '\t';
	case 'r':
		return '\r';
	case '0':
		return '\0';
	case 'Z':
		return '\x1a';
	default:
		return c;
	}
}

static void keep_unescaped(struct dump *d, struct str raw, char quote, struct value *v)
{
	v->is_kept = true;
	v->at = d->scratch.n;
	for (size_t i = 0; i < raw.n; i++) {
		char c = raw.p[i];

		if (c == '\\' && i + 1 < raw.n)
			c = unescaped(raw.p[++i]);
		else if (c == quote)
			i++;
		buf_putc(&d->scratch, c);
	}
	v->text.n = d->scratch.n - v->at;
}

static bool take_string(struct dump *d, struct value *v)
{
	char quote = *d->p;

	if (!skip_quoted(d, &v->text))
		return false;
	if (str_chr(v->text, '\\') >= 0 || str_chr(v->text, quote) >= 0)
		keep_unescaped(d, v->text, quote, v);
	return true;
}

/* A number, NULL, a word, a hex string, or a string with its character set before it. */
static bool take_value(struct dump *d, struct value *v)
{
	*v = (struct value){ 0 };
	skip_blank(d);
	if (peek(d) == '\'' || peek(d) == '"')
		return take_string(d, v);
	v->text.p = d->p;
	while (d->p < d->end && (is_name(peek(d)) || strchr("+-.", peek(d))) && peek(d) != 0)
		step(d);
	v->text.n = (size_t)(d->p - v->text.p);
	if (v->text.n == 0)
		return false;
	if (v->text.p[0] == '_' || str_ieq(v->text, STR("b")) || str_ieq(v->text, STR("x"))) {
		*v = (struct value){ 0 };
		skip_blank(d);
		return peek(d) == '\'' && take_string(d, v);
	}
	v->is_null = str_ieq(v->text, STR("NULL")) || str_ieq(v->text, STR("DEFAULT"));
	return true;
}

static int give_row(struct dump *d, size_t n, size_t columns, uint64_t line)
{
	const struct source_user *u = d->u;

	if (buf_error(&d->scratch) < 0)
		return -ENOMEM;
	if (n != columns)
		return u->on_problem(u->ctx, d->table, line,
				     "another number of values than columns");
	for (size_t i = 0; i < n; i++) {
		const struct value *v = &d->value[i];
		const char *p = v->is_kept ? d->scratch.p + v->at : v->text.p;

		d->cell[i] = (struct source_cell){ v->is_null ? STR("") : str_n(p, v->text.n),
						   v->is_null };
	}
	return u->on_row(u->ctx, d->cell, line);
}

enum { ROW_OK, ROW_BAD };

/* Behind its opening bracket. */
static int take_row(struct dump *d, size_t *ret_n)
{
	size_t n = 0;

	buf_clear(&d->scratch);
	do {
		if (n == SOURCE_COLUMNS || d->scratch.n > SOURCE_ROW_BYTES ||
		    !take_value(d, &d->value[n++]))
			return ROW_BAD;
	} while (take(d, ','));
	*ret_n = n;
	return take(d, ')') ? ROW_OK : ROW_BAD;
}

static int look(struct dump *d)
{
	bool is_time = d->rows++ % LOOK_EVERY == 0;

	return is_time && d->u->stop && atomic_load(d->u->stop) ? -ECANCELED : 0;
}

static int read_rows(struct dump *d, size_t columns)
{
	const struct source_user *u = d->u;
	int r = 0;

	while (r == 0 && take(d, '(')) {
		uint64_t line = d->line;
		size_t n = 0;

		if (take_row(d, &n) == ROW_BAD) {
			r = u->on_problem(u->ctx, d->table, line,
					  d->p == d->end ? "the file ends in the middle of it"
							 : "no list of values");
			return r < 0 ? r : (skip_to(d, ";"), 0);
		}
		r = give_row(d, n, columns, line);
		if (r == 0)
			r = look(d);
		if (!take(d, ','))
			break;
	}
	(void)take(d, ';');
	return r;
}

/* The list of columns that may stand behind the table's name. */
static bool read_columns(struct dump *d)
{
	bool is_quoted;

	d->columns = 0;
	do {
		if (d->columns == SOURCE_COLUMNS ||
		    !take_name(d, &d->column[d->columns++], &is_quoted))
			return false;
	} while (take(d, ','));
	return take(d, ')');
}

static int read_insert(struct dump *d)
{
	static const char *const before[] = { "INTO",    "IGNORE",        "LOW_PRIORITY",
					      "DELAYED", "HIGH_PRIORITY", NULL };
	static const char *const values[] = { "VALUES", "VALUE", NULL };
	const struct source_user *u = d->u;
	struct str name = STR("");
	bool is_quoted;

	do {
		if (!take_name(d, &name, &is_quoted))
			return 0;
	} while (!is_quoted && is_one_of(name, before));
	bool is_known = str_eq(name, d->table) && d->columns > 0;
	d->table = name;
	if (take(d, '('))
		is_known = read_columns(d);
	if (!is_known)
		d->columns = 0;
	if (!is_known || !is_one_of(take_word(d), values)) {
		int r = u->on_problem(
			u->ctx, name, d->line,
			"its columns are not known: no CREATE TABLE stands before it");
		return r < 0 ? r : (skip_to(d, ";"), 0);
	}
	if (u->on_table(u->ctx, name, d->column, d->columns))
		return read_rows(d, d->columns);
	(void)skip_to(d, ";");
	return 0;
}

/* ---- statements ---- */

static int read_statement(struct dump *d)
{
	struct str word = take_word(d);

	if (str_ieq(word, STR("INSERT")) || str_ieq(word, STR("REPLACE")))
		return read_insert(d);
	if (str_ieq(word, STR("CREATE")) && str_ieq(take_word(d), STR("TABLE"))) {
		int r = read_create(d);

		(void)skip_to(d, ";");
		return r;
	}
	(void)skip_to(d, ";");
	return 0;
}

bool dump_is(struct str file)
{
	struct str head = str_head(file, 65536);

	return str_find(file, STR("CREATE TABLE")) >= 0 || str_find(head, STR("INSERT INTO")) >= 0;
}

int dump_read(struct str file, const struct source_user *user)
{
	struct dump *d = calloc(1, sizeof(*d));
	int r = 0;

	if (!d)
		return -ENOMEM;
	*d = (struct dump){ .p = file.p, .end = file.p + file.n, .line = 1, .u = user };
	skip_blank(d);
	while (r == 0 && d->p < d->end) {
		r = read_statement(d);
		skip_blank(d);
		if (r == 0 && user->stop && atomic_load(user->stop))
			r = -ECANCELED;
	}
	buf_done(&d->scratch);
	free(d);
	return r;
}
