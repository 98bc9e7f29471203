#include "nft_rule.h"

#include <assert.h>
#include <libnftnl/expr.h>
#include <libnftnl/rule.h>
#include <libnftnl/udata.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nf_tables.h>
#include <net/if.h>
#include <string.h>

#include "reel.h"
#include "tape.h"

enum {
	V4_SOURCE = 12, /* where the source address stands in its header */
	V6_SOURCE = 8,
	V4_BYTES = 4,
	V6_BYTES = 16,
	V6_NET = 8, /* of them, those that name the /64 */
	PORT_BYTES = 2,
	DESTINATION_PORT = 2,
	STATE_KNOWN_BITS = 0x6, /* established and related, as nft_ct counts: 1 << (ctinfo + 1) */
	STATE_INVALID_BIT = 0x1,
};

struct maker {
	struct nftnl_rule *rule;
	bool is_short; /* of memory */
};

/* A new expression at the end of the rule. NULL once memory is short. */
static struct nftnl_expr *append(struct maker *m, const char *name)
{
	struct nftnl_expr *e = m->is_short ? NULL : nftnl_expr_alloc(name);

	if (e)
		nftnl_rule_add_expr(m->rule, e);
	else
		m->is_short = true;
	return e;
}

static void set_data(struct maker *m, struct nftnl_expr *e, uint16_t attr, const void *p, size_t n)
{
	if (nftnl_expr_set(e, attr, p, (uint32_t)n) < 0)
		m->is_short = true;
}

static void set_text(struct maker *m, struct nftnl_expr *e, uint16_t attr, const char *text)
{
	if (nftnl_expr_set_str(e, attr, text) < 0)
		m->is_short = true;
}

static void load_meta(struct maker *m, uint32_t key)
{
	struct nftnl_expr *e = append(m, "meta");

	if (!e)
		return;
	nftnl_expr_set_u32(e, NFTNL_EXPR_META_KEY, key);
	nftnl_expr_set_u32(e, NFTNL_EXPR_META_DREG, NFT_REG_1);
}

static void load_bytes(struct maker *m, uint32_t base, uint32_t offset, uint32_t n)
{
	struct nftnl_expr *e = append(m, "payload");

	if (!e)
		return;
	nftnl_expr_set_u32(e, NFTNL_EXPR_PAYLOAD_DREG, NFT_REG_1);
	nftnl_expr_set_u32(e, NFTNL_EXPR_PAYLOAD_BASE, base);
	nftnl_expr_set_u32(e, NFTNL_EXPR_PAYLOAD_OFFSET, offset);
	nftnl_expr_set_u32(e, NFTNL_EXPR_PAYLOAD_LEN, n);
}

static void mask(struct maker *m, const void *bits, size_t n)
{
	static const uint8_t zero[V6_BYTES];
	struct nftnl_expr *e = append(m, "bitwise");

	if (!e)
		return;
	nftnl_expr_set_u32(e, NFTNL_EXPR_BITWISE_SREG, NFT_REG_1);
	nftnl_expr_set_u32(e, NFTNL_EXPR_BITWISE_DREG, NFT_REG_1);
	nftnl_expr_set_u32(e, NFTNL_EXPR_BITWISE_LEN, (uint32_t)n);
	set_data(m, e, NFTNL_EXPR_BITWISE_MASK, bits, n);
	set_data(m, e, NFTNL_EXPR_BITWISE_XOR, zero, n);
}

static void compare(struct maker *m, uint32_t op, const void *p, size_t n)
{
	struct nftnl_expr *e = append(m, "cmp");

	if (!e)
		return;
	nftnl_expr_set_u32(e, NFTNL_EXPR_CMP_SREG, NFT_REG_1);
	nftnl_expr_set_u32(e, NFTNL_EXPR_CMP_OP, op);
	set_data(m, e, NFTNL_EXPR_CMP_DATA, p, n);
}

static void look_up(struct maker *m, const char *set, bool is_absent)
{
	struct nftnl_expr *e = append(m, "lookup");

	if (!e)
		return;
	nftnl_expr_set_u32(e, NFTNL_EXPR_LOOKUP_SREG, NFT_REG_1);
	set_text(m, e, NFTNL_EXPR_LOOKUP_SET, set);
	if (is_absent)
		nftnl_expr_set_u32(e, NFTNL_EXPR_LOOKUP_FLAGS, NFT_LOOKUP_F_INV);
}

static void put_rate(struct nftnl_expr *e, const struct rate *r)
{
	nftnl_expr_set_u64(e, NFTNL_EXPR_LIMIT_RATE, r->packets);
	nftnl_expr_set_u64(e, NFTNL_EXPR_LIMIT_UNIT, r->unit_s);
	nftnl_expr_set_u32(e, NFTNL_EXPR_LIMIT_BURST, r->burst);
	nftnl_expr_set_u32(e, NFTNL_EXPR_LIMIT_TYPE, NFT_LIMIT_PKTS);
	nftnl_expr_set_u32(e, NFTNL_EXPR_LIMIT_FLAGS, r->is_under ? 0 : NFT_LIMIT_F_INV);
}

