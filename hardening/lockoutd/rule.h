/*
 * rule: one line of the firewall as plain data: what it matches, what happens then, and why it is there.
 *
 * ruleset makes them, kernel loads them, `firewall show` prints them: what is shown is what was loaded.
 */
#pragma once

#include <netinet/in.h> /* before any header of the kernel */
#include <stdbool.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/buf.h"

#define TABLE "tandem"

/* Chains of the table, each at one hook. Raw stands before connection tracking, filter behind it. */
#define CHAINS(X)                                               \
	X(DOOR, "door", NF_INET_PRE_ROUTING, -300, NF_ACCEPT)   \
	X(INPUT, "input", NF_INET_LOCAL_IN, 0, NF_DROP)         \
	X(FORWARD, "forward", NF_INET_FORWARD, 0, NF_DROP)      \
	X(OUTPUT, "output", NF_INET_LOCAL_OUT, -300, NF_ACCEPT) \
	X(LEAVE, "leave", NF_INET_LOCAL_OUT, 0, NF_ACCEPT)

enum chain_id {
#define CHAIN_ENUM(id, name, hook, priority, policy) CHAIN_##id,
	CHAINS(CHAIN_ENUM)
#undef CHAIN_ENUM
		CHAIN_COUNT
};

enum family { FAMILY_ANY, FAMILY_V4, FAMILY_V6 };

enum who {
	WHO_ANYONE,
	WHO_ITSELF,   /* over the loopback interface */
	WHO_EXEMPT,   /* an address of the exempt set */
	WHO_BANNED,   /* an address of the ban set; IPv6 by its /64 */
	WHO_IN_NET,   /* in one of the networks that are banned whole */
	WHO_STRANGER, /* any address outside the exempt set */
	WHO_CUSTOMER, /* one that has given a right password lately; IPv6 by its /64 */
	WHO_HOST,     /* the one address of the rule */
	WHO_USER,     /* programs of the one user of the rule */
	WHO_PROGRAM,  /* any program; not what the kernel itself sends */
};

enum state { STATE_ANY, STATE_KNOWN, STATE_INVALID };

enum verdict {
	VERDICT_ACCEPT,
	VERDICT_DROP,
	VERDICT_NOTRACK,
	VERDICT_COPY /* to tape.h, and on */
};

/* Packets over this rate match. With a set: each source has a rate of its own, IPv6 by its /64. */
struct rate {
	const char *set; /* its name without the 4 or 6; NULL: one rate for all together */
	uint32_t packets, burst;
	uint32_t unit_s;
	bool is_under; /* packets within the rate match instead */
};

struct rule {
	enum chain_id chain;
	enum family family;
	enum who who; /* those by address, and a rate with a set, need a family */
	enum state state;
	struct addr host;     /* of WHO_HOST */
	uint32_t uid;         /* of WHO_USER, and */
	const char *user;     /* ... his name */
	uint8_t proto;        /* IPPROTO_UDP ...; 0: any */
	bool is_source_port;  /* first and last are of the source's port */
	uint16_t first, last; /* ports, or types of ICMP; first 0: any */
	const struct rate *rate;
	enum verdict verdict;
	const char *why;
};

/* "udp 5060", "icmp 8", "tcp 22-80", "" for everything. */
void rule_what(const struct rule *r, struct buf *out);
const char *rule_who(enum who w);
const char *rule_verdict(enum verdict v);
const char *chain_name(enum chain_id c);
/* Name of the set of this family: set_name("ban", FAMILY_V6) is "ban6". */
enum { SET_NAME = 16 };
const char *set_name(const char *stem, enum family f, char out[SET_NAME]);
