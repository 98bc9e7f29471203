#include "guard.h"

#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "conntrack.h"

/* ---- opening ---- */

/* The kernel ends a ban by itself; what had to make room has to be taken out. */
static void on_end(void *ctx, struct ban *b, bool made_room)
{
	struct guard *g = ctx;
	char text[ADDR_TEXT];

	if (made_room && g->is_loaded && kernel_unban(g->kernel, &b->terms.net) < 0)
		g->is_behind = true;
	log_at(b->terms.cause == CAUSE_KNOCKING ? LOG_DEBUG : LOG_INFO, NULL, "ban of %s is over%s",
	       ban_text(&b->terms.net, text), made_room ? ": too many bans, the oldest goes" : "");
}

int guard_open(struct guard *g, const char *state_dir, struct err *err)
{
	ms_t now = clock_mono_ms();
	int r = kernel_open(&g->kernel);

	g->state_dir = state_dir;
	if (r < 0)
		return err_set(err, ERR_FORBIDDEN, "", STR(""), "CAP_NET_ADMIN, or root",
			       "the packet filter cannot be reached: %s", strerror(-r));
	r = exempt_create(&g->exempt);
	if (r == 0)
		r = judge_create(&g->judge);
	if (r == 0)
		r = bans_create(&g->bans, BANS_MAX, now, on_end, g);
	if (r == 0)
		r = bans_file_open(&g->file, state_dir, g->bans, now, clock_wall_ms(), err);
	if (r == 0 && bans_file_bad(g->file) > 0)
		log_at(LOG_WARNING, NULL, "%zu lines of bans.jsonl could not be read",
		       bans_file_bad(g->file));
	return r;
}

void guard_close(struct guard *g)
{
	g->file = bans_file_close(g->file);
	g->bans = bans_free(g->bans);
	g->judge = judge_free(g->judge);
	g->exempt = exempt_free(g->exempt);
	g->kernel = kernel_close(g->kernel);
}

/* ---- rules ---- */

struct restoring {
	struct guard *guard;
	const struct ban *at;
	ms_t now;
};

/* The bans for a kernel that has none; those that are exempt by now are passed over. */
static bool next_ban(void *ctx, struct cidr *ret_net, int64_t *ret_ms)
{
	struct restoring *r = ctx;

	do {
		r->at = bans_next(r->guard->bans, true, r->at);
	} while (r->at &&
		 (r->at->until <= r->now || exempt_why(r->guard->exempt, &r->at->terms.net)));
	if (!r->at)
		return false;
	*ret_net = r->at->terms.net;
	*ret_ms = r->at->until - r->now;
	return true;
}

/* Who has become exempt is not banned any more; the kernel looks at the exempt set first anyway. */
static void free_exempt(struct guard *g)
{
	struct ban *b = bans_next(g->bans, true, NULL);
	struct err err = ERR_INIT;

	while (b) {
		struct ban *next = bans_next(g->bans, true, b);

		if (exempt_why(g->exempt, &b->terms.net))
			(void)guard_lift(g, b, "lockoutd: now exempt", &err);
		b = next;
	}
}

/* An expression, or a flag of it, that the kernel does not know. */
static bool is_unknown(int error)
{
	return error == -ENOENT || error == -EOPNOTSUPP || error == -EINVAL;
}

/*
 * A transaction is taken whole or not at all, so the kernel is asked by giving it the rules: all of them, then without one
 * ability, without two, and so on. What it lacks is said once. The first refusal is the one that is told.
 */
static int start(struct guard *g, const struct openings *o, struct ruleset *rules)
{
	static const unsigned without[] = { 0, 1, 2, 4, 3, 5, 6, ABILITY_ALL };
	int first = 0;

	for (size_t i = 0; i < sizeof(without) / sizeof(without[0]); i++) {
		struct restoring restoring = { .guard = g, .now = clock_mono_ms() };

		ruleset_make(rules, o, without[i]);
		int r = kernel_start(g->kernel, rules, g->exempt, next_ban, &restoring);
		if (r == 0 || !is_unknown(r))
			return r;
		first = i == 0 ? r : first;
	}
	return first;
}

static void say_what_lacks(unsigned lacks)
{
	static const char *const text[] = {
#define ABILITY_TEXT(id, bit, text) [bit] = (text),
		ABILITIES(ABILITY_TEXT)
#undef ABILITY_TEXT
	};

	for (size_t i = 0; i < sizeof(text) / sizeof(text[0]); i++)
		if (lacks & 1u << i)
			log_at(LOG_WARNING, NULL,
			       "the firewall does without %s: this kernel's nftables cannot do "
			       "that",
			       text[i]);
}

static int bring(struct guard *g, const struct openings *o)
{
	struct ruleset rules;
	unsigned lacked = g->rules.lacks;
	int r;

	if (g->is_loaded && !g->is_behind) {
		ruleset_make(&rules, o, lacked);
		r = kernel_reload(g->kernel, &rules, g->exempt);
	} else {
		r = start(g, o, &rules);
	}
	g->is_behind = r < 0;
	if (r < 0)
		return r;
	g->openings = *o;
	g->rules = rules;
	g->is_loaded = true;
	say_what_lacks(rules.lacks & ~lacked);
	free_exempt(g);
	return 0;
}

int guard_load(struct guard *g, const struct openings *o, struct err *err)
{
	int r = bring(g, o);

	if (r < 0)
		return err_set(err, ERR_INTERNAL, "", STR(""), "a kernel with nf_tables",
			       "the firewall cannot be loaded: %s", strerror(-r));
	log_at(LOG_NOTICE, NULL, "firewall loaded: %d rules, %zu bans restored", g->rules.count,
	       bans_count(g->bans));
	return 0;
}

