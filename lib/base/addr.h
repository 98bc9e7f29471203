/*
 * addr: an IPv4 or IPv6 socket address, and networks of them. IPv4-mapped IPv6 is turned into IPv4
 * at the door.
 */
#pragma once

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "base/buf.h"
#include "base/str.h"

struct addr {
	union {
		struct sockaddr sa;
		struct sockaddr_in in;
		struct sockaddr_in6 in6;
	};
};

struct cidr {
	struct addr net; /* host bits cleared, port 0 unless one was given */
	uint8_t bits;
};

/*
 * "192.0.2.1", "192.0.2.1:5060", "2001:db8::1", "[2001:db8::1]:5060". 0 or -EINVAL. Without a port:
 * default_port.
 */
int addr_parse(struct str s, uint16_t default_port, struct addr *ret);
/* From what the kernel gave; -EAFNOSUPPORT for other families. */
int addr_from_sa(const struct sockaddr *sa, socklen_t n, struct addr *ret);
socklen_t addr_len(const struct addr *a);
uint16_t addr_port(const struct addr *a);
void addr_set_port(struct addr *a, uint16_t port);
bool addr_is_v6(const struct addr *a);
bool addr_is_set(const struct addr *a);
/* Address and port; and the address alone. */
bool addr_eq(const struct addr *a, const struct addr *b);
bool addr_eq_host(const struct addr *a, const struct addr *b);
uint64_t addr_hash(const struct addr *a);
uint64_t addr_hash_host(const struct addr *a);
bool addr_is_any(const struct addr *a);
bool addr_is_loopback(const struct addr *a);
bool addr_is_multicast(const struct addr *a); /* and the IPv4 broadcast address */
/* RFC 1918, RFC 6598 (CGNAT), link local, unique local. */
bool addr_is_private(const struct addr *a);

enum { ADDR_TEXT = 56 };
/* "192.0.2.1:5060", "[2001:db8::1]:5060"; and without port and brackets. */
const char *addr_text(const struct addr *a, char out[ADDR_TEXT]);
const char *addr_host_text(const struct addr *a, char out[ADDR_TEXT]);

/*
 * "192.0.2.0/24", a single address, either with ":port" behind. Host bits must be clear. 0 or
 * -EINVAL.
 */
int cidr_parse(struct str s, struct cidr *ret);
/* Compares the port too if the network has one. */
bool cidr_has(const struct cidr *c, const struct addr *a);
