#include "judge.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum {
	KEPT = 4,    /* events of a source that are shown as evidence */
	HALF = 0xff, /* weighs as much as half of the failures that ban */
};

/*
 * The rules: an event with this proof weighs so many failures, or so many knocks. What is not in the table
 * weighs nothing, above all a wrong password without proof.
 */
static const struct rule_of_evidence {
	enum event_kind kind;
	enum proof proof;
	uint8_t failures, knocks;
} rules[] = {
	{ EVENT_AUTH_FAILED, PROOF_NONCE, 1, 0 },  { EVENT_AUTH_FAILED, PROOF_TCP, 1, 0 },
	{ EVENT_SSH_FAILED, PROOF_TCP, 1, 0 },     { EVENT_TCP_ABUSE, PROOF_TCP, 1, 0 },
	{ EVENT_SCANNER, PROOF_TCP, HALF, 0 },     { EVENT_HONEYPOT, PROOF_TCP, HALF, 0 },
	{ EVENT_HONEYPOT, PROOF_NONCE, HALF, 0 },  { EVENT_SCANNER, PROOF_NONE, 0, KNOCKS },
	{ EVENT_HONEYPOT, PROOF_NONE, 0, KNOCKS }, { EVENT_UNKNOWN_SOURCE, PROOF_NONE, 0, 1 },
	{ EVENT_UNKNOWN_SOURCE, PROOF_TCP, 0, 1 },
};

struct seen {
	struct event event;
	ms_t wall;
};

struct suspect {
	struct cidr net;
	struct hnode node;
	struct list age;
	bool is_proven;             /* something counts that cannot be forged */
	ms_t failure[FAILURES_MAX]; /* times of the last ones: a ring */
	unsigned failures;          /* in it */
	unsigned next;
	ms_t knock_since;
	uint32_t knocks;
	struct seen seen[KEPT]; /* a ring, too */
	unsigned seen_count;
};

struct customer {
	struct cidr net;
	struct hnode node;
	struct list age;
	ms_t good, known; /* the last right password, and the last JUDGE_KNOW */
};

/* Most recently touched last, in every list. */
struct judge {
	struct limits limits;
	struct htab suspects, customers;
	struct list proven, forgeable, good;
	size_t proven_count, forgeable_count, good_count;
};

static uint64_t hash_of(const struct cidr *net)
{
	uint8_t key[16];
	size_t n = addr_bytes(&net->net, key);

	return htab_hash(str_n(key, n));
}

/* ---- customers ---- */

static struct customer *customer_find(const struct judge *j, const struct cidr *net)
{
	struct hnode *it;

	HTAB_EACH_MATCH(it, &j->customers, hash_of(net))
	{
		struct customer *c = CONTAINER(it, struct customer, node);

		if (addr_eq_host(&c->net.net, &net->net))
			return c;
	}
	return NULL;
}

static void customer_drop(struct judge *j, struct customer *c)
{
	htab_del(&j->customers, &c->node);
	list_del(&c->age);
	j->good_count--;
	free(c);
}

/*
 * Is he to be made known (again)? For want of memory nothing is kept: the source is then treated like any
 * other.
 */
static bool customer_see(struct judge *j, const struct cidr *net, ms_t now)
{
	bool is_due;

	struct customer *c = customer_find(j, net);

	if (!c) {
		c = calloc(1, sizeof(*c));
		if (!c)
			return false;
		c->net = *net;
		c->known = now - (ms_t)KNOW_AGAIN_S * 1000;
		list_init(&c->age);
		htab_add(&j->customers, &c->node, hash_of(net));
		j->good_count++;
	}
	is_due = now - c->known >= (ms_t)KNOW_AGAIN_S * 1000;
	c->good = now;
	if (is_due)
		c->known = now;
	list_del(&c->age);
	list_add_tail(&j->good, &c->age);
	if (j->good_count > CUSTOMERS_MAX)
		customer_drop(j, CONTAINER(j->good.next, struct customer, age));
	return is_due;
}

int64_t judge_last_good(const struct judge *j, const struct cidr *net, ms_t now)
{
	const struct customer *c = customer_find(j, net);

	return c ? now - c->good : -1;
}

static bool is_customer(const struct judge *j, const struct cidr *net, ms_t now)
{
	int64_t ago = judge_last_good(j, net, now);

	return ago >= 0 && ago < (int64_t)CUSTOMER_S * 1000;
}

