#include "ruleset.h"

#include <assert.h>
#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <netinet/ip_icmp.h>
#include <string.h>

enum { MINUTE = 60, MLD_FIRST = 130, MLD_LAST = 132, DHCP4 = 68, DHCP6 = 546 };

/*
 * A customer known by password may call from anywhere, so a stranger's share of SIP has to carry one:
 * about 50 calls a second. SSH is for people.
 */
static const struct rate sip_rate = { .set = "sip", .packets = 500, .burst = 1000, .unit_s = 1 };
static const struct rate tcp_rate = { .set = "tcp", .packets = 20, .burst = 60, .unit_s = 1 };
static const struct rate ssh_rate = { .set = "ssh", .packets = 10, .burst = 10, .unit_s = MINUTE };
/*
 * All whom nobody knows, together: four packets for each of the 500 challenges a second that they are sent at
 * most (security.md F1). So whatever comes, customers have the socket (F2).
 */
static const struct rate crowd_rate = { .packets = 2000, .burst = 4000, .unit_s = 1 };
/* Packets that are copied for the bans to come, of all strangers together. */
static const struct rate tape_rate = {
	.packets = 500, .burst = 1000, .unit_s = 1, .is_under = true
};
/*
 * Packets to honeypot ports, of all strangers together: one says as much as a thousand, and each may bear the
 * address of somebody else.
 */
static const struct rate trap_rate = { .packets = 50, .burst = 100, .unit_s = 1, .is_under = true };
static const struct rate icmp_rate = { .packets = 50, .burst = 100, .unit_s = 1, .is_under = true };

const struct rate *const ruleset_rates[] = { &sip_rate, &tcp_rate, &ssh_rate, NULL };

static unsigned ability_of(const struct rule *r)
{
	return (r->rate && r->rate->set ? ABILITY_OWN_RATE : 0u) |
	       (r->verdict == VERDICT_NOTRACK ? ABILITY_NOTRACK : 0u) |
	       (r->verdict == VERDICT_COPY ? ABILITY_COPY : 0u);
}

static void add(struct ruleset *s, struct rule r)
{
	if (ability_of(&r) & s->lacks)
		return;
	assert(s->count < RULES_MAX);
	if (r.last == 0)
		r.last = r.first;
	s->rule[s->count++] = r;
}

/* The same for both families, where a set is asked. */
static void add_both(struct ruleset *s, struct rule r)
{
	r.family = FAMILY_V4;
	add(s, r);
	r.family = FAMILY_V6;
	add(s, r);
}

/* Does nothing for a closed port. */
static void add_port(struct ruleset *s, uint8_t proto, uint16_t port, const struct rate *rate,
		     const char *what, const char *why)
{
	if (port == 0)
		return;
	if (rate)
		add_both(s, (struct rule){ .chain = CHAIN_INPUT,
					   .who = WHO_STRANGER,
					   .proto = proto,
					   .first = port,
					   .rate = rate,
					   .verdict = VERDICT_DROP,
					   .why = why });
	add(s, (struct rule){ .chain = CHAIN_INPUT,
			      .proto = proto,
			      .first = port,
			      .verdict = VERDICT_ACCEPT,
			      .why = what });
}

static void untracked(struct ruleset *s, enum chain_id chain, const struct openings *o)
{
	struct rule r = { .chain = chain,
			  .proto = IPPROTO_UDP,
			  .verdict = VERDICT_NOTRACK,
			  .is_source_port = chain == CHAIN_OUTPUT };

	if (o->sip) {
		r.first = r.last = o->sip;
		r.why = "SIP needs no connection tracking";
		add(s, r);
	}
	if (o->media_first) {
		r.first = o->media_first;
		r.last = o->media_last;
		r.why = "media needs no connection tracking";
		add(s, r);
	}
	for (int i = 0; chain == CHAIN_DOOR && i < o->udp_traps.n; i++) {
		r.first = r.last = o->udp_traps.port[i];
		r.why = "nothing goes back from a honeypot";
		add(s, r);
	}
}

