#include "ledger/verify.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/money.h"
#include "ledger/rerate.h"
#include "model/entity.h"
#include "model/reason.h"
#include "rating/gift.h"
#include "rating/share.h"
#include "store/cdr_query.h"
#include "store/db.h"
#include "store/records.h"

static int open_ledger(const char *data_dir, struct db **ret, struct err *err)
{
	int r = records_open_ledger(ret, data_dir);

	return r < 0 ? records_unreadable("the ledger", r, err) : 0;
}

/* What is found wrong. A mistake in all of a year's records would fill the memory if each were named. */
struct findings {
	json_t *named;
	int64_t found;
};

static int add_finding(struct findings *f, json_t *difference)
{
	if (f->found++ < VERIFY_NAMED)
		return json_array_append_new(f->named, difference) < 0 ? -ENOMEM : 0;
	json_decref(difference);
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
	money_t balance, payments, entries, charges, costs, income;
	money_t kept_income; /* as the account has it */
};

static const char sum_sql[] =
	"SELECT p.account, p.balance, coalesce(x.amount, 0), coalesce(e.amount, 0), "
	"coalesce(e.charges, 0),"
	" coalesce(e.costs, 0), coalesce(e.income, 0), p.income FROM purse p"
	" LEFT JOIN (SELECT account, sum(amount) AS amount FROM payment GROUP BY account) x"
	" ON x.account = p.account"
	" LEFT JOIN (SELECT account, sum(amount) AS amount,"
	"  -sum(CASE kind WHEN 'charge' THEN amount ELSE 0 END) AS charges,"
	"  -sum(CASE kind WHEN 'cost' THEN amount ELSE 0 END) AS costs,"
	"  sum(CASE kind WHEN 'income' THEN amount ELSE 0 END) AS income FROM entry GROUP BY "
	"account) e"
	" ON e.account = p.account ORDER BY p.account";

static json_t *sum_json(const struct sum *s, money_t computed)
{
	return json_pack("{s:s s:o s:o s:o s:o s:o s:o s:o}", "account", s->account, "balance",
			 money_json(s->balance), "payments", money_json(s->payments), "charges",
			 money_json(s->charges + s->costs), "income", money_json(s->income),
			 "kept_income", money_json(s->kept_income), "computed",
			 money_json(computed), "difference", money_json(s->balance - computed));
}

static int check_sum(const struct sum *s, struct findings *f)
{
	money_t computed = s->payments - s->charges - s->costs + s->income;

	if (computed == s->balance && s->entries == s->balance && s->income == s->kept_income)
		return 0;
	return add_finding(f, sum_json(s, computed));
}

/* ---- records against entries ---- */

struct match {
	struct stmt *entry, *use;
	struct rerated rerated;
	struct findings findings;
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
	return add_finding(&m->findings,
			   json_pack("{s:s s:s s:s s:o s:o}", "id", id, "account",
				     account ? account : "", "kind", kind, "record",
				     money_json(amount), "booked", money_json(found)));
}

/* An income is an entry that adds, where charges take. What cannot be read is for cdr_verify. */
static int match_agents(struct match *m, const struct cdr_row *r)
{
	struct shares s = { 0 };
	int e = r->agents ? shares_parse(str_of(r->agents), &s) : 0;

	if (e == -EINVAL)
		e = 0;
	for (int i = 0; e == 0 && i < s.count; i++)
		e = compare(m, r, s.of[i].agent, "income", -s.of[i].income);
	shares_done(&s);
	return e;
}

static int used(struct match *m, const struct gift_part *p, int64_t cdr, struct given *ret)
{
	stmt_bind_int(m->use, 1, cdr);
	stmt_bind_int(m->use, 2, p->allowance);
	int r = stmt_step(m->use);

	*ret = (struct given){ 0 };
	if (r == 1)
		*ret = (struct given){ stmt_int(m->use, 0), stmt_int(m->use, 1) };
	stmt_reset(m->use);
	return r < 0 ? r : 0;
}

/* What a record took of packages against what was booked. What cannot be read is for cdr_verify. */
static int match_packages(struct match *m, const struct cdr_row *r)
{
	struct gift g = { 0 };
	int e = 0;

	if (!r->packages || gift_parse(str_of(r->packages), &g) < 0)
		return 0;
	for (int i = 0; e == 0 && i < g.count; i++) {
		const struct gift_part *p = &g.part[i];
		CLEANUP(buf_done) struct buf hex = BUF_INIT;
		struct given booked_use;

		e = used(m, p, r->id, &booked_use);
		if (e < 0 || (booked_use.seconds == p->used_s && booked_use.money == p->money))
			continue;
		row_print(&entities[ENTITY_CDR].field[CDR_ID], r, &hex);
		e = add_finding(&m->findings,
				json_pack("{s:s s:I s:s s:I s:I s:o s:o}", "id", buf_cstr(&hex),
					  "allowance", (json_int_t)p->allowance, "kind", "package",
					  "record_s", (json_int_t)p->used_s, "booked_s",
					  (json_int_t)booked_use.seconds, "record",
					  money_json(p->money), "booked",
					  money_json(booked_use.money)));
	}
	return e;
}

