#include "vendor/probe.h"

#include <errno.h>
#include <stdlib.h>

#include "base/rand.h"

struct probe {
	const struct sender *sender;
	struct reach *reach;
	struct means by;
	struct addr peer;
	ms_t period_ms;
	bool is_spread; /* the second question has been put off already */
	struct client_txn *asking;
	struct timer timer; /* the next question, or the end of the wait for an answer */
};

static void wait(struct probe *p, ms_t ms)
{
	timer_start(&p->sender->loop->wheel, &p->timer, p->sender->loop->now_ms + ms);
}

static ms_t pause_of(struct probe *p)
{
	if (reach_is_in_doubt(p->reach))
		return PROBE_DOUBT_MS;
	if (p->is_spread)
		return p->period_ms;
	p->is_spread = true;
	return p->period_ms / 2 + rand_below((uint32_t)(p->period_ms / 2) + 1);
}

static void over(struct probe *p, int code)
{
	if (p->asking)
		client_detach(p->asking);
	p->asking = NULL;
	reach_probed(p->reach, code, clock_wall_ms());
	wait(p, pause_of(p));
}

static void on_response(void *ctx, struct client_txn *t, const struct msg *m)
{
	(void)t;
	if (m->status >= 200)
		over(ctx, m->status);
}

static void on_fail(void *ctx, struct client_txn *t, int error)
{
	(void)t;
	(void)error;
	over(ctx, 0);
}

static const struct client_owner owner = { on_response, on_fail, NULL };

static void on_timer(struct timer *t, int64_t now_ms)
{
	struct probe *p = CONTAINER(t, struct probe, timer);

	(void)now_ms;
	if (p->asking || sender_options(p->sender, p->by, &p->peer, &owner, p, &p->asking) < 0)
		over(p, 0);
	else
		wait(p, PROBE_WAIT_MS);
}

int probe_create(struct probe **ret, const struct sender *s, struct reach *reach, struct means by,
		 const struct addr *peer, ms_t first_in_ms, ms_t period_ms)
{
	struct probe *p = calloc(1, sizeof(*p));

	if (!p)
		return -ENOMEM;
	*p = (struct probe){
		.sender = s, .reach = reach, .by = by, .peer = *peer, .period_ms = period_ms
	};
	timer_init(&p->timer, on_timer);
	wait(p, first_in_ms);
	*ret = p;
	return 0;
}

void probe_adjust(struct probe *p, struct means by, ms_t period_ms)
{
	ms_t latest = p->sender->loop->now_ms + period_ms;

	p->by = by;
	p->period_ms = period_ms;
	if (!p->asking && p->timer.at_ms > latest)
		wait(p, rand_below((uint32_t)period_ms) + 1);
}

struct probe *probe_free(struct probe *p)
{
	if (!p)
		return NULL;
	if (p->asking)
		client_detach(p->asking);
	timer_stop(&p->timer);
	reach_forget(p->reach, clock_wall_ms());
	free(p);
	return NULL;
}