int guard_reload(struct guard *g, const struct openings *o)
{
	int r = bring(g, o);

	if (r < 0)
		log_at(LOG_ERR, NULL, "the firewall could not be changed, the old one stays: %s",
		       strerror(-r));
	else
		log_at(LOG_NOTICE, NULL, "firewall changed: %d rules", g->rules.count);
	return r;
}

void guard_second(struct guard *g, ms_t now)
{
	int r;

	bans_advance(g->bans, now);
	if (g->is_behind)
		(void)guard_reload(g, &g->openings);
	if (g->knocking > 0 && now - g->told >= MINUTE_MS) {
		log_at(LOG_INFO, NULL, "%u short bans of sources that knock at closed doors",
		       g->knocking);
		g->knocking = 0;
		g->told = now;
	}
	r = bans_file_tend(g->file, now, clock_wall_ms());
	if (r < 0)
		log_at(LOG_ERR, NULL, "bans cannot be written to %s: %s", g->state_dir,
		       strerror(-r));
}

/* ---- bans ---- */

static void set_text(char *out, size_t size, struct str s)
{
	struct buf b = buf_fixed(out, size - 1);

	buf_put_printable(&b, str_head(s, size - 1));
	out[b.n] = '\0';
}

static struct terms terms_of(const struct wish *w)
{
	struct terms t = { .net = w->net,
			   .ms = w->seconds * 1000,
			   .seconds = w->seconds,
			   .cause = w->cause,
			   .level = w->level,
			   .since = clock_wall_ms() };

	set_text(t.reason, sizeof(t.reason), w->reason);
	set_text(t.evidence, sizeof(t.evidence), w->evidence);
	set_text(t.by, sizeof(t.by), w->by);
	return t;
}

/* What forged packets can bring about is counted, and told once a minute. */
static void tell(struct guard *g, const struct ban *b)
{
	const struct terms *t = &b->terms;
	bool is_forgeable = t->cause == CAUSE_KNOCKING;
	char text[ADDR_TEXT];

	g->knocking += is_forgeable;
	log_at(is_forgeable ? LOG_DEBUG : LOG_NOTICE, NULL, "%s banned for %lld s by %s: %s; %s",
	       ban_text(&t->net, text), (long long)t->seconds, t->by, t->reason,
	       t->evidence[0] ? t->evidence : "no evidence given");
}

/* What forged packets can bring about has no connection, and must cost nothing. */
static void cut(const struct terms *t)
{
	int n = t->cause == CAUSE_KNOCKING ? 0 : conntrack_forget(&t->net);
	char text[ADDR_TEXT];

	if (n != 0)
		log_at(n < 0 ? LOG_WARNING : LOG_INFO, NULL, "connections of %s %s",
		       ban_text(&t->net, text),
		       n < 0 ? "stay in the kernel's table; nothing comes in by them" : "are cut");
}

int guard_ban(struct guard *g, const struct wish *w, struct ban **ret, struct err *err)
{
	struct terms t = terms_of(w);
	const char *why = exempt_why(g->exempt, &t.net);
	char text[ADDR_TEXT];
	ms_t now = clock_mono_ms();
	int r;

	(void)ban_text(&t.net, text);
	if (why)
		return err_set(err, ERR_FORBIDDEN, "address", str_of(text),
			       "an address that is not exempt", "%s can never be banned: %s", text,
			       why);
	r = kernel_ban(g->kernel, &t.net, t.ms);
	if (r == 0)
		r = bans_put(g->bans, &t, now, ret);
	if (r == -ENOMEM)
		(void)kernel_unban(g->kernel, &t.net);
	if (r == -EEXIST)
		return err_set(err, ERR_EXISTS, "address", str_of(text),
			       "a network apart from those that are banned: `ban list`",
			       "%s is in a network that is banned, or has one in it", text);
	if (r < 0)
		return err_set(err, ERR_INTERNAL, "address", str_of(text), "a try in a moment",
			       "%s could not be banned: %s", text, strerror(-r));
	(void)bans_file_add(g->file, *ret, now, t.since);
	/* What forged packets bring about writes nothing; its packets are in the ring for a while. */
	if (t.cause != CAUSE_KNOCKING)
		(void)tape_keep(g->tape, &t.net);
	cut(&t);
	tell(g, *ret);
	return 0;
}

/* Nothing is lost without: he is then one of many. */
void guard_know(struct guard *g, const struct cidr *net, int64_t ms)
{
	int r = g->is_loaded ? kernel_know(g->kernel, net, ms) : 0;
	char text[ADDR_TEXT];

	if (r < 0)
		log_at(LOG_DEBUG, NULL, "the kernel takes %s for a stranger: %s",
		       ban_text(net, text), strerror(-r));
}

int guard_lift(struct guard *g, struct ban *b, const char *by, struct err *err)
{
	struct cidr net = b->terms.net;
	char text[ADDR_TEXT];
	int r = kernel_unban(g->kernel, &net);

	(void)ban_text(&net, text);
	if (r < 0)
		return err_set(err, ERR_INTERNAL, "address", str_of(text), "a try in a moment",
			       "the ban of %s could not be lifted: %s", text, strerror(-r));
	bans_end(b, clock_mono_ms(), true);
	judge_acquit(g->judge, &net);
	(void)bans_file_lift(g->file, &net);
	tape_drop(g->tape, &net);
	log_at(LOG_NOTICE, NULL, "ban of %s lifted by %s", text, by);
	return 0;
}
