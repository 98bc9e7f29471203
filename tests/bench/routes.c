/*
 * routes: how long the ordered list of vendors takes for a number, and a change of what it is made from.
 *
 *	routes [VENDORS [RATES_EACH [ORIGINS]]]
 *
 * Prefixes and prices are drawn at random; numbers begin with prefixes that some vendor has. With ORIGINS each rate is for callers of one of
 * so many groups, and the next for any.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/rand.h"
#include "call/rank.h"

enum { NUMBERS = 1000, ROUNDS = 100 };

struct bench {
	size_t vendors, each;
	struct tariff **tariff;
	struct gate *gate;
	struct reach reach;
	struct purse *purse;
	char (*prefix)[16]; /* that vendors have in common */
	size_t prefixes;
	size_t origin_groups;
	struct origin_list origins;
};

static struct purse *find_purse(void *ctx, const char *account)
{
	struct bench *b = ctx;

	(void)account;
	return b->purse;
}

static struct gate *find_gate(void *ctx, char kind, const char *name)
{
	struct bench *b = ctx;

	return kind == 'r' ? &b->gate[strtoul(name + 1, NULL, 10)] : &b->gate[b->vendors];
}

static struct reach *find_reach(void *ctx, const char *gateway, const char *address)
{
	struct bench *b = ctx;

	(void)gateway;
	(void)address;
	return &b->reach;
}

static const struct tariff *find_tariff(void *ctx, const char *group)
{
	struct bench *b = ctx;

	return b->tariff[strtoul(group + 1, NULL, 10)];
}

static struct meter *find_meter(void *ctx, char kind, const char *name, uint32_t limit)
{
	(void)ctx;
	(void)kind;
	(void)name;
	(void)limit;
	return NULL;
}

static uint32_t dice(uint32_t below)
{
	return (uint32_t)(rand_u64() % below);
}

static char *named(char letter, size_t i)
{
	char *text = NULL;

	if (asprintf(&text, "%c%06zu", letter, i) < 0)
		exit(1);
	return text;
}

static void draw_prefixes(struct bench *b)
{
	b->prefixes = b->each * 2;
	b->prefix = calloc(b->prefixes, sizeof(*b->prefix));
	for (size_t i = 0; i < b->prefixes; i++)
		(void)snprintf(b->prefix[i], sizeof(b->prefix[i]), "%zu", i + 100);
}

/* Each vendor has every other prefix, from a place of its own on. */
/* Each of them is of callers that begin with two digits. */
static void draw_origins(struct bench *b)
{
	for (size_t i = 0; i < b->origin_groups; i++) {
		char name[16], prefix[8];

		(void)snprintf(name, sizeof(name), "o%06zu", i);
		(void)snprintf(prefix, sizeof(prefix), "%02zu", i % 100);
		if (origin_list_add(&b->origins, str_of(name), str_of(prefix), false) < 0)
			exit(1);
	}
}

static double load(struct bench *b)
{
	const struct tariff_rules rules = { .hold_time_precision_ms = 50 };
	struct rate_row **rows = calloc(b->each, sizeof(struct rate_row *));
	size_t bytes = 0;
	int64_t spent = 0;

	b->tariff = calloc(b->vendors + 1, sizeof(struct tariff *));
	for (size_t i = 0; i < b->each; i++)
		rows[i] = row_create(&entities[ENTITY_RATE]);
	for (size_t v = 0; v <= b->vendors; v++) {
		for (size_t i = 0; i < b->each; i++) {
			rows[i]->prefix = b->prefix[(i * 2 + v % 2) % b->prefixes];
			rows[i]->price = dice(1000000) + (v == b->vendors ? 2000000 : 1);
			if (b->origin_groups && i % 2)
				rows[i]->origin = (char *)(uintptr_t)b->origins
							  .group[i / 2 % b->origin_groups]
							  .name.p;
		}

		int64_t began = clock_mono_us();

		if (tariff_create(&b->tariff[v], rows, b->each, &rules, &b->origins, NULL) < 0)
			exit(1);
		spent += clock_mono_us() - began;
		bytes += tariff_bytes(b->tariff[v]);
	}
	printf("rates: %zu of %zu vendors, %.0f MB, compiled in %.2f s\n", b->vendors * b->each,
	       b->vendors, (double)bytes / 1e6, (double)spent / 1e6);
	return (double)bytes;
}

static void put_account(struct world_input *in, size_t i, const char *kind_group)
{
	struct account_row *a = row_create(&entities[ENTITY_ACCOUNT]);

	a->id = strdup(kind_group);
	a->rate_group = strdup(kind_group);
	a->kind = ACCOUNT_KIND_CLEARING;
	in->account[i] = a;
}

static struct world *make_world(struct bench *b, int64_t policy)
{
	struct world_input in = { .params = params_create(),
				  .accounts = b->vendors + 1,
				  .mappings = 1,
				  .routings = b->vendors,
				  .find_purse = find_purse,
				  .find_gate = find_gate,
				  .find_reach = find_reach,
				  .find_tariff = find_tariff,
				  .find_meter = find_meter,
				  .ctx = b };
	struct mapping_gateway_row *m = row_create(&entities[ENTITY_MAPPING_GATEWAY]);
	struct world *w = NULL;
	struct err err = ERR_INIT;