static int match_facts(struct match *m, const struct cdr_row *r)
{
	int e = compare(m, r, r->account, "charge", r->fee + r->tax);

	if (e == 0)
		e = compare(m, r, r->vendor_account, "cost", r->cost);
	if (e == 0)
		e = match_agents(m, r);
	return e < 0 ? e : match_packages(m, r);
}

/* What is booked for a record is what its facts in force come to. */
static int match_record(void *ctx, const void *row)
{
	struct match *m = ctx;
	struct cdr_row *now = m->rerated.find ? row_copy(&entities[ENTITY_CDR], row) : NULL;
	int64_t seen;
	int e = m->rerated.find && !now ? -ENOMEM : 0;

	m->checked++;
	if (now)
		e = rerated_apply(&m->rerated, now, &seen);
	if (e == 0)
		e = match_facts(m, now ? now : row);
	row_free(&entities[ENTITY_CDR], now);
	return e;
}

static int match_records(const char *data_dir, struct db *db, const atomic_bool *stop,
			 struct match *m)
{
	CLEANUP(buf_done) struct buf dir = BUF_INIT;
	struct cdr_filter all = CDR_FILTER_INIT;
	int r;

	all.has_hidden = true;
	all.stop = stop;
	buf_printf(&dir, "%s/cdr", data_dir);
	const char *path = buf_cstr(&dir);
	r = path ? stmt_prepare(&m->entry, db,
				"SELECT sum(amount) FROM entry WHERE cdr = ? AND account = ? AND "
				"kind = ?")
		 : -ENOMEM;
	if (r == 0)
		r = rerated_open(&m->rerated, db);
	if (r == 0)
		r = stmt_prepare(
			&m->use, db,
			"SELECT seconds, money FROM package_use WHERE cdr = ? AND allowance = ?");
	if (r == 0)
		r = cdr_query(db, path, &all, match_record, m);
	rerated_close(&m->rerated);
	m->entry = stmt_free(m->entry);
	m->use = stmt_free(m->use);
	return r;
}

static int sum_up(struct db *db, struct findings *f, int64_t *ret_accounts)
{
	CLEANUP(stmt_free) struct stmt *s = NULL;
	int r = stmt_prepare(&s, db, sum_sql);

	while (r == 0 && (r = stmt_step(s)) == 1) {
		CLEANUP(free) char *account = str_dup(stmt_text(s, 0));
		struct sum sum = { account,        stmt_int(s, 1), stmt_int(s, 2), stmt_int(s, 3),
				   stmt_int(s, 4), stmt_int(s, 5), stmt_int(s, 6), stmt_int(s, 7) };

		if (!account)
			return -ENOMEM;
		r = check_sum(&sum, f);
		++*ret_accounts;
	}
	return r;
}

/* ---- packages ---- */

/* What is used of each period, anew from what calls took of it: it is what stands there, and no more than was granted. */
static const char package_sql[] =
	"SELECT a.id, a.account, a.package, a.time_s, a.money, a.used_s, a.used_money,"
	" coalesce(sum(u.seconds), 0), coalesce(sum(u.money), 0) FROM allowance a"
	" LEFT JOIN package_use u ON u.allowance = a.id GROUP BY a.id"
	" HAVING a.used_s IS NOT coalesce(sum(u.seconds), 0)"
	" OR a.used_money IS NOT coalesce(sum(u.money), 0)"
	" OR a.used_s > a.time_s OR a.used_money > a.money";

static int check_packages(struct db *db, struct findings *f)
{
	CLEANUP(stmt_free) struct stmt *s = NULL;
	int r = stmt_prepare(&s, db, package_sql);

	while (r == 0 && (r = stmt_step(s)) == 1) {
		CLEANUP(free) char *account = str_dup(stmt_text(s, 1));
		CLEANUP(free) char *package = str_dup(stmt_text(s, 2));

		if (!account || !package)
			return -ENOMEM;
		r = add_finding(
			f, json_pack("{s:I s:s s:s s:I s:I s:I s:o s:o s:o}", "allowance",
				     (json_int_t)stmt_int(s, 0), "account", account, "package",
				     package, "granted_s", (json_int_t)stmt_int(s, 3), "used_s",
				     (json_int_t)stmt_int(s, 5), "computed_s",
				     (json_int_t)stmt_int(s, 7), "granted",
				     money_json(stmt_int(s, 4)), "used", money_json(stmt_int(s, 6)),
				     "computed", money_json(stmt_int(s, 8))));
	}
	return r;
}

