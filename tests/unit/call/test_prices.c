/*
 * What the store of price lists finds, against what is computed without it: random vendors, tariffs whose rates begin and end, rates by the caller's origin, rules,
 * expressions, time plans and currencies; numbers that share their beginnings; the time going on; and configurations that follow each other.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "call/rank.h"
#include "dice.h"
#include "number/chain.h"
#include "oom.h"

enum {
	VENDORS = 12,
	RATES = 40,
	CUSTOMERS = 4,
	WORLDS = 40,
	CALLS = 4000,
	LAST_MS = 40,
	TEXT = 96
};

struct scene {
	struct dice d;
	struct tariff *tariff[VENDORS + 1];
	struct gate gate;
	struct reach reach;
	struct purse *purse;
	struct chain *chain;
	struct transform *transform;
	struct origins *origins;
	struct world *world;
};

static struct purse *find_purse(void *ctx, const char *account)
{
	(void)account;
	return ctx; /* nobody looks into it */
}

static struct gate *find_gate(void *ctx, char kind, const char *name)
{
	struct scene *s = ctx;

	(void)kind;
	(void)name;
	return &s->gate;
}

static struct reach *find_reach(void *ctx, const char *gateway, const char *address)
{
	struct scene *s = ctx;

	(void)gateway;
	(void)address;
	return &s->reach;
}

static const struct tariff *find_tariff(void *ctx, const char *group)
{
	struct scene *s = ctx;

	return s->tariff[strtoul(group + 1, NULL, 10)];
}

static struct meter *find_meter(void *ctx, char kind, const char *name, uint32_t limit)
{
	(void)ctx;
	(void)kind;
	(void)name;
	(void)limit;
	return NULL;
}

static void digits(struct dice *d, int min, int max, char *ret)
{
	int n = (int)dice_in(d, min, max);

	for (int i = 0; i < n; i++)
		ret[i] = "0123"[dice_in(d, 0, 3)];
	ret[n] = 0;
}

static char *copy(const char *text)
{
	char *z = strdup(text);

	assert_non_null(z);
	return z;
}

static char *named(char letter, int i)
{
	char *text = NULL;

	assert_true(asprintf(&text, "%c%d", letter, i) > 0);
	return text;
}

/* Groups that overlap, and one of callers without a number. */
static struct origin group[] = { { STR_INIT("a"), STR_INIT("1, 20"), false },
				 { STR_INIT("b"), STR_INIT("10, 2"), false },
				 { STR_INIT("c"), STR_INIT("1"), true } };
static const struct origin_list groups = { group, 3, 3 };
static bool has_origins; /* this world's rates */

static char *random_origin(struct dice *d)
{
	static char name[3][2] = { "a", "b", "c" };

	return has_origins && dice_one_in(d, 3) ? name[dice_in(d, 0, 2)] : NULL;
}

/* Each prefix has one version or some, one after the other or over each other. */
static struct tariff *random_tariff(struct dice *d, int longest)
{
	const struct tariff_rules rules = { .hold_time_precision_ms = 50 };
	static struct rate_row row[RATES];
	static char prefix[RATES][TEXT];
	struct rate_row *at[RATES];
	struct tariff *t = NULL;
	int n = (int)dice_in(d, 0, dice_one_in(d, 2) ? 3 : RATES);

	for (int i = 0; i < n; i++) {
		digits(d, 0, longest, prefix[i]);
		row[i] = (struct rate_row){
			.prefix = prefix[i],
			.effective = i, /* no two at the same moment */
			.end = dice_one_in(d, 2) ? i + dice_in(d, 1, LAST_MS) : FIELD_ABSENT,
			.price = dice_in(d, 1, 5) * MONEY_ONE,
			.unit = 60,
			.first = 1,
			.step = 1,
			.version = 1,
			.origin = random_origin(d),
			.status = dice_one_in(d, 10) ? RATE_STATUS_LOCKED : RATE_STATUS_NORMAL
		};
		at[i] = &row[i];
	}
	assert_int_equal(tariff_create(&t, at, (size_t)n, &rules, &groups, NULL), 0);
	return t;
}

static char *random_rules(struct dice *d)
{
	static const char *const known[] = { ":9",   "0:1,01:",   "0?:3,2*:0*3",        "1*:22",
					     "*:0*", "12?:,1:12", "3:0123012301230123", "00:" };

	return dice_one_in(d, 2) ? NULL : copy(known[dice_in(d, 0, 7)]);
}

