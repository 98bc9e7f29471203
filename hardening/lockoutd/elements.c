#include "elements.h"

#include <libmnl/libmnl.h>
#include <libnftnl/expr.h>
#include <libnftnl/set.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <stdlib.h>
#include <string.h>

#include "judge.h"
#include "nft_rule.h"

enum {
	TYPE_V4 = 7, /* what the nft tool calls ipv4_addr and ipv6_addr */
	TYPE_V6 = 8,
	KERNEL_MAX = 2 * BANS_MAX,
	KNOWN_MAX = 2 * CUSTOMERS_MAX,
	RATES_MAX = 65536, /* sources whose rate is kept */
	RATE_LIFE_MS = 60 * 1000,
};

static void release(struct nftnl_set *s)
{
	if (s)
		nftnl_set_free(s);
}

static uint32_t key_len(enum family f)
{
	return f == FAMILY_V6 ? 16 : 4;
}

/* ---- sets ---- */

static bool describe(struct nftnl_set *s, const char *stem, enum family f, uint32_t flags,
		     uint32_t id)
{
	char name[SET_NAME];

	nftnl_set_set_u32(s, NFTNL_SET_FAMILY, NFPROTO_INET);
	nftnl_set_set_u32(s, NFTNL_SET_FLAGS, flags);
	nftnl_set_set_u32(s, NFTNL_SET_KEY_TYPE, f == FAMILY_V6 ? TYPE_V6 : TYPE_V4);
	nftnl_set_set_u32(s, NFTNL_SET_KEY_LEN, key_len(f));
	nftnl_set_set_u32(s, NFTNL_SET_ID, id);
	return nftnl_set_set_str(s, NFTNL_SET_TABLE, TABLE) == 0 &&
	       nftnl_set_set_str(s, NFTNL_SET_NAME, set_name(stem, f, name)) == 0;
}

static void put_set(struct batch *b, struct nftnl_set *s, bool is_whole)
{
	struct nlmsghdr *h = batch_message(b, NFT_MSG_NEWSET, NLM_F_CREATE);

	if (h && is_whole) {
		nftnl_set_nlmsg_build_payload(h, s);
		batch_put(b, h);
	} else {
		b->is_short = true;
	}
	release(s);
}

static void put_exempt_set(struct batch *b, enum family f)
{
	struct nftnl_set *s = nftnl_set_alloc();

	if (s)
		put_set(b, s, describe(s, "exempt", f, NFT_SET_INTERVAL, b->seq));
	else
		b->is_short = true;
}

/* Each element counts what it has dropped. Addresses are hashed, networks are ranges. */
static void put_ban_set(struct batch *b, enum family f, bool is_of_nets)
{
	struct nftnl_set *s = nftnl_set_alloc();
	struct nftnl_expr *counter = s ? nftnl_expr_alloc("counter") : NULL;

	if (!counter) {
		b->is_short = true;
		release(s);
		return;
	}
	nftnl_set_set_u32(s, NFTNL_SET_DESC_SIZE, KERNEL_MAX);
	nftnl_set_add_expr(s, counter);
	put_set(b, s,
		describe(s, is_of_nets ? "net" : "ban", f,
			 NFT_SET_TIMEOUT | (is_of_nets ? NFT_SET_INTERVAL : 0), b->seq));
}

static void put_known_set(struct batch *b, enum family f)
{
	struct nftnl_set *s = nftnl_set_alloc();

	if (!s) {
		b->is_short = true;
		return;
	}
	nftnl_set_set_u32(s, NFTNL_SET_DESC_SIZE, KNOWN_MAX);
	put_set(b, s, describe(s, "known", f, NFT_SET_TIMEOUT, b->seq));
}

