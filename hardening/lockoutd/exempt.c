#include "exempt.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum {
	V4_BITS_MIN = 8,
	V6_BITS_MIN = 16,
	V4_BAN_BITS = 32,
	V6_BAN_BITS = 64,
	V4_BAN_LEAST = 8, /* of a network that may be banned whole */
	V6_BAN_LEAST = 32,
	V4_BYTES = 4,
	V6_BYTES = 16,
};

struct item {
	struct cidr net;
	char why[WHY_MAX];
};

struct items {
	struct item *p;
	size_t n, room;
};

struct exempt {
	struct items of[ORIGIN_COUNT];
	struct items coming; /* between begin and end */
	enum origin from;
	bool is_short; /* of memory, since begin */
};

/* Nobody out there: a ban of one of these could only hit the machine itself. */
static const struct {
	const char *net, *why;
} fixed[] = {
	{ "0.0.0.0/8", "nobody's address" },
	{ "127.0.0.0/8", "loopback" },
	{ "169.254.0.0/16", "link local" },
	{ "224.0.0.0/3", "multicast and broadcast" },
	{ "::/64", "loopback" },
	{ "fe80::/10", "link local" },
	{ "ff00::/8", "multicast" },
};

size_t addr_bytes(const struct addr *a, uint8_t out[16])
{
	if (addr_is_v6(a)) {
		memcpy(out, &a->in6.sin6_addr, V6_BYTES);
		return V6_BYTES;
	}
	memcpy(out, &a->in.sin_addr, V4_BYTES);
	return V4_BYTES;
}

int addr_from_bytes(const void *p, size_t n, struct addr *ret)
{
	struct addr a = { .in = { .sin_family = AF_INET } };

	if (n == V6_BYTES) {
		a = (struct addr){ .in6 = { .sin6_family = AF_INET6 } };
		memcpy(&a.in6.sin6_addr, p, n);
	} else if (n == V4_BYTES) {
		memcpy(&a.in.sin_addr, p, n);
	} else {
		return -EINVAL;
	}
	*ret = a;
	return 0;
}

struct cidr ban_net(const struct addr *a)
{
	struct cidr c = { .net = *a, .bits = 32 };

	addr_set_port(&c.net, 0);
	if (addr_is_v6(a)) {
		c.bits = V6_BAN_BITS;
		memset(c.net.in6.sin6_addr.s6_addr + V6_BAN_BITS / 8, 0, V6_BAN_BITS / 8);
		c.net.in6.sin6_scope_id = 0;
		c.net.in6.sin6_flowinfo = 0;
	}
	return c;
}

static uint8_t natural_bits(const struct addr *a)
{
	return addr_is_v6(a) ? V6_BAN_BITS : V4_BAN_BITS;
}

bool ban_is_wide(const struct cidr *net)
{
	return net->bits < natural_bits(&net->net);
}

int ban_of(const struct cidr *given, struct cidr *ret)
{
	if (given->bits < (addr_is_v6(&given->net) ? V6_BAN_LEAST : V4_BAN_LEAST))
		return -ERANGE;
	*ret = ban_net(&given->net);
	if (given->bits < ret->bits)
		ret->bits = given->bits;
	return 0;
}

bool ban_widen(struct cidr *net)
{
	uint8_t *p = addr_is_v6(&net->net) ? net->net.in6.sin6_addr.s6_addr
					   : (uint8_t *)&net->net.in.sin_addr;

	if (net->bits <= (addr_is_v6(&net->net) ? V6_BAN_LEAST : V4_BAN_LEAST))
		return false;
	net->bits--;
	p[net->bits / 8] &= (uint8_t) ~(0x80 >> net->bits % 8);
	return true;
}

/* ---- what an origin says ---- */

void exempt_begin(struct exempt *e, enum origin from)
{
	e->from = from;
	e->coming.n = 0;
	e->is_short = false;
}

static int make_room(struct items *l)
{
	size_t room = l->room ? l->room * 2 : 16;
	struct item *p;

	if (l->p && l->n < l->room)
		return 0;
	p = reallocarray(l->p, room, sizeof(*p));
	if (!p)
		return -ENOMEM;
	l->p = p;
	l->room = room;
	return 0;
}

int exempt_add(struct exempt *e, const struct cidr *net, struct str why)
{
	int least = addr_is_v6(&net->net) ? V6_BITS_MIN : V4_BITS_MIN;
	struct item *i;

	if (net->bits < least && e->from != ORIGIN_FIXED)
		return -ERANGE;
	if (e->coming.n >= EXEMPT_MAX)
		return -ENOSPC;
	if (make_room(&e->coming) < 0) {
		e->is_short = true;
		return -ENOMEM;
	}
	i = &e->coming.p[e->coming.n++];
	i->net = *net;
	addr_set_port(&i->net.net, 0);
	(void)str_copy(i->why, sizeof(i->why), str_head(why, sizeof(i->why) - 1));
	return 0;
}

