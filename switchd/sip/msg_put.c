#include <string.h>

#include "sip/lex.h"
#include "sip/msg.h"
#include "sip/msg_head.h"

static const struct phrase {
	int code;
	const char *text;
} phrases[] = {
	{ 100, "Trying" },
	{ 180, "Ringing" },
	{ 181, "Call Is Being Forwarded" },
	{ 182, "Queued" },
	{ 183, "Session Progress" },
	{ 199, "Early Dialog Terminated" },
	{ 200, "OK" },
	{ 202, "Accepted" },
	{ 204, "No Notification" },
	{ 300, "Multiple Choices" },
	{ 301, "Moved Permanently" },
	{ 302, "Moved Temporarily" },
	{ 305, "Use Proxy" },
	{ 380, "Alternative Service" },
	{ 400, "Bad Request" },
	{ 401, "Unauthorized" },
	{ 402, "Payment Required" },
	{ 403, "Forbidden" },
	{ 404, "Not Found" },
	{ 405, "Method Not Allowed" },
	{ 406, "Not Acceptable" },
	{ 407, "Proxy Authentication Required" },
	{ 408, "Request Timeout" },
	{ 410, "Gone" },
	{ 412, "Conditional Request Failed" },
	{ 413, "Request Entity Too Large" },
	{ 414, "Request-URI Too Long" },
	{ 415, "Unsupported Media Type" },
	{ 416, "Unsupported URI Scheme" },
	{ 417, "Unknown Resource-Priority" },
	{ 420, "Bad Extension" },
	{ 421, "Extension Required" },
	{ 422, "Session Interval Too Small" },
	{ 423, "Interval Too Brief" },
	{ 428, "Use Identity Header" },
	{ 429, "Provide Referrer Identity" },
	{ 433, "Anonymity Disallowed" },
	{ 436, "Bad Identity Info" },
	{ 437, "Unsupported Credential" },
	{ 438, "Invalid Identity Header" },
	{ 480, "Temporarily Unavailable" },
	{ 481, "Call/Transaction Does Not Exist" },
	{ 482, "Loop Detected" },
	{ 483, "Too Many Hops" },
	{ 484, "Address Incomplete" },
	{ 485, "Ambiguous" },
	{ 486, "Busy Here" },
	{ 487, "Request Terminated" },
	{ 488, "Not Acceptable Here" },
	{ 489, "Bad Event" },
	{ 491, "Request Pending" },
	{ 493, "Undecipherable" },
	{ 494, "Security Agreement Required" },
	{ 500, "Server Internal Error" },
	{ 501, "Not Implemented" },
	{ 502, "Bad Gateway" },
	{ 503, "Service Unavailable" },
	{ 504, "Server Time-out" },
	{ 505, "Version Not Supported" },
	{ 513, "Message Too Large" },
	{ 580, "Precondition Failure" },
	{ 600, "Busy Everywhere" },
	{ 603, "Decline" },
	{ 604, "Does Not Exist Anywhere" },
	{ 606, "Not Acceptable" },
	{ 607, "Unwanted" },
	{ 608, "Rejected" },
};

const char *msg_phrase(int code)
{
	static const char *const of_class[] = { "Progress", "OK",           "Redirection",
						"Refused",  "Server Error", "Refused Everywhere" };

	for (size_t i = 0; i < sizeof(phrases) / sizeof(phrases[0]); i++) {
		if (phrases[i].code == code)
			return phrases[i].text;
	}
	return code >= 100 && code < 700 ? of_class[code / 100 - 1] : "Unknown";
}

static void put_line(const char *name, struct str value, struct buf *out)
{
	buf_putz(out, name);
	buf_put(out, STR(": "));
	buf_put(out, value);
	buf_put(out, STR("\r\n"));
}

/*
 * RFC 3261 §18.2.1: the source address is told if sent-by is not that; RFC 3581 §4: and always
 * together with rport.
 */
static bool needs_received(const struct msg *m)
{
	struct addr sent_by;
	struct str host;
	uint16_t port;

	if (m->via_rport || uri_host_port(m->via_host, &host, &port) < 0)
		return true;
	return addr_parse(host, 0, &sent_by) < 0 || !addr_eq_host(&sent_by, &m->flow.peer);
}

static bool is_source_param(struct str param)
{
	struct str value;

	return lex_param(param, STR("received"), &value) || lex_param(param, STR("rport"), &value);
}

/*
 * The top Via without what it says itself about the source, which would be a lie, and with what we
 * saw.
 */
static void put_top_via(const struct msg *m, struct str top, struct buf *out)
{
	struct str piece;
	char host[ADDR_TEXT];

	for (bool first = true; lex_split(&top, ';', &piece); first = false) {
		if (piece.n == 0 || is_source_param(piece))
			continue;
		if (!first)
			buf_putc(out, ';');
		buf_put(out, piece);
	}
	if (needs_received(m)) {
		buf_put(out, STR(";received="));
		buf_putz(out, addr_host_text(&m->flow.peer, host));
	}
	if (m->via_rport) {
		buf_put(out, STR(";rport="));
		buf_put_u64(out, addr_port(&m->flow.peer));
	}
}

