#include "sip/msg_check.h"

#include <errno.h>
#include <string.h>

#include "sip/lex.h"
#include "sip/msg_head.h"

enum { CSEQ_MAX = 0x7fffffff, MAX_FORWARDS_MAX = 255 };

/* name-addr with a URI that we can read. */
static int read_address(struct str s, struct name_addr *ret, struct uri *ret_uri)
{
	if (!check_simple(s) || lex_name_addr(s, ret) < 0)
		return -EINVAL;
	return uri_parse(ret->uri, ret_uri);
}

/* ---- the first line ---- */

/* 0, or -EBADMSG for what is no SIP at all. */
static int read_status_line(struct msg *m, struct str line)
{
	uint32_t status;

	line = str_skip(line, strlen("SIP/2.0"));
	if (line.n < 4 || line.p[0] != ' ' || (line.n > 4 && line.p[4] != ' '))
		return -EBADMSG;
	if (str_to_u32(str_head(str_skip(line, 1), 3), 699, &status) < 0 || status < 100)
		return -EBADMSG;
	m->status = (int)status;
	m->phrase = str_trim(str_skip(line, 5));
	return 0;
}

static void read_request_uri(struct msg *m, struct str text, struct msg_fault *fault)
{
	m->uri_text = text;
	if (!check_simple(text) || uri_parse(text, &m->uri) < 0)
		msg_fault_set(fault, 400, "Request-URI");
	else if (m->uri.scheme == URI_OTHER)
		msg_fault_set(fault, 416, "scheme of the Request-URI");
	else if (m->uri.headers.n)
		msg_fault_set(fault, 400, "headers in the Request-URI");
}

/* Position of the last blank, or -1. */
static ptrdiff_t last_blank(struct str s)
{
	const char *at = s.n ? memrchr(s.p, ' ', s.n) : NULL;

	return at ? at - s.p : -1;
}

/*
 * The outermost two words are method and version, so that whatever is between them can be answered.
 */
static int read_request_line(struct msg *m, struct str line, struct msg_fault *fault)
{
	struct str s = str_trim(line);
	ptrdiff_t first = str_chr(s, ' '), last = last_blank(s);

	if (first < 0 || last == first)
		return -EBADMSG;
	m->method_text = str_head(s, (size_t)first);
	m->method = method_find(m->method_text);

	struct str version = str_skip(s, (size_t)last + 1);
	if (!lex_is_token(m->method_text) || !str_ieq(str_head(version, 4), STR("SIP/")))
		return -EBADMSG;
	m->is_request = true;
	if (!str_ieq(version, STR("SIP/2.0")))
		msg_fault_set(fault, 505, "SIP version");
	if (s.n != line.n)
		msg_fault_set(fault, 400, "blanks about the request line");
	read_request_uri(m, str_head(str_skip(s, (size_t)first + 1), (size_t)(last - first - 1)),
			 fault);
	return 0;
}

static int read_start(struct msg *m, struct msg_fault *fault)
{
	struct str line = m->head->start;

	if (str_ieq(str_head(line, 7), STR("SIP/2.0")))
		return read_status_line(m, line);
	return read_request_line(m, line, fault);
}

/* ---- From, To, Contact, Route ---- */

static int read_party(struct msg *m, bool from)
{
	struct name_addr a;
	struct uri u;
	struct str value = m->head->first[from ? HEADER_FROM : HEADER_TO];

	if (!value.p || read_address(value, &a, &u) < 0)
		return -EINVAL;
	if (lex_identifier(a.params, STR("tag"), from ? &m->from_tag : &m->to_tag) < 0)
		return -EINVAL;
	*(from ? &m->from : &m->to) = u;
	*(from ? &m->from_uri_text : &m->to_uri_text) = a.uri;
	*(from ? &m->from_display : &m->to_display) = a.display;
	return 0;
}

static int read_contact(struct msg *m, struct str s)
{
	struct name_addr a;
	struct uri u;

	if (str_eq(s, STR("*")))
		return m->method == METHOD_REGISTER ? 0 : -EINVAL;
	if (read_address(s, &a, &u) < 0)
		return -EINVAL;
	if (m->has_contact)
		return 0;
	m->has_contact = true;
	m->contact = u;
	m->contact_text = a.uri;
	return 0;
}

static void read_contacts(struct msg *m, struct msg_fault *fault)
{
	struct elements e = { .head = m->head, .kind = HEADER_CONTACT };
	struct str s;
	int n = 0;

	while (element_next(&e, &s)) {
		if (read_contact(m, s) < 0)
			msg_fault_set(fault, 400, "Contact");
		n++;
	}
	m->head->elements[HEADER_CONTACT] = n;
	if (n > MSG_CONTACTS_MAX)
		msg_fault_set(fault, 400, "too many Contacts");
}

