#include "report/statement.h"

#include <errno.h>

#include "base/buf.h"
#include "base/money.h"
#include "model/entity.h"
#include "model/json.h"
#include "store/rows.h"

/* ---- who it is ---- */

static int read_account(struct db *d, struct str id, struct account_row **ret, struct err *err)
{
	CLEANUP(buf_done) struct buf sql = BUF_INIT;
	CLEANUP(stmt_free) struct stmt *s = NULL;
	const struct entity *e = &entities[ENTITY_ACCOUNT];

	buf_putz(&sql, "SELECT ");
	rows_columns(e, &sql);
	buf_putz(&sql, " FROM switch.account WHERE id = ?1");
	int r = buf_cstr(&sql) ? stmt_prepare(&s, d, sql.p) : -ENOMEM;
	if (r < 0)
		return r;
	stmt_bind_text(s, 1, id);
	r = stmt_step(s);
	if (r == 0) {
		(void)err_set(err, ERR_NOT_FOUND, "account", id, "the id of an account",
			      "there is no such account");
		return -EINVAL;
	}
	*ret = r == 1 ? rows_read(e, s, 0) : NULL;
	return *ret ? 0 : r < 0 ? r : -ENOMEM;
}

static int read_group(struct db *d, const char *name, struct rate_group_row **ret)
{
	CLEANUP(buf_done) struct buf sql = BUF_INIT;
	CLEANUP(stmt_free) struct stmt *s = NULL;
	const struct entity *e = &entities[ENTITY_RATE_GROUP];

	buf_putz(&sql, "SELECT ");
	rows_columns(e, &sql);
	buf_putz(&sql, " FROM switch.rate_group WHERE name = ?1");
	int r = buf_cstr(&sql) ? stmt_prepare(&s, d, sql.p) : -ENOMEM;
	if (r < 0)
		return r;
	stmt_bind_text(s, 1, str_of(name));
	r = stmt_step(s);
	if (r == 1) {
		*ret = rows_read(e, s, 0);
		r = *ret ? 0 : -ENOMEM;
	}
	return r;
}

/* A global parameter as it is stored: its text, or the default. */
static int parameter(struct db *d, enum param p, struct buf *out)
{
	CLEANUP(stmt_free) struct stmt *s = NULL;
	int r = stmt_prepare(&s, d, "SELECT value FROM switch.parameter WHERE name = ?1");

	if (r < 0)
		return r;
	stmt_bind_text(s, 1, str_of(param_infos[p].name));
	r = stmt_step(s);
	buf_clear(out);
	if (r == 1)
		buf_put(out, stmt_text(s, 0));
	else
		buf_putz(out, param_infos[p].default_text);
	return r < 0 ? r : buf_error(out);
}

/* ---- how it was rounded ---- */

/* The group's own value, or what the parameter says. */
static int put_setting(struct db *d, const struct field *f, const void *row, enum param p,
		       struct buf *out)
{
	if (row && !row_is_absent(f, row)) {
		buf_clear(out);
		row_print(f, row, out);
		return buf_error(out);
	}
	return parameter(d, p, out);
}

static bool is_zero(struct str text)
{
	money_t v = 0;

	return money_parse(text, &v) == 0 && v == 0;
}

static int note(json_t *notes, const struct buf *text)
{
	if (buf_error(text) < 0)
		return -ENOMEM;
	return json_array_append_new(notes, json_of_text(buf_str(text))) < 0 ? -ENOMEM : 0;
}

