#include <stdio.h>

#include "ops/inner.h"

/* Accounts that run low, before they run dry: each against its own low_balance, else customers and agents against the parameter. */

enum { INFO = 200 };

/* FIELD_ABSENT: nobody asked to be told. */
static money_t threshold(const struct account_row *a, const struct params *p)
{
	if (a->low_balance != FIELD_ABSENT)
		return a->low_balance;
	if (a->kind == ACCOUNT_KIND_CLEARING)
		return FIELD_ABSENT;
	return param_int(p, PARAM_SS_CLIENT_LOW_BALANCE_ALARM);
}

/* A postpaid balance is below zero by nature: what counts is what is left of the credit line. */
static money_t left_of(const struct payer *p)
{
	money_t balance = atomic_load(&p->purse->balance);

	return p->row->billing == ACCOUNT_BILLING_POSTPAID ? balance + p->row->limit_money
							   : balance;
}

static void raise_one(struct ops *o, const struct payer *p, money_t left, money_t below)
{
	char l[MONEY_TEXT], b[MONEY_TEXT], info[INFO];

	(void)snprintf(info, sizeof(info), "%s %s left, below %s", money_text(left, l),
		       p->row->currency, money_text(below, b));
	alarm_raise(o->alarms, "low_balance", 1, p->row->id, left / MONEY_ONE, info);
}

void look_at_balances(struct ops *o)
{
	const struct world *w = catalog_world(o->catalog);
	int64_t most = param_int(w->params, PARAM_SERVER_ALARM_CUSTOMER_BALANCE_MAX_SIZE);
	int64_t low = 0;

	for (size_t i = 0; i < w->payers; i++) {
		const struct payer *p = &w->payer[i];
		money_t below = threshold(p->row, w->params), left = left_of(p);

		if (below != FIELD_ABSENT && left < below && ++low <= most)
			raise_one(o, p, left, below);
	}
	if (low > most)
		alarm_raise(o->alarms, "low_balances", 1, "accounts", low - most,
			    "further accounts are low: SERVER_ALARM_CUSTOMER_BALANCE_MAX_SIZE");
}
