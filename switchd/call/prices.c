/*
 * Lists hang in a table of sets of four by a keyed hash of what they are kept under. Under how many characters lists are kept is a
 * mask, and a lookup tries each length in it: the hash of the number grows by a character at a time, so all of them come from one walk.
 * When memory is used up a hand goes round the table.
 */
#include "call/prices.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/htab.h"
#include "base/rand.h"
#include "base/trie.h"
#include "call/numbers.h"

enum { WAYS = 4, SETS = 4096, SLOTS = WAYS * SETS, WHOLE = NUMBERS_BY_PREFIX + 1 };

struct list_of {
	uint64_t serial, customer;
	uint32_t origin; /* origins_key of its callers */
	ms_t from, until;
	uint32_t n;
	uint8_t length; /* of the number, or WHOLE */
	uint8_t digits_n;
	bool has_plans;
	char digits[NUMBERS_BY_PREFIX];
	struct standing at[];
};

struct slot {
	uint64_t hash; /* of the list, so that others are not looked at */
	struct list_of *list;
};

struct prices {
	uint64_t seed;
	uint64_t
		lengths; /* bit n: there is, or was, a list under n characters; WHOLE: under a whole number */
	uint64_t found, made;
	size_t bytes, limit, lists;
	uint32_t hand, turn;
	struct slot slot[SLOTS];
};

int64_t rank_length_s(const struct params *p)
{
	int64_t s = param_int(p, PARAM_SERVER_GATEWAY_ROUTE_FEE_RATE);

	return s > 0 ? s : 60;
}

/* ---- a list as it is computed ---- */

static struct standing standing_of(const struct inquiry *q, const struct candidate *c)
{
	const struct vendor *v = &q->world->vendor[c->gateway];

	return (struct standing){ .price = INT64_MAX,
				  .vendor = c->gateway,
				  .prefix_len = c->prefix_len,
				  .priority = (uint8_t)v->row->priority,
				  .is_protected = v->row->protect,
				  .has_plans = v->plan_count > 0 };
}

static bool is_comparable(const struct inquiry *q, const struct payer *vendor)
{
	return str_eq(str_of(vendor->row->currency), str_of(q->source->payer->row->currency));
}

/* How far into a number one looked who looked that far into a prefix and the number. */
static size_t without(size_t reach, size_t prefix)
{
	return reach > prefix ? reach - prefix : 0;
}

/*
 * The call's own price of it is choose.c's. What is done to the caller on the way out is left aside here: its origin groups are those of
 * the number as billed, so that lists can be kept by them.
 */
static money_t price_of(const struct inquiry *q, const struct vendor *v, struct tariff_span *span)
{
	/* Of these what is sent does not count. */
	bool before =
		q->ported.digits[0] || v->row->cost_number == ROUTING_GATEWAY_COST_NUMBER_BEFORE;
	struct tariff_span own = { 1, span->from, span->until };
	struct number sent = q->callee, number;
	struct str route_prefix =
		param_str(q->world->params, PARAM_SERVER_BILLING_GATEWAY_ROUTE_PREFIX);
	struct price price = { 0 };
	money_t total = INT64_MAX;

	if (!v->payer || !is_comparable(q, v->payer))
		return INT64_MAX;
	if (before || numbers_callee_out(q, v, &sent) == REASON_NONE) {
		number = inquiry_vendor_number(q, v, &sent);
		if (inquiry_vendor_price(q, v, number.digits, q->caller.digits, &price, &own) ==
		    REASON_NONE)
			total = charge_total(&price.terms, rank_length_s(q->world->params) * 1000);
		own.reach = without(own.reach, route_prefix.n);
		if (own.reach == 0)
			own.reach = 1;
	}
	if (!before)
		own.reach = numbers_callee_reach(q, v, own.reach);
	if (own.reach < span->reach)
		own.reach = span->reach;
	*span = own;
	return total;
}

static int compare(const void *va, const void *vb)
{
	const struct standing *a = va, *b = vb;

	if (a->is_protected != b->is_protected)
		return a->is_protected ? 1 : -1;
	if (a->price != b->price)
		return a->price < b->price ? -1 : 1;
	if (a->priority != b->priority)
		return a->priority < b->priority ? -1 : 1;
	return (a->vendor > b->vendor) - (a->vendor < b->vendor);
}