/* The last of the door: what came as far as this reaches a program, if its port is open. */
static void tape(struct ruleset *s, const struct openings *o)
{
	struct rule r = { .chain = CHAIN_DOOR,
			  .who = WHO_STRANGER,
			  .verdict = VERDICT_COPY,
			  .rate = &tape_rate,
			  .why = "packets that a ban may have to show" };

	if (!o->is_taped)
		return;
	r.proto = IPPROTO_TCP;
	add_both(s, r);
	r.proto = IPPROTO_UDP;
	r.first = o->sip;
	if (o->sip)
		add_both(s, r);
	for (int i = 0; i < o->udp_traps.n; i++) {
		r.first = o->udp_traps.port[i];
		add_both(s, r);
	}
}

/* Strangers: each by himself, then customers before all others together. */
static void sip(struct ruleset *s, uint16_t port)
{
	struct rule r = { .chain = CHAIN_DOOR, .proto = IPPROTO_UDP, .first = port };

	r.rate = &sip_rate;
	r.verdict = VERDICT_DROP;
	r.why = "more SIP than one stranger may send";
	add_both(s, r);
	r.rate = NULL;
	r.verdict = VERDICT_ACCEPT;
	r.who = WHO_CUSTOMER;
	r.why = "customers who gave the right password lately";
	add_both(s, r);
	r.rate = &crowd_rate;
	r.verdict = VERDICT_DROP;
	r.who = WHO_ANYONE;
	r.why = "more SIP than newcomers together may send";
	add(s, r);
}

static void door(struct ruleset *s, const struct openings *o)
{
	struct rule r = { .chain = CHAIN_DOOR };

	untracked(s, CHAIN_DOOR, o);
	r.who = WHO_ITSELF;
	r.why = "programs of this machine";
	add(s, r);
	add(s, (struct rule){ .chain = CHAIN_DOOR,
			      .family = FAMILY_V6,
			      .proto = IPPROTO_ICMPV6,
			      .first = ND_ROUTER_SOLICIT,
			      .last = ND_NEIGHBOR_ADVERT,
			      .why = "neighbours and routers of IPv6" });
	r.who = WHO_EXEMPT;
	r.why = "gateways, administrators, the machine's own network: never banned";
	add_both(s, r);
	r.who = WHO_BANNED;
	r.verdict = VERDICT_DROP;
	r.why = "ban list";
	add_both(s, r);
	r.who = WHO_IN_NET;
	r.why = "networks of the ban list";
	add_both(s, r);
	if (o->sip)
		sip(s, o->sip);
	tape(s, o);
}

static void icmp(struct ruleset *s)
{
	static const struct rule rules[] = {
		{ .family = FAMILY_V4,
		  .proto = IPPROTO_ICMP,
		  .first = ICMP_DEST_UNREACH,
		  .rate = &icmp_rate,
		  .why = "errors of the network" },
		{ .family = FAMILY_V4,
		  .proto = IPPROTO_ICMP,
		  .first = ICMP_TIME_EXCEEDED,
		  .last = ICMP_PARAMETERPROB,
		  .rate = &icmp_rate,
		  .why = "errors of the network" },
		{ .family = FAMILY_V4,
		  .proto = IPPROTO_ICMP,
		  .first = ICMP_ECHO,
		  .rate = &icmp_rate,
		  .why = "ping" },
		{ .family = FAMILY_V6,
		  .proto = IPPROTO_ICMPV6,
		  .first = ND_ROUTER_SOLICIT,
		  .last = ND_NEIGHBOR_ADVERT,
		  .why = "neighbours and routers of IPv6" },
		{ .family = FAMILY_V6,
		  .proto = IPPROTO_ICMPV6,
		  .first = MLD_FIRST,
		  .last = MLD_LAST,
		  .rate = &icmp_rate,
		  .why = "multicast groups of IPv6" },
		{ .family = FAMILY_V6,
		  .proto = IPPROTO_ICMPV6,
		  .first = ICMP6_DST_UNREACH,
		  .last = ICMP6_PARAM_PROB,
		  .rate = &icmp_rate,
		  .why = "errors of the network" },
		{ .family = FAMILY_V6,
		  .proto = IPPROTO_ICMPV6,
		  .first = ICMP6_ECHO_REQUEST,
		  .rate = &icmp_rate,
		  .why = "ping" },
	};

	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
		struct rule r = rules[i];

		r.chain = CHAIN_INPUT;
		add(s, r);
	}
}