static void put_vias(const struct msg *m, struct buf *out)
{
	const struct header *via;
	struct str rest, top;

	for (int at = 0; (via = head_next(m->head, HEADER_VIA, &at));) {
		bool is_top = via == head_next(m->head, HEADER_VIA, &(int){ 0 });

		if (!is_top) {
			put_line("Via", via->value, out);
			continue;
		}
		rest = via->value;
		buf_put(out, STR("Via: "));
		if (lex_split(&rest, ',', &top))
			put_top_via(m, top, out);
		if (rest.n)
			buf_put(out, STR(", "));
		buf_put(out, str_trim(rest));
		buf_put(out, STR("\r\n"));
	}
}

static void put_single(const struct msg *m, enum header_kind kind, const char *name,
		       struct buf *out)
{
	if (m->head->first[kind].p)
		put_line(name, m->head->first[kind], out);
}

static void put_to(const struct msg *m, const char *tag, struct buf *out)
{
	struct str to = m->head->first[HEADER_TO];

	if (!to.p)
		return;
	/* A semicolon that nothing stood behind would give an empty parameter. */
	if (str_has_suffix(to, STR(";")))
		to = str_trim(str_head(to, to.n - 1));
	buf_put(out, STR("To: "));
	buf_put(out, to);
	if (tag && m->to_tag.n == 0) {
		buf_put(out, STR(";tag="));
		buf_putz(out, tag);
	}
	buf_put(out, STR("\r\n"));
}

/* Digits and one dot: nothing else of a stranger's goes into our 100 (RFC 3261 §8.2.6.1). */
static void put_timestamp(const struct msg *m, struct buf *out)
{
	struct str value, seconds;

	if (!msg_header(m, "Timestamp", 0, &value))
		return;

	struct str rest = value;
	(void)str_split(&rest, '.', &seconds);
	if (str_is_digits(seconds) && (rest.n == 0 || str_is_digits(rest)))
		put_line("Timestamp", value, out);
}

void msg_put_reply_head(const struct msg *req, int code, const char *phrase, const char *to_tag,
			bool record_route, struct buf *out)
{
	const struct header *route;

	buf_put(out, STR("SIP/2.0 "));
	buf_put_u64(out, (uint64_t)code);
	buf_putc(out, ' ');
	buf_putz(out, phrase ? phrase : msg_phrase(code));
	buf_put(out, STR("\r\n"));
	put_vias(req, out);
	put_single(req, HEADER_FROM, "From", out);
	put_to(req, to_tag, out);
	put_single(req, HEADER_CALL_ID, "Call-ID", out);
	put_single(req, HEADER_CSEQ, "CSeq", out);
	if (code == 100)
		put_timestamp(req, out);
	for (int at = 0; record_route && (route = head_next(req->head, HEADER_RECORD_ROUTE, &at));)
		put_line("Record-Route", route->value, out);
}

void msg_put_display(struct str quoted, struct buf *out)
{
	uint32_t c;

	buf_putc(out, '"');
	while (quoted.n) {
		bool is_escape = quoted.p[0] == '\\' && quoted.n > 1;
		size_t n = is_escape ? 2 : str_utf8(quoted, &c);

		/* A character over 0x7f cannot be escaped. */
		if (is_escape && (unsigned char)quoted.p[1] >= 0x80)
			quoted = str_skip(quoted, 1);
		else if (n)
			buf_put(out, str_head(quoted, n)), quoted = str_skip(quoted, n);
		else
			buf_put(out, STR("\xef\xbf\xbd")), quoted = str_skip(quoted, 1);
	}
	buf_putc(out, '"');
}

void msg_put_party(const struct msg *m, bool from, struct buf *out)
{
	struct str display = from ? m->from_display : m->to_display;

	if (display.n) {
		msg_put_display(display, out);
		buf_putc(out, ' ');
	}
	buf_putc(out, '<');
	buf_put(out, from ? m->from_uri_text : m->to_uri_text);
	buf_putc(out, '>');
}

void msg_route_set(const struct msg *m, bool reversed, struct buf *out)
{
	struct elements e = { .head = m->head, .kind = HEADER_RECORD_ROUTE };
	struct str routes[MSG_ROUTES_MAX];
	int n = 0;

	while (n < MSG_ROUTES_MAX && element_next(&e, &routes[n]))
		n++;
	for (int i = 0; i < n; i++) {
		if (i)
			buf_put(out, STR(", "));
		buf_put(out, routes[reversed ? n - 1 - i : i]);
	}
}
