#include "vendor/quota.h"

#include <stddef.h>

static void turn(struct quota *q, int64_t day)
{
	int64_t before = atomic_load(&q->day);

	if (before >= day || !atomic_compare_exchange_strong(&q->day, &before, day))
		return;
	atomic_store(&q->calls, 0);
	atomic_store(&q->talk_ms, 0);
	atomic_store(&q->money, 0);
}

void quota_add(struct quota *q, int64_t day, int64_t calls, ms_t talk_ms, money_t money)
{
	turn(q, day);
	atomic_fetch_add(&q->calls, calls);
	atomic_fetch_add(&q->talk_ms, talk_ms);
	atomic_fetch_add(&q->money, money);
}

const char *quota_used_up(const struct quota *q, int64_t day, const struct quota_limit *limit)
{
	if (atomic_load(&q->day) < day)
		return NULL;
	if (limit->calls > 0 && atomic_load(&q->calls) >= limit->calls)
		return "day_calls";
	if (limit->minutes > 0 && atomic_load(&q->talk_ms) >= limit->minutes * MINUTE_MS)
		return "day_minutes";
	return limit->money > 0 && atomic_load(&q->money) >= limit->money ? "day_money" : NULL;
}
