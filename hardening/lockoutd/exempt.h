/*
 * exempt: addresses that must never be banned, whoever asks: gateways, the administrators' hosts, the
 * machine itself, its routers and name servers. The kernel looks at them before the ban set.
 */
#pragma once

#include "base/addr.h"
#include "base/cleanup.h"
#include "rule.h"

/* Who said so. All that one origin says is replaced at once. */
enum origin {
	ORIGIN_FIXED,   /* loopback, link local, multicast */
	ORIGIN_MACHINE, /* own addresses, routers, name servers */
	ORIGIN_ADMIN,   /* tandem.conf */
	ORIGIN_IGNORED, /* ignoreip, a parameter of switchd */
	ORIGIN_GATEWAY, /* switchd */
	ORIGIN_COUNT
};

enum { EXEMPT_MAX = 65536, WHY_MAX = 96 };

struct exempt;

/* A whole range of addresses, both ends included, in the order of the network; 4 or 16 bytes. */
struct span {
	uint8_t first[16], last[16];
};

/* With the fixed ones in it. 0 or -ENOMEM. */
int exempt_create(struct exempt **ret);
struct exempt *exempt_free(struct exempt *e);
DEFINE_CLEANUP(struct exempt *, exempt_free);

/*
 * What follows is what this origin says from now on. exempt_add between begin and end; an -ENOMEM
 * there leaves the old addresses at the end. Networks wider than /8, or /16 of IPv6, are not taken:
 * -ERANGE, for they would switch everything off. -ENOSPC over EXEMPT_MAX.
 */
void exempt_begin(struct exempt *e, enum origin from);
int exempt_add(struct exempt *e, const struct cidr *net, struct str why);
/* True if the addresses are others than before. */
bool exempt_end(struct exempt *e);

/* Why no address of this network may be banned; NULL: it may. */
const char *exempt_why(const struct exempt *e, const struct cidr *net);
/* Walks them: NULL at the end. */
const struct cidr *exempt_item(const struct exempt *e, enum origin from, size_t i,
			       const char **why);
/* Ranges of a family, sorted, none touching another; the caller frees. 0 or -ENOMEM. */
int exempt_spans(const struct exempt *e, enum family f, struct span **ret, size_t *ret_n);

/* An address as the bytes of a set's key: how many (4 or 16). */
size_t addr_bytes(const struct addr *a, uint8_t out[16]);
/* And back. 0, or -EINVAL for any other length. */
int addr_from_bytes(const void *p, size_t n, struct addr *ret);
/* What a ban is about: the address of IPv4, the /64 of IPv6; without port. */
struct cidr ban_net(const struct addr *a);
/*
 * What an operator may ban: that, or a wider network, up to a /8 or an IPv6 /32. 0; -ERANGE if it is
 * wider still. ban_is_wide: is it more than ban_net gives?
 */
int ban_of(const struct cidr *given, struct cidr *ret);
bool ban_is_wide(const struct cidr *net);
/* The next wider network; false at the widest. Without port. */
bool ban_widen(struct cidr *net);
