#include "rule.h"

static const char *const chain_names[] = {
#define CHAIN_NAME(id, name, hook, priority, policy) [CHAIN_##id] = (name),
	CHAINS(CHAIN_NAME)
#undef CHAIN_NAME
};

static const char *const whos[] = {
	[WHO_ANYONE] = "anyone",           [WHO_ITSELF] = "the machine itself",
	[WHO_EXEMPT] = "exempt addresses", [WHO_BANNED] = "banned addresses",
	[WHO_IN_NET] = "banned networks",  [WHO_STRANGER] = "strangers",
	[WHO_HOST] = "one address",        [WHO_CUSTOMER] = "known customers",
	[WHO_USER] = "one user",           [WHO_PROGRAM] = "any program",
};

static const char *const verdicts[] = {
	[VERDICT_ACCEPT] = "accept",
	[VERDICT_DROP] = "drop",
	[VERDICT_NOTRACK] = "notrack",
	[VERDICT_COPY] = "copy",
};

static const char *proto_name(uint8_t proto)
{
	switch (proto) {
	case IPPROTO_UDP:
		return "udp";
	case IPPROTO_TCP:
		return "tcp";
	case IPPROTO_ICMP:
		return "icmp";
	case IPPROTO_ICMPV6:
		return "icmpv6";
	default:
		return "";
	}
}

void rule_what(const struct rule *r, struct buf *out)
{
	buf_putz(out, proto_name(r->proto));
	if (r->is_source_port)
		buf_putz(out, " from");
	if (r->first)
		buf_printf(out, " %u", r->first);
	if (r->last != r->first)
		buf_printf(out, "-%u", r->last);
}

const char *rule_who(enum who w)
{
	return whos[w];
}

const char *rule_verdict(enum verdict v)
{
	return verdicts[v];
}

const char *chain_name(enum chain_id c)
{
	return chain_names[c];
}

const char *set_name(const char *stem, enum family f, char out[SET_NAME])
{
	struct buf b = buf_fixed(out, SET_NAME);

	buf_printf(&b, "%s%c", stem, f == FAMILY_V6 ? '6' : '4');
	return buf_cstr(&b);
}
