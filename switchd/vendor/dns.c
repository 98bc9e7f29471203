#include "vendor/dns.h"

#include <arpa/nameser.h>
#include <errno.h>
#include <resolv.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { RECORDS_MAX = 16, LABEL_MAX = 63, SRV_FIXED = 6, NAPTR_FIXED = 4 };

struct service { /* SRV */
	char host[NS_MAXDNAME];
	uint16_t priority, weight, port;
};

/* One walk: what is asked, and what came of it so far. */
struct walk {
	const struct dns_place *place;
	dns_ask_fn *ask;
	void *ctx;
	struct dns_answer *out;
	uint8_t bytes[DNS_ANSWER_BYTES];
};

/* ---- reading ---- */

static uint16_t get16(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

static bool get_name(const ns_msg *m, const uint8_t *at, char out[NS_MAXDNAME])
{
	return dn_expand(ns_msg_base(*m), ns_msg_end(*m), at, out, NS_MAXDNAME) >= 0;
}

/* The n-th answer record of that type; false at the end. Broken ones are passed over. */
static bool next_record(ns_msg *m, enum dns_type type, int *n, ns_rr *ret)
{
	while (*n < ns_msg_count(*m, ns_s_an)) {
		if (ns_parserr(m, ns_s_an, (*n)++, ret) < 0)
			return false;
		if ((int)ns_rr_type(*ret) == (int)type && ns_rr_class(*ret) == ns_c_in)
			return true;
	}
	return false;
}

/* 0 with *m over the walk's bytes, or what the question came to. */
static int ask(struct walk *w, const char *name, enum dns_type type, ns_msg *m)
{
	int n = w->ask(w->ctx, name, type, w->bytes, (int)sizeof(w->bytes));

	if (n < 0)
		return n;
	if (n > (int)sizeof(w->bytes) || ns_initparse(w->bytes, n, m) < 0)
		return -EAGAIN;
	return 0;
}

/* ---- addresses ---- */

static void put_target(struct walk *w, struct addr *a, const struct service *s)
{
	struct dns_answer *out = w->out;

	if (addr_is_any(a) || addr_is_multicast(a) || out->count == DNS_TARGETS_MAX)
		return;
	addr_set_port(a, s->port);
	for (int i = 0; i < out->count; i++) {
		if (addr_eq(&out->target[i].addr, a))
			return;
	}
	out->target[out->count++] = (struct dns_target){ *a, s->priority, s->weight };
}

static int add_family(struct walk *w, const struct service *s, enum dns_type type)
{
	ns_msg m;
	ns_rr rr;
	int i = 0, r = ask(w, s->host, type, &m);

	while (r == 0 && next_record(&m, type, &i, &rr)) {
		struct addr a = { 0 };

		if (type == DNS_A && ns_rr_rdlen(rr) == sizeof(a.in.sin_addr)) {
			a.in.sin_family = AF_INET;
			memcpy(&a.in.sin_addr, ns_rr_rdata(rr), sizeof(a.in.sin_addr));
		} else if (type == DNS_AAAA && ns_rr_rdlen(rr) == sizeof(a.in6.sin6_addr)) {
			a.in6.sin6_family = AF_INET6;
			memcpy(&a.in6.sin6_addr, ns_rr_rdata(rr), sizeof(a.in6.sin6_addr));
		} else {
			continue;
		}
		put_target(w, &a, s);
	}
	return r;
}

/* What does not exist adds nothing; only not to know is a failure. */
static int add_addresses(struct walk *w, const struct service *s)
{
	int r = add_family(w, s, DNS_A);

	if ((r == 0 || r == -ENOENT) && w->place->with_v6)
		r = add_family(w, s, DNS_AAAA);
	return r == -ENOENT ? 0 : r;
}

/* ---- SRV ---- */

static int read_services(ns_msg *m, struct service *out)
{
	ns_rr rr;
	int count = 0, i = 0;

	while (count < RECORDS_MAX && next_record(m, DNS_SRV, &i, &rr)) {
		const uint8_t *d = ns_rr_rdata(rr);
		struct service *s = &out[count];

		if (ns_rr_rdlen(rr) <= SRV_FIXED || !get_name(m, d + SRV_FIXED, s->host))
			continue;
		s->priority = get16(d);
		s->weight = get16(d + 2);
		s->port = get16(d + 4);
		if (s->host[0] && strcmp(s->host, ".") != 0 && s->port)
			count++;
	}
	return count;
}

/* *ret_count: how many records stand under the name. 0, -ENOENT: none. */
static int add_services(struct walk *w, const char *name, int *ret_count)
{
	struct service found[RECORDS_MAX];
	ns_msg m;
	int r = ask(w, name, DNS_SRV, &m);

	*ret_count = r == 0 ? ns_msg_count(m, ns_s_an) : 0;
	if (r < 0)
		return r;

	int n = read_services(&m, found);

	for (int i = 0; r == 0 && i < n; i++)
		r = add_addresses(w, &found[i]);
	return r;
}

/* ---- NAPTR ---- */

static const char *service_of(enum proto p)
{
	return p == PROTO_TLS ? "SIPS+D2T" : p == PROTO_TCP ? "SIP+D2T" : "SIP+D2U";
}

/* One character string of the record at *at; false if it does not fit. */
static bool get_string(const uint8_t *d, size_t size, size_t *at, struct str *ret)
{
	if (*at >= size || *at + 1 + d[*at] > size)
		return false;
	*ret = str_n(d + *at + 1, d[*at]);
	*at += 1u + d[*at];
	return true;
}

/* A record that leads on to SRV ("s") of our transport. */
static bool read_pointer(ns_msg *m, const ns_rr *rr, enum proto proto, char out[NS_MAXDNAME])
{
	const uint8_t *d = ns_rr_rdata(*rr);
	size_t size = ns_rr_rdlen(*rr), at = NAPTR_FIXED;
	struct str flags, service, regexp;

	if (size < NAPTR_FIXED || !get_string(d, size, &at, &flags) ||
	    !get_string(d, size, &at, &service) || !get_string(d, size, &at, &regexp) || at >= size)
		return false;
	return str_ieq(flags, STR("s")) && regexp.n == 0 &&
	       str_ieq(service, str_of(service_of(proto))) && get_name(m, d + at, out) && out[0];
}

/* The name of the SRV records that a domain points at; else the usual one. */
static int find_services(struct walk *w, char out[NS_MAXDNAME])
{
	static const char *const usual[] = {
		[PROTO_UDP] = "_sip._udp", [PROTO_TCP] = "_sip._tcp", [PROTO_TLS] = "_sips._tcp"
	};
	char name[NS_MAXDNAME];
	uint32_t best = UINT32_MAX;
	ns_msg m;
	ns_rr rr;
	int i = 0, r = ask(w, w->place->host, DNS_NAPTR, &m);

	(void)snprintf(out, NS_MAXDNAME, "%s.%s", usual[w->place->proto], w->place->host);
	while (r == 0 && next_record(&m, DNS_NAPTR, &i, &rr)) {
		if (!read_pointer(&m, &rr, w->place->proto, name))
			continue;

		const uint8_t *d = ns_rr_rdata(rr);
		uint32_t order = (uint32_t)get16(d) << 16 | get16(d + 2);

		if (order < best) {
			best = order;
			memcpy(out, name, NS_MAXDNAME);
		}
	}
	/* Some servers refuse what they have never heard of; it is the usual name then. */
	return 0;
}

/* ---- all of it ---- */

static int by_priority(const void *a, const void *b)
{
	const struct dns_target *x = a, *y = b;
	char one[ADDR_TEXT], other[ADDR_TEXT];

	if (x->priority != y->priority)
		return x->priority < y->priority ? -1 : 1;
	return strcmp(addr_text(&x->addr, one), addr_text(&y->addr, other));
}

int dns_locate(const struct dns_place *p, dns_ask_fn *ask_one, void *ctx, struct dns_answer *ret)
{
	struct walk w = { .place = p, .ask = ask_one, .ctx = ctx, .out = ret };
	struct service direct = { .port = p->port ? p->port : proto_port(p->proto) };
	char name[NS_MAXDNAME];
	int r = -ENOENT, records = 0;

	ret->count = 0;
	(void)snprintf(direct.host, sizeof(direct.host), "%s", p->host);
	if (p->port == 0) {
		r = find_services(&w, name);
		if (r == 0)
			r = add_services(&w, name, &records);
		if (r < 0 && r != -ENOENT)
			return r;
	}
	/* RFC 3263 §4.2: with SRV records, if they lead nowhere, too, nothing else is looked at. */
	if (records == 0)
		r = add_addresses(&w, &direct);
	if (r == 0 && ret->count == 0)
		r = -ENOENT;
	qsort(ret->target, (size_t)ret->count, sizeof(ret->target[0]), by_priority);
	return r;
}

bool dns_answer_eq(const struct dns_answer *a, const struct dns_answer *b)
{
	if (a->count != b->count)
		return false;
	for (int i = 0; i < a->count; i++) {
		const struct dns_target *x = &a->target[i], *y = &b->target[i];

		if (!addr_eq(&x->addr, &y->addr) || x->priority != y->priority ||
		    x->weight != y->weight)
			return false;
	}
	return true;
}

static bool is_label(struct str s)
{
	if (s.n == 0 || s.n > LABEL_MAX || s.p[0] == '-' || s.p[s.n - 1] == '-')
		return false;
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];

		if ((c < '0' || c > '9') && ((c | 0x20) < 'a' || (c | 0x20) > 'z') && c != '-')
			return false;
	}
	return true;
}

int dns_name_parse(struct str text, struct str *ret_host, uint16_t *ret_port)
{
	struct str host = text, label, rest;
	uint32_t port = 0;
	ptrdiff_t colon = str_chr(text, ':');

	if (colon >= 0) {
		host = str_head(text, (size_t)colon);
		if (str_to_u32(str_skip(text, (size_t)colon + 1), UINT16_MAX, &port) < 0 ||
		    port == 0)
			return -EINVAL;
	}
	rest = host;
	label = host;
	if (host.n == 0 || host.n > DNS_NAME_MAX || host.p[host.n - 1] == '.')
		return -EINVAL;
	while (str_split(&rest, '.', &label)) {
		if (!is_label(label))
			return -EINVAL;
	}
	if (str_is_digits(label)) /* no top level is; so no mistyped address is a name */
		return -EINVAL;
	*ret_host = host;
	*ret_port = (uint16_t)port;
	return 0;
}
