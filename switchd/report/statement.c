#include "report/statement.h"

#include <errno.h>
#include <string.h>

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

/* What fees and taxes are multiples of; a tax per invoice is rounded as a sum. */
struct rounding {
	money_t fee, tax;
	bool is_per_invoice;
};

static int find_rounding(struct db *d, const struct rate_group_row *g, struct rounding *ret)
{
	const struct field *f = entities[ENTITY_RATE_GROUP].field;
	CLEANUP(buf_done) struct buf unit = BUF_INIT, digits = BUF_INIT;
	int64_t decimals = 0;
	int r = put_setting(d, &f[RATE_GROUP_FEE_UNIT], g, PARAM_SERVER_BILLING_FEE_UNIT, &unit);

	if (r == 0)
		r = put_setting(d, &f[RATE_GROUP_FEE_PRECISION], g,
				PARAM_SERVER_BILLING_FEE_PRECISION, &digits);
	if (r < 0)
		return r;
	*ret = (struct rounding){ 0 };
	(void)money_parse(buf_str(&unit), &ret->fee);
	(void)str_to_i64(buf_str(&digits), 0, 8, &decimals);
	if (ret->fee <= 0)
		ret->fee = decimals > 0 ? money_unit((int)decimals) : 1;
	ret->tax = g && g->tax_precision != FIELD_ABSENT ? money_unit((int)g->tax_precision)
							 : ret->fee;
	ret->is_per_invoice = g && g->tax_per == RATE_GROUP_TAX_PER_INVOICE;
	return 0;
}

/* "4 decimal places", "a multiple of 0.05" */
static void put_unit(money_t unit, struct buf *out)
{
	for (int n = 8; n >= 0; n--) {
		if (unit == money_unit(n)) {
			buf_printf(out, "%d decimal places", n);
			return;
		}
	}
	buf_putz(out, "a multiple of ");
	buf_put_money(out, unit);
}

static int put_rounding(const struct rounding *x, json_t *notes)
{
	CLEANUP(buf_done) struct buf out = BUF_INIT;

	buf_putz(&out, "Each call's fee is computed exactly and rounded once, half up, to ");
	put_unit(x->fee, &out);
	buf_putz(&out, ". Tax is computed of each call's fee ");
	if (x->is_per_invoice) {
		buf_putz(&out, "to 8 decimal places, and the balance moves by that; the tax of "
			       "this statement is their sum, rounded once, half up, to ");
		put_unit(x->tax, &out);
	} else {
		buf_putz(&out, "and rounded, half up, to ");
		put_unit(x->tax, &out);
		buf_putz(&out, "; the sums here are those of the calls, and are not rounded again");
	}
	buf_putc(&out, '.');
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

/* ---- tax per invoice ---- */

static money_t total_of(const json_t *section, const char *column)
{
	const json_t *total = json_array_get(json_object_get(section, "totals"), 0);
	const char *text = json_string_value(json_object_get(total, column));
	money_t m = 0;

	if (text)
		(void)money_parse(str_of(text), &m);
	return m;
}

static int add_line(json_t *rows, const char *item, money_t amount)
{
	char text[MONEY_TEXT];

	return json_array_append_new(
		rows, json_pack("{s:s s:s}", "item", item, "amount", money_text(amount, text)));
}

/* What is to be paid for the calls, with their tax rounded as one sum. */
static int add_tax(const struct rounding *x, json_t *sections)
{
	const json_t *section, *calls = NULL;
	json_t *rows = json_array();
	money_t tax = 0, sum = 0;
	size_t i;

	json_array_foreach(sections, i, section)
	{
		const char *name = json_string_value(json_object_get(section, "report"));

		if (name && strcmp(name, report_infos[REPORT_REVENUE].name) == 0)
			calls = section;
	}
	if (!rows || !calls) { /* a vendor's */
		json_decref(rows);
		return calls ? -ENOMEM : 0;
	}

	money_t fee = total_of(calls, "fee"), exact = total_of(calls, "tax");
	int r = money_round(exact, 1, x->tax, &tax);
	if (r == 0)
		r = money_add(fee, tax, &sum);
	if (r == 0 &&
	    (add_line(rows, "Fees of the calls", fee) < 0 ||
	     add_line(rows, "Tax of the calls, to 8 decimal places", exact) < 0 ||
	     add_line(rows, "Tax, rounded", tax) < 0 || add_line(rows, "Fees and tax", sum) < 0 ||
	     json_array_append_new(sections,
				   json_pack("{s:s s:s s:[s s] s:O}", "report", "tax", "help",
					     "Tax of this "
					     "statement",
					     "columns", "item", "amount", "rows", rows)) < 0))
		r = -ENOMEM;
	json_decref(rows);
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
	struct rounding rounding;
	char from[CLOCK_TEXT], to[CLOCK_TEXT];
	int r = sections && notes ? report_open(&d, data_dir, err) : -ENOMEM;

	if (r == 0)
		r = read_account(d, account, &a, err);
	if (r == 0 && a->rate_group)
		r = read_group(d, a->rate_group, &g);
	if (r == 0)
		r = find_rounding(d, g, &rounding);
	if (r == 0)
		r = put_rounding(&rounding, notes);
	if (r == 0)
		r = put_time(d, g, notes);
	if (r == 0)
		r = add_sections(d, data_dir, a, span, stop, sections, err);
	if (r == 0 && rounding.is_per_invoice)
		r = add_tax(&rounding, sections);
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