static int put_rounding(struct db *d, const struct rate_group_row *g, json_t *notes)
{
	const struct field *f = entities[ENTITY_RATE_GROUP].field;
	CLEANUP(buf_done) struct buf unit = BUF_INIT, digits = BUF_INIT, out = BUF_INIT;
	int r = put_setting(d, &f[RATE_GROUP_FEE_UNIT], g, PARAM_SERVER_BILLING_FEE_UNIT, &unit);

	if (r == 0)
		r = put_setting(d, &f[RATE_GROUP_FEE_PRECISION], g,
				PARAM_SERVER_BILLING_FEE_PRECISION, &digits);
	if (r < 0)
		return r;
	buf_putz(&out, "Each call's fee is computed exactly and rounded once, half up, to ");
	if (!is_zero(buf_str(&unit)))
		buf_printf(&out, "a multiple of %.*s.", STR_ARG(buf_str(&unit)));
	else if (!is_zero(buf_str(&digits)))
		buf_printf(&out, "%.*s decimal places.", STR_ARG(buf_str(&digits)));
	else
		buf_putz(&out, "8 decimal places.");
	buf_putz(&out, " Tax is computed of each call's fee and rounded by the same rule; the sums "
		       "here are those of the calls, and are not rounded again.");
	return note(notes, &out);
}

static int put_time(struct db *d, const struct rate_group_row *g, json_t *notes)
{
	const struct field *f = entities[ENTITY_RATE_GROUP].field;
	CLEANUP(buf_done) struct buf precision = BUF_INIT, free_s = BUF_INIT, out = BUF_INIT;
	int r = put_setting(d, &f[RATE_GROUP_HOLD_TIME_PRECISION], g,
			    PARAM_SERVER_BILLING_HOLD_TIME_PRECISION, &precision);

	if (r == 0)
		r = put_setting(d, &f[RATE_GROUP_FREE_TIME], g, PARAM_SERVER_BILLING_FREE_TIME,
				&free_s);
	if (r < 0)
		return r;
	buf_printf(&out,
		   "A call lasts from its answer to the first hang-up. A rest of %.*s ms or more "
		   "counts as a second, a shorter one as none%s",
		   STR_ARG(buf_str(&precision)), is_zero(buf_str(&free_s)) ? "" : "; the first ");
	if (!is_zero(buf_str(&free_s)))
		buf_printf(&out, "%.*s seconds are free", STR_ARG(buf_str(&free_s)));
	buf_putz(&out, ". A call is on the statement of the time in which it ended. These are the "
		       "rules as they are now; each call's record keeps those it was charged by.");
	return note(notes, &out);
}

/* ---- sections ---- */

static int add_payments(struct db *d, struct str account, const struct span *span, json_t *sections)
{
	CLEANUP(stmt_free) struct stmt *s = NULL;
	CLEANUP(buf_done) struct buf at = BUF_INIT, amount = BUF_INIT;
	json_t *rows = json_array();
	int r = rows ? stmt_prepare(
			       &s, d,
			       "SELECT id, at, kind, amount, coalesce(memo, '') FROM "
			       "ledger.payment WHERE "
			       "account = ?1 AND at >= ?2 AND at < ?3 ORDER BY id LIMIT 100000")
		     : -ENOMEM;

	if (r == 0) {
		stmt_bind_text(s, 1, account);
		stmt_bind_int(s, 2, span->from);
		stmt_bind_int(s, 3, span->to);
	}
	while (r == 0 && (r = stmt_step(s)) == 1) {
		buf_clear(&at);
		buf_clear(&amount);
		span_put_time(span, stmt_int(s, 1), &at);
		buf_put_money(&amount, stmt_int(s, 3));
		r = json_array_append_new(rows, json_pack("{s:I s:o s:o s:o s:o}", "id",
							  (json_int_t)stmt_int(s, 0), "time",
							  json_of_text(buf_str(&at)), "kind",
							  json_of_text(stmt_text(s, 2)), "amount",
							  json_of_text(buf_str(&amount)), "memo",
							  json_of_text(stmt_text(s, 4))));
		r = r < 0 ? -ENOMEM : 0;
	}
	if (r == 0)
		r = json_array_append_new(
			sections, json_pack("{s:s s:s s:[s s s s s] s:O}", "report", "payments",
					    "help", "Payments", "columns", "id", "time", "kind",
					    "amount", "memo", "rows", rows));
	json_decref(rows);
	return r == -1 ? -ENOMEM : r;
}