/* ---- suspects ---- */

static struct suspect *suspect_find(const struct judge *j, const struct cidr *net)
{
	struct hnode *it;

	HTAB_EACH_MATCH(it, &j->suspects, hash_of(net))
	{
		struct suspect *s = CONTAINER(it, struct suspect, node);

		if (addr_eq_host(&s->net.net, &net->net))
			return s;
	}
	return NULL;
}

static void leave(struct judge *j, struct suspect *s)
{
	if (s->is_proven)
		j->proven_count--;
	else
		j->forgeable_count--;
	list_del(&s->age);
}

static void suspect_drop(struct judge *j, struct suspect *s)
{
	leave(j, s);
	htab_del(&j->suspects, &s->node);
	free(s);
}

/* To the end of the list that it belongs to now; the oldest there makes room. */
static void join(struct judge *j, struct suspect *s, bool is_proven)
{
	struct list *head = is_proven ? &j->proven : &j->forgeable;
	size_t *count = is_proven ? &j->proven_count : &j->forgeable_count;

	s->is_proven = is_proven;
	list_add_tail(head, &s->age);
	if (++*count > SUSPECTS_MAX)
		suspect_drop(j, CONTAINER(head->next, struct suspect, age));
}

static struct suspect *suspect_see(struct judge *j, const struct cidr *net, bool is_proven)
{
	struct suspect *s = suspect_find(j, net);

	if (s) {
		leave(j, s);
		join(j, s, is_proven || s->is_proven);
		return s;
	}
	s = calloc(1, sizeof(*s));
	if (!s)
		return NULL;
	s->net = *net;
	list_init(&s->age);
	htab_add(&j->suspects, &s->node, hash_of(net));
	join(j, s, is_proven);
	return s;
}

void judge_acquit(struct judge *j, const struct cidr *net)
{
	struct suspect *s = suspect_find(j, net);

	if (s)
		suspect_drop(j, s);
}

static void fail(struct suspect *s, ms_t now)
{
	s->failure[s->next] = now;
	s->next = (s->next + 1) % FAILURES_MAX;
	if (s->failures < FAILURES_MAX)
		s->failures++;
}

/* How many of the last failures lie within the window. */
static unsigned failures_lately(const struct judge *j, const struct suspect *s, ms_t now)
{
	unsigned n = 0;

	for (unsigned i = 0; i < s->failures; i++)
		n += now - s->failure[i] < (ms_t)j->limits.find_s * 1000;
	return n;
}

static void knock(struct suspect *s, uint32_t n, ms_t now)
{
	if (s->knocks == 0 || now - s->knock_since >= (ms_t)KNOCK_WINDOW_S * 1000) {
		s->knock_since = now;
		s->knocks = 0;
	}
	s->knocks += n < KNOCKS ? n : KNOCKS;
}

/* ---- evidence ---- */

static void put_event(struct buf *out, const struct seen *seen)
{
	const struct event *e = &seen->event;
	char text[CLOCK_TEXT];

	buf_printf(out, "%s%.8s %s", out->n ? "; " : "", clock_text(seen->wall, text) + 11,
		   event_name(e->kind));
	if (e->count > 1)
		buf_printf(out, " x%u", e->count);
	buf_printf(out, " by %s", e->proto[0] ? e->proto : "?");
	if (e->proof != PROOF_NONE)
		buf_printf(out, " (%s)", proof_name(e->proof));
	if (e->account[0])
		buf_printf(out, " as %s", e->account);
	if (e->detail[0])
		buf_printf(out, " %s", e->detail);
}

/* Newest first, as many as there is room for. */
static void put_evidence(const struct suspect *s, char out[EVIDENCE_MAX])
{
	CLEANUP(buf_done) struct buf all = BUF_INIT;
	unsigned n = s->seen_count < KEPT ? s->seen_count : KEPT;

	for (unsigned i = 1; i <= n; i++)
		put_event(&all, &s->seen[(s->seen_count - i) % KEPT]);
	if (buf_error(&all) ||
	    str_copy(out, EVIDENCE_MAX, str_head(buf_str(&all), EVIDENCE_MAX - 1)) < 0)
		out[0] = '\0';
}

static int next_level(const struct ban *before)
{
	if (!before || before->terms.cause != CAUSE_FAILURES)
		return 0;
	return before->terms.level < LEVEL_MAX ? before->terms.level + 1 : LEVEL_MAX;
}

