#include "number/naptr.h"

#include <arpa/nameser.h>
#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "base/buf.h"
#include "vendor/dns.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

/* What an expression may cost is bounded as in number/pattern. */
enum { HEAD = 12, RECORDS = 64, FIXED = 4, STEPS = 5000, DEPTH = 500, HEAP_KIB = 256, NEST = 8 };
enum { GROUPS = 10 };

/* ---- asking ---- */

static void put_label(struct naptr_question *q, struct str s)
{
	q->bytes[q->n++] = (uint8_t)s.n;
	memcpy(q->bytes + q->n, s.p, s.n);
	q->n += s.n;
}

static void put16(struct naptr_question *q, unsigned value)
{
	q->bytes[q->n++] = (uint8_t)(value >> 8);
	q->bytes[q->n++] = (uint8_t)value;
}

/* The digits from the last to the first, then the zone. */
static void put_name(struct naptr_question *q, struct str number, struct str zone)
{
	struct str label;

	for (size_t i = number.n; i-- > 0;)
		put_label(q, str_n(number.p + i, 1));
	while (str_split(&zone, '.', &label))
		put_label(q, label);
	q->bytes[q->n++] = 0;
}

static void put_head(struct naptr_question *q, uint16_t id)
{
	q->n = 0;
	put16(q, id);
	put16(q, 0x0100); /* recursion desired */
	put16(q, 1);
	put16(q, 0);
	put16(q, 0);
	put16(q, 1);
}

/* Behind the name. */
static void put_tail(struct naptr_question *q)
{
	q->name_n = q->n - HEAD;
	put16(q, DNS_NAPTR);
	put16(q, ns_c_in);
	/* EDNS0 (RFC 6891): a long answer is not cut off at 512 octets. */
	q->bytes[q->n++] = 0;
	put16(q, ns_t_opt);
	put16(q, NAPTR_ANSWER_BYTES);
	put16(q, 0);
	put16(q, 0);
	put16(q, 0);
}

int naptr_ask(struct naptr_question *ret, struct str number, struct str zone, uint16_t id)
{
	struct str host, digits = number;
	uint16_t port;

	if (str_has_prefix(digits, STR("+")))
		digits = str_skip(digits, 1);
	if (!str_is_digits(digits) || digits.n > PORTED_DIGITS || zone.n > NAPTR_ZONE_MAX ||
	    2 * digits.n + zone.n > DNS_NAME_MAX || dns_name_parse(zone, &host, &port) < 0 ||
	    host.n != zone.n)
		return -EINVAL;
	*ret = (struct naptr_question){ .number = "+" };
	(void)str_copy(ret->number + 1, sizeof(ret->number) - 1, digits);
	put_head(ret, id);
	put_name(ret, digits, zone);
	put_tail(ret);
	return 0;
}

void naptr_follow(struct naptr_question *q, const struct naptr_answer *a, uint16_t id)
{
	put_head(q, id);
	memcpy(q->bytes + q->n, a->next, a->next_n);
	q->n += a->next_n;
	put_tail(q);
}

/* ---- the expression of a record ---- */

struct rewrite {
	struct str from, to;
	bool is_caseless;
};

/* "!from!to!" and "i"; any character may stand for '!', and none of it stands in the parts. */
static bool split(struct str text, struct rewrite *ret)
{
	struct str rest = str_skip(text, 1);
	ptrdiff_t at;

	if (text.n < 4 || (text.p[0] >= '0' && text.p[0] <= '9') || text.p[0] == '\\' ||
	    text.p[0] == 'i')
		return false;
	at = str_chr(rest, text.p[0]);
	if (at <= 0)
		return false;
	ret->from = str_head(rest, (size_t)at);
	rest = str_skip(rest, (size_t)at + 1);
	at = str_chr(rest, text.p[0]);
	if (at <= 0)
		return false;
	ret->to = str_head(rest, (size_t)at);
	rest = str_skip(rest, (size_t)at + 1);
	ret->is_caseless = str_ieq(rest, STR("i"));
	return (rest.n == 0 || ret->is_caseless) && !str_has_prefix(ret->from, STR("(*"));
}