static int add_section(const char *data_dir, enum report_id id, const struct span *span,
		       const struct report_filter *f, const char *heading, const atomic_bool *stop,
		       json_t *sections, struct err *err)
{
	json_t *doc = NULL;
	int r = report_make(data_dir, id, span, f, stop, &doc, err);

	if (r < 0)
		return r;
	if (json_object_set_new(doc, "help", json_string(heading)) < 0 ||
	    json_array_append(sections, doc) < 0)
		r = -ENOMEM;
	json_decref(doc);
	return r;
}

static int add_report(const char *data_dir, enum report_id id, const struct span *span,
		      struct str account, const char *heading, const atomic_bool *stop,
		      json_t *sections, struct err *err)
{
	const struct report_filter f = { .account = account };

	return add_section(data_dir, id, span, &f, heading, stop, sections, err);
}

static int add_income(const char *data_dir, const struct span *span, struct str agent,
		      const atomic_bool *stop, json_t *sections, struct err *err)
{
	const struct report_filter f = { .agent = agent };

	return add_section(data_dir, REPORT_AGENT, span, &f, "Income by account", stop, sections,
			   err);
}

static int add_sections(struct db *d, const char *data_dir, const struct account_row *a,
			const struct span *span, const atomic_bool *stop, json_t *sections,
			struct err *err)
{
	struct span whole = *span;
	struct str id = str_of(a->id);
	bool is_vendor = a->kind == ACCOUNT_KIND_CLEARING;

	whole.by = BY_ALL;
	int r = add_report(data_dir, REPORT_BALANCE, &whole, id, "Balance", stop, sections, err);
	if (r == 0)
		r = add_payments(d, id, span, sections);
	if (r == 0)
		r = add_report(data_dir, is_vendor ? REPORT_CLEARING : REPORT_REVENUE, span, id,
			       "Calls by destination", stop, sections, err);
	if (r == 0 && a->kind == ACCOUNT_KIND_AGENT)
		r = add_income(data_dir, span, id, stop, sections, err);
	return r;
}

static json_t *facts_of(const struct account_row *a)
{
	return json_pack("{s:s s:s s:s s:s}", "Account", a->id, "Name", a->name ? a->name : "",
			 "Currency", a->currency ? a->currency : "", "Rates",
			 a->rate_group ? a->rate_group : "");
}

int statement_make(const char *data_dir, struct str account, const struct span *span,
		   const atomic_bool *stop, json_t **ret, struct err *err)
{
	CLEANUP(db_close) struct db *d = NULL;
	json_t *sections = json_array(), *notes = json_array();
	struct account_row *a = NULL;
	struct rate_group_row *g = NULL;
	char from[CLOCK_TEXT], to[CLOCK_TEXT];
	int r = sections && notes ? report_open(&d, data_dir, err) : -ENOMEM;

	if (r == 0)
		r = read_account(d, account, &a, err);
	if (r == 0 && a->rate_group)
		r = read_group(d, a->rate_group, &g);
	if (r == 0)
		r = put_rounding(d, g, notes);
	if (r == 0)
		r = put_time(d, g, notes);
	if (r == 0)
		r = add_sections(d, data_dir, a, span, stop, sections, err);
	if (r == 0) {
		*ret = json_pack("{s:s s:s s:s s:s s:s s:o s:O s:O}", "title",
				 "Statement of account", "report", "statement", "from",
				 clock_text(span->from, from), "to", clock_text(span->to, to),
				 "zone", span->zone_name, "facts", facts_of(a), "sections",
				 sections, "notes", notes);
		r = *ret ? 0 : -ENOMEM;
	}
	row_free(&entities[ENTITY_ACCOUNT], a);
	row_free(&entities[ENTITY_RATE_GROUP], g);
	json_decref(sections);
	json_decref(notes);
	return r;
}