static void *row_of(enum entity_id id)
{
	void *row = row_create(&entities[id]);

	assert_non_null(row);
	return row;
}

static struct account_row *account(struct dice *d, char letter, int i)
{
	struct account_row *a = row_of(ENTITY_ACCOUNT);

	a->id = named(letter, i);
	a->rate_group = named('t', letter == 'v' ? i : VENDORS);
	a->kind = letter == 'v' ? ACCOUNT_KIND_CLEARING : ACCOUNT_KIND_CUSTOMER;
	free(a->currency);
	a->currency = copy(dice_one_in(d, 3) ? "EUR" : "USD");
	return a;
}

static struct mapping_gateway_row *customer(struct dice *d, int i)
{
	static const int64_t policies[] = { MAPPING_GATEWAY_POLICY_COST,
					    MAPPING_GATEWAY_POLICY_COST,
					    MAPPING_GATEWAY_POLICY_PRIORITY,
					    MAPPING_GATEWAY_POLICY_QUALITY };
	struct mapping_gateway_row *m = row_of(ENTITY_MAPPING_GATEWAY);

	m->name = named('m', i);
	m->account = named('c', i);
	assert_true(asprintf(&m->address, "192.0.2.%d", i + 1) > 0);
	m->policy = policies[dice_in(d, 0, 3)];
	m->policy_then = dice_one_in(d, 2) ? MAPPING_GATEWAY_POLICY_THEN_NONE
					   : MAPPING_GATEWAY_POLICY_THEN_COST;
	return m;
}

static struct routing_gateway_row *vendor(struct dice *d, int i)
{
	struct routing_gateway_row *r = row_of(ENTITY_ROUTING_GATEWAY);
	char prefix[TEXT];

	digits(d, 0, 2, prefix);
	r->name = named('g', i);
	r->account = dice_one_in(d, 8) ? NULL : named('v', i);
	r->address = copy("192.0.2.99:5060");
	r->prefix = prefix[0] ? copy(prefix) : NULL;
	r->priority = dice_in(d, 1, 3);
	r->protect = dice_one_in(d, 4);
	r->cost_number = dice_one_in(d, 2) ? ROUTING_GATEWAY_COST_NUMBER_BEFORE
					   : ROUTING_GATEWAY_COST_NUMBER_AFTER;
	r->callee_rules = random_rules(d);
	r->callee_transform = dice_one_in(d, 3) ? copy("t") : NULL;
	r->plans = dice_one_in(d, 4) ? copy("p") : NULL;
	return r;
}

static struct transform *random_transform(struct dice *d)
{
	CLEANUP(free) char *rules = random_rules(d);
	struct transform *t = NULL;

	assert_int_equal(transform_create(&t, str_of(rules), NULL), 0);
	if (dice_one_in(d, 3))
		assert_int_equal(transform_add_expressions(t, STR("/^(\\d)1(\\d*)$/$1$2/"), NULL),
				 0);
	return t;
}

static const struct transform *find_transform(void *ctx, const char *name)
{
	struct scene *s = ctx;

	(void)name;
	return s->transform;
}

static struct route_plan_row *plan(void)
{
	struct route_plan_row *p = row_of(ENTITY_ROUTE_PLAN);

	p->name = copy("p");
	p->action = ROUTE_PLAN_ACTION_CHANGE;
	p->callee = copy("1,02");
	p->priority = 2;
	return p;
}

