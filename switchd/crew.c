#include "crew.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/rand.h"

/* Datagrams between two workers; and what the ledger owes a desk: room for the ends of some 60,000 calls. */
enum { MAIL_BYTES = 4 << 20, BOOK_BYTES = 16 << 20, ASK_BYTES = 64 << 10 };

static int make_rings(struct crew *c, int n)
{
	size_t pairs = (size_t)n * (size_t)n;
	int r = 0;

	c->mail = calloc(pairs, sizeof(struct ring *));
	c->column = calloc(pairs, sizeof(struct ring *));
	c->asks = calloc((size_t)n, sizeof(struct ring *));
	c->answers = calloc((size_t)n, sizeof(struct ring *));
	c->worker = calloc((size_t)n, sizeof(struct worker *));
	if (!c->mail || !c->column || !c->asks || !c->answers || !c->worker)
		return -ENOMEM;
	for (int from = 0; r == 0 && from < n; from++) {
		for (int to = 0; r == 0 && to < n; to++) {
			struct ring **ring = &c->mail[from * n + to];

			if (from != to)
				r = ring_create(ring, MAIL_BYTES);
			c->column[to * n + from] = *ring;
		}
		if (r == 0)
			r = ring_create(&c->asks[from], ASK_BYTES);
		if (r == 0)
			r = ring_create(&c->answers[from], ASK_BYTES);
	}
	return r;
}

int crew_open(struct crew *c, const struct options *o, struct err *err)
{
	struct media_config m = { .host = o->media,
				  .host_count = o->media_count,
				  .threads = o->media_threads,
				  .workers = o->workers };

	memset(c, 0, sizeof(*c));
	c->hub.workers = o->workers;
	c->hub.security = o->security;
	c->hub.timers = SIP_TIMERS_DEFAULT;
	rand_bytes(c->hub.secret, sizeof(c->hub.secret));
	int r = make_rings(c, o->workers);
	if (r == 0)
		r = ledger_open(&c->hub.ledger, o->data_dir, o->workers + 1, BOOK_BYTES, err);
	if (r == 0)
		r = media_create(&c->hub.media, &m, err);
	return r;
}

int crew_start(struct crew *c, const struct options *o, struct err *err)
{
	int n = o->workers, r = 0;

	for (int i = 0; r == 0 && i < n; i++) {
		struct worker_config w = { .hub = &c->hub,
					   .index = i,
					   .listen = o->listen,
					   .listen_count = o->listen_count,
					   .to = c->mail + (ptrdiff_t)i * n,
					   .from = c->column + (ptrdiff_t)i * n,
					   .asks = c->asks[i],
					   .answers = c->answers[i] };

		r = worker_create(&c->worker[i], &w, err);
	}
	if (r == 0)
		r = ledger_start(c->hub.ledger);
	for (int i = 0; r == 0 && i < n; i++)
		r = worker_start(c->worker[i]);
	return r;
}

void crew_ask(struct crew *c, enum ask_kind kind)
{
	struct ask a = { .kind = kind };

	for (int i = 0; i < c->hub.workers; i++) {
		if (ring_push(c->asks[i], &a, sizeof(a), NULL, 0))
			ring_flush(c->asks[i]);
	}
}

bool crew_is_alive(const struct crew *c, int64_t ms)
{
	int64_t now = clock_mono_ms();

	for (int i = 0; i < c->hub.workers; i++) {
		if (now - atomic_load_explicit(&c->hub.stats[i].alive_ms, memory_order_relaxed) >
		    ms)
			return false;
	}
	return true;
}

void crew_stop(struct crew *c)
{
	for (int i = 0; c->worker && i < c->hub.workers; i++) {
		if (c->worker[i])
			worker_stop(c->worker[i]);
	}
	for (int i = 0; c->worker && i < c->hub.workers; i++)
		c->worker[i] = worker_free(c->worker[i]);
	c->hub.ledger = ledger_free(c->hub.ledger);
	c->hub.media = media_free(c->hub.media);
}

void crew_free(struct crew *c)
{
	int n = c->hub.workers;

	for (int i = 0; c->mail && i < n * n; i++)
		ring_free(c->mail[i]);
	for (int i = 0; i < n; i++) {
		if (c->asks)
			ring_free(c->asks[i]);
		if (c->answers)
			ring_free(c->answers[i]);
	}
	free(c->mail);
	free(c->column);
	free(c->asks);
	free(c->answers);
	free(c->worker);
}
