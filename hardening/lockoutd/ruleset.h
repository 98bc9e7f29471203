/*
 * ruleset: the whole firewall of a machine, made from what is to be open. Pure: no system call.
 *
 * In the order of a packet: the door (before connection tracking) lets the machine itself and exempt
 * addresses in, then drops banned ones and what a stranger sends too fast, lets known customers in and drops
 * what all others together send too fast: trusted, registered and unknown (security.md F2); input accepts what belongs
 * to a connection, some ICMP, and the open ports; the rest is dropped. SIP and media over UDP are not
 * tracked, so that no flood of forged addresses can fill the table of connections. What leaves is known by the user
 * whose program sends it: a vendor may be at any address and port, but only switchd has to reach him.
 */
#pragma once

#include "rule.h"
#include "settings.h"

enum { SSH_HOSTS_MAX = 32 }; /* as many as admin_hosts may name */

/* Users whose programs may open something to the outside; names: ruleset_users. Root may, too. */
enum user { USER_SWITCH, USER_RESOLVE, USER_TIME, USER_NETWORK, USER_COUNT };

/* What is open. A port of 0 is closed. */
struct openings {
	uint16_t sip, sip_tls, api, ssh;
	uint16_t media_first, media_last;
	bool dhcp4, dhcp6; /* the machine asks for its address */
	/* If there are any, SSH is for these alone. */
	struct addr ssh_host[SSH_HOSTS_MAX];
	uint8_t ssh_hosts;
	struct honeypots tcp_traps, udp_traps;
	bool is_guest;            /* the machine has programs of others, which may go out */
	bool is_taped;            /* what strangers send is copied to us */
	uint32_t uid[USER_COUNT]; /* 0: there is no such user */
};

#define OPENINGS_DEFAULT                          \
	((struct openings){ .sip = 5060,          \
			    .sip_tls = 5061,      \
			    .ssh = 22,            \
			    .media_first = 10000, \
			    .media_last = 39999 })

enum { RULES_MAX = 256 };

/*
 * What an older kernel's nftables may not know (CentOS 7's is of Linux 3.10, with later parts put in). A machine without
 * one of these does without the rules that need it; all else any nf_tables can do that has sets with time limits.
 */
#define ABILITIES(X)                                               \
	X(OWN_RATE, 0, "a rate of each stranger's own")            \
	X(NOTRACK, 1, "SIP and media without connection tracking") \
	X(COPY, 2, "copies of packets, for the evidence of a ban")

enum ability {
#define ABILITY_ENUM(id, bit, text) ABILITY_##id = 1 << (bit),
	ABILITIES(ABILITY_ENUM)
#undef ABILITY_ENUM
		ABILITY_ALL = 7
};

struct ruleset {
	struct rule rule[RULES_MAX];
	int count;
	unsigned lacks; /* of enum ability: what the rules do without */
};

void ruleset_make(struct ruleset *ret, const struct openings *o, unsigned lacks);
bool openings_eq(const struct openings *a, const struct openings *b);

extern const char *const ruleset_users[USER_COUNT];
/* The rates that rules refer to, for who makes their sets; NULL-terminated. */
extern const struct rate *const ruleset_rates[];
