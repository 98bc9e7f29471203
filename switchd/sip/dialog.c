#include "sip/dialog.h"

#include <errno.h>
#include <stdlib.h>

#include "sip/lex.h"

enum { MAX_FORWARDS = 70 };

void dialog_done(struct dialog *d)
{
	free(d->call_id);
	free(d->local);
	free(d->remote);
	free(d->local_tag);
	free(d->remote_tag);
	free(d->target);
	free(d->routes);
	*d = (struct dialog){ 0 };
}

/*
 * Puts a copy of s in place of *field; an empty s gives NULL. 0 or -ENOMEM, *field then as it was.
 */
static int replace(char **field, struct str s)
{
	char *copy = s.n ? str_dup(s) : NULL;

	if (s.n && !copy)
		return -ENOMEM;
	free(*field);
	*field = copy;
	return 0;
}

/* The same with what stands in b, which is emptied. */
static int replace_by_buf(char **field, struct buf *b)
{
	int r = buf_error(b);

	if (r == 0)
		r = replace(field, buf_str(b));
	buf_done(b);
	return r;
}

static int set_party(char **field, const struct msg *m, bool from)
{
	struct buf b = BUF_INIT;

	msg_put_party(m, from, &b);
	return replace_by_buf(field, &b);
}

static int set_routes(struct dialog *d, const struct msg *m, bool reversed)
{
	struct buf b = BUF_INIT;

	msg_route_set(m, reversed, &b);
	return replace_by_buf(&d->routes, &b);
}

/* Headers of a URI have no place in a Request-URI (RFC 3261 §19.1.1). */
static struct str without_headers(struct str text, const struct uri *u)
{
	return u->headers.n ? str_head(text, text.n - u->headers.n - 1) : text;
}

/* What must not leave but by TLS is no target for a dialog over anything else. */
static bool has_target(const struct msg *m)
{
	return m->has_contact && (m->contact.scheme != URI_SIPS || m->flow.proto == PROTO_TLS);
}

/* RFC 2543 let a caller leave its Contact out; From is then where it can be reached. */
static struct str target_of(const struct msg *m)
{
	if (has_target(m))
		return without_headers(m->contact_text, &m->contact);
	return without_headers(m->from_uri_text, &m->from);
}

int dialog_from_request(struct dialog *d, const struct msg *req, const char *local_tag)
{
	*d = (struct dialog){ .flow = req->flow, .remote_cseq = req->cseq };
	if (replace(&d->call_id, req->call_id) == 0 && set_party(&d->local, req, false) == 0 &&
	    set_party(&d->remote, req, true) == 0 &&
	    replace(&d->local_tag, str_of(local_tag)) == 0 &&
	    replace(&d->remote_tag, req->from_tag) == 0 &&
	    replace(&d->target, target_of(req)) == 0 && set_routes(d, req, false) == 0)
		return 0;
	dialog_done(d);
	return -ENOMEM;
}

int dialog_for_invite(struct dialog *d, const char *call_id, const char *local_tag,
		      struct str local, struct str remote, struct str target,
		      const struct flow *flow)
{
	*d = (struct dialog){ .flow = *flow };
	if (replace(&d->call_id, str_of(call_id)) == 0 &&
	    replace(&d->local_tag, str_of(local_tag)) == 0 && replace(&d->local, local) == 0 &&
	    replace(&d->remote, remote) == 0 && replace(&d->target, target) == 0)
		return 0;
	dialog_done(d);
	return -ENOMEM;
}

/* All or nothing: the new texts are made beside the old ones, in a dialog of their own. */
int dialog_update(struct dialog *d, const struct msg *response)
{
	struct dialog next = { 0 };
	struct str target = has_target(response) ? target_of(response) : str_of(d->target);
	struct str tag = response->to_tag.n ? response->to_tag : str_of(d->remote_tag);

	if (replace(&next.remote_tag, tag) < 0 || replace(&next.target, target) < 0 ||
	    set_routes(&next, response, true) < 0) {
		dialog_done(&next);
		return -ENOMEM;
	}
	if (!str_eq(str_of(d->remote_tag), tag))
		d->remote_cseq = 0; /* another dialog of the same INVITE counts for itself */
	free(d->remote_tag);
	free(d->target);
	free(d->routes);
	d->remote_tag = next.remote_tag;
	d->target = next.target;
	d->routes = next.routes;
	return 0;
}

int dialog_refresh_target(struct dialog *d, const struct msg *m)
{
	return has_target(m) ? replace(&d->target, target_of(m)) : 0;
}

/* ---- writing requests ---- */

