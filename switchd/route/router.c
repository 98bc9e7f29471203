/*
 * Gateways are put in order once, by (protected, priority, name). A route is a prefix with the
 * gateways that have it, side by side in that order in one array; a trie leads from the number to
 * its routes.
 *
 *	gateway   7 2 9 | 2 4 | ...            order of trial within a prefix
 *	route     "880"   "88"                 first, first protected, end
 *
 * So a lookup reads routes from the longest to the shortest, first their normal gateways, then
 * their protected ones, and nothing is sorted while a call waits.
 */
#include "route/router.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>

#include "base/trie.h"

/* Gateways from one place in the array up to another, and whether one of them is terminating. */
struct span {
	uint32_t from, to;
	bool is_terminating;
};

enum { NORMAL, PROTECTED, CLASSES };

struct route {
	struct span span[CLASSES];
};

struct router {
	struct trie *trie; /* prefix -> index into route */
	struct route *route;
	size_t route_count;
	uint32_t *gateway;
};

/* One prefix of one gateway, while the router is made. */
struct entry {
	struct str prefix;
	uint32_t rank; /* the gateway's place among all gateways */
	uint32_t gateway;
	bool is_protected;
	bool is_terminating;
};

struct ranked {
	const struct routing_gateway_row *row;
	uint32_t gateway;
};

static int compare_gateways(const void *va, const void *vb)
{
	const struct routing_gateway_row *a = ((const struct ranked *)va)->row;
	const struct routing_gateway_row *b = ((const struct ranked *)vb)->row;

	if (!a->protect != !b->protect)
		return a->protect ? 1 : -1;
	if (a->priority != b->priority)
		return a->priority < b->priority ? -1 : 1;
	return str_cmp(str_of(a->name), str_of(b->name));
}

static int compare_entries(const void *va, const void *vb)
{
	const struct entry *a = va, *b = vb;
	int r = str_cmp(a->prefix, b->prefix);

	return r ? r : (a->rank > b->rank) - (a->rank < b->rank);
}

/* No list is one prefix: the empty one, which takes all numbers. */
static size_t count_prefixes(const struct ranked *ranked, size_t n)
{
	size_t count = 0;

	for (size_t i = 0; i < n; i++) {
		struct str list = str_of(ranked[i].row->prefix);

		count++;
		for (size_t c = 0; c < list.n; c++)
			count += list.p[c] == ',';
	}
	return count;
}

static int check_prefix(struct str prefix, const struct routing_gateway_row *row, struct err *err)
{
	/* An empty piece of a list is a slip of the pen, not the wish to take all numbers. */
	if (!str_is_empty(prefix) && trie_is_key(prefix))
		return 0;
	return err_set(err, ERR_BAD_VALUE, "prefix", prefix,
		       "prefixes of up to 40 characters of 0-9 * # +, separated by commas",
		       "routing gateway %s: not a prefix", row->name ? row->name : "");
}

static int add_entries(struct entry *ret, size_t *n, const struct ranked *g, uint32_t rank,
		       struct err *err)
{
	struct str list = str_of(g->row->prefix), prefix;
	struct entry e = {
		.prefix = STR(""),
		.rank = rank,
		.gateway = g->gateway,
		.is_protected = g->row->protect,
		.is_terminating = g->row->prefix_mode == ROUTING_GATEWAY_PREFIX_MODE_TERMINATING,
	};

	if (str_is_empty(list))
		ret[(*n)++] = e;
	while (str_split(&list, ',', &prefix)) {
		int r = check_prefix(prefix, g->row, err);

		if (r < 0)
			return r;
		e.prefix = prefix;
		ret[(*n)++] = e;
	}
	return 0;
}

static struct ranked *rank(struct routing_gateway_row *const *rows, size_t n)
{
	struct ranked *ranked = calloc(n ? n : 1, sizeof(*ranked));

	for (size_t i = 0; ranked && i < n; i++)
		ranked[i] = (struct ranked){ rows[i], (uint32_t)i };
	if (ranked)
		qsort(ranked, n, sizeof(*ranked), compare_gateways);
	return ranked;
}

