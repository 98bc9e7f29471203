#include <errno.h>
#include <string.h>

#include "call/world_agent.h"
#include "ops/inner.h"

/* SERVER_ALARM_CUSTOMER_BALANCE_MAX_SIZE: so many have a balance alarm of their own. */
static int check_low_balance(const struct world *w, const struct account_row *a, struct err *err)
{
	int64_t most = param_int(w->params, PARAM_SERVER_ALARM_CUSTOMER_BALANCE_MAX_SIZE);
	int64_t others = 0;
	char text[MONEY_TEXT];

	if (a->low_balance == FIELD_ABSENT)
		return 0;
	for (size_t i = 0; i < w->payers; i++) {
		const struct account_row *x = w->payer[i].row;

		others += x->low_balance != FIELD_ABSENT && strcmp(x->id, a->id) != 0;
	}
	if (others < most)
		return 0;
	return err_set(err, ERR_CONFLICT, "low_balance", str_of(money_text(a->low_balance, text)),
		       "none, or a higher SERVER_ALARM_CUSTOMER_BALANCE_MAX_SIZE",
		       "%lld accounts have a balance alarm of their own", (long long)others);
}

int account_check_others(struct ops *o, const struct account_row *a, struct err *err)
{
	const struct world *w = catalog_world(o->catalog);
	int r = check_low_balance(w, a, err);

	return r < 0 ? r : agent_check(w, a, err);
}
