#include "ledger/verify.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/money.h"
#include "model/entity.h"
#include "model/reason.h"
#include "rating/charge.h"
#include "store/cdr_query.h"
#include "store/db.h"

static int open_ledger(const char *data_dir, struct db **ret, struct err *err)
{
	CLEANUP(buf_done) struct buf path = BUF_INIT;

	buf_printf(&path, "%s/ledger.db", data_dir);
	const char *text = buf_cstr(&path);
	int r = text ? db_open(ret, text, DB_READ, 1000) : -ENOMEM;
	if (r < 0)
		return err_set(err, ERR_STORE, "", STR(""), "try again",
			       "the ledger cannot be read: %s", strerror(-r));
	return 0;
}

static json_t *money_json(money_t m)
{
	char text[MONEY_TEXT];

	return json_string(money_text(m, text));
}

/* ---- balances ---- */

/* One account's row and what stands behind it. SQLite's sum() of integers fails loudly if it overflows. */
struct sum {
	char *account;
	money_t balance, payments, entries, charges, costs;
};

static const char sum_sql[] =
	"SELECT p.account, p.balance, coalesce(x.amount, 0), coalesce(e.amount, 0), "
	"coalesce(e.charges, 0),"
	" coalesce(e.costs, 0) FROM purse p"
	" LEFT JOIN (SELECT account, sum(amount) AS amount FROM payment GROUP BY account) x"
	" ON x.account = p.account"
	" LEFT JOIN (SELECT account, sum(amount) AS amount,"
	"  -sum(CASE kind WHEN 'charge' THEN amount ELSE 0 END) AS charges,"
	"  -sum(CASE kind WHEN 'cost' THEN amount ELSE 0 END) AS costs FROM entry GROUP BY "
	"account) e"
	" ON e.account = p.account ORDER BY p.account";

static json_t *sum_json(const struct sum *s, money_t computed)
{
	return json_pack("{s:s s:o s:o s:o s:o s:o}", "account", s->account, "balance",
			 money_json(s->balance), "payments", money_json(s->payments), "charges",
			 money_json(s->charges + s->costs), "computed", money_json(computed),
			 "difference", money_json(s->balance - computed));
}

static int check_sum(const struct sum *s, json_t *differences)
{
	money_t computed = s->payments - s->charges - s->costs;

	if (computed == s->balance && s->entries == s->balance)
		return 0;
	return json_array_append_new(differences, sum_json(s, computed)) < 0 ? -ENOMEM : 0;
}

/* ---- records against entries ---- */

struct match {
	struct stmt *entry;
	json_t *differences;
	int64_t checked;
};

static int booked(struct match *m, int64_t cdr, const char *account, const char *kind, money_t *ret)
{
	stmt_bind_int(m->entry, 1, cdr);
	stmt_bind_text(m->entry, 2, str_of(account));
	stmt_bind_text(m->entry, 3, str_of(kind));
	int r = stmt_step(m->entry);
	*ret = r == 1 ? -stmt_int(m->entry, 0) : 0;
	stmt_reset(m->entry);
	return r < 0 ? r : 0;
}

static int compare(struct match *m, const struct cdr_row *r, const char *account, const char *kind,
		   money_t amount)
{
	money_t found = 0;
	char id[17];
	CLEANUP(buf_done) struct buf hex = BUF_INIT;
	int e = account ? booked(m, r->id, account, kind, &found) : 0;

	if (e < 0 || found == amount)
		return e;
	row_print(&entities[ENTITY_CDR].field[CDR_ID], r, &hex);
	(void)str_copy(id, sizeof(id), buf_str(&hex));
	return json_array_append_new(m->differences,
				     json_pack("{s:s s:s s:s s:o s:o}", "id", id, "account",
					       account ? account : "", "kind", kind, "record",
					       money_json(amount), "booked", money_json(found))) < 0
		       ? -ENOMEM
		       : 0;
}

static int match_record(void *ctx, const void *row)
{
	struct match *m = ctx;
	const struct cdr_row *r = row;
	int e = compare(m, r, r->account, "charge", r->fee + r->tax);

	m->checked++;
	return e < 0 ? e : compare(m, r, r->vendor_account, "cost", r->cost);
}

static int match_records(const char *data_dir, struct db *db, struct match *m)
{
	CLEANUP(buf_done) struct buf dir = BUF_INIT;
	struct cdr_filter all = CDR_FILTER_INIT;
	int r;

	all.has_hidden = true;
	buf_printf(&dir, "%s/cdr", data_dir);
	const char *path = buf_cstr(&dir);
	r = path ? stmt_prepare(&m->entry, db,
				"SELECT sum(amount) FROM entry WHERE cdr = ? AND account = ? AND "
				"kind = ?")
		 : -ENOMEM;
	if (r == 0)
		r = cdr_query(db, path, &all, match_record, m);
	m->entry = stmt_free(m->entry);
	return r;
}

