#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "ledger/inner.h"
#include "rating/share.h"

/*
 * Agents (rating/share.h): what each earned by a call is an entry of its own, in the transaction of the call's record. A record whose
 * agents cannot be read is booked without: it must not be lost to that, and `cdr verify` names it.
 */

static int read_shares(const struct cdr_row *cdr, struct shares *ret)
{
	int r = cdr->agents ? shares_parse(str_of(cdr->agents), ret) : 0;

	if (r != -EINVAL)
		return r;
	log_at(LOG_CRIT, FIELDS(.account = cdr->account),
	       "record %lld: its agents cannot be read, and nothing is booked for them",
	       (long long)cdr->id);
	return 0;
}

static int book_share(struct ledger *l, const struct share *x, const struct cdr_row *cdr)
{
	struct account *a = account_make(l, x->agent);
	money_t next, earned;

	if (x->income == 0)
		return 0;
	if (!a)
		return -ENOMEM;
	account_touch(l, a);
	if (money_add(a->next, x->income, &next) < 0 ||
	    money_add(a->earned, x->income, &earned) < 0)
		return -ERANGE;
	a->next = next;
	a->earned = earned;
	return sql_entry(&l->sql, x->agent, cdr->end, "income", x->income, 0, cdr->id);
}

int book_income(struct ledger *l, const struct cdr_row *cdr)
{
	struct shares s = { 0 };
	int r = read_shares(cdr, &s);

	for (int i = 0; r == 0 && i < s.count; i++)
		r = book_share(l, &s.of[i], cdr);
	shares_done(&s);
	return r;
}

static int put_back(struct cdr_row *cdr, const struct shares *s)
{
	CLEANUP(buf_done) struct buf text = BUF_INIT;

	shares_put(s, &text);
	free(cdr->agents);
	cdr->agents = buf_steal(&text);
	cdr->agent_fee = s->of[0].charge;
	cdr->agent_income = shares_income(s);
	return cdr->agents ? 0 : -ENOMEM;
}

int income_compute(struct cdr_row *cdr, int64_t hold_ms)
{
	struct shares s = { 0 };
	int r = read_shares(cdr, &s);

	if (r == 0 && s.count > 0 && shares_compute(&s, cdr->fee + cdr->tax, hold_ms) == 0)
		r = put_back(cdr, &s);
	shares_done(&s);
	return r;
}
