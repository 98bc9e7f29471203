#include "sheet/export.h"

#include <errno.h>

#include "base/csv.h"
#include "base/money.h"
#include "sheet/sheet.h"

enum { PAGE_ROWS = 20000 };

/* Where a page begins: "at/version/origins/prefix", so that what changes between two pages is in neither. */
struct cursor {
	int64_t at, version;
	int64_t has_origins; /* 1: some rate has one, so there is a column for it */
	struct str prefix;
};

static int find_origins(struct db *d, struct str group, struct cursor *c)
{
	CLEANUP(stmt_free) struct stmt *s = NULL;
	int r = stmt_prepare(&s, d,
			     "SELECT EXISTS (SELECT 1 FROM rate WHERE \"group\" = ?1"
			     " AND origin <> '' AND (\"end\" IS NULL OR \"end\" > ?2))");

	if (r < 0)
		return r;
	stmt_bind_text(s, 1, group);
	stmt_bind_int(s, 2, c->at);
	r = stmt_step(s);
	c->has_origins = r == 1 ? stmt_int(s, 0) : 0;
	return r < 0 ? r : 0;
}

static int read_cursor(struct db *d, struct str group, struct str after, ms_t at,
		       struct cursor *ret)
{
	CLEANUP(stmt_free) struct stmt *s = NULL;
	struct str moment, version, origins;

	*ret = (struct cursor){ .at = at, .prefix = STR("") };
	if (after.n > 0) {
		bool is_good = str_split(&after, '/', &moment) &&
			       str_split(&after, '/', &version) && str_split(&after, '/', &origins);

		ret->prefix = after;
		return is_good && str_to_i64(moment, 0, INT64_MAX, &ret->at) == 0 &&
				       str_to_i64(version, 0, INT64_MAX, &ret->version) == 0 &&
				       str_to_i64(origins, 0, 1, &ret->has_origins) == 0
			       ? 0
			       : -EINVAL;
	}
	int r = stmt_prepare(&s, d, "SELECT coalesce(max(version), 0) FROM rate");
	if (r == 0)
		r = stmt_step(s);
	if (r == 1)
		ret->version = stmt_int(s, 0);
	return r < 0 ? r : find_origins(d, group, ret);
}

static void put_header(const struct cursor *c, struct buf *out)
{
	for (int i = 0; i < SHEET_OWN; i++) {
		buf_putz(out, i ? "," : "");
		buf_putz(out, sheet_headers[i]);
	}
	if (c->has_origins)
		buf_printf(out, ",%s", sheet_headers[SHEET_ORIGIN]);
	buf_putz(out, "\r\n");
}

static void put_row(struct stmt *s, const struct cursor *c, struct buf *out)
{
	/* In the order of sheet_headers. */
	csv_put(out, stmt_text(s, 0), ',');
	buf_putc(out, ',');
	buf_put_money(out, stmt_int(s, 1));
	for (int i = 2; i < 5; i++) {
		buf_putc(out, ',');
		buf_put_i64(out, stmt_int(s, i));
	}
	buf_putc(out, ',');
	buf_put_money(out, stmt_int(s, 5));
	buf_putc(out, ',');
	csv_put(out, stmt_text(s, 6), ',');
	buf_putc(out, ',');
	buf_put_money(out, stmt_int(s, 7));
	buf_putc(out, ',');
	csv_put(out, stmt_text(s, 8), ',');
	buf_putc(out, ',');
	if (stmt_int(s, 9) > c->at)
		buf_put_time(out, stmt_int(s, 9));
	buf_putc(out, ',');
	if (!stmt_is_null(s, 10))
		buf_put_time(out, stmt_int(s, 10));
	buf_putc(out, ',');
	if (c->has_origins) {
		buf_putc(out, ',');
		csv_put(out, stmt_text(s, 11), ',');
	}
	buf_putz(out, "\r\n");
}

/* Of several versions in force at once the latest is the one that counts, and it comes last. */
static int put_rows(struct stmt *s, const struct cursor *c, struct buf *out, struct buf *ret_next)
{
	CLEANUP(buf_done) struct buf prefix = BUF_INIT, origin = BUF_INIT, line = BUF_INIT;
	int64_t rows = 0;
	int r;

	while ((r = stmt_step(s)) == 1) {
		bool is_prefix = rows > 0 && str_eq(buf_str(&prefix), stmt_text(s, 0));
		bool is_same = is_prefix && str_eq(buf_str(&origin), stmt_text(s, 11));

		if (!is_same || stmt_int(s, 9) > c->at)
			buf_put(out, buf_str(&line));
		if (!is_prefix && rows >= PAGE_ROWS) {
			buf_printf(ret_next, "%lld/%lld/%lld/%.*s", (long long)c->at,
				   (long long)c->version, (long long)c->has_origins,
				   STR_ARG(buf_str(&prefix)));
			return buf_error(ret_next);
		}
		buf_clear(&prefix);
		buf_put(&prefix, stmt_text(s, 0));
		buf_clear(&origin);
		buf_put(&origin, stmt_text(s, 11));
		buf_clear(&line);
		put_row(s, c, &line);
		rows++;
		if (buf_error(&prefix) || buf_error(&origin) || buf_error(&line))
			return -ENOMEM;
	}
	buf_put(out, buf_str(&line));
	return r;
}

int export_page(struct db *d, struct str group, ms_t at, struct str after, struct buf *out,
		struct buf *ret_next)
{
	CLEANUP(stmt_free) struct stmt *s = NULL;
	struct cursor c;
	int r = read_cursor(d, group, after, at, &c);

	if (r == 0)
		r = stmt_prepare(&s, d,
				 "SELECT prefix, price, unit, first, step, setup_fee,"
				 " coalesce(sections, ''), tax_percent, coalesce(area, ''),"
				 " effective, \"end\", origin FROM rate WHERE \"group\" = ?1"
				 " AND prefix > ?2 AND (?5 OR origin = '') AND version <= ?3"
				 " AND (\"end\" IS NULL OR \"end\" > ?4)"
				 " ORDER BY prefix, origin, effective");
	if (r < 0)
		return r;
	if (after.n == 0)
		put_header(&c, out);
	stmt_bind_text(s, 1, group);
	stmt_bind_text(s, 2, c.prefix);
	stmt_bind_int(s, 3, c.version);
	stmt_bind_int(s, 4, c.at);
	stmt_bind_int(s, 5, c.has_origins);
	r = put_rows(s, &c, out, ret_next);
	return r < 0 ? r : buf_error(out);
}
