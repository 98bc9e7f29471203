#include "ledger/purse.h"

bool purse_reserve(struct purse *p, money_t floor, money_t need, money_t want, money_t *ret_held,
		   money_t *ret_available)
{
	money_t now = atomic_load(&p->free), held;

	do {
		money_t available;

		if (money_sub(now, floor, &available) < 0)
			available = now > 0 ? MONEY_MAX : -MONEY_MAX;
		*ret_available = available;
		if (available < need)
			return false;
		held = want < available ? want : available;
		if (held < 0)
			held = 0;
	} while (!atomic_compare_exchange_weak(&p->free, &now, now - held));

	*ret_held = held;
	return true;
}

void purse_settle(struct purse *p, money_t held, money_t charged)
{
	atomic_fetch_add(&p->free, held - charged);
}

bool purse_line_take(struct purse *p, uint32_t limit)
{
	uint32_t before = atomic_fetch_add(&p->calls, 1);

	if (limit == 0 || before < limit)
		return true;
	atomic_fetch_sub(&p->calls, 1);
	return false;
}

void purse_line_give(struct purse *p)
{
	atomic_fetch_sub(&p->calls, 1);
}
