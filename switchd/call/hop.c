#include "call/hop.h"

#include <assert.h>
#include <errno.h>

#include "sip/lex.h"

/* Both entities have the same values. */
static_assert((int)MAPPING_GATEWAY_REPLY_ADDRESS_VIA == (int)ROUTING_GATEWAY_REPLY_ADDRESS_VIA &&
		      (int)MAPPING_GATEWAY_REQUEST_ADDRESS_CONTACT ==
			      (int)ROUTING_GATEWAY_REQUEST_ADDRESS_CONTACT,
	      "one list of values");

void hop_begin(struct leg *l, int64_t reply_address, int64_t request_address)
{
	l->reply_address = (uint8_t)reply_address;
	l->request_address = (uint8_t)request_address;
	hop_requests(l);
}

/* ---- answers ---- */

static bool nets_have(const struct cidr *net, int n, const struct addr *a)
{
	for (int i = 0; i < n; i++) {
		struct addr host = *a;

		if (addr_port(&net[i].net))
			addr_set_port(&host, addr_port(&net[i].net));
		if (cidr_has(&net[i], &host))
			return true;
	}
	return false;
}

/*
 * An address that the gateway is known by; without such a list (it gave its password) any. Else whoever can forge a source could
 * have our answers sent to a third party (security.md F7).
 */
static bool is_of_gateway(const struct leg *l, const struct addr *a)
{
	if (addr_eq_host(a, &l->signalling))
		return true;
	if (l->side == SIDE_CALLER) {
		const struct source *s = call_peer(l->call);

		return s && (s->net_count == 0 || nets_have(s->net, s->net_count, a));
	}

	const struct vendor *v = leg_vendor(l);

	for (int i = 0; v && i < v->address_count; i++) {
		if (addr_eq_host(&v->address[i], a))
			return true;
	}
	return false;
}

void hop_answers(const struct leg *l, struct server_txn *t, const struct msg *m)
{
	struct addr to = m->flow.peer, via;
	struct str host;
	uint16_t port;

	if (l->reply_address == MAPPING_GATEWAY_REPLY_ADDRESS_SOCKET ||
	    proto_is_stream((enum proto)m->flow.proto) ||
	    uri_host_port(m->via_host, &host, &port) < 0)
		return;
	if (port == 0)
		port = proto_port(PROTO_UDP);
	if (l->reply_address == MAPPING_GATEWAY_REPLY_ADDRESS_VIA &&
	    addr_parse(host, port, &via) == 0 && addr_is_v6(&via) == addr_is_v6(&to) &&
	    is_of_gateway(l, &via))
		to = via;
	addr_set_port(&to, port);
	server_reply_to(t, &to);
}

/* ---- requests ---- */

/* The URI that RFC 3261 §8.1.2 sends to: the first route, or the target. */
static int next_hop(const struct dialog *d, struct uri *ret)
{
	struct str routes = str_of(d->routes), first;
	struct name_addr a;

	if (!lex_split(&routes, ',', &first))
		return uri_parse(str_of(d->target), ret);
	return lex_name_addr(first, &a) < 0 ? -EINVAL : uri_parse(a.uri, ret);
}

void hop_requests(struct leg *l)
{
	struct flow *flow = &l->dialog.flow;
	struct addr to = l->signalling, named;
	struct uri u;

	if (proto_is_stream((enum proto)flow->proto))
		return;
	if (l->request_address != MAPPING_GATEWAY_REQUEST_ADDRESS_SOCKET &&
	    next_hop(&l->dialog, &u) == 0 && u.host.n > 0) {
		uint16_t port = u.port ? u.port : proto_port(PROTO_UDP);

		if (l->request_address == MAPPING_GATEWAY_REQUEST_ADDRESS_CONTACT_PORT)
			addr_set_port(&to, port);
		/* A name cannot be looked up here: then the socket stays. */
		else if (addr_parse(u.host, port, &named) == 0 && !addr_is_any(&named) &&
			 !addr_is_multicast(&named) && addr_is_v6(&named) == addr_is_v6(&to))
			to = named;
	}
	flow->peer = to;
}

bool hop_follow(struct leg *l, const struct msg *m)
{
	if (l->side != SIDE_CALLER || m->flow.proto != l->dialog.flow.proto ||
	    proto_is_stream((enum proto)m->flow.proto) ||
	    !addr_eq_host(&m->flow.peer, &l->signalling) || addr_eq(&m->flow.peer, &l->signalling))
		return false;
	l->signalling = m->flow.peer;
	hop_requests(l);
	return true;
}