static void check_routes(struct msg *m, enum header_kind kind, struct msg_fault *fault)
{
	struct elements e = { .head = m->head, .kind = kind };
	struct name_addr a;
	struct uri u;
	struct str s;

	while (element_next(&e, &s)) {
		if (read_address(s, &a, &u) < 0 || !u.host.n)
			msg_fault_set(fault, 400, "Route or Record-Route");
		m->head->elements[kind]++;
	}
	if (m->head->elements[kind] > MSG_ROUTES_MAX)
		msg_fault_set(fault, 400, "too many Routes");
}

/* ---- the rest ---- */

static void read_call_id(struct msg *m, struct msg_fault *fault)
{
	m->call_id = m->head->first[HEADER_CALL_ID];
	if (!lex_is_visible(m->call_id))
		msg_fault_set(fault, 400, "Call-ID");
}

static void read_cseq(struct msg *m, struct msg_fault *fault)
{
	struct str method = m->head->first[HEADER_CSEQ];
	size_t n = 0;

	while (n < method.n && method.p[n] != ' ' && method.p[n] != '\t')
		n++;

	struct str number = str_head(method, n);
	method = str_trim(str_skip(method, n));
	if (str_to_u32(number, CSEQ_MAX, &m->cseq) < 0 || !lex_is_token(method)) {
		msg_fault_set(fault, 400, "CSeq");
	} else if (!m->is_request) {
		m->method_text = method;
		m->method = method_find(method);
	} else if (!str_eq(method, m->method_text)) {
		msg_fault_set(fault, 400, "method of the CSeq");
	}
}

static void read_max_forwards(struct msg *m, struct msg_fault *fault)
{
	struct str s = m->head->first[HEADER_MAX_FORWARDS];
	uint32_t n;

	if (!s.p)
		return;
	if (str_to_u32(s, MAX_FORWARDS_MAX, &n) < 0)
		msg_fault_set(fault, 400, "Max-Forwards");
	else
		m->max_forwards = (int)n;
}

static void read_content_type(struct msg *m, struct msg_fault *fault)
{
	struct str s = m->head->first[HEADER_CONTENT_TYPE], type, subtype;

	if (!s.p)
		return;
	subtype = str_head(s, (size_t)(str_chr(s, ';') < 0 ? (ptrdiff_t)s.n : str_chr(s, ';')));
	m->content_type = check_squeeze(m, subtype);
	subtype = m->content_type;
	if (!check_take_before(&subtype, '/', &type) || !lex_is_token(type) ||
	    !lex_is_token(subtype))
		msg_fault_set(fault, 400, "Content-Type");
}

/* What stands behind the body in a datagram is nobody's. */
static void read_body(struct msg *m, struct msg_fault *fault)
{
	struct str s = m->head->first[HEADER_CONTENT_LENGTH];
	uint32_t n;

	m->body = m->head->body;
	if (!s.p)
		n = proto_is_stream(m->flow.proto) ? 0 : (uint32_t)m->body.n;
	else if (str_to_u32(s, UINT32_MAX, &n) < 0 ||
		 (n > m->body.n && !(proto_is_stream(m->flow.proto) && n > MSG_BODY_BYTES_MAX))) {
		msg_fault_set(fault, 400, "Content-Length");
		n = 0;
	}
	if (n > MSG_BODY_BYTES_MAX) {
		msg_fault_set(fault, 413, "body too long");
		n = 0;
	}
	m->body.n = n;
	if (proto_is_stream(m->flow.proto) && m->body.p - m->text > MSG_HEAD_BYTES_MAX)
		msg_fault_set(fault, 513, "headers too long");
}

void msg_check(struct msg *m, struct msg_fault *fault)
{
	if (read_start(m, fault) < 0) {
		msg_fault_set(fault, 0, "no SIP message");
		return;
	}
	check_vias(m, fault);
	read_call_id(m, fault);
	read_cseq(m, fault);
	if (read_party(m, true) < 0)
		msg_fault_set(fault, 400, "From");
	if (read_party(m, false) < 0)
		msg_fault_set(fault, 400, "To");
	read_max_forwards(m, fault);
	read_contacts(m, fault);
	check_routes(m, HEADER_ROUTE, fault);
	check_routes(m, HEADER_RECORD_ROUTE, fault);
	read_content_type(m, fault);
	read_body(m, fault);
}