struct nftnl_expr *nft_rate_make(const struct rate *r)
{
	struct nftnl_expr *e = nftnl_expr_alloc("limit");

	if (e)
		put_rate(e, r);
	return e;
}

/* ---- the parts of a match ---- */

static void match_family(struct maker *m, enum family f)
{
	uint8_t number = f == FAMILY_V4 ? NFPROTO_IPV4 : NFPROTO_IPV6;

	if (f == FAMILY_ANY)
		return;
	load_meta(m, NFT_META_NFPROTO);
	compare(m, NFT_CMP_EQ, &number, sizeof(number));
}

static void match_itself(struct maker *m, enum chain_id chain)
{
	static const char lo[IFNAMSIZ] = "lo";

	load_meta(m, chain == CHAIN_LEAVE ? NFT_META_OIFNAME : NFT_META_IIFNAME);
	compare(m, NFT_CMP_EQ, lo, sizeof(lo));
}

/* The source address; where whole networks are meant, of IPv6 the /64. */
static void load_source(struct maker *m, enum family f, bool is_by_net)
{
	uint8_t bits[V6_BYTES] = { 0 };

	memset(bits, 0xff, V6_NET);
	if (f == FAMILY_V4) {
		load_bytes(m, NFT_PAYLOAD_NETWORK_HEADER, V4_SOURCE, V4_BYTES);
		return;
	}
	load_bytes(m, NFT_PAYLOAD_NETWORK_HEADER, V6_SOURCE, V6_BYTES);
	if (is_by_net)
		mask(m, bits, sizeof(bits));
}

/* Addresses of both families stand in memory as in the packet. */
static void match_host(struct maker *m, const struct rule *r)
{
	load_source(m, r->family, false);
	if (r->family == FAMILY_V4)
		compare(m, NFT_CMP_EQ, &r->host.in.sin_addr, V4_BYTES);
	else
		compare(m, NFT_CMP_EQ, &r->host.in6.sin6_addr, V6_BYTES);
}

/* Who made the socket; what has none, which the kernel sends by itself, matches in no case. */
static void match_user(struct maker *m, const struct rule *r)
{
	static const uint32_t nobody = UINT32_MAX;

	load_meta(m, NFT_META_SKUID);
	if (r->who == WHO_USER)
		compare(m, NFT_CMP_EQ, &r->uid, sizeof(r->uid));
	else
		compare(m, NFT_CMP_NEQ, &nobody, sizeof(nobody));
}

static bool is_by_address(enum who w)
{
	return w != WHO_ANYONE && w != WHO_ITSELF && w != WHO_USER && w != WHO_PROGRAM;
}

static void match_who(struct maker *m, const struct rule *r)
{
	char name[SET_NAME];

	assert(!is_by_address(r->who) || r->family != FAMILY_ANY);
	switch (r->who) {
	case WHO_ANYONE:
		break;
	case WHO_ITSELF:
		match_itself(m, r->chain);
		break;
	case WHO_EXEMPT:
	case WHO_STRANGER:
		load_source(m, r->family, false);
		look_up(m, set_name("exempt", r->family, name), r->who == WHO_STRANGER);
		break;
	case WHO_BANNED:
		load_source(m, r->family, true);
		look_up(m, set_name("ban", r->family, name), false);
		break;
	case WHO_CUSTOMER:
		load_source(m, r->family, true);
		look_up(m, set_name("known", r->family, name), false);
		break;
	case WHO_IN_NET:
		load_source(m, r->family, false);
		look_up(m, set_name("net", r->family, name), false);
		break;
	case WHO_HOST:
		match_host(m, r);
		break;
	case WHO_USER:
	case WHO_PROGRAM:
		match_user(m, r);
		break;
	}
}

static void match_state(struct maker *m, enum state s)
{
	uint32_t bits = s == STATE_KNOWN ? STATE_KNOWN_BITS : STATE_INVALID_BIT, none = 0;
	struct nftnl_expr *e = s == STATE_ANY ? NULL : append(m, "ct");

	if (!e)
		return;
	nftnl_expr_set_u32(e, NFTNL_EXPR_CT_KEY, NFT_CT_STATE);
	nftnl_expr_set_u32(e, NFTNL_EXPR_CT_DREG, NFT_REG_1);
	mask(m, &bits, sizeof(bits));
	compare(m, NFT_CMP_NEQ, &none, sizeof(none));
}

static void match_number(struct maker *m, const struct rule *r)
{
	bool is_icmp = r->proto == IPPROTO_ICMP || r->proto == IPPROTO_ICMPV6;
	size_t n = is_icmp ? 1 : PORT_BYTES;
	uint8_t first[] = { (uint8_t)(r->first >> 8), (uint8_t)r->first };
	uint8_t last[] = { (uint8_t)(r->last >> 8), (uint8_t)r->last };

	if (r->first == 0)
		return;
	load_bytes(m, NFT_PAYLOAD_TRANSPORT_HEADER,
		   is_icmp || r->is_source_port ? 0 : DESTINATION_PORT, (uint32_t)n);
	if (r->first == r->last) {
		compare(m, NFT_CMP_EQ, first + PORT_BYTES - n, n);
		return;
	}
	compare(m, NFT_CMP_GTE, first + PORT_BYTES - n, n);
	compare(m, NFT_CMP_LTE, last + PORT_BYTES - n, n);
}