	struct origins *origins = NULL;

	if (b->origin_groups && origins_create(&origins, b->origins.group, b->origins.count) < 0)
		exit(1);
	in.origins = origins;
	in.account = calloc(in.accounts, sizeof(struct account_row *));
	in.mapping = calloc(1, sizeof(struct mapping_gateway_row *));
	in.routing = calloc(in.routings, sizeof(struct routing_gateway_row *));
	for (size_t i = 0; i <= b->vendors; i++) {
		char *name = named('v', i);

		put_account(&in, i, name);
		free(name);
	}
	for (size_t i = 0; i < b->vendors; i++) {
		struct routing_gateway_row *r = row_create(&entities[ENTITY_ROUTING_GATEWAY]);

		r->name = named('v', i);
		r->account = named('v', i);
		r->address = strdup("192.0.2.1:5060");
		in.routing[i] = r;
	}
	m->name = strdup("in");
	m->account = named('v', b->vendors);
	m->address = strdup("192.0.2.2");
	m->policy = policy;
	in.mapping[0] = m;

	int64_t began = clock_mono_us();

	if (world_create(&w, &in, &err) < 0) {
		fprintf(stderr, "%s\n", err.message);
		exit(1);
	}
	printf("world: %zu routing gateways, made in %.3f s\n", b->vendors,
	       (double)(clock_mono_us() - began) / 1e6);
	return w;
}

/* The prefixes of the numbers are the same in every round, what follows is not. */
static void draw_numbers(const struct bench *b, const uint32_t *prefix,
			 char (*number)[NUMBER_MAX + 1])
{
	for (int i = 0; i < NUMBERS; i++)
		(void)snprintf(number[i], sizeof(number[i]), "%s%07u", b->prefix[prefix[i]],
			       dice(10000000));
}

/* Reads the whole list, as a call does that is refused by all of them. */
static size_t ask(const struct world *w, struct prices *prices, const char *number)
{
	static struct ranking found;
	static volatile money_t sum;
	struct inquiry q = { .world = w,
			     .prices = prices,
			     .source = w->source,
			     .wall_ms = 1,
			     .has_order = true,
			     .has_turn = true };
	money_t all = 0;

	(void)number_set(&q.callee, str_of(number));
	(void)number_set(&q.caller, str_of(number + strlen(number) - 7));
	rank(&q, &found);
	for (size_t i = 0; i < found.n; i++)
		all ^= found.at[i].price + found.at[i].vendor;
	sum = all;
	return found.n;
}

static void measure(struct bench *b, struct world *w, struct prices *prices, const char *name)
{
	char(*number)[NUMBER_MAX + 1] = calloc(NUMBERS, sizeof(*number));
	uint32_t prefix[NUMBERS];
	struct prices_stats s = { 0 };
	int64_t best = INT64_MAX, first = 0;
	size_t n = 0;

	for (int i = 0; i < NUMBERS; i++)
		prefix[i] = dice((uint32_t)b->prefixes);
	for (int round = 0; round < ROUNDS; round++) {
		draw_numbers(b, prefix, number);

		int64_t began = clock_mono_us();

		for (int i = 0; i < NUMBERS; i++)
			n = ask(w, prices, number[i]);

		int64_t took = clock_mono_us() - began;

		if (round == 0)
			first = took;
		if (took < best)
			best = took;
	}
	printf("%s: %zu vendors in order in %.2f us (best of %d rounds of %d numbers; the first "
	       "%.2f)\n",
	       name, n, (double)best / NUMBERS, ROUNDS, NUMBERS, (double)first / NUMBERS);
	if (prices) {
		prices_stats(prices, &s);
		printf("    %.1f MB in %zu lists, %llu found, %llu made\n", (double)s.bytes / 1e6,
		       s.lists, (unsigned long long)s.found, (unsigned long long)s.made);
	}
	free(number);
}

int main(int argc, char **argv)
{
	struct bench b = { .vendors = argc > 1 ? strtoul(argv[1], NULL, 10) : 200,
			   .each = argc > 2 ? strtoul(argv[2], NULL, 10) : 5000,
			   .origin_groups = argc > 3 ? strtoul(argv[3], NULL, 10) : 0 };
	struct prices *prices = NULL;
	struct world *w;

	b.gate = calloc(b.vendors + 1, sizeof(*b.gate));
	b.purse = calloc(1, sizeof(*b.purse));
	draw_prefixes(&b);
	draw_origins(&b);
	(void)load(&b);
	w = make_world(&b, MAPPING_GATEWAY_POLICY_PRIORITY);
	measure(&b, w, NULL, "priority");
	world_free(w);
	w = make_world(&b, MAPPING_GATEWAY_POLICY_COST);
	measure(&b, w, NULL, "cost, nothing kept");
	if (prices_create(&prices, PRICES_BYTES) < 0)
		return 1;
	measure(&b, w, prices, "cost");
	prices_free(prices);
	world_free(w);
	return 0;
}
