#include "base/addr.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

#include "base/htab.h"

enum { V4_BITS = 32, V6_BITS = 128, MAPPED_BITS = 96 };

/* The octets of the address, in network order. */
static struct str octets(const struct addr *a)
{
	if (addr_is_v6(a))
		return str_n(&a->in6.sin6_addr, sizeof(a->in6.sin6_addr));
	return str_n(&a->in.sin_addr, a->sa.sa_family == AF_INET ? sizeof(a->in.sin_addr) : 0);
}

static uint32_t v4(const struct addr *a)
{
	return ntohl(a->in.sin_addr.s_addr);
}

static struct addr from_v4(struct in_addr in, uint16_t port)
{
	struct addr a;

	memset(&a, 0, sizeof(a));
	a.in.sin_family = AF_INET;
	a.in.sin_addr = in;
	a.in.sin_port = htons(port);
	return a;
}

static struct addr from_v6(struct in6_addr in6, uint32_t scope, uint16_t port)
{
	struct addr a;

	if (IN6_IS_ADDR_V4MAPPED(&in6)) {
		struct in_addr in;

		memcpy(&in, &in6.s6_addr[12], sizeof(in));
		return from_v4(in, port);
	}
	memset(&a, 0, sizeof(a));
	a.in6.sin6_family = AF_INET6;
	a.in6.sin6_addr = in6;
	a.in6.sin6_scope_id = scope;
	a.in6.sin6_port = htons(port);
	return a;
}

/* An address alone, without brackets. */
static int parse_host(struct str s, struct addr *ret)
{
	char z[INET6_ADDRSTRLEN];
	struct in_addr in;
	struct in6_addr in6;

	if (str_copy(z, sizeof(z), s) < 0)
		return -EINVAL;
	if (inet_pton(AF_INET, z, &in) == 1)
		*ret = from_v4(in, 0);
	else if (inet_pton(AF_INET6, z, &in6) == 1)
		*ret = from_v6(in6, 0, 0);
	else
		return -EINVAL;
	return 0;
}

static int parse_port(struct str s, uint16_t *ret)
{
	uint32_t port;

	if (s.n > 5 || str_to_u32(s, UINT16_MAX, &port) < 0)
		return -EINVAL;
	*ret = (uint16_t)port;
	return 0;
}

/*
 * Takes ":port" off the end of s, if it is there, and the brackets. One colon is a port's, several
 * without brackets are those of an IPv6 address.
 */
static int split_port(struct str *s, uint16_t *ret_port)
{
	bool bracket = str_has_prefix(*s, STR("["));
	ptrdiff_t at = bracket ? str_chr(*s, ']') : str_chr(*s, ':');
	struct str host, rest;

	if (at < 0)
		return bracket ? -EINVAL : 0;
	host = str_head(*s, (size_t)at);
	rest = str_skip(*s, (size_t)at + bracket);
	if (bracket)
		host = str_skip(host, 1);
	else if (str_chr(str_skip(rest, 1), ':') >= 0)
		return 0;

	if (bracket && str_chr(host, ':') < 0) /* [192.0.2.1] */
		return -EINVAL;
	if (rest.n && (rest.p[0] != ':' || parse_port(str_skip(rest, 1), ret_port) < 0))
		return -EINVAL;
	*s = host;
	return 0;
}

int addr_parse(struct str s, uint16_t default_port, struct addr *ret)
{
	struct addr a;
	uint16_t port = default_port;

	if (split_port(&s, &port) < 0 || parse_host(s, &a) < 0)
		return -EINVAL;
	addr_set_port(&a, port);
	*ret = a;
	return 0;
}

int addr_from_sa(const struct sockaddr *sa, socklen_t n, struct addr *ret)
{
	struct addr a;

	memset(&a, 0, sizeof(a));
	memcpy(&a, sa, n < sizeof(a) ? n : sizeof(a));
	if (a.sa.sa_family == AF_INET && n >= sizeof(a.in))
		*ret = from_v4(a.in.sin_addr, ntohs(a.in.sin_port));
	else if (a.sa.sa_family == AF_INET6 && n >= sizeof(a.in6))
		*ret = from_v6(a.in6.sin6_addr, a.in6.sin6_scope_id, ntohs(a.in6.sin6_port));
	else
		return -EAFNOSUPPORT;
	return 0;
}

socklen_t addr_len(const struct addr *a)
{
	if (addr_is_v6(a))
		return sizeof(a->in6);
	return a->sa.sa_family == AF_INET ? sizeof(a->in) : 0;
}

uint16_t addr_port(const struct addr *a)
{
	return ntohs(addr_is_v6(a) ? a->in6.sin6_port : a->in.sin_port);
}

void addr_set_port(struct addr *a, uint16_t port)
{
	if (addr_is_v6(a))
		a->in6.sin6_port = htons(port);
	else
		a->in.sin_port = htons(port);
}

bool addr_is_v6(const struct addr *a)
{
	return a->sa.sa_family == AF_INET6;
}

bool addr_is_set(const struct addr *a)
{
	return a->sa.sa_family != AF_UNSPEC;
}

bool addr_eq(const struct addr *a, const struct addr *b)
{
	return addr_eq_host(a, b) && addr_port(a) == addr_port(b);
}

