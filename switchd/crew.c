#include "crew.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/rand.h"
#include "base/snapshot.h"
#include "call/doorbell.h"
#include "call/guessed.h"
#include "call/illegal.h"
#include "call/referral.h"
#include "call/suspend.h"
#include "call/world.h"
#include "number/blacklist.h"
#include "number/inuse.h"
#include "trace/tracer.h"
#include "transport/tls.h"
#include "vendor/resolver.h"

/* Datagrams between two workers; and what the ledger owes a desk: room for the ends of some 60,000 calls. */
enum { MAIL_BYTES = 4 << 20, BOOK_BYTES = 16 << 20, ASK_BYTES = 64 << 10, NOTE_BYTES = 256 << 10 };

static int make_rings(struct crew *c, int n)
{
	size_t pairs = (size_t)n * (size_t)n;
	int r = 0;

	c->mail = calloc(pairs, sizeof(struct ring *));
	c->column = calloc(pairs, sizeof(struct ring *));
	c->notes = calloc(pairs, sizeof(struct ring *));
	c->notes_column = calloc(pairs, sizeof(struct ring *));
	c->diary = calloc((size_t)n, sizeof(struct ring *));
	c->asks = calloc((size_t)n, sizeof(struct ring *));
	c->answers = calloc((size_t)n, sizeof(struct ring *));
	c->worker = calloc((size_t)n, sizeof(struct worker *));
	if (!c->mail || !c->column || !c->notes || !c->notes_column || !c->diary || !c->asks ||
	    !c->answers || !c->worker)
		return -ENOMEM;
	for (int from = 0; r == 0 && from < n; from++) {
		for (int to = 0; r == 0 && to < n; to++) {
			struct ring **ring = &c->mail[from * n + to];

			if (from != to)
				r = ring_create(ring, MAIL_BYTES);
			c->column[to * n + from] = *ring;
			if (r == 0)
				r = ring_create(&c->notes[from * n + to], NOTE_BYTES);
			c->notes_column[to * n + from] = c->notes[from * n + to];
		}
		c->diary[from] = c->notes[from * n + from];
		if (r == 0)
			r = ring_create(&c->asks[from], ASK_BYTES);
		if (r == 0)
			r = ring_create(&c->answers[from], ASK_BYTES);
	}
	return r;
}

/* IPv6 addresses of a vendor are of use where we speak it. */
static int open_resolver(struct crew *c, const struct options *o)
{
	bool with_v6 = false;

	for (int i = 0; i < o->listen_count; i++)
		with_v6 |= addr_is_v6(&o->listen[i].addr);
	return resolver_create(&c->hub.resolver, addr_is_set(&o->dns) ? &o->dns : NULL, with_v6);
}

int crew_open(struct crew *c, const struct options *o, struct err *err)
{
	struct media_config m = { .host = o->media,
				  .host_count = o->media_count,
				  .outside = &o->outside,
				  .threads = o->media_threads,
				  .workers = o->workers };

	memset(c, 0, sizeof(*c));
	c->hub.workers = o->workers;
	c->hub.security = o->security;
	c->hub.outside = o->outside;
	c->hub.timers = SIP_TIMERS_DEFAULT;
	rand_bytes(c->hub.secret, sizeof(c->hub.secret));
	int r = make_rings(c, o->workers);
	if (r == 0)
		r = suspend_create(&c->hub.suspend);
	if (r == 0)
		r = guessed_create(&c->hub.guessed);
	if (r == 0)
		r = blacklist_create(&c->hub.blacklist);
	if (r == 0)
		r = inuse_create(&c->hub.inuse);
	if (r == 0)
		r = doorbell_create(&c->hub.doorbell);
	if (r == 0)
		r = referrals_create(&c->hub.referrals);
	if (r == 0)
		r = strangers_create(&c->hub.strangers);
	if (r == 0)
		r = open_resolver(c, o);
	if (r == 0)
		r = ledger_open(&c->hub.ledger, o->data_dir, o->workers + 2, BOOK_BYTES, err);
	if (r == 0)
		r = media_create(&c->hub.media, &m, err);
	if (r == 0)
		r = tracer_create(&c->hub.tracer, o->workers);
	return r;
}

/* Every worker has copied them. */
static void drop_seeds(struct hub *h)
{
	for (size_t i = 0; i < h->seeds; i++)
		buf_done(&h->seed[i]);
	free(h->seed);
	h->seed = NULL;
	h->seeds = 0;
}

/* ---- TLS ---- */

enum { SOON_S = 14 * 24 * 3600 };