int ledger_verify(const char *data_dir, const atomic_bool *stop, json_t **ret, struct err *err)
{
	CLEANUP(db_close) struct db *db = NULL;
	struct match m = { .findings = { .named = json_array() } };
	int64_t accounts = 0;
	int r = m.findings.named ? open_ledger(data_dir, &db, err) : -ENOMEM;

	if (r == 0) {
		db_set_stop(db, stop);
		r = sum_up(db, &m.findings, &accounts);
	}
	if (r == 0)
		r = check_packages(db, &m.findings);
	if (r == 0)
		r = match_records(data_dir, db, stop, &m);
	if (r < 0) {
		json_decref(m.findings.named);
		return r;
	}
	*ret = json_pack("{s:I s:I s:I s:o}", "accounts", (json_int_t)accounts, "records",
			 (json_int_t)m.checked, "found", (json_int_t)m.findings.found,
			 "differences", m.findings.named);
	return *ret ? 0 : -ENOMEM;
}

/* ---- charges ---- */

struct replay {
	struct findings findings;
	struct rerated rerated;
	int64_t checked;
};

static int differs(struct replay *p, const struct cdr_row *r, const char *field, money_t stored,
		   money_t computed)
{
	CLEANUP(buf_done) struct buf hex = BUF_INIT;

	if (stored == computed)
		return 0;
	row_print(&entities[ENTITY_CDR].field[CDR_ID], r, &hex);
	return add_finding(&p->findings, json_pack("{s:s s:s s:o s:o}", "id", buf_cstr(&hex),
						   "field", field, "stored", money_json(stored),
						   "computed", money_json(computed)));
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

/* The customer's, with what packages gave: that must be what such a call takes of them, and add up. */
static void replay_customer(const struct cdr_row *r, struct charge *ret, struct given *ret_given)
{
	struct gift stored, now;
	struct terms t;

	*ret_given = (struct given){ 0 };
	if (!r->packages) {
		replay_terms(r->rate_terms, r->hold_ms, ret);
		return;
	}
	*ret = (struct charge){ .billed_s = -1, .fee = -1, .tax = -1 };
	if (gift_parse(str_of(r->packages), &stored) < 0 || !r->rate_terms ||
	    terms_parse(str_of(r->rate_terms), &t) < 0)
		return;
	now = stored;
	if (gift_settle(&now, &t, r->hold_ms, ret) < 0)
		return;
	gift_sum(&now, ret_given);
	for (int i = 0; i < now.count; i++) {
		if (now.part[i].used_s != stored.part[i].used_s ||
		    now.part[i].seconds != stored.part[i].seconds ||
		    now.part[i].money != stored.part[i].money)
			*ret_given = (struct given){ -1, -1 };
	}
}

static bool ended_by(const struct cdr_row *r, enum reason why)
{
	return r->reason && strcmp(r->reason, reason_name(why)) == 0;
}

/*
 * A late answer costs the vendor's first increment; a call that never reached its caller costs him nothing. One that a crash cut
 * costs no less: the vendor hears BYE after the restart.
 */
static int64_t cost_hold_ms(const struct cdr_row *r)
{
	struct terms t;
	bool is_late = ended_by(r, REASON_LATE_ANSWER);
	bool is_cut = ended_by(r, REASON_SWITCH_RESTARTED);

	if (!(is_late || is_cut) || !r->cost_terms || terms_parse(str_of(r->cost_terms), &t) < 0)
		return r->hold_ms;
	return is_late || r->hold_ms < t.first_s * 1000 ? t.first_s * 1000 : r->hold_ms;
}

static bool was_charged(const struct cdr_row *r)
{
	return r->answer != FIELD_ABSENT && r->sip_code == 200;
}

static int differs_share(struct replay *p, const struct cdr_row *r, const struct share *stored,
			 const struct share *computed)
{
	char field[300];
	struct buf b = buf_fixed(field, sizeof(field));
	int e;

	buf_printf(&b, "agents charge of %.256s", stored->agent);
	e = differs(p, r, buf_cstr(&b) ? field : "agents charge", stored->charge, computed->charge);
	buf_clear(&b);
	buf_printf(&b, "agents income of %.256s", stored->agent);
	if (e == 0)
		e = differs(p, r, buf_cstr(&b) ? field : "agents income", stored->income,
			    computed->income);
	return e == 0 ? differs(p, r, "agents billed_s", stored->billed_s * MONEY_ONE,
				computed->billed_s * MONEY_ONE)
		      : e;
}

/* Each agent's charge by the terms that the record kept, of what the account was charged by its own. */
static int replay_shares(struct replay *p, const struct cdr_row *r, const struct shares *stored,
			 money_t charged)
{
	struct shares now = *stored; /* names are the other's */
	int e = 0;

	if (shares_compute(&now, charged, r->hold_ms) < 0)
		return differs(p, r, "agents", 0, -1);
	for (int i = 0; e == 0 && i < now.count; i++)
		e = differs_share(p, r, &stored->of[i], &now.of[i]);
	if (e == 0)
		e = differs(p, r, "agent_fee", r->agent_fee, now.count ? now.of[0].charge : 0);
	return e == 0 ? differs(p, r, "agent_income", r->agent_income, shares_income(&now)) : e;
}

static int replay_agents(struct replay *p, const struct cdr_row *r, money_t charged)
{
	struct shares s = { 0 };
	int e = r->agents ? shares_parse(str_of(r->agents), &s) : 0;

	if (e == -EINVAL)
		return differs(p, r, "agents", 0, -1);
	if (e == 0)
		e = replay_shares(p, r, &s, charged);
	shares_done(&s);
	return e;
}

static int replay_facts(struct replay *p, const struct cdr_row *r)
{
	struct charge c = { 0 }, v = { 0 };
	struct given g = { 0 };

	if (was_charged(r))
		replay_customer(r, &c, &g);
	if (r->answer != FIELD_ABSENT && r->vendor_account)
		replay_terms(r->cost_terms, cost_hold_ms(r), &v);

	int e = differs(p, r, "fee", r->fee, c.fee);
	if (e == 0)
		e = differs(p, r, "package_s", r->package_s * MONEY_ONE, g.seconds * MONEY_ONE);
	if (e == 0)
		e = differs(p, r, "package_fee", r->package_fee, g.money);
	if (e == 0)
		e = differs(p, r, "tax", r->tax, c.tax);
	if (e == 0)
		e = differs(p, r, "billed_s", r->billed_s * MONEY_ONE, c.billed_s * MONEY_ONE);
	if (e == 0)
		e = differs(p, r, "cost", r->cost, v.fee + v.tax);
	if (e == 0)
		e = differs(p, r, "cost_billed_s", r->cost_billed_s * MONEY_ONE,
			    v.billed_s * MONEY_ONE);
	return e == 0 ? replay_agents(p, r, c.fee + c.tax) : e;
}

/* The record's own facts, and those in force if it was rated again. */
static int replay_record(void *ctx, const void *row)
{
	struct replay *p = ctx;
	struct cdr_row *now = NULL;
	int64_t seen = 0;
	int e = replay_facts(p, row);

	p->checked++;
	if (e != 0 || !p->rerated.find)
		return e;
	now = row_copy(&entities[ENTITY_CDR], row);
	e = now ? rerated_apply(&p->rerated, now, &seen) : -ENOMEM;
	if (e == 0 && seen)
		e = replay_facts(p, now);
	row_free(&entities[ENTITY_CDR], now);
	return e;
}

int cdr_verify(const char *data_dir, ms_t from, ms_t to, const atomic_bool *stop, json_t **ret,
	       struct err *err)
{
	CLEANUP(db_close) struct db *db = NULL;
	CLEANUP(buf_done) struct buf dir = BUF_INIT;
	struct replay p = { .findings = { .named = json_array() } };
	struct cdr_filter f = CDR_FILTER_INIT;
	int r = p.findings.named ? open_ledger(data_dir, &db, err) : -ENOMEM;

	f.from = from;
	f.to = to;
	f.has_hidden = true;
	f.stop = stop;
	buf_printf(&dir, "%s/cdr", data_dir);
	const char *path = buf_cstr(&dir);
	if (r == 0)
		r = rerated_open(&p.rerated, db);
	if (r == 0)
		r = path ? cdr_query(db, path, &f, replay_record, &p) : -ENOMEM;
	rerated_close(&p.rerated);
	if (r < 0) {
		json_decref(p.findings.named);
		return r;
	}
	*ret = json_pack("{s:I s:I s:o}", "checked", (json_int_t)p.checked, "found",
			 (json_int_t)p.findings.found, "differences", p.findings.named);
	return *ret ? 0 : -ENOMEM;
}