static void put_rate_set(struct batch *b, const struct rate *rate, enum family f)
{
	struct nftnl_set *s = nftnl_set_alloc();
	struct nftnl_expr *limit = s ? nft_rate_make(rate) : NULL;

	if (!limit) {
		b->is_short = true;
		release(s);
		return;
	}
	nftnl_set_set_u32(s, NFTNL_SET_DESC_SIZE, RATES_MAX);
	nftnl_set_set_u64(s, NFTNL_SET_TIMEOUT, RATE_LIFE_MS);
	nftnl_set_add_expr(s, limit);
	put_set(b, s, describe(s, rate->set, f, NFT_SET_TIMEOUT | NFT_SET_EVAL, b->seq));
}

void elements_put_sets(struct batch *b, const struct ruleset *s)
{
	static const enum family both[] = { FAMILY_V4, FAMILY_V6 };
	bool has_rates = !(s->lacks & ABILITY_OWN_RATE);

	for (int i = 0; i < 2; i++) {
		put_exempt_set(b, both[i]);
		put_ban_set(b, both[i], false);
		put_ban_set(b, both[i], true);
		put_known_set(b, both[i]);
		for (const struct rate *const *r = ruleset_rates; has_rates && *r; r++)
			put_rate_set(b, *r, both[i]);
	}
}

/* ---- elements ---- */

/* A set to hang elements on; NULL if memory is short. */
static struct nftnl_set *carrier(const char *stem, enum family f)
{
	struct nftnl_set *s = nftnl_set_alloc();
	char name[SET_NAME];

	if (!s)
		return NULL;
	nftnl_set_set_u32(s, NFTNL_SET_FAMILY, NFPROTO_INET);
	if (nftnl_set_set_str(s, NFTNL_SET_TABLE, TABLE) == 0 &&
	    nftnl_set_set_str(s, NFTNL_SET_NAME, set_name(stem, f, name)) == 0)
		return s;
	release(s);
	return NULL;
}

/* Takes s. */
static void put_elements(struct batch *b, uint16_t type, struct nftnl_set *s)
{
	struct nlmsghdr *h = batch_message(b, type, type == NFT_MSG_NEWSETELEM ? NLM_F_CREATE : 0);

	if (h) {
		nftnl_set_elems_nlmsg_build_payload(h, s);
		batch_put(b, h);
	}
	release(s);
}

static bool add_element(struct nftnl_set *s, const uint8_t *key, size_t n, uint32_t flags,
			int64_t ms)
{
	struct nftnl_set_elem *e = nftnl_set_elem_alloc();

	if (!e)
		return false;
	nftnl_set_elem_add(s, e);
	if (flags)
		nftnl_set_elem_set_u32(e, NFTNL_SET_ELEM_FLAGS, flags);
	if (ms > 0)
		nftnl_set_elem_set_u64(e, NFTNL_SET_ELEM_TIMEOUT, (uint64_t)ms);
	return nftnl_set_elem_set(e, NFTNL_SET_ELEM_KEY, key, (uint32_t)n) == 0;
}

/* A range is its first address, and an end mark on the one behind its last, if there is one. */
static bool add_span(struct nftnl_set *s, const struct span *range, size_t n, int64_t ms)
{
	uint8_t behind[16];
	size_t i = n;

	if (!add_element(s, range->first, n, 0, ms))
		return false;
	memcpy(behind, range->last, n);
	while (i > 0 && ++behind[i - 1] == 0)
		i--;
	return i == 0 || add_element(s, behind, n, NFT_SET_ELEM_INTERVAL_END, 0);
}

static bool add_ban(struct nftnl_set *s, const struct cidr *net, int64_t ms)
{
	struct span range;
	size_t n = addr_bytes(&net->net, range.first);

	if (!ban_is_wide(net))
		return add_element(s, range.first, n, 0, ms);
	memcpy(range.last, range.first, n);
	for (size_t bit = net->bits; bit < n * 8; bit++)
		range.last[bit / 8] |= (uint8_t)(0x80 >> bit % 8);
	return add_span(s, &range, n, ms);
}