static void list(const struct inquiry *q, struct ranking *ret, size_t *reach)
{
	struct candidate found[ROUTE_CANDIDATES];

	struct number routed = inquiry_routed(q);
	size_t own = 0;

	ret->n = router_find(q->world->router, str_of(routed.digits), found, &own);
	*reach = without(own, strlen(q->split.digits));
	ret->at = ret->room;
	ret->has_plans = false;
	for (size_t i = 0; i < ret->n; i++) {
		ret->room[i] = standing_of(q, &found[i]);
		ret->has_plans |= ret->room[i].has_plans;
	}
}

void prices_skip(const struct inquiry *q, struct ranking *ret)
{
	size_t reach;

	list(q, ret, &reach);
}

static void compute(const struct inquiry *q, struct ranking *ret, struct tariff_span *span)
{
	list(q, ret, &span->reach);
	for (size_t i = 0; i < ret->n; i++) {
		struct standing *s = &ret->room[i];

		s->price = price_of(q, &q->world->vendor[s->vendor], span);
	}
	qsort(ret->room, ret->n, sizeof(ret->room[0]), compare);
}

/* ---- what it is kept under ---- */

/* Hash of each beginning of the number; false: it is none that can be kept. */
struct beginnings {
	size_t n;
	uint64_t customer;
	uint32_t origin;
	uint64_t hash[NUMBERS_BY_PREFIX + 1];
};

static uint64_t mix(uint64_t h, uint64_t with)
{
	h = (h ^ with) * 0x9e3779b97f4a7c15U;
	return h ^ h >> 29;
}

/* What lists are kept under: a routing number as much as one that is where it seems. */
static struct str kept_number(const struct inquiry *q)
{
	return str_of(q->ported.digits[0] ? q->ported.digits : q->callee.digits);
}

/* Of the customer only two things count: its currency, of at most eight letters, and its routing prefix, by a hash that nobody can aim at. */
static uint64_t customer_of(const struct inquiry *q)
{
	struct str name = str_of(q->source->payer->row->currency);
	uint64_t c = 0;

	memcpy(&c, name.p ? name.p : "", name.n < sizeof(c) ? name.n : sizeof(c));
	if (q->split.digits[0])
		c ^= htab_hash(str_of(q->split.digits));
	return q->ported.digits[0] ? ~c : c;
}

/* Of the caller its origin groups, where there are any. */
static uint32_t origin_of(const struct inquiry *q)
{
	return q->world->origins ? origins_key(q->world->origins, str_of(q->caller.digits)) : 0;
}

static bool begin(const struct prices *p, const struct inquiry *q, struct beginnings *ret)
{
	struct str number = kept_number(q);

	if (number.n > NUMBERS_BY_PREFIX || !trie_is_key(number))
		return false;
	ret->n = number.n;
	ret->customer = customer_of(q);
	ret->origin = origin_of(q);
	ret->hash[0] = mix(mix(p->seed, ret->customer), ret->origin);
	for (size_t i = 0; i < number.n; i++)
		ret->hash[i + 1] = mix(ret->hash[i], (uint8_t)number.p[i]);
	return true;
}

static uint64_t hash_at(const struct beginnings *b, size_t length)
{
	return length == WHOLE ? mix(b->hash[b->n], WHOLE) : mix(b->hash[length], length);
}

static struct slot *set_of(struct prices *p, uint64_t hash)
{
	return &p->slot[(hash >> 20) % SETS * WAYS];
}

static bool is_it(const struct slot *s, const struct inquiry *q, const struct beginnings *b,
		  uint64_t hash, size_t length)
{
	const struct list_of *l = s->list;
	struct str number = kept_number(q);

	if (length != WHOLE)
		number = str_head(number, length);
	return l && s->hash == hash && l->length == length && l->serial == q->world->serial &&
	       l->customer == b->customer && l->origin == b->origin && l->from <= q->wall_ms &&
	       q->wall_ms < l->until && str_eq(str_n(l->digits, l->digits_n), number);
}

static const struct list_of *find(struct prices *p, const struct inquiry *q,
				  const struct beginnings *b)
{
	for (uint64_t left = p->lengths; left; left &= left - 1) {
		size_t length = (size_t)__builtin_ctzll(left);

		if (length != WHOLE && length > b->n)
			continue;

		uint64_t hash = hash_at(b, length);
		struct slot *set = set_of(p, hash);

		for (int i = 0; i < WAYS; i++)
			if (is_it(&set[i], q, b, hash, length))
				return set[i].list;
	}
	return NULL;
}

