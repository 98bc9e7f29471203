#include <errno.h>

#include "ledger/inner.h"
#include "ledger/rerate.h"
#include "rating/share.h"

/* ---- entries ---- */

enum kind { CHARGE, INCOME };

static int change(struct ledger *l, const char *account, enum kind kind, money_t amount, ms_t at,
		  int64_t cdr)
{
	struct account *a = account_make(l, account);
	money_t next;

	if (amount == 0)
		return 0;
	if (!a)
		return -ENOMEM;
	account_touch(l, a);
	if (money_add(a->next, amount, &next) < 0)
		return -ERANGE;
	a->next = next;
	if (kind == INCOME)
		a->earned += amount;
	else if (amount > 0) /* money that comes back lifts a lock as a payment does */
		a->paid += amount;
	else
		a->taken -= amount;
	return sql_entry(&l->sql, account, at, kind == INCOME ? "income" : "charge", amount, 0,
			 cdr);
}

/* sign 1: as the record's end was booked; -1: the other way. */
static int book_agents(struct ledger *l, const struct cdr_row *r, int sign, ms_t at)
{
	struct shares s = { 0 };
	int e = r->agents ? shares_parse(str_of(r->agents), &s) : 0;

	for (int i = 0; e == 0 && i < s.count; i++)
		e = change(l, s.of[i].agent, INCOME, sign * s.of[i].income, at, r->id);
	shares_done(&s);
	return e;
}

static void bind_text(struct stmt *s, int i, const char *text)
{
	if (text)
		stmt_bind_text(s, i, str_of(text));
	else
		stmt_bind_null(s, i);
}

static int add_row(struct ledger *l, int64_t run, const struct cdr_row *r, int sign, ms_t at)
{
	struct stmt *s = l->sql.rerate_add;
	int i = 1;

	stmt_bind_int(s, i++, run);
	stmt_bind_int(s, i++, at);
	stmt_bind_int(s, i++, r->id);
	stmt_bind_int(s, i++, sign);
	stmt_bind_text(s, i++, str_of(r->account));
	stmt_bind_text(s, i++, str_of(r->mapping_gateway ? r->mapping_gateway : ""));
	stmt_bind_text(s, i++, str_of(r->caller_phone ? r->caller_phone : ""));
	stmt_bind_text(s, i++, str_of(r->rate_prefix ? r->rate_prefix : ""));
	stmt_bind_int(s, i++, r->rate_version);
	bind_text(s, i++, r->rate_terms);
	stmt_bind_int(s, i++, r->billed_s);
	stmt_bind_int(s, i++, r->fee);
	stmt_bind_int(s, i++, r->tax);
	bind_text(s, i++, r->agents);
	stmt_bind_int(s, i++, r->agent_fee);
	stmt_bind_int(s, i++, r->agent_income);
	stmt_bind_text(s, i++, str_of(r->vendor_account ? r->vendor_account : ""));
	stmt_bind_text(s, i++, str_of(r->routing_gateway ? r->routing_gateway : ""));
	stmt_bind_text(s, i++, str_of(r->cost_prefix ? r->cost_prefix : ""));
	bind_text(s, i++, r->rate_origin);
	return stmt_run(s);
}

static int book_side(struct ledger *l, int64_t run, const struct cdr_row *r, int sign, ms_t at)
{
	int e = add_row(l, run, r, sign, at);

	if (e == 0)
		e = change(l, r->account, CHARGE, -sign * (r->fee + r->tax), at, r->id);
	return e < 0 ? e : book_agents(l, r, sign, at);
}

/* Is what the item begins from still in force? 1, 0 or negative errno. */
static int is_current(struct ledger *l, const struct rerate_item *it)
{
	struct stmt *s = l->sql.rerate_last;

	stmt_bind_int(s, 1, it->before->id);
	int r = stmt_step(s);
	int64_t last = r == 1 ? stmt_int(s, 0) : 0;
	stmt_reset(s);
	return r < 0 ? r : last == it->seen;
}

int book_rerate(struct ledger *l, struct rerate_batch *b)
{
	ms_t at = clock_wall_ms();
	int r = 0;

	b->booked = 0;
	for (int i = 0; r >= 0 && i < b->count; i++) {
		const struct rerate_item *it = &b->item[i];

		r = is_current(l, it);
		if (r != 1)
			continue;
		r = book_side(l, b->run, it->before, -1, at);
		if (r == 0)
			r = book_side(l, b->run, it->after, 1, at);
		b->booked++;
	}
	return r < 0 ? r : 0;
}