/* All prefixes of all gateways, sorted by prefix and then by the order of trial. */
static int collect(struct entry **ret, size_t *ret_n, struct routing_gateway_row *const *rows,
		   size_t n, struct err *err)
{
	CLEANUP(free) struct ranked *ranked = rank(rows, n);
	CLEANUP(free) struct entry *entries = NULL;
	size_t count = 0;

	if (!ranked)
		return -ENOMEM;
	entries = calloc(count_prefixes(ranked, n) + 1, sizeof(*entries));
	if (!entries)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		if (ranked[i].row->purpose == ROUTING_GATEWAY_PURPOSE_PORTABILITY)
			continue;

		int r = add_entries(entries, &count, &ranked[i], (uint32_t)i, err);

		if (r < 0)
			return r;
	}
	qsort(entries, count, sizeof(*entries), compare_entries);
	*ret_n = count;
	*ret = TAKE(entries);
	return 0;
}

/* Puts one more gateway behind those of its route. Protected ones come last by their rank. */
static void append(struct route *route, uint32_t at, const struct entry *e)
{
	struct span *s = &route->span[e->is_protected ? PROTECTED : NORMAL];

	if (s->from == s->to)
		s->from = at;
	s->to = at + 1;
	s->is_terminating |= e->is_terminating;
}

/* The same prefix twice in one gateway's list counts once. */
static int fill(struct router *r, struct trie_key *keys, const struct entry *e, size_t n)
{
	uint32_t count = 0;

	for (size_t i = 0; i < n; i++) {
		bool is_new = i == 0 || !str_eq(e[i].prefix, e[i - 1].prefix);

		if (is_new) {
			keys[r->route_count] =
				(struct trie_key){ e[i].prefix, (uint32_t)r->route_count };
			r->route_count++;
		} else if (e[i].gateway == e[i - 1].gateway) {
			continue;
		}
		append(&r->route[r->route_count - 1], count, &e[i]);
		r->gateway[count++] = e[i].gateway;
	}
	return trie_create(&r->trie, keys, r->route_count);
}

int router_create(struct router **ret, struct routing_gateway_row *const *rows, size_t n,
		  struct err *err)
{
	CLEANUP(router_free) struct router *r = calloc(1, sizeof(*r));
	CLEANUP(free) struct entry *entries = NULL;
	CLEANUP(free) struct trie_key *keys = NULL;
	size_t count;
	int failed = r ? collect(&entries, &count, rows, n, err) : -ENOMEM;

	if (failed)
		return failed;
	keys = calloc(count + 1, sizeof(*keys));
	r->route = calloc(count + 1, sizeof(*r->route));
	r->gateway = calloc(count + 1, sizeof(*r->gateway));
	if (!keys || !r->route || !r->gateway)
		return -ENOMEM;
	failed = fill(r, keys, entries, count);
	if (failed)
		return failed;

	*ret = TAKE(r);
	return 0;
}

struct router *router_free(struct router *r)
{
	if (r) {
		(void)trie_free(r->trie);
		free(r->route);
		free(r->gateway);
		free(r);
	}
	return NULL;
}

/* True for a gateway that was found by a longer prefix. */
static bool is_among(const struct candidate *found, size_t n, uint32_t gateway)
{
	for (size_t i = 0; i < n; i++)
		if (found[i].gateway == gateway)
			return true;
	return false;
}

static size_t take(const struct router *r, const struct span *s, uint32_t prefix_len,
		   struct candidate ret[ROUTE_CANDIDATES], size_t n)
{
	size_t before = n;

	for (uint32_t i = s->from; i < s->to && n < ROUTE_CANDIDATES; i++)
		if (!is_among(ret, before, r->gateway[i]))
			ret[n++] = (struct candidate){ r->gateway[i], (uint8_t)prefix_len };
	return n;
}

size_t router_find(const struct router *r, struct str number,
		   struct candidate ret[ROUTE_CANDIDATES], size_t *ret_reach)
{
	struct trie_match match[TRIE_KEY_MAX + 1];
	size_t reach, matches = trie_walk(r->trie, number, match, &reach);
	size_t shortest = 0; /* the match after which a terminating gateway ends the list */
	size_t n = 0;

	for (int class = 0; class < CLASSES; class ++) {
		for (size_t m = matches; m > shortest; m--) {
			const struct span *s = &r->route[match[m - 1].value].span[class];

			n = take(r, s, match[m - 1].len, ret, n);
			if (s->is_terminating)
				shortest = m - 1;
		}
	}
	if (ret_reach)
		*ret_reach = reach;
	return n;
}