/* ---- keeping ---- */

static size_t bytes_of(const struct list_of *l)
{
	return sizeof(*l) + l->n * sizeof(l->at[0]);
}

static void drop(struct prices *p, struct slot *s)
{
	if (!s->list)
		return;
	p->bytes -= bytes_of(s->list);
	p->lists--;
	free(s->list);
	s->list = NULL;
}

static void make_room(struct prices *p, size_t bytes)
{
	for (int looked = 0; p->bytes + bytes > p->limit && looked < SLOTS; looked++) {
		drop(p, &p->slot[p->hand]);
		p->hand = (p->hand + 1) % SLOTS;
	}
}

/* One that is free, else one that no longer holds, else one after the other. */
static struct slot *slot_for(struct prices *p, const struct inquiry *q, uint64_t hash)
{
	struct slot *set = set_of(p, hash);

	for (int i = 0; i < WAYS; i++) {
		const struct list_of *l = set[i].list;

		if (!l || set[i].hash == hash || l->serial != q->world->serial ||
		    l->until <= q->wall_ms)
			return &set[i];
	}
	return &set[p->turn++ % WAYS];
}

static struct list_of *copy_of(const struct inquiry *q, const struct beginnings *b,
			       const struct ranking *r, const struct tariff_span *span,
			       size_t length, size_t bytes)
{
	struct str number = kept_number(q);
	struct list_of *l = malloc(bytes);

	if (!l)
		return NULL;
	*l = (struct list_of){ .serial = q->world->serial,
			       .customer = b->customer,
			       .origin = b->origin,
			       .from = span->from,
			       .until = span->until,
			       .n = (uint32_t)r->n,
			       .length = (uint8_t)length,
			       .digits_n = (uint8_t)(length == WHOLE ? number.n : length),
			       .has_plans = r->has_plans };
	memcpy(l->digits, number.p, l->digits_n);
	memcpy(l->at, r->at, r->n * sizeof(l->at[0]));
	return l;
}

/* Best effort: without memory for it the next number computes again. */
static void keep(struct prices *p, const struct inquiry *q, const struct beginnings *b,
		 const struct tariff_span *span, const struct ranking *r)
{
	size_t length = span->reach <= b->n ? span->reach : WHOLE;
	size_t bytes = sizeof(struct list_of) + r->n * sizeof(r->at[0]);
	uint64_t hash = hash_at(b, length);
	struct list_of *l = bytes <= p->limit ? copy_of(q, b, r, span, length, bytes) : NULL;
	struct slot *s = slot_for(p, q, hash);

	if (!l)
		return;
	drop(p, s);
	make_room(p, bytes);
	*s = (struct slot){ hash, l };
	p->bytes += bytes;
	p->lists++;
	p->lengths |= 1ULL << length;
}

static void lend(const struct list_of *l, struct ranking *ret)
{
	ret->n = l->n;
	ret->at = l->at;
	ret->has_plans = l->has_plans;
}

void prices_find(const struct inquiry *q, struct ranking *ret)
{
	struct tariff_span span = TARIFF_SPAN_ALL;
	struct prices *p = q->assumed ? NULL : q->prices;
	struct beginnings b;
	const struct list_of *l;

	if (p && !begin(p, q, &b))
		p = NULL;
	l = p ? find(p, q, &b) : NULL;
	if (l) {
		p->found++;
		lend(l, ret);
		return;
	}
	compute(q, ret, &span);
	if (p) {
		p->made++;
		keep(p, q, &b, &span, ret);
	}
}

/* ---- the store ---- */

int prices_create(struct prices **ret, size_t bytes)
{
	struct prices *p = calloc(1, sizeof(*p));

	if (!p)
		return -ENOMEM;
	p->limit = bytes;
	p->seed = rand_u64();
	*ret = p;
	return 0;
}

struct prices *prices_free(struct prices *p)
{
	if (!p)
		return NULL;
	for (int i = 0; i < SLOTS; i++)
		free(p->slot[i].list);
	free(p);
	return NULL;
}

void prices_stats(const struct prices *p, struct prices_stats *ret)
{
	*ret = (struct prices_stats){ p->found, p->made, p->lists, p->bytes };
}