static void ssh(struct ruleset *s, const struct openings *o, const char *fast)
{
	if (o->ssh_hosts == 0)
		add_port(s, IPPROTO_TCP, o->ssh, &ssh_rate, "SSH", fast);
	for (int i = 0; o->ssh && i < o->ssh_hosts; i++) {
		const struct addr *a = &o->ssh_host[i];

		add(s, (struct rule){ .chain = CHAIN_INPUT,
				      .family = addr_is_v6(a) ? FAMILY_V6 : FAMILY_V4,
				      .who = WHO_HOST,
				      .host = *a,
				      .proto = IPPROTO_TCP,
				      .first = o->ssh,
				      .why = "SSH for an administrator's host" });
	}
}

static void traps(struct ruleset *s, const struct openings *o, const char *fast)
{
	for (int i = 0; i < o->tcp_traps.n; i++)
		add_port(s, IPPROTO_TCP, o->tcp_traps.port[i], &tcp_rate,
			 "honeypot: who connects there is noted", fast);
	for (int i = 0; i < o->udp_traps.n; i++)
		add(s, (struct rule){ .chain = CHAIN_INPUT,
				      .proto = IPPROTO_UDP,
				      .first = o->udp_traps.port[i],
				      .rate = &trap_rate,
				      .why = "honeypot: who sends there is noted" });
}

static void ports(struct ruleset *s, const struct openings *o)
{
	static const char *const fast = "more connections than one stranger may open";

	add_port(s, IPPROTO_UDP, o->sip, NULL, "SIP", "");
	if (o->media_first)
		add(s, (struct rule){ .chain = CHAIN_INPUT,
				      .proto = IPPROTO_UDP,
				      .first = o->media_first,
				      .last = o->media_last,
				      .why = "media of calls" });
	add_port(s, IPPROTO_TCP, o->sip, &tcp_rate, "SIP", fast);
	add_port(s, IPPROTO_TCP, o->sip_tls, &tcp_rate, "SIP over TLS", fast);
	add_port(s, IPPROTO_TCP, o->api, &tcp_rate, "web API", fast);
	traps(s, o, fast);
	ssh(s, o, fast);
	if (o->dhcp4)
		add_port(s, IPPROTO_UDP, DHCP4, NULL, "the machine's address by DHCP", "");
	if (o->dhcp6)
		add_port(s, IPPROTO_UDP, DHCP6, NULL, "the machine's address by DHCPv6", "");
}

static void input(struct ruleset *s, const struct openings *o)
{
	add(s, (struct rule){ .chain = CHAIN_INPUT,
			      .who = WHO_ITSELF,
			      .why = "programs of this machine" });
	add(s, (struct rule){ .chain = CHAIN_INPUT,
			      .state = STATE_KNOWN,
			      .why = "connections that were let in, or that the machine opened" });
	add(s, (struct rule){ .chain = CHAIN_INPUT,
			      .state = STATE_INVALID,
			      .verdict = VERDICT_DROP,
			      .why = "belongs to no connection" });
	icmp(s);
	ports(s, o);
	add(s, (struct rule){
		       .chain = CHAIN_INPUT, .verdict = VERDICT_DROP, .why = "everything else" });
}

/* ---- what leaves ---- */

enum { DNS = 53, DNS_TLS = 853, NTP = 123, DHCP4_SERVER = 67, DHCP6_SERVER = 547, WAYS = 3 };

const char *const ruleset_users[USER_COUNT] = {
	[USER_SWITCH] = "switch",
	[USER_RESOLVE] = "systemd-resolve",
	[USER_TIME] = "_chrony",
	[USER_NETWORK] = "systemd-network",
};

