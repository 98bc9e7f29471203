/*
 * resolver: the addresses behind the names of vendors' gateways, looked up in a thread of its own and kept.
 *
 * Whoever compiles a world asks for each name: known ones are answered at once, new ones are looked up and the eventfd tells when something
 * is known that was not. All are looked up again after the interval; one that failed, sooner. An answer stays until a better one comes.
 *
 * Called from the main thread; the thread inside is nobody else's business.
 */
#pragma once

#include "base/cleanup.h"
#include "base/clock.h"
#include "vendor/dns.h"

struct resolver;

/* server: which name server to ask, a loan until it returns; NULL: those of resolv.conf. with_v6: AAAA, too. 0 or negative errno. */
int resolver_create(struct resolver **ret, const struct addr *server, bool with_v6);
struct resolver *resolver_free(struct resolver *r);
DEFINE_CLEANUP(struct resolver *, resolver_free);

/* Readable when answers have changed since resolver_see. */
int resolver_fd(const struct resolver *r);
void resolver_see(struct resolver *r);
/* Acts at once: a change looks everything up anew. */
void resolver_set_interval(struct resolver *r, int64_t seconds);

/* What is known by now; false: nothing yet, and it is being looked up. -ENOMEM only loses the question. */
bool resolver_find(struct resolver *r, struct str host, uint16_t port, enum proto proto,
		   struct dns_answer *ret);
/* Around all the questions of a world: what was not asked for between the two is forgotten. */
void resolver_begin(struct resolver *r);
void resolver_end(struct resolver *r);

/* Names whose last look-up failed, in turn; since: wall time of the first failure; has_answer: an older one is in use. */
typedef void resolver_fn(void *ctx, const char *host, int error, ms_t since, bool has_answer);
void resolver_each_failing(struct resolver *r, resolver_fn *on_failing, void *ctx);