static void pass_sentence(const struct judge *j, const struct suspect *s, const struct ban *before,
			  bool is_proven, struct sentence *ret)
{
	struct buf reason = buf_fixed(ret->reason, sizeof(ret->reason));

	ret->cause = is_proven ? CAUSE_FAILURES : CAUSE_KNOCKING;
	ret->level = 0;
	ret->seconds = KNOCK_BAN_S;
	if (is_proven) {
		ret->level = next_level(before);
		ret->seconds = (int64_t)j->limits.ban_s << ret->level;
		if (ret->seconds > j->limits.ban_max_s)
			ret->seconds = j->limits.ban_max_s;
		buf_printf(&reason, "%u failures within %u s", j->limits.max_retry,
			   j->limits.find_s);
	} else {
		buf_printf(&reason, "knocks at closed doors, nothing proven");
	}
	put_evidence(s, ret->evidence);
}

/* ---- the judgement ---- */

static const struct rule_of_evidence *rule_for(const struct event *e)
{
	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
		if (rules[i].kind == e->kind && rules[i].proof == e->proof)
			return &rules[i];
	}
	return NULL;
}

static void weigh(const struct judge *j, struct suspect *s, const struct rule_of_evidence *rule,
		  const struct event *e, ms_t now, ms_t wall)
{
	uint32_t each = rule->failures == HALF ? (j->limits.max_retry + 1) / 2 : rule->failures;
	uint32_t failures = each * (e->count < FAILURES_MAX ? e->count : FAILURES_MAX);

	for (uint32_t i = 0; i < failures; i++)
		fail(s, now);
	if (rule->knocks)
		knock(s, (uint32_t)rule->knocks * (e->count < KNOCKS ? e->count : KNOCKS), now);
	s->seen[s->seen_count++ % KEPT] = (struct seen){ .event = *e, .wall = wall };
}

enum judgement judge_event(struct judge *j, const struct event *e, const struct ban *before,
			   ms_t now, ms_t wall_ms, struct sentence *ret)
{
	const struct rule_of_evidence *rule = rule_for(e);
	struct cidr net = ban_net(&e->src);
	bool is_good = is_customer(j, &net, now), is_proven;
	struct suspect *s;

	if (e->kind == EVENT_AUTH_OK && e->proof != PROOF_NONE && customer_see(j, &net, now))
		return JUDGE_KNOW;
	if (!rule || (rule->failures == 0 && is_good))
		return JUDGE_NOTHING;
	s = suspect_see(j, &net, rule->failures > 0);
	if (!s)
		return JUDGE_NOTHING;
	weigh(j, s, rule, e, now, wall_ms);
	is_proven = failures_lately(j, s, now) >= j->limits.max_retry;
	if (!is_proven && s->knocks < KNOCKS)
		return JUDGE_NOTHING;
	pass_sentence(j, s, before, is_proven, ret);
	suspect_drop(j, s);
	return is_good ? JUDGE_SPARE : JUDGE_BAN;
}

void judge_set_limits(struct judge *j, const struct limits *l)
{
	j->limits = *l;
}

int judge_create(struct judge **ret)
{
	CLEANUP(judge_free) struct judge *j = calloc(1, sizeof(*j));

	if (!j)
		return -ENOMEM;
	j->limits = (struct limits)LIMITS_DEFAULT;
	list_init(&j->proven);
	list_init(&j->forgeable);
	list_init(&j->good);
	if (htab_init(&j->suspects, 0) < 0 || htab_init(&j->customers, 0) < 0)
		return -ENOMEM;
	*ret = TAKE(j);
	return 0;
}

static void drop_all(struct judge *j, struct list *head)
{
	struct list *it, *tmp;

	LIST_EACH (it, tmp, head)
		suspect_drop(j, CONTAINER(it, struct suspect, age));
}

struct judge *judge_free(struct judge *j)
{
	struct list *it, *tmp;

	if (!j)
		return NULL;
	drop_all(j, &j->proven);
	drop_all(j, &j->forgeable);
	LIST_EACH (it, tmp, &j->good)
		customer_drop(j, CONTAINER(it, struct customer, age));
	htab_done(&j->suspects);
	htab_done(&j->customers);
	free(j);
	return NULL;
}