/* Where to, and why. */
static const struct leaver {
	struct {
		uint8_t proto;
		uint16_t port;
	} way[WAYS]; /* none: anywhere */
	const char *why;
} leavers[USER_COUNT] = {
	[USER_SWITCH] = { .why = "switchd: calls and media, records and mails to where they were "
				 "ordered" },
	[USER_RESOLVE] = { { { IPPROTO_UDP, DNS }, { IPPROTO_TCP, DNS }, { IPPROTO_TCP, DNS_TLS } },
			   "names" },
	/* It asks name servers itself: nsswitch.conf has no resolve, and resolved no stub. */
	[USER_TIME] = { { { IPPROTO_UDP, NTP }, { IPPROTO_UDP, DNS }, { IPPROTO_TCP, DNS } },
			"time, and the names of its servers" },
	[USER_NETWORK] = { { { IPPROTO_UDP, DHCP4_SERVER },
			     { IPPROTO_UDP, DHCP6_SERVER },
			     { IPPROTO_ICMPV6, 0 } },
			   "the machine's address" },
};

static void user_leaves(struct ruleset *s, enum user u, uint32_t uid)
{
	const struct leaver *l = &leavers[u];
	struct rule r = { .chain = CHAIN_LEAVE,
			  .who = WHO_USER,
			  .uid = uid,
			  .user = ruleset_users[u],
			  .why = l->why };

	if (uid == 0)
		return;
	if (l->way[0].proto == 0)
		add(s, r);
	for (int i = 0; i < WAYS && l->way[i].proto; i++) {
		r.proto = l->way[i].proto;
		r.first = r.last = l->way[i].port;
		add(s, r);
	}
}

/* switchd first: it sends most by far. What belongs to no program, such as a reset, is the kernel's own. */
static void leave(struct ruleset *s, const struct openings *o)
{
	user_leaves(s, USER_SWITCH, o->uid[USER_SWITCH]);
	add(s, (struct rule){ .chain = CHAIN_LEAVE,
			      .who = WHO_ITSELF,
			      .why = "programs of this machine" });
	add(s, (struct rule){ .chain = CHAIN_LEAVE,
			      .state = STATE_KNOWN,
			      .why = "answers on connections that were let in" });
	add(s, (struct rule){
		       .chain = CHAIN_LEAVE,
		       .who = WHO_USER,
		       .user = "root",
		       .why = "set-up, which fetches what it was told to, and its test calls" });
	for (int u = USER_SWITCH + 1; u < USER_COUNT; u++)
		user_leaves(s, (enum user)u, o->uid[u]);
	if (o->is_guest)
		return;
	add(s, (struct rule){ .chain = CHAIN_LEAVE,
			      .who = WHO_PROGRAM,
			      .verdict = VERDICT_DROP,
			      .why = "programs that have no business outside" });
}

void ruleset_make(struct ruleset *ret, const struct openings *o, unsigned lacks)
{
	ret->count = 0;
	ret->lacks = lacks;
	door(ret, o);
	input(ret, o);
	untracked(ret, CHAIN_OUTPUT, o);
	leave(ret, o);
}

static bool is_same_hosts(const struct openings *a, const struct openings *b)
{
	for (int i = 0; i < a->ssh_hosts; i++) {
		if (!addr_eq_host(&a->ssh_host[i], &b->ssh_host[i]))
			return false;
	}
	return true;
}

static bool is_same_traps(const struct honeypots *a, const struct honeypots *b)
{
	return a->n == b->n && memcmp(a->port, b->port, a->n * sizeof(a->port[0])) == 0;
}

bool openings_eq(const struct openings *a, const struct openings *b)
{
	return is_same_traps(&a->tcp_traps, &b->tcp_traps) &&
	       is_same_traps(&a->udp_traps, &b->udp_traps) && a->is_taped == b->is_taped &&
	       a->ssh_hosts == b->ssh_hosts && is_same_hosts(a, b) && a->sip == b->sip &&
	       a->sip_tls == b->sip_tls && a->api == b->api && a->ssh == b->ssh &&
	       a->media_first == b->media_first && a->media_last == b->media_last &&
	       a->dhcp4 == b->dhcp4 && a->dhcp6 == b->dhcp6 && a->is_guest == b->is_guest &&
	       memcmp(a->uid, b->uid, sizeof(a->uid)) == 0;
}