static void put_line(const char *name, struct str value, struct buf *out)
{
	buf_putz(out, name);
	buf_put(out, STR(": "));
	buf_put(out, value);
	buf_put(out, STR("\r\n"));
}

/* The URI of a route that does not know loose routing (RFC 2543 proxies), or empty. */
static struct str strict_route(struct str first)
{
	struct name_addr a;
	struct str value;
	struct uri u;

	if (lex_name_addr(first, &a) < 0 || uri_parse(a.uri, &u) < 0 || uri_param(&u, "lr", &value))
		return STR("");
	return without_headers(a.uri, &u);
}

/*
 * RFC 3261 §12.2.1.1: a strict router stands in the Request-URI, and the target at the end of the
 * routes.
 */
static void put_destination(const struct dialog *d, enum method method, struct buf *out)
{
	struct str routes = str_of(d->routes), rest = routes, first = STR(""), strict = STR("");

	if (lex_split(&rest, ',', &first))
		strict = strict_route(first);
	buf_putz(out, method_name(method));
	buf_putc(out, ' ');
	buf_put(out, strict.n ? strict : str_of(d->target));
	buf_put(out, STR(" SIP/2.0\r\n"));
	if (routes.n == 0)
		return;
	buf_put(out, STR("Route: "));
	buf_put(out, strict.n ? str_trim(rest) : routes);
	if (strict.n) {
		buf_put(out, rest.n ? STR(", <") : STR("<"));
		buf_putz(out, d->target);
		buf_putc(out, '>');
	}
	buf_put(out, STR("\r\n"));
}

static void put_via(const struct dialog *d, const struct draft *draft, struct buf *out)
{
	char local[ADDR_TEXT];

	buf_put(out, STR("Via: SIP/2.0/"));
	buf_putz(out, proto_via(d->flow.proto));
	buf_putc(out, ' ');
	buf_putz(out, addr_text(draft->local, local));
	buf_put(out, STR(";branch="));
	buf_putz(out, draft->branch);
	buf_put(out, STR(";rport\r\n"));
}

static void put_party(const char *name, const char *party, const char *tag, struct buf *out)
{
	buf_putz(out, name);
	buf_put(out, STR(": "));
	buf_putz(out, party);
	if (tag) {
		buf_put(out, STR(";tag="));
		buf_putz(out, tag);
	}
	buf_put(out, STR("\r\n"));
}

static void put_cseq(struct dialog *d, const struct draft *draft, struct buf *out)
{
	buf_put(out, STR("CSeq: "));
	buf_put_u64(out, draft->cseq ? draft->cseq : ++d->local_cseq);
	buf_putc(out, ' ');
	buf_putz(out, method_name(draft->method));
	buf_put(out, STR("\r\n"));
}

void dialog_put_contact(const struct addr *local, enum proto proto, bool is_sips, struct buf *out)
{
	char text[ADDR_TEXT];

	buf_put(out, is_sips ? STR("Contact: <sips:") : STR("Contact: <sip:"));
	buf_putz(out, addr_text(local, text));
	if (proto_is_stream(proto) && !is_sips) {
		buf_put(out, STR(";transport="));
		buf_putz(out, proto_name(proto));
	}
	buf_put(out, STR(">\r\n"));
}

static void put_body(const struct draft *draft, struct buf *out)
{
	if (draft->body.n)
		put_line("Content-Type", draft->content_type, out);
	buf_put(out, STR("Content-Length: "));
	buf_put_u64(out, draft->body.n);
	buf_put(out, STR("\r\n\r\n"));
	buf_put(out, draft->body);
}

void dialog_put_request(struct dialog *d, const struct draft *draft, struct buf *out)
{
	put_destination(d, draft->method, out);
	put_via(d, draft, out);
	buf_put(out, STR("Max-Forwards: "));
	buf_put_u64(out, (uint64_t)(draft->max_forwards ? draft->max_forwards : MAX_FORWARDS));
	buf_put(out, STR("\r\n"));
	put_party("From", d->local, d->local_tag, out);
	put_party("To", d->remote, d->remote_tag, out);
	put_line("Call-ID", str_of(d->call_id), out);
	put_cseq(d, draft, out);
	if (draft->with_contact)
		dialog_put_contact(draft->local, d->flow.proto,
				   str_has_prefix(str_of(d->target), STR("sips:")), out);
	if (draft->method == METHOD_INVITE) {
		buf_put(out, STR("Allow: " DIALOG_ALLOW));
		buf_putz(out, draft->allow ? draft->allow : "");
		buf_put(out, STR("\r\n"));
	}
	buf_put(out, draft->extra);
	put_body(draft, out);
}