static pcre2_code *compile(const struct rewrite *w)
{
	pcre2_compile_context *c = pcre2_compile_context_create(NULL);
	pcre2_code *code = NULL;
	size_t at;
	int error;

	if (!c)
		return NULL;
	(void)pcre2_set_parens_nest_limit(c, NEST);
	code = pcre2_compile((PCRE2_SPTR)w->from.p, w->from.n,
			     PCRE2_NEVER_UTF | PCRE2_NEVER_UCP | PCRE2_NEVER_BACKSLASH_C |
				     PCRE2_DOLLAR_ENDONLY | (w->is_caseless ? PCRE2_CASELESS : 0),
			     &error, &at, c);
	pcre2_compile_context_free(c);
	return code;
}

static bool match(const pcre2_code *code, struct str number, pcre2_match_data *found)
{
	pcre2_match_context *limits = pcre2_match_context_create(NULL);
	int n = -1;

	if (limits) {
		(void)pcre2_set_match_limit(limits, STEPS);
		(void)pcre2_set_depth_limit(limits, DEPTH);
		(void)pcre2_set_heap_limit(limits, HEAP_KIB);
		n = pcre2_match(code, (PCRE2_SPTR)number.p, number.n, 0, 0, found, limits);
	}
	pcre2_match_context_free(limits);
	return n >= 0;
}

/* The replacement alone is the URI (RFC 6116 §3.4.1): the expression is meant to match the whole number. */
static void put_uri(struct str to, struct str number, pcre2_match_data *found, struct buf *out)
{
	const PCRE2_SIZE *at = pcre2_get_ovector_pointer(found);
	uint32_t groups = pcre2_get_ovector_count(found);

	for (size_t i = 0; i < to.n; i++) {
		char c = to.p[i];

		if (c != '\\' || i + 1 == to.n) {
			buf_putc(out, c);
			continue;
		}
		c = to.p[++i];
		if (c < '1' || c > '9') {
			buf_putc(out, c);
			continue;
		}

		size_t n = (size_t)(c - '0');

		if (n < groups && at[2 * n] != PCRE2_UNSET && at[2 * n] <= at[2 * n + 1] &&
		    at[2 * n + 1] <= number.n)
			buf_put(out, str_n(number.p + at[2 * n], at[2 * n + 1] - at[2 * n]));
	}
}

static bool rewrite(struct str expression, struct str number, struct buf *out)
{
	struct rewrite w;
	pcre2_code *code = split(expression, &w) ? compile(&w) : NULL;
	pcre2_match_data *found = code ? pcre2_match_data_create(GROUPS, NULL) : NULL;
	bool is = found && match(code, number, found);

	if (is)
		put_uri(w.to, number, found, out);
	pcre2_match_data_free(found);
	pcre2_code_free(code);
	return is && buf_error(out) == 0;
}

/* ---- reading ---- */

struct record {
	uint32_t rank; /* order, then preference */
	struct str flags, services, expression;
	const uint8_t *replacement; /* a domain, which may be compressed */
};

static bool get_string(const uint8_t *d, size_t size, size_t *at, struct str *ret)
{
	if (*at >= size || *at + 1 + d[*at] > size)
		return false;
	*ret = str_n(d + *at + 1, d[*at]);
	*at += 1u + d[*at];
	return true;
}

static bool read_record(const ns_rr *rr, struct record *ret)
{
	const uint8_t *d = ns_rr_rdata(*rr);
	size_t size = ns_rr_rdlen(*rr), at = FIXED;

	if ((int)ns_rr_type(*rr) != DNS_NAPTR || ns_rr_class(*rr) != ns_c_in || size < FIXED ||
	    !get_string(d, size, &at, &ret->flags) || !get_string(d, size, &at, &ret->services) ||
	    !get_string(d, size, &at, &ret->expression))
		return false;
	ret->replacement = d + at;
	ret->rank = (uint32_t)d[0] << 24 | (uint32_t)d[1] << 16 | (uint32_t)d[2] << 8 | d[3];
	return true;
}

/* "E2U+pstn:tel", "E2U+voicemsg:tel+sip": what is behind each plus, up to its colon. */
static bool has_service(struct str services, struct str wanted)
{
	struct str one;

	if (!str_split(&services, '+', &one) || !str_ieq(one, STR("E2U")))
		return false;
	while (str_split(&services, '+', &one)) {
		ptrdiff_t colon = str_chr(one, ':');

		if (str_ieq(colon < 0 ? one : str_head(one, (size_t)colon), wanted))
			return true;
	}
	return false;
}

