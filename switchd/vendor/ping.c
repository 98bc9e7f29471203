#include "vendor/ping.h"

#include <errno.h>
#include <stdlib.h>

#include "base/clock.h"

enum { SENT_AGAIN_US = 500000 };

struct ping {
	const struct sender *sender;
	struct means by;
	struct addr peer;
	int left;
	struct ping_result result;
	ping_fn *on_over;
	void *ctx;
	struct client_txn *asking;
	int64_t asked_us;
	struct timer timer; /* the next question, or the end of the wait for an answer */
};

static void wait(struct ping *p, ms_t ms)
{
	timer_start(&p->sender->loop->wheel, &p->timer, p->sender->loop->now_ms + ms);
}

/* The last statement of whoever calls it: on_over may free the ping. */
static void next(struct ping *p)
{
	if (p->asking)
		client_detach(p->asking);
	p->asking = NULL;
	timer_stop(&p->timer);
	if (p->left > 0)
		wait(p, PING_PAUSE_MS);
	else
		p->on_over(p->ctx, p);
}

static void on_response(void *ctx, struct client_txn *t, const struct msg *m)
{
	struct ping *p = ctx;
	struct ping_result *r = &p->result;
	int64_t us = clock_mono_us() - p->asked_us;

	(void)t;
	if (m->status < 200)
		return;
	r->min_us = r->answered == 0 || us < r->min_us ? us : r->min_us;
	r->max_us = us > r->max_us ? us : r->max_us;
	r->sum_us += us;
	r->answered++;
	r->repeated += p->by.proto == PROTO_UDP && us >= SENT_AGAIN_US;
	r->code = m->status;
	next(p);
}

static void on_fail(void *ctx, struct client_txn *t, int error)
{
	struct ping *p = ctx;

	(void)t;
	p->result.error = error;
	next(p);
}

static const struct client_owner owner = { on_response, on_fail, NULL };

static void ask(struct ping *p)
{
	int r;

	p->left--;
	p->result.sent++;
	p->asked_us = clock_mono_us();
	wait(p, PING_WAIT_MS);
	r = sender_options(p->sender, p->by, &p->peer, &owner, p, &p->asking);
	if (r < 0) { /* in its own time, as an answer would come */
		p->result.error = r;
		wait(p, PING_PAUSE_MS);
	}
}

static void on_timer(struct timer *t, int64_t now_ms)
{
	struct ping *p = CONTAINER(t, struct ping, timer);

	(void)now_ms;
	if (p->asking || p->left == 0)
		next(p);
	else
		ask(p);
}

int ping_create(struct ping **ret, const struct sender *s, struct means by, const struct addr *peer,
		int count, ping_fn *on_over, void *ctx)
{
	struct ping *p = calloc(1, sizeof(*p));

	if (!p)
		return -ENOMEM;
	*p = (struct ping){
		.sender = s, .by = by, .peer = *peer, .left = count, .on_over = on_over, .ctx = ctx
	};
	timer_init(&p->timer, on_timer);
	ask(p);
	*ret = p;
	return 0;
}

struct ping *ping_free(struct ping *p)
{
	if (!p)
		return NULL;
	if (p->asking)
		client_detach(p->asking);
	timer_stop(&p->timer);
	free(p);
	return NULL;
}

const struct ping_result *ping_result(const struct ping *p)
{
	return &p->result;
}