/* What a list says holds beyond its time; what was taken back since, it does not know. */
static void say_lists(const struct tls_summary *s)
{
	char until[CLOCK_TEXT] = "never";
	bool is_old = s->lists_end_s > 0 && s->lists_end_s < clock_wall_ms() / 1000;

	if (s->lists == 0)
		return;
	if (s->lists_end_s > 0)
		(void)clock_text(s->lists_end_s * 1000, until);
	log_at(is_old ? LOG_WARNING : LOG_NOTICE, NULL,
	       "TLS: %d lists of revoked certificates; the first to be out of date is so at %s",
	       s->lists, until);
}

static void say_certificates(const struct tls *t)
{
	struct tls_summary s;
	char until[CLOCK_TEXT];

	tls_summary(t, &s);
	(void)clock_text(s.expires_s * 1000, until);
	log_at(s.expires_s < clock_wall_ms() / 1000 + SOON_S ? LOG_WARNING : LOG_NOTICE, NULL,
	       "TLS: %d certificates; the first to expire is %s, at %s", s.certificates, s.first,
	       until);
	say_lists(&s);
}

static int open_tls(struct crew *c, const struct options *o, struct err *err)
{
	bool is_wanted = false;
	int r;

	for (int i = 0; i < o->listen_count; i++)
		is_wanted |= o->listen[i].proto == PROTO_TLS;
	if (!is_wanted)
		return 0;
	r = tls_create(&c->hub.tls, o->tls_dir, err);
	if (r == 0)
		say_certificates(c->hub.tls);
	return r;
}

void crew_load_tls(struct crew *c)
{
	struct err err = ERR_INIT;
	int r = c->hub.tls ? tls_load(c->hub.tls, &err) : 0;

	if (r < 0)
		log_at(LOG_ERR, NULL, "TLS: the certificates stay as they were: %s (%s)",
		       err.message[0] ? err.message : strerror(-r), err.given);
	else if (c->hub.tls)
		say_certificates(c->hub.tls);
}

/* ---- start and stop ---- */

int crew_start(struct crew *c, const struct options *o, struct err *err)
{
	const struct world *world = snapshot_read(&c->hub.world);
	int n = o->workers, r = open_tls(c, o, err);

	if (r == 0)
		r = options_listen(o, world->params, &c->listen, &c->listen_count, err);

	for (int i = 0; r == 0 && i < n; i++) {
		struct worker_config w = { .hub = &c->hub,
					   .index = i,
					   .listen = c->listen,
					   .listen_count = c->listen_count,
					   .to = c->mail + (ptrdiff_t)i * n,
					   .from = c->column + (ptrdiff_t)i * n,
					   .notes_to = c->notes + (ptrdiff_t)i * n,
					   .notes_from = c->notes_column + (ptrdiff_t)i * n,
					   .asks = c->asks[i],
					   .answers = c->answers[i] };

		r = worker_create(&c->worker[i], &w, err);
	}
	drop_seeds(&c->hub);
	if (r == 0)
		r = ledger_start(c->hub.ledger);
	if (r == 0)
		r = tracer_start(c->hub.tracer);
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

void crew_dismiss(struct crew *c)
{
	for (int i = 0; c->worker && i < c->hub.workers; i++) {
		if (c->worker[i])
			worker_stop(c->worker[i]);
	}
	for (int i = 0; c->worker && i < c->hub.workers; i++)
		c->worker[i] = worker_free(c->worker[i]);
}

void crew_stop(struct crew *c)
{
	crew_dismiss(c);
	c->hub.tracer = tracer_free(c->hub.tracer);
	c->hub.ledger = ledger_free(c->hub.ledger);
	c->hub.media = media_free(c->hub.media);
	c->hub.tls = tls_free(c->hub.tls);
}

void crew_free(struct crew *c)
{
	int n = c->hub.workers;

	drop_seeds(&c->hub);
	suspend_free(c->hub.suspend);
	guessed_free(c->hub.guessed);
	blacklist_free(c->hub.blacklist);
	inuse_free(c->hub.inuse);
	doorbell_free(c->hub.doorbell);
	referrals_free(c->hub.referrals);
	strangers_free(c->hub.strangers);
	resolver_free(c->hub.resolver);
	for (int i = 0; c->mail && i < n * n; i++)
		ring_free(c->mail[i]);
	for (int i = 0; c->notes && i < n * n; i++)
		ring_free(c->notes[i]);
	for (int i = 0; i < n; i++) {
		if (c->asks)
			ring_free(c->asks[i]);
		if (c->answers)
			ring_free(c->answers[i]);
	}
	free(c->mail);
	free(c->column);
	free(c->notes);
	free(c->notes_column);
	free(c->diary);
	free(c->asks);
	free(c->answers);
	free(c->worker);
	free(c->listen);
}
