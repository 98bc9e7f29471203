#include "phone/contact.h"

#include <string.h>

#include "sip/lex.h"

/* A number of seconds; what is too large is as good as the largest (RFC 3261 §20.19), what is none counts as an hour. */
static int64_t seconds(struct str s)
{
	uint64_t v;

	if (!str_is_digits(s))
		return 3600;
	return str_to_u64(s, UINT32_MAX, &v) == 0 ? (int64_t)v : UINT32_MAX;
}

/* "0", "0.7", "1.000"; anything else is 1. */
static int read_q(struct str s)
{
	int q = 0, scale = 100;

	if (s.n < 2 || s.n > 5 || s.p[0] != '0' || s.p[1] != '.')
		return s.n == 1 && s.p[0] == '0' ? 0 : 1000;
	for (size_t i = 2; i < s.n; i++, scale /= 10) {
		if (s.p[i] < '0' || s.p[i] > '9')
			return 1000;
		q += (s.p[i] - '0') * scale;
	}
	return q;
}

static int read_one(struct str element, int64_t general, struct contact *c)
{
	struct name_addr a;
	struct str value;

	if (lex_name_addr(element, &a) < 0 || uri_parse(a.uri, &c->uri) < 0)
		return 400;
	if (c->uri.scheme != URI_SIP && c->uri.scheme != URI_SIPS)
		return 416;
	if (a.uri.n > CONTACT_MAX || c->uri.headers.n)
		return 400;
	c->text = a.uri;
	c->expires = lex_param(a.params, STR("expires"), &value) ? seconds(value) : general;
	c->q = lex_param(a.params, STR("q"), &value) ? read_q(value) : 1000;
	return 0;
}

int contacts_read(const struct msg *m, struct contacts *ret)
{
	struct str line, element, value;
	int64_t general = msg_header(m, "Expires", 0, &value) ? seconds(str_trim(value)) : -1;

	ret->is_all = false;
	ret->count = 0;
	for (int n = 0; msg_header(m, "Contact", n, &line); n++) {
		while (lex_split(&line, ',', &element)) {
			if (str_eq(element, STR("*"))) {
				ret->is_all = true;
				continue;
			}
			if (ret->count == BINDINGS_MAX)
				return 400;

			int code = read_one(element, general, &ret->contact[ret->count]);
			if (code)
				return code;
			ret->count++;
		}
	}
	/* RFC 3261 §10.2.2: "*" stands alone, and with Expires: 0. */
	return ret->is_all && (ret->count > 0 || general != 0) ? 400 : 0;
}

int contacts_path(const struct msg *m, struct buf *out)
{
	struct str line, element;

	for (int n = 0; msg_header(m, "Path", n, &line); n++) {
		while (lex_split(&line, ',', &element)) {
			struct name_addr a;
			struct uri u;

			if (str_chr(element, '<') < 0 || lex_name_addr(element, &a) < 0 ||
			    !lex_is_sound(a.params) || uri_parse(a.uri, &u) < 0 ||
			    (u.scheme != URI_SIP && u.scheme != URI_SIPS))
				return 400;
			buf_putz(out, out->n ? ", <" : "<");
			buf_put(out, a.uri);
			buf_putc(out, '>');
			buf_put(out, a.params);
		}
	}
	return out->n > PATH_MAX_BYTES ? 400 : 0;
}

static struct str transport_of(const struct uri *u)
{
	struct str v;

	return uri_param(u, "transport", &v) && v.n ? v : STR("udp");
}

bool contact_is_same(const struct uri *a, const struct uri *b)
{
	return a->scheme == b->scheme && a->port == b->port && uri_same_place(a, b) &&
	       str_ieq(transport_of(a), transport_of(b));
}

static bool is_source(const struct msg *m, struct str host, uint16_t port, bool with_port)
{
	struct addr a;

	if (addr_parse(host, port ? port : proto_port(PROTO_UDP), &a) < 0)
		return false;
	return with_port ? addr_eq(&a, &m->flow.peer) : addr_eq_host(&a, &m->flow.peer);
}

bool contact_is_nat(const struct msg *m, const struct uri *contact)
{
	struct str host;
	uint16_t port;
	bool is_udp = m->flow.proto == PROTO_UDP;

	if (uri_host_port(m->via_host, &host, &port) < 0 || !is_source(m, host, port, is_udp))
		return true;
	return !is_source(m, contact->host, contact->port, false);
}
