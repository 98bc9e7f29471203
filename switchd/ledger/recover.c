#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "ledger/inner.h"
#include "model/reason.h"
#include "rating/charge.h"
#include "store/rows.h"

/*
 * After a crash (design.md §4, promise 1): every call in the journal becomes one closed record, ended at the last proof of life: the
 * moment its media stopped if that was marked, else the last heartbeat of the switch. Both were read from the same monotonic clock as the
 * answer, by the process that is gone, so their difference is the hold whatever the wall clock has done since. One transaction: a
 * second crash in here changes nothing.
 */

struct proof {
	ms_t mono;
};

static int read_heartbeat(struct ledger *l, struct proof *ret)
{
	CLEANUP(stmt_free) struct stmt *s = NULL;
	int r = stmt_prepare(&s, l->db, "SELECT mono FROM heartbeat");

	if (r == 0)
		r = stmt_step(s);
	ret->mono = r == 1 ? stmt_int(s, 0) : 0;
	return r < 0 ? r : 0;
}

/* Charge by the terms the journal kept; a row that does not parse costs nothing and is found by `cdr verify`. */
static void charge_by(const char *terms, int64_t hold_ms, struct charge *ret)
{
	struct terms t;

	*ret = (struct charge){ 0 };
	if (!terms || terms_parse(str_of(terms), &t) < 0 || terms_check(&t) < 0)
		return;
	if (charge_compute(&t, hold_ms, ret) < 0)
		*ret = (struct charge){ 0 };
}

/* The same with what packages held for the call. */
static void charge_customer(struct cdr_row *r, int64_t hold_ms, struct charge *ret)
{
	struct terms t;

	if (!r->packages || !r->rate_terms || terms_parse(str_of(r->rate_terms), &t) < 0 ||
	    gift_close(r, &t, hold_ms, ret) < 0)
		charge_by(r->rate_terms, hold_ms, ret);
}

/* The vendor hears BYE after the restart only: it bills its first increment, however short the proven time is. */
static int64_t cost_hold_ms(const char *terms, int64_t hold_ms)
{
	struct terms t;
	int64_t first_ms = terms && terms_parse(str_of(terms), &t) == 0 ? t.first_s * 1000 : 0;

	return hold_ms > first_ms ? hold_ms : first_ms;
}

static int close_record(struct cdr_row *r, int64_t hold_ms)
{
	struct charge c;

	r->hold_ms = hold_ms;
	r->end = r->answer + hold_ms;
	r->sip_code = 200;
	r->hangup_side = CDR_HANGUP_SIDE_SWITCH;
	free(r->reason);
	r->reason = strdup(reason_name(REASON_SWITCH_RESTARTED));
	charge_customer(r, hold_ms, &c);
	r->billed_s = c.billed_s;
	r->fee = c.fee;
	r->tax = c.tax;
	charge_by(r->cost_terms, cost_hold_ms(r->cost_terms, hold_ms), &c);
	r->cost_billed_s = c.billed_s;
	r->cost = c.fee + c.tax;
	return r->reason ? income_compute(r, hold_ms) : -ENOMEM;
}

static int keep_orphan(struct ledger *l, int64_t id, struct str legs)
{
	stmt_bind_int(l->sql.orphan_add, 1, id);
	stmt_bind_text(l->sql.orphan_add, 2, legs);
	return stmt_run(l->sql.orphan_add);
}

static int close_call(struct ledger *l, struct stmt *s, const struct proof *proof)
{
	int n = rows_column_count(&entities[ENTITY_CDR]);
	struct cdr_row *r = rows_read(&entities[ENTITY_CDR], s, 0);

	if (!r)
		return -ENOMEM;

	int64_t answer = stmt_int(s, n + 1);
	int64_t end = stmt_is_null(s, n + 2) ? proof->mono : stmt_int(s, n + 2);
	int64_t hold_ms = end > answer ? end - answer : 0;

	/* Cut off or not at that moment: it never lasts longer than the money held for it (rating.md). */
	if (!stmt_is_null(s, n + 3) && hold_ms > stmt_int(s, n + 3))
		hold_ms = stmt_int(s, n + 3);
	int e = close_record(r, hold_ms);

	if (e == 0)
		e = sql_cdr(l->sql.outbox_add, r);
	if (e == 0)
		e = book_charges(l, r);
	if (e == 0)
		e = keep_orphan(l, r->id, stmt_text(s, n));
	row_free(&entities[ENTITY_CDR], r);
	return e;
}

static int close_all(struct ledger *l, const struct proof *proof, size_t *ret_count)
{
	CLEANUP(stmt_free) struct stmt *s = NULL;
	CLEANUP(buf_done) struct buf sql = BUF_INIT;
	int r;

	buf_printf(&sql, "SELECT ");
	rows_columns(&entities[ENTITY_CDR], &sql);
	buf_printf(&sql, ", legs, answer_mono, heard_mono, reach_ms FROM call");
	const char *text = buf_cstr(&sql);
	r = text ? stmt_prepare(&s, l->db, text) : -ENOMEM;
	while (r == 0 && (r = stmt_step(s)) == 1) {
		r = close_call(l, s, proof);
		++*ret_count;
	}
	return r;
}

static int load_orphans(struct ledger *l)
{
	CLEANUP(stmt_free) struct stmt *s = NULL;
	int r = stmt_prepare(&s, l->db, "SELECT id, legs FROM orphan");

	while (r == 0 && (r = stmt_step(s)) == 1) {
		struct orphan *more = reallocarray(l->orphan, l->orphans + 1, sizeof(*more));

		if (!more)
			return -ENOMEM;
		l->orphan = more;
		more[l->orphans].id = stmt_int(s, 0);
		more[l->orphans].legs = str_dup(stmt_text(s, 1));
		if (!more[l->orphans].legs)
			return -ENOMEM;
		l->orphans++;
		r = 0;
	}
	return r;
}

int recover(struct ledger *l, struct err *err)
{
	struct proof proof;
	size_t closed = 0;
	int r = read_heartbeat(l, &proof);

	if (r == 0)
		r = db_begin(l->db);
	if (r == 0)
		r = close_all(l, &proof, &closed);
	if (r == 0)
		r = accounts_write(l);
	if (r == 0)
		r = db_exec(l->db, "DELETE FROM call");
	if (r == 0) /* ours from here on: the old one may be from before a boot */
		r = beat(l, clock_mono_ms());
	if (r == 0)
		r = db_commit(l->db);
	if (r < 0) {
		(void)err_set(err, ERR_STORE, "data", str_of(l->dir),
			      "a ledger that can be written",
			      "calls that were cut off cannot be closed: %s", db_error(l->db));
		db_rollback(l->db);
		return r;
	}
	accounts_publish(l);
	/* Nobody else adjusted what is free for these charges: no worker settled the calls. */
	struct list *it, *tmp;
	LIST_EACH (it, tmp, &l->accounts) {
		struct account *a = CONTAINER(it, struct account, all);

		atomic_store(&a->purse.free, atomic_load(&a->purse.balance));
	}
	if (closed)
		log_at(LOG_NOTICE, NULL, "%zu calls were cut off by the last stop and are closed",
		       closed);
	return load_orphans(l);
}
