#include "call/way.h"

#include <errno.h>

#include "sip/party.h"

/* §18.1.1: within 200 octets of the path's MTU, which is not known. */
enum { LARGE = 1300 };

int way_to_vendor(struct worker *w, const struct vendor *v, const struct addr *peer,
		  struct flow *ret)
{
	struct tls_policy tls = vendor_tls(v, peer);
	int r = transport_flow(w->transport, v->proto, peer, ret);

	return r < 0 ? r : transport_secure(w->transport, ret, &tls);
}

void way_put_target(const struct leg *l, const struct vendor *v, const char *host, struct buf *out)
{
	bool is_secure = l->call->q.is_secure;

	buf_putz(out, is_secure ? "sips:" : "sip:");
	party_put_user(str_of(l->callee_out.digits), out);
	if (v->row->send_rn && l->call->q.ported.digits[0])
		buf_printf(out, ";rn=%s;npdi", l->call->q.ported.digits);
	buf_printf(out, "@%s", host);
	if (proto_is_stream(v->proto) && !is_secure)
		buf_printf(out, ";transport=%s", proto_name(v->proto));
}

int way_put_peer(const struct vendor *v, struct str user, const struct addr *peer,
		 struct buf *target, struct buf *remote)
{
	char host[ADDR_TEXT];

	buf_putz(target, "sip:");
	party_put_user(user, target);
	buf_printf(target, "@%s", addr_text(peer, host));
	buf_printf(remote, "<%.*s>", STR_ARG(buf_str(target)));
	if (proto_is_stream(v->proto))
		buf_printf(target, ";transport=%s", proto_name(v->proto));
	return buf_error(target) ? buf_error(target) : buf_error(remote);
}

int way_to_target(struct worker *w, const struct dialog *d, struct flow *ret)
{
	uint16_t port = proto_port((enum proto)d->flow.proto);
	uint32_t policy = d->flow.policy;
	struct uri u;
	struct addr a;

	if (uri_parse(str_of(d->target), &u) < 0 ||
	    addr_parse(u.host, u.port ? u.port : port, &a) < 0)
		return -EINVAL;

	int r = transport_flow(w->transport, (enum proto)d->flow.proto, &a, ret);

	if (r == 0)
		ret->policy = policy;
	return r;
}

void way_believe(struct worker *w, enum side side, const char *gateway, struct flow *f)
{
	struct tls_policy p = { .check = TLS_CHECK_NAME };

	if (f->proto != PROTO_TLS || !gateway)
		return;
	if (side == SIDE_CALLEE) {
		const struct vendor *v = world_vendor(w->world, gateway);

		if (v)
			p = vendor_tls(v, &f->peer);
	} else {
		const struct source *s = world_source(w->world, gateway);

		if (s && s->tls_pins.n)
			p = (struct tls_policy){ .check = TLS_CHECK_PIN,
						 .pins = buf_str(&s->tls_pins) };
	}
	(void)transport_secure(w->transport, f, &p);
}

void way_take(struct leg *l, const struct flow *f)
{
	l->dialog.flow = *f;
	transport_local(l->call->worker->transport, f, &l->local);
}

bool way_by_tcp(struct leg *l, size_t n)
{
	struct worker *w = l->call->worker;
	const struct vendor *v;
	struct flow f;

	if (n <= LARGE || l->side != SIDE_CALLEE || l->dialog.flow.proto != PROTO_UDP ||
	    l->is_udp_alone)
		return false;
	v = leg_vendor(l);
	if (!v || !v->row->tcp_if_large ||
	    transport_flow(w->transport, PROTO_TCP, &l->dialog.flow.peer, &f) < 0)
		return false;
	l->is_large = true;
	way_take(l, &f);
	return true;
}

bool way_back_to_udp(struct leg *l, int error)
{
	struct flow f;

	if (!l->is_large || l->is_udp_alone ||
	    (error != -ECONNREFUSED && error != -EPROTONOSUPPORT && error != -ENOPROTOOPT) ||
	    transport_flow(l->call->worker->transport, PROTO_UDP, &l->dialog.flow.peer, &f) < 0)
		return false;
	l->is_udp_alone = true;
	way_take(l, &f);
	return true;
}