static void make(struct scene *s)
{
	struct dice *d = &s->d;
	struct account_row *accounts[VENDORS + CUSTOMERS];
	struct mapping_gateway_row *mappings[CUSTOMERS];
	struct routing_gateway_row *routings[VENDORS];
	struct route_plan_row *plans[1] = { plan() };
	struct world_input in = { .params = params_create(),
				  .account = accounts,
				  .mapping = mappings,
				  .routing = routings,
				  .plan = plans,
				  .accounts = VENDORS + CUSTOMERS,
				  .mappings = CUSTOMERS,
				  .routings = VENDORS,
				  .plans = 1,
				  .find_purse = find_purse,
				  .find_gate = find_gate,
				  .find_reach = find_reach,
				  .find_tariff = find_tariff,
				  .find_meter = find_meter,
				  .find_transform = find_transform,
				  .ctx = s };

	int longest = (int)dice_in(d, 0, 4);

	has_origins = dice_one_in(d, 2);
	if (has_origins)
		assert_int_equal(origins_create(&s->origins, group, 3), 0);
	in.origins = s->origins;
	assert_non_null(in.params);
	if (dice_one_in(d, 3)) {
		char prefix[4];

		digits(d, 1, 3, prefix);
		assert_int_equal(params_set(in.params, PARAM_SERVER_BILLING_GATEWAY_ROUTE_PREFIX,
					    str_of(prefix), NULL),
				 0);
	}
	for (int i = 0; i <= VENDORS; i++)
		s->tariff[i] = random_tariff(d, longest);
	for (int i = 0; i < VENDORS; i++) {
		accounts[i] = account(d, 'v', i);
		routings[i] = vendor(d, i);
	}
	for (int i = 0; i < CUSTOMERS; i++) {
		accounts[VENDORS + i] = account(d, 'c', i);
		mappings[i] = customer(d, i);
	}
	s->transform = random_transform(d);
	if (dice_one_in(d, 2)) {
		assert_int_equal(chain_create(&s->chain), 0);
		for (int i = (int)dice_in(d, 1, 3); i > 0; i--)
			assert_int_equal(chain_add(s->chain, random_transform(d)), 0);
		in.chain[CHAIN_CALLEE_OUT] = s->chain;
	}
	assert_int_equal(world_create(&s->world, &in, NULL), 0);
}

static void unmake(struct scene *s)
{
	s->world = world_free(s->world);
	s->chain = chain_free(s->chain);
	s->transform = transform_free(s->transform);
	s->origins = origins_free(s->origins);
	for (int i = 0; i <= VENDORS; i++)
		s->tariff[i] = tariff_free(s->tariff[i]);
}

static struct inquiry random_call(struct scene *s)
{
	struct inquiry q = { .world = s->world,
			     .source = &s->world->source[dice_in(&s->d, 0, CUSTOMERS - 1)],
			     .wall_ms = dice_in(&s->d, 0, LAST_MS * 2),
			     .has_order = true };

	digits(&s->d, 0, 7, q.callee.digits);
	digits(&s->d, 0, 2, q.caller.digits);
	if (dice_one_in(&s->d, 4))
		digits(&s->d, 1, 3, q.split.digits);
	if (dice_one_in(&s->d, 4))
		digits(&s->d, 1, 5, q.ported.digits);
	if (dice_one_in(&s->d, 50))
		(void)number_set(&q.callee, STR("0123012301230123012301230123012301230123"));
	if (dice_one_in(&s->d, 50))
		q.callee.digits[0] = 'x';
	return q;
}

static void assert_same(const struct inquiry *q, const struct ranking *a, const struct ranking *b)
{
	bool same = a->n == b->n;

	for (size_t i = 0; same && i < a->n; i++)
		same = a->at[i].vendor == b->at[i].vendor && a->at[i].price == b->at[i].price &&
		       a->at[i].priority == b->at[i].priority &&
		       a->at[i].prefix_len == b->at[i].prefix_len;
	if (!same)
		fail_msg("%s of %s at %lld: another order", q->callee.digits, q->source->row->name,
			 (long long)q->wall_ms);
}

static void compare_calls(struct scene *s, struct prices *kept, int calls)
{
	struct ranking with, without;

	for (int i = 0; i < calls; i++) {
		struct inquiry q = random_call(s);

		rank(&q, &without);
		q.prices = kept;
		rank(&q, &with);
		assert_same(&q, &with, &without);
	}
}

static void compare_worlds(size_t bytes)
{
	CLEANUP(prices_free) struct prices *kept = NULL;
	struct scene s = { .d = dice_new() };
	struct prices_stats stats;
	bool is_short = getenv("OOM") != NULL; /* again for each allocation */

	assert_int_equal(prices_create(&kept, bytes), 0);
	for (int i = 0; i < (is_short ? 1 : WORLDS); i++) {
		make(&s);
		compare_calls(&s, kept, is_short ? 20 : CALLS);
		unmake(&s);
	}
	prices_stats(kept, &stats);
	assert_true(stats.bytes <= bytes);
	assert_true(stats.made > 0 && (is_short || stats.found > stats.made / 10));
}

static void what_is_found_is_what_would_be_computed(void **state)
{
	(void)state;
	compare_worlds(PRICES_BYTES);
}

static void little_room_keeps_the_newest(void **state)
{
	(void)state;
	compare_worlds(20000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_found_is_what_would_be_computed),
		cmocka_unit_test(little_room_keeps_the_newest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