static void match_proto(struct maker *m, const struct rule *r)
{
	if (r->proto == 0)
		return;
	load_meta(m, NFT_META_L4PROTO);
	compare(m, NFT_CMP_EQ, &r->proto, sizeof(r->proto));
	match_number(m, r);
}

/* Each source's own rate: an element of the set, made by its first packet. */
static void match_own_rate(struct maker *m, const struct rule *r)
{
	char name[SET_NAME];
	struct nftnl_expr *rate = nft_rate_make(r->rate), *e;

	load_source(m, r->family, true);
	e = rate ? append(m, "dynset") : NULL;
	if (!e) {
		if (rate)
			nftnl_expr_free(rate);
		m->is_short = true;
		return;
	}
	nftnl_expr_set_u32(e, NFTNL_EXPR_DYNSET_SREG_KEY, NFT_REG_1);
	nftnl_expr_set_u32(e, NFTNL_EXPR_DYNSET_OP, NFT_DYNSET_OP_UPDATE);
	set_text(m, e, NFTNL_EXPR_DYNSET_SET_NAME, set_name(r->rate->set, r->family, name));
	nftnl_expr_add_expr(e, NFTNL_EXPR_DYNSET_EXPR, rate);
}

static void match_rate(struct maker *m, const struct rule *r)
{
	struct nftnl_expr *e;

	if (!r->rate)
		return;
	if (r->rate->set) {
		match_own_rate(m, r);
		return;
	}
	e = append(m, "limit");
	if (e)
		put_rate(e, r->rate);
}

static void put_verdict(struct maker *m, enum verdict v)
{
	struct nftnl_expr *e;

	(void)append(m, "counter");
	e = append(m, v == VERDICT_NOTRACK ? "notrack" : v == VERDICT_COPY ? "log" : "immediate");
	if (!e || v == VERDICT_NOTRACK)
		return;
	if (v == VERDICT_COPY) {
		nftnl_expr_set_u16(e, NFTNL_EXPR_LOG_GROUP, TAPE_GROUP);
		nftnl_expr_set_u16(e, NFTNL_EXPR_LOG_QTHRESHOLD, 1);
		nftnl_expr_set_u32(e, NFTNL_EXPR_LOG_SNAPLEN, REEL_SNAP);
		return;
	}
	nftnl_expr_set_u32(e, NFTNL_EXPR_IMM_DREG, NFT_REG_VERDICT);
	nftnl_expr_set_u32(e, NFTNL_EXPR_IMM_VERDICT, v == VERDICT_DROP ? NF_DROP : NF_ACCEPT);
}

static void put_names(struct maker *m, const struct rule *r)
{
	struct nftnl_udata_buf *note = nftnl_udata_buf_alloc(NFTNL_UDATA_COMMENT_MAXLEN);

	if (!note || nftnl_rule_set_str(m->rule, NFTNL_RULE_TABLE, TABLE) < 0 ||
	    nftnl_rule_set_str(m->rule, NFTNL_RULE_CHAIN, chain_name(r->chain)) < 0 ||
	    !nftnl_udata_put_strz(note, NFTNL_UDATA_RULE_COMMENT, r->why) ||
	    nftnl_rule_set_data(m->rule, NFTNL_RULE_USERDATA, nftnl_udata_buf_data(note),
				nftnl_udata_buf_len(note)) < 0)
		m->is_short = true;
	nftnl_rule_set_u32(m->rule, NFTNL_RULE_FAMILY, NFPROTO_INET);
	if (note)
		nftnl_udata_buf_free(note);
}

struct nftnl_rule *nft_rule_make(const struct rule *r)
{
	struct maker m = { .rule = nftnl_rule_alloc() };

	if (!m.rule)
		return NULL;
	put_names(&m, r);
	match_family(&m, r->family);
	match_who(&m, r);
	match_state(&m, r->state);
	match_proto(&m, r);
	match_rate(&m, r);
	put_verdict(&m, r->verdict);
	if (!m.is_short)
		return m.rule;
	nftnl_rule_free(m.rule);
	return NULL;
}

static int add_packets(struct nftnl_expr *e, void *packets)
{
	if (strcmp(nftnl_expr_get_str(e, NFTNL_EXPR_NAME), "counter") == 0)
		*(uint64_t *)packets += nftnl_expr_get_u64(e, NFTNL_EXPR_CTR_PACKETS);
	return 0;
}

uint64_t nft_rule_packets(struct nftnl_rule *r)
{
	uint64_t packets = 0;

	(void)nftnl_expr_foreach(r, add_packets, &packets);
	return packets;
}
