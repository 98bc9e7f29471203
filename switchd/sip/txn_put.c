#include "sip/dialog.h"
#include "sip/lex.h"
#include "sip/txn_private.h"
#include "transport/field.h"

static void put_line(struct str name, struct str value, struct buf *out)
{
	buf_put(out, name);
	buf_put(out, STR(": "));
	buf_put(out, value);
	buf_put(out, STR("\r\n"));
}

/* RFC 3261 §12.1.1. */
static bool asks_for_sips(const struct msg *req)
{
	struct str top;
	struct name_addr a;
	struct uri u;

	if (req->flow.proto != PROTO_TLS || req->uri.scheme == URI_SIPS)
		return req->flow.proto == PROTO_TLS;
	if (!msg_header(req, "Record-Route", 0, &top))
		return req->has_contact && req->contact.scheme == URI_SIPS;
	return lex_split(&top, ',', &top) && lex_name_addr(top, &a) == 0 &&
	       uri_parse(a.uri, &u) == 0 && u.scheme == URI_SIPS;
}

void put_reply(const struct msg *req, const struct reply *r, const char *to_tag, struct buf *out)
{
	msg_put_reply_head(req, r->code, r->phrase, to_tag, r->record_route, out);
	if (r->contact)
		dialog_put_contact(r->contact, (enum proto)req->flow.proto, asks_for_sips(req),
				   out);
	buf_put(out, r->extra);
	if (r->body.n)
		put_line(STR("Content-Type"), r->content_type, out);
	buf_put(out, STR("Content-Length: "));
	buf_put_u64(out, r->body.n);
	buf_put(out, STR("\r\n\r\n"));
	buf_put(out, r->body);
}

/* "INVITE sip:x SIP/2.0" → "sip:x SIP/2.0" */
static struct str behind_method(struct str line)
{
	ptrdiff_t space = str_chr(line, ' ');

	return str_skip(line, (size_t)(space + 1));
}

/* "314159 INVITE" → "314159 ", to be followed by the new method. */
static struct str cseq_number(struct str value)
{
	ptrdiff_t space = str_chr(value, ' ');

	return str_head(value, (size_t)(space + 1));
}

/*
 * What ACK and CANCEL share with their INVITE: Request-URI, the one Via, From, Call-ID, the number
 * of CSeq, and the Routes. The To is that of the INVITE unless the response gave one.
 */
static void put_companion(struct str invite, struct str method, struct str to, struct str extra,
			  struct buf *out)
{
	struct field f;

	buf_put(out, method);
	buf_putc(out, ' ');
	buf_put(out, behind_method(field_start_line(&invite)));
	buf_put(out, STR("\r\nMax-Forwards: 70\r\n"));
	while (field_next(&invite, &f)) {
		if (str_ieq(f.name, STR("To")) || str_ieq(f.name, STR("t"))) {
			put_line(STR("To"), to.n ? to : f.value, out);
		} else if (str_ieq(f.name, STR("CSeq"))) {
			buf_put(out, STR("CSeq: "));
			buf_put(out, cseq_number(f.value));
			buf_put(out, method);
			buf_put(out, STR("\r\n"));
		} else if (str_ieq(f.name, STR("Via")) || str_ieq(f.name, STR("v")) ||
			   str_ieq(f.name, STR("From")) || str_ieq(f.name, STR("f")) ||
			   str_ieq(f.name, STR("Call-ID")) || str_ieq(f.name, STR("i")) ||
			   str_ieq(f.name, STR("Route"))) {
			put_line(f.name, f.value, out);
		}
	}
	buf_put(out, extra);
	buf_put(out, STR("Content-Length: 0\r\n\r\n"));
}

void put_ack(struct str invite, struct str to, struct buf *out)
{
	put_companion(invite, STR("ACK"), to, STR(""), out);
}

void put_cancel(struct str invite, struct str extra, struct buf *out)
{
	put_companion(invite, STR("CANCEL"), (struct str){ 0 }, extra, out);
}