bool addr_eq_host(const struct addr *a, const struct addr *b)
{
	return a->sa.sa_family == b->sa.sa_family && str_eq(octets(a), octets(b));
}

uint64_t addr_hash(const struct addr *a)
{
	uint16_t port = addr_port(a);

	return htab_hash2(octets(a), str_n(&port, sizeof(port)));
}

uint64_t addr_hash_host(const struct addr *a)
{
	return htab_hash(octets(a));
}

/* Is it in the IPv4 network of that many bits? */
static bool in_v4(const struct addr *a, uint32_t net, int bits)
{
	return a->sa.sa_family == AF_INET && (v4(a) ^ net) >> (V4_BITS - bits) == 0;
}

bool addr_is_any(const struct addr *a)
{
	if (addr_is_v6(a))
		return IN6_IS_ADDR_UNSPECIFIED(&a->in6.sin6_addr);
	return in_v4(a, INADDR_ANY, 32);
}

bool addr_is_loopback(const struct addr *a)
{
	if (addr_is_v6(a))
		return IN6_IS_ADDR_LOOPBACK(&a->in6.sin6_addr);
	return in_v4(a, 0x7f000000, 8);
}

bool addr_is_multicast(const struct addr *a)
{
	if (addr_is_v6(a))
		return IN6_IS_ADDR_MULTICAST(&a->in6.sin6_addr);
	return in_v4(a, 0xe0000000, 4) || in_v4(a, INADDR_BROADCAST, 32);
}

bool addr_is_private(const struct addr *a)
{
	if (addr_is_v6(a))
		return IN6_IS_ADDR_LINKLOCAL(&a->in6.sin6_addr) ||
		       (a->in6.sin6_addr.s6_addr[0] & 0xfe) == 0xfc;
	return in_v4(a, 0x0a000000, 8) || in_v4(a, 0xac100000, 12) || in_v4(a, 0xc0a80000, 16) ||
	       in_v4(a, 0x64400000, 10) || in_v4(a, 0xa9fe0000, 16);
}

const char *addr_host_text(const struct addr *a, char out[ADDR_TEXT])
{
	struct str o = octets(a);

	out[0] = 0;
	if (o.n)
		(void)inet_ntop(a->sa.sa_family, o.p, out, ADDR_TEXT);
	return out;
}

const char *addr_text(const struct addr *a, char out[ADDR_TEXT])
{
	char host[ADDR_TEXT];
	struct buf b = buf_fixed(out, ADDR_TEXT);

	if (addr_is_set(a))
		buf_printf(&b, addr_is_v6(a) ? "[%s]:%u" : "%s:%u", addr_host_text(a, host),
			   addr_port(a));
	return buf_cstr(&b);
}

/* Do the first `bits` bits agree? */
static bool same_bits(struct str a, struct str b, unsigned bits)
{
	unsigned whole = bits / 8;
	unsigned mask = 0xff00U >> bits % 8 & 0xff;

	if (!str_eq(str_head(a, whole), str_head(b, whole)))
		return false;
	return mask == 0 || ((a.p[whole] ^ b.p[whole]) & (int)mask) == 0;
}

static bool host_bits_are_clear(struct str o, unsigned bits)
{
	for (unsigned i = bits; i < o.n * 8; i++)
		if (o.p[i / 8] & 0x80 >> i % 8)
			return false;
	return true;
}

/* "24" or "24:5060". */
static int parse_bits(struct str s, uint32_t *ret_bits, uint16_t *ret_port)
{
	ptrdiff_t colon = str_chr(s, ':');
	struct str digits = colon < 0 ? s : str_head(s, (size_t)colon);

	if (digits.n > 3 || str_to_u32(digits, V6_BITS, ret_bits) < 0)
		return -EINVAL;
	return colon < 0 ? 0 : parse_port(str_skip(s, (size_t)colon + 1), ret_port);
}

int cidr_parse(struct str s, struct cidr *ret)
{
	ptrdiff_t slash = str_chr(s, '/');
	struct cidr c;
	uint32_t bits;
	uint16_t port = 0;

	if (slash < 0) {
		if (addr_parse(s, 0, &c.net) < 0)
			return -EINVAL;
		c.bits = addr_is_v6(&c.net) ? V6_BITS : V4_BITS;
		*ret = c;
		return 0;
	}

	struct str host = str_head(s, (size_t)slash);
	if (parse_host(host, &c.net) < 0 ||
	    parse_bits(str_skip(s, (size_t)slash + 1), &bits, &port) < 0)
		return -EINVAL;
	if (!addr_is_v6(&c.net) && str_chr(host, ':') >= 0) { /* ::ffff:192.0.2.0/120 */
		if (bits < MAPPED_BITS)
			return -EINVAL;
		bits -= MAPPED_BITS;
	}
	if (bits > octets(&c.net).n * 8 || !host_bits_are_clear(octets(&c.net), bits))
		return -EINVAL;
	addr_set_port(&c.net, port);
	c.bits = (uint8_t)bits;
	*ret = c;
	return 0;
}

bool cidr_has(const struct cidr *c, const struct addr *a)
{
	uint16_t port = addr_port(&c->net);

	return c->net.sa.sa_family == a->sa.sa_family && (port == 0 || port == addr_port(a)) &&
	       same_bits(octets(&c->net), octets(a), c->bits);
}