static int sum_up(struct db *db, json_t *differences, int64_t *ret_accounts)
{
	CLEANUP(stmt_free) struct stmt *s = NULL;
	int r = stmt_prepare(&s, db, sum_sql);

	while (r == 0 && (r = stmt_step(s)) == 1) {
		CLEANUP(free) char *account = str_dup(stmt_text(s, 0));
		struct sum sum = { account,        stmt_int(s, 1), stmt_int(s, 2),
				   stmt_int(s, 3), stmt_int(s, 4), stmt_int(s, 5) };

		if (!account)
			return -ENOMEM;
		r = check_sum(&sum, differences);
		++*ret_accounts;
	}
	return r;
}

int ledger_verify(const char *data_dir, json_t **ret, struct err *err)
{
	CLEANUP(db_close) struct db *db = NULL;
	struct match m = { .differences = json_array() };
	int64_t accounts = 0;
	int r = m.differences ? open_ledger(data_dir, &db, err) : -ENOMEM;

	if (r == 0)
		r = sum_up(db, m.differences, &accounts);
	if (r == 0)
		r = match_records(data_dir, db, &m);
	if (r < 0) {
		json_decref(m.differences);
		return r;
	}
	*ret = json_pack("{s:I s:I s:o}", "accounts", (json_int_t)accounts, "records",
			 (json_int_t)m.checked, "differences", m.differences);
	return *ret ? 0 : -ENOMEM;
}

/* ---- charges ---- */

struct replay {
	json_t *differences;
	int64_t checked;
};

static int differs(struct replay *p, const struct cdr_row *r, const char *field, money_t stored,
		   money_t computed)
{
	CLEANUP(buf_done) struct buf hex = BUF_INIT;

	if (stored == computed)
		return 0;
	row_print(&entities[ENTITY_CDR].field[CDR_ID], r, &hex);
	return json_array_append_new(p->differences,
				     json_pack("{s:s s:s s:o s:o}", "id", buf_cstr(&hex), "field",
					       field, "stored", money_json(stored), "computed",
					       money_json(computed))) < 0
		       ? -ENOMEM
		       : 0;
}

/* No terms: nothing may have been charged. */
static void replay_terms(const char *text, int64_t hold_ms, struct charge *ret)
{
	struct terms t;

	*ret = (struct charge){ 0 };
	if (!text)
		return;
	if (terms_parse(str_of(text), &t) < 0 || terms_check(&t) < 0 ||
	    charge_compute(&t, hold_ms, ret) < 0)
		*ret = (struct charge){ .billed_s = -1, .fee = -1, .tax = -1 };
}

/* A late answer costs the vendor's first increment; a call that never reached its caller costs him nothing. */
static int64_t cost_hold_ms(const struct cdr_row *r)
{
	struct terms t;

	if (r->reason && strcmp(r->reason, reason_name(REASON_LATE_ANSWER)) == 0 && r->cost_terms &&
	    terms_parse(str_of(r->cost_terms), &t) == 0)
		return t.first_s * 1000;
	return r->hold_ms;
}

static bool was_charged(const struct cdr_row *r)
{
	return r->answer != FIELD_ABSENT && r->sip_code == 200;
}

static int replay_record(void *ctx, const void *row)
{
	struct replay *p = ctx;
	const struct cdr_row *r = row;
	struct charge c = { 0 }, v = { 0 };

	p->checked++;
	if (was_charged(r))
		replay_terms(r->rate_terms, r->hold_ms, &c);
	if (r->answer != FIELD_ABSENT && r->vendor_account)
		replay_terms(r->cost_terms, cost_hold_ms(r), &v);

	int e = differs(p, r, "fee", r->fee, c.fee);
	if (e == 0)
		e = differs(p, r, "tax", r->tax, c.tax);
	if (e == 0)
		e = differs(p, r, "billed_s", r->billed_s * MONEY_ONE, c.billed_s * MONEY_ONE);
	return e == 0 ? differs(p, r, "cost", r->cost, v.fee + v.tax) : e;
}

int cdr_verify(const char *data_dir, ms_t from, ms_t to, json_t **ret, struct err *err)
{
	CLEANUP(db_close) struct db *db = NULL;
	CLEANUP(buf_done) struct buf dir = BUF_INIT;
	struct replay p = { .differences = json_array() };
	struct cdr_filter f = CDR_FILTER_INIT;
	int r = p.differences ? open_ledger(data_dir, &db, err) : -ENOMEM;

	f.from = from;
	f.to = to;
	f.has_hidden = true;
	buf_printf(&dir, "%s/cdr", data_dir);
	const char *path = buf_cstr(&dir);
	if (r == 0)
		r = path ? cdr_query(db, path, &f, replay_record, &p) : -ENOMEM;
	if (r < 0) {
		json_decref(p.differences);
		return r;
	}
	*ret = json_pack("{s:I s:o}", "checked", (json_int_t)p.checked, "differences",
			 p.differences);
	return *ret ? 0 : -ENOMEM;
}