/* As ported_uri; of pstn a URI without npdi is where the number is, too. */
static int read_service(const struct record *r, struct str number, char ret[PORTED_DIGITS + 1])
{
	CLEANUP(buf_done) struct buf uri = BUF_INIT;
	bool is_pstn = has_service(r->services, STR("pstn"));
	int known;

	if (!str_ieq(r->flags, STR("u")) || (!is_pstn && !has_service(r->services, STR("sip"))) ||
	    !rewrite(r->expression, number, &uri))
		return -ENOENT;
	known = ported_uri(buf_str(&uri), ret);
	return known == -ENODATA && is_pstn ? 0 : known;
}

/* Was that asked, and by that number? A name server's case of letters is its own. */
static bool is_answer(const struct naptr_question *q, const uint8_t *bytes, size_t n)
{
	size_t size = HEAD + q->name_n;

	return n >= size + 4 && memcmp(bytes, q->bytes, 2) == 0 && (bytes[2] & 0x80) &&
	       bytes[4] == 0 && bytes[5] == 1 &&
	       str_ieq(str_n(bytes + HEAD, q->name_n), str_n(q->bytes + HEAD, q->name_n)) &&
	       memcmp(bytes + size, q->bytes + size, 4) == 0;
}

/* A record that leads on: no flags, no expression, a domain other than the root, and no service but one that is asked for. */
static bool leads_on(const struct record *r)
{
	return r->flags.n == 0 && r->expression.n == 0 &&
	       (r->services.n == 0 || has_service(r->services, STR("pstn")) ||
		has_service(r->services, STR("sip")));
}

/* False: its replacement is no domain, or the root. */
static bool take_next(const ns_msg *m, const struct record *r, struct naptr_answer *ret)
{
	uint8_t name[NAPTR_NAME_BYTES];
	const uint8_t *p = name;

	if (ns_name_unpack(ns_msg_base(*m), ns_msg_end(*m), r->replacement, name, sizeof(name)) < 0)
		return false;
	while (*p)
		p += 1 + *p;
	if (p == name)
		return false;
	ret->next_n = (size_t)(p + 1 - name);
	memcpy(ret->next, name, ret->next_n);
	return true;
}

/* The best of those that say something, and the best of those that lead on if it comes before. */
static int read_records(const struct naptr_question *q, ns_msg *m, struct naptr_answer *ret)
{
	uint32_t best = UINT32_MAX, best_next = UINT32_MAX;
	int known = -ENOENT, records = 0;
	ns_rr rr;

	for (int i = 0; i < ns_msg_count(*m, ns_s_an) && records < RECORDS; i++) {
		char digits[PORTED_DIGITS + 1] = "";
		struct record one;

		if (ns_parserr(m, ns_s_an, i, &rr) < 0)
			return -EAGAIN;
		if (!read_record(&rr, &one))
			continue;
		records++;
		if (leads_on(&one) && one.rank < best_next && take_next(m, &one, ret))
			best_next = one.rank;
		if (known >= 0 && one.rank >= best)
			continue;

		int r = read_service(&one, str_of(q->number), digits);

		if (r < 0)
			continue;
		known = r;
		best = one.rank;
		memcpy(ret->digits, digits, sizeof(digits));
	}
	if (best < best_next)
		ret->next_n = 0;
	return records == 0 ? -ENODATA : known;
}

int naptr_read(const struct naptr_question *q, const uint8_t *bytes, size_t n,
	       struct naptr_answer *ret)
{
	ns_msg m;

	*ret = (struct naptr_answer){ 0 };
	if (!is_answer(q, bytes, n))
		return -EPROTO;
	if (bytes[2] & 0x02)
		return -EMSGSIZE;
	switch (bytes[3] & 0x0f) {
	case ns_r_noerror:
		break;
	case ns_r_nxdomain:
		return -ENODATA;
	default:
		return -EAGAIN;
	}
	if (n > INT32_MAX || ns_initparse(bytes, (int)n, &m) < 0)
		return -EAGAIN;
	return read_records(q, &m, ret);
}
