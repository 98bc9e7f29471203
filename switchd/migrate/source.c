#include "migrate/source.h"

#include <errno.h>

#include "base/csv.h"

/* ---- CSV ---- */

static bool is_stopped(const struct source_user *u)
{
	return u->stop && atomic_load_explicit(u->stop, memory_order_relaxed);
}

/* A short line is taken to end in nothing; one that is longer than its header is no row of it. */
static int give_row(const struct csv *c, size_t columns, struct str table,
		    const struct source_user *u)
{
	struct source_cell cell[CSV_CELLS];

	if (c->cells > columns)
		return u->on_problem(u->ctx, table, c->line, "more cells than the header has");
	for (size_t i = 0; i < columns; i++) {
		struct str text = i < c->cells ? str_trim(c->cell[i]) : STR("");
		bool is_null = str_eq(text, STR("\\N")) || str_ieq(text, STR("NULL"));

		cell[i] = (struct source_cell){ is_null ? STR("") : text, is_null };
	}
	return u->on_row(u->ctx, cell, c->line);
}

static int read_rows(struct csv *c, struct str table, const struct source_user *u)
{
	struct str column[CSV_CELLS];
	size_t columns = 0;
	bool is_wanted = true;
	int r = 0, next;

	while (r == 0 && is_wanted && (next = csv_next(c)) != 0) {
		if (is_stopped(u))
			return -ECANCELED;
		if (next == -ENOMEM)
			return next;
		if (next < 0) {
			r = u->on_problem(u->ctx, table, c->line, c->error);
		} else if (columns > 0) {
			r = give_row(c, columns, table, u);
		} else {
			for (columns = 0; columns < c->cells; columns++)
				column[columns] = str_trim(c->cell[columns]);
			is_wanted = u->on_table(u->ctx, table, column, columns);
		}
	}
	return r;
}

static int read_csv(struct str text, struct str table, const struct source_user *u)
{
	struct csv c;

	csv_init(&c, text, csv_guess(text));
	int r = read_rows(&c, table, u);
	csv_done(&c);
	return r;
}

/* ---- tar ---- */

enum { BLOCK = 512, NAME = 100, SIZE_AT = 124, SIZE_N = 12, TYPE_AT = 156, MAGIC_AT = 257 };

static bool is_tar(struct str file)
{
	return file.n >= BLOCK && str_eq(str_n(file.p + MAGIC_AT, 5), STR("ustar"));
}

static int read_octal(struct str digits, uint64_t *ret)
{
	uint64_t v = 0;
	size_t i = 0;

	while (i < digits.n && digits.p[i] == ' ')
		i++;
	for (; i < digits.n && digits.p[i] >= '0' && digits.p[i] <= '7'; i++) {
		if (v >> 60)
			return -EBADMSG;
		v = v << 3 | (uint64_t)(digits.p[i] - '0');
	}
	*ret = v;
	return 0;
}

/* "exports/e_customer.csv" is of table e_customer. */
static struct str table_of(struct str header)
{
	struct str name = str_head(header, NAME);
	const char *end = memchr(name.p, 0, name.n);
	ptrdiff_t slash;

	if (end)
		name.n = (size_t)(end - name.p);
	while ((slash = str_chr(name, '/')) >= 0)
		name = str_skip(name, (size_t)slash + 1);
	if (str_has_suffix(name, STR(".csv")) || str_has_suffix(name, STR(".CSV")) ||
	    str_has_suffix(name, STR(".txt")))
		name.n -= 4;
	return name;
}

static int read_tar(struct str file, const struct source_user *u, struct err *err)
{
	int r = 0;

	while (r == 0 && is_tar(file)) {
		char type = file.p[TYPE_AT];
		struct str table = table_of(file);
		uint64_t size = 0;

		if (read_octal(str_n(file.p + SIZE_AT, SIZE_N), &size) < 0 || size > file.n - BLOCK)
			return err_set(err, ERR_BAD_VALUE, "file", table, "a whole tar file",
				       "the archive is cut off, or changed");
		if ((type == '0' || type == '\0') && table.n)
			r = read_csv(str_n(file.p + BLOCK, (size_t)size), table, u);
		file = str_skip(file, BLOCK + ((size_t)size + BLOCK - 1) / BLOCK * BLOCK);
	}
	return r;
}

/* ---- any of them ---- */

int source_read(struct str file, struct str table, const struct source_user *user, struct err *err)
{
	if (is_tar(file))
		return read_tar(file, user, err);
	if (table.n)
		return read_csv(file, table, user);
	if (dump_is(file))
		return dump_read(file, user);
	return err_set(err, ERR_BAD_VALUE, "file", STR(""),
		       "a mysqldump (not compressed), a tar of CSV files named after their tables, "
		       "or one CSV file with table=NAME",
		       "there is no table in it");
}