void elements_put_ban(struct batch *b, uint16_t type, const struct cidr *net, int64_t ms)
{
	struct nftnl_set *s = carrier(ban_is_wide(net) ? "net" : "ban",
				      addr_is_v6(&net->net) ? FAMILY_V6 : FAMILY_V4);

	if (s && add_ban(s, net, ms)) {
		put_elements(b, type, s);
		return;
	}
	b->is_short = true;
	release(s);
}

void elements_put_known(struct batch *b, uint16_t type, const struct cidr *net, int64_t ms)
{
	struct nftnl_set *s = carrier("known", addr_is_v6(&net->net) ? FAMILY_V6 : FAMILY_V4);
	uint8_t key[16];
	size_t n = addr_bytes(&net->net, key);

	if (s && add_element(s, key, n, 0, ms)) {
		put_elements(b, type, s);
		return;
	}
	b->is_short = true;
	release(s);
}

static void put_spans(struct batch *b, enum family f, const struct span *range, size_t n)
{
	struct nftnl_set *s = carrier("exempt", f);

	for (size_t i = 0; s && i < n; i++) {
		if (add_span(s, &range[i], key_len(f), 0))
			continue;
		release(s);
		s = NULL;
	}
	if (s)
		put_elements(b, NFT_MSG_NEWSETELEM, s);
	else
		b->is_short = true;
}

int elements_put_exempt(struct batch *b, const struct exempt *e, enum family f)
{
	CLEANUP(free) struct span *range = NULL;
	struct nftnl_set *all = carrier("exempt", f);
	size_t n = 0, step = BATCH_ELEMENTS / 2;
	int r = all ? exempt_spans(e, f, &range, &n) : -1;

	if (r < 0) {
		b->is_short = true;
		release(all);
		return r;
	}
	put_elements(b, NFT_MSG_DELSETELEM, all);
	for (size_t i = 0; i < n; i += step)
		put_spans(b, f, range + i, n - i < step ? n - i : step);
	return 0;
}

/* ---- reading ---- */

static int add_packets(struct nftnl_expr *e, void *packets)
{
	if (strcmp(nftnl_expr_get_str(e, NFTNL_EXPR_NAME), "counter") == 0)
		*(uint64_t *)packets += nftnl_expr_get_u64(e, NFTNL_EXPR_CTR_PACKETS);
	return 0;
}

struct telling {
	kernel_hit_fn *on_hit;
	void *ctx;
	bool is_of_nets;
};

static bool is_end(struct nftnl_set_elem *e)
{
	return nftnl_set_elem_is_set(e, NFTNL_SET_ELEM_FLAGS) &&
	       (nftnl_set_elem_get_u32(e, NFTNL_SET_ELEM_FLAGS) & NFT_SET_ELEM_INTERVAL_END);
}

static int on_element(struct nftnl_set_elem *e, void *ctx)
{
	const struct telling *t = ctx;
	/* The mark at the end of a range has no time of its own. */
	bool has_time = nftnl_set_elem_is_set(e, NFTNL_SET_ELEM_EXPIRATION);
	uint64_t packets = 0;
	uint64_t left = has_time ? nftnl_set_elem_get_u64(e, NFTNL_SET_ELEM_EXPIRATION) : 0;
	uint32_t n = 0;
	const void *key = nftnl_set_elem_get(e, NFTNL_SET_ELEM_KEY, &n);
	struct addr a;

	if (!key || is_end(e) || addr_from_bytes(key, n, &a) < 0)
		return 0;
	(void)nftnl_set_elem_expr_foreach(e, add_packets, &packets);
	t->on_hit(t->ctx, &a, t->is_of_nets, packets, left);
	return 0;
}

void elements_each(struct nftnl_set *s, bool is_of_nets, kernel_hit_fn *on_hit, void *ctx)
{
	struct telling t = { .on_hit = on_hit, .ctx = ctx, .is_of_nets = is_of_nets };

	(void)nftnl_set_elem_foreach(s, on_element, &t);
}