static bool same(const struct items *a, const struct items *b)
{
	if (a->n != b->n)
		return false;
	for (size_t i = 0; i < a->n; i++) {
		if (a->p[i].net.bits != b->p[i].net.bits ||
		    !addr_eq_host(&a->p[i].net.net, &b->p[i].net.net) ||
		    strcmp(a->p[i].why, b->p[i].why) != 0)
			return false;
	}
	return true;
}

bool exempt_end(struct exempt *e)
{
	struct items old = e->of[e->from];

	if (e->is_short || same(&old, &e->coming))
		return false;
	e->of[e->from] = e->coming;
	e->coming = old;
	return true;
}

/* ---- questions ---- */

static void ends_of(const struct cidr *c, struct span *ret)
{
	size_t n = addr_bytes(&c->net, ret->first);

	memcpy(ret->last, ret->first, n);
	for (size_t bit = c->bits; bit < n * 8; bit++)
		ret->last[bit / 8] |= (uint8_t)(0x80 >> bit % 8);
}

static bool overlap(const struct cidr *a, const struct cidr *b)
{
	size_t n = addr_is_v6(&a->net) ? V6_BYTES : V4_BYTES;
	struct span x, y;

	if (addr_is_v6(&a->net) != addr_is_v6(&b->net))
		return false;
	ends_of(a, &x);
	ends_of(b, &y);
	return memcmp(x.first, y.last, n) <= 0 && memcmp(y.first, x.last, n) <= 0;
}

const char *exempt_why(const struct exempt *e, const struct cidr *net)
{
	for (int from = 0; from < ORIGIN_COUNT; from++) {
		const struct items *l = &e->of[from];

		for (size_t i = 0; i < l->n; i++) {
			if (overlap(&l->p[i].net, net))
				return l->p[i].why;
		}
	}
	return NULL;
}

const struct cidr *exempt_item(const struct exempt *e, enum origin from, size_t i, const char **why)
{
	const struct items *l = &e->of[from];

	if (i >= l->n)
		return NULL;
	*why = l->p[i].why;
	return &l->p[i].net;
}

static int by_first(const void *a, const void *b)
{
	const struct span *x = a, *y = b;

	return memcmp(x->first, y->first, sizeof(x->first));
}

/* Is y behind x with at least one address between them? */
static bool is_apart(const struct span *x, const struct span *y, size_t n)
{
	uint8_t next[V6_BYTES];
	size_t i = n;

	memcpy(next, x->last, n);
	while (i > 0 && ++next[i - 1] == 0)
		i--;
	return i > 0 && memcmp(y->first, next, n) > 0;
}

static size_t merge(struct span *s, size_t count, size_t n)
{
	size_t kept = 0;

	for (size_t i = 0; i < count; i++) {
		if (kept == 0 || is_apart(&s[kept - 1], &s[i], n))
			s[kept++] = s[i];
		else if (memcmp(s[kept - 1].last, s[i].last, n) < 0)
			memcpy(s[kept - 1].last, s[i].last, n);
	}
	return kept;
}

int exempt_spans(const struct exempt *e, enum family f, struct span **ret, size_t *ret_n)
{
	size_t total = 0, n = 0;
	struct span *s;

	for (int from = 0; from < ORIGIN_COUNT; from++)
		total += e->of[from].n;
	s = calloc(total + 1, sizeof(*s));
	if (!s)
		return -ENOMEM;
	for (int from = 0; from < ORIGIN_COUNT; from++) {
		for (size_t i = 0; i < e->of[from].n; i++) {
			const struct cidr *c = &e->of[from].p[i].net;

			if (addr_is_v6(&c->net) == (f == FAMILY_V6))
				ends_of(c, &s[n++]);
		}
	}
	qsort(s, n, sizeof(*s), by_first);
	*ret_n = merge(s, n, f == FAMILY_V6 ? V6_BYTES : V4_BYTES);
	*ret = s;
	return 0;
}

/* ---- making ---- */

static int add_fixed(struct exempt *e)
{
	exempt_begin(e, ORIGIN_FIXED);
	for (size_t i = 0; i < sizeof(fixed) / sizeof(fixed[0]); i++) {
		struct cidr net;
		int r = cidr_parse(str_of(fixed[i].net), &net);

		assert(r == 0);
		r = exempt_add(e, &net, str_of(fixed[i].why));
		if (r < 0)
			return r;
	}
	(void)exempt_end(e);
	return 0;
}

int exempt_create(struct exempt **ret)
{
	CLEANUP(exempt_free) struct exempt *e = calloc(1, sizeof(*e));
	int r = e ? add_fixed(e) : -ENOMEM;

	if (r < 0)
		return r;
	*ret = TAKE(e);
	return 0;
}

struct exempt *exempt_free(struct exempt *e)
{
	if (!e)
		return NULL;
	for (int from = 0; from < ORIGIN_COUNT; from++)
		free(e->of[from].p);
	free(e->coming.p);
	free(e);
	return NULL;
}
