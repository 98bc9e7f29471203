#include "golive/stage.h"

#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "golive/link.h"
#include "golive/party.h"
#include "transport/steer.h"

static const uint8_t octets[END_COUNT] = {
#define END_OCTET(name, octet) [END_##name] = octet,
	ENDS(END_OCTET)
#undef END_OCTET
};

/* One listener more than there are ends: it is on every address, to ask vendors from outside. */
enum { PROBE_LISTENER = END_COUNT, LISTENERS };

/* ---- requests ---- */

static bool is_of(const struct party *p, const struct msg *m)
{
	return p->dialog.call_id && p->dialog.local_tag &&
	       str_eq(m->call_id, str_of(p->dialog.call_id)) &&
	       str_eq(m->to_tag, str_of(p->dialog.local_tag));
}

static struct party *find_party(struct stage *s, const struct msg *m)
{
	struct list *it, *tmp;

	LIST_EACH (it, tmp, &s->parties) {
		struct party *p = CONTAINER(it, struct party, node);

		if (is_of(p, m))
			return p;
	}
	return NULL;
}

static void on_request(void *ctx, struct server_txn *t, const struct msg *m)
{
	struct stage *s = ctx;
	struct party *p = m->to_tag.n ? find_party(s, m) : NULL;

	if (p) {
		party_request(p, t, m);
		return;
	}
	if (!t)
		return; /* an ACK that came late */
	if (m->method == METHOD_INVITE && !m->to_tag.n && m->flow.listener < END_COUNT) {
		p = party_create(s, (enum end)m->flow.listener);
		if (p) {
			party_invited(p, t, m);
			return;
		}
	}
	s->strangers++;
	(void)server_refuse(t, &(struct reply){ .code = m->method == METHOD_OPTIONS ? 200 : 481 });
}

static bool may_answer(void *ctx, const struct flow *from)
{
	const struct stage *s = ctx;

	return addr_eq_host(&from->peer, &s->to);
}

static void on_message(void *ctx, const struct flow *from, struct str raw)
{
	struct stage *s = ctx;

	sip_receive(s->sip, from, raw);
}

static void flush(struct loop *l, void *ctx)
{
	struct stage *s = ctx;

	(void)l;
	transport_flush(s->transport);
}

/* ---- the stage ---- */

/*
 * A switch that is not on loopback itself refuses media on loopback (security.md M5), so the ends
 * get addresses of the net for tests (RFC 2544). They are on lo, and nothing of it leaves the machine.
 * The vendor that is down has one too: else its packets would look for it outside.
 */
static int lend(struct stage *s, const struct addr *base, bool is_back)
{
	uint32_t net = ntohl(base->in.sin_addr.s_addr) & 0xffffff00u;
	int r = 0;

	for (int i = 0; i <= END_COUNT && (r == 0 || is_back); i++) {
		uint32_t a = net | (i < END_COUNT ? octets[i] : STAGE_DEAD_OCTET);

		r = is_back ? link_del_address("lo", a) : link_add_address("lo", a);
	}
	s->has_lent = !is_back;
	return r;
}

static void place(struct stage *s, const struct addr *base, struct listen_spec *listen)
{
	for (int i = 0; i < END_COUNT; i++) {
		uint32_t net = ntohl(base->in.sin_addr.s_addr) & 0xffffff00u;

		s->address[i] = *base;
		s->address[i].in.sin_addr.s_addr = htonl(net | octets[i]);
		addr_set_port(&s->address[i], STAGE_PORT);
		listen[i] = (struct listen_spec){ .proto = PROTO_UDP, .addr = s->address[i] };
	}
	(void)addr_parse(STR("0.0.0.0:0"), 0, &listen[PROBE_LISTENER].addr);
	listen[PROBE_LISTENER].proto = PROTO_UDP;
}

int stage_open(struct stage *s, const struct addr *base, const struct addr *to, struct err *err)
{
	static struct ring *const none[1] = { NULL };
	struct listen_spec listen[LISTENERS];
	struct sip_user user = { .on_request = on_request, .may_answer = may_answer, .ctx = s };

	*s = (struct stage){ .to = *to };
	list_init(&s->parties);
	if (addr_is_v6(base) || addr_is_v6(to))
		return err_set(err, ERR_BAD_VALUE, "sip", STR(""), "an IPv4 address of the switch",
			       "the ends of the test calls speak IPv4");
	place(s, base, listen);
	int r = addr_is_loopback(base) ? 0 : lend(s, base, false);
	if (r < 0)
		return err_set(err, ERR_FORBIDDEN, "base", STR(""), "root",
			       "no addresses for the ends of the test calls: %s", strerror(-r));
	r = loop_init(&s->loop);
	if (r < 0)
		return r;
	s->is_loop_open = true;
	s->loop.on_turn = flush;
	s->loop.ctx = s;

	struct transport_config c = { .loop = &s->loop,
				      .listen = listen,
				      .listen_count = LISTENERS,
				      .workers = 1,
				      .to = none,
				      .from = none,
				      .on_message = on_message,
				      .ctx = s };
	r = transport_create(&s->transport, &c, err);
	return r == 0 ? sip_create(&s->sip, &s->loop, s->transport, 0, &user, NULL) : r;
}

void stage_close(struct stage *s)
{
	if (s->is_loop_open) {
		stage_clear(s);
		if (s->transport)
			transport_flush(s->transport);
		s->sip = sip_free(s->sip);
		s->transport = transport_free(s->transport);
		loop_done(&s->loop);
	}
	s->is_loop_open = false;
	if (s->has_lent)
		(void)lend(s, &s->address[0], true);
}

int stage_turn(struct stage *s, int64_t ms)
{
	return loop_turn(&s->loop, ms);
}

void stage_clear(struct stage *s)
{
	struct list *it, *tmp;

	LIST_EACH (it, tmp, &s->parties) {
		struct party *p = CONTAINER(it, struct party, node);

		party_end(p);
		party_free(p);
	}
	for (int i = 0; i < END_COUNT; i++)
		s->plan[i] = (struct plan){ .code = 200, .payload = -1, .every_ms = 20 };
}

struct party *stage_callee(struct stage *s, const char *number)
{
	struct list *it, *tmp;

	LIST_EACH (it, tmp, &s->parties) {
		struct party *p = CONTAINER(it, struct party, node);

		if (!p->is_caller && strcmp(p->callee, number) == 0)
			return p;
	}
	return NULL;
}

/* ---- asking a vendor whether it is there ---- */

static void on_probe_response(void *ctx, struct client_txn *t, const struct msg *m)
{
	struct stage *s = ctx;

	(void)t;
	if (m->status >= 200)
		s->probe_status = m->status;
}

static void on_probe_fail(void *ctx, struct client_txn *t, int error)
{
	struct stage *s = ctx;

	(void)t;
	s->probe_status = error;
}

static const struct client_owner probe_owner = { on_probe_response, on_probe_fail, NULL };

int stage_probe(struct stage *s, const struct addr *peer)
{
	CLEANUP(buf_done) struct buf out = BUF_INIT;
	struct flow flow = { .proto = PROTO_UDP, .listener = PROBE_LISTENER, .peer = *peer };
	char branch[STEER_BRANCH], tag[STEER_TOKEN], id[STEER_TOKEN];
	char text[ADDR_TEXT], here[ADDR_TEXT];
	struct client_txn *t;
	struct addr local;

	steer_mint_branch(branch, 0);
	steer_mint(tag, 0);
	steer_mint(id, 0);
	transport_local(s->transport, &flow, &local);
	addr_text(peer, text);
	addr_text(&local, here);
	buf_printf(&out,
		   "OPTIONS sip:%s SIP/2.0\r\nVia: SIP/2.0/UDP %s;branch=%s;rport\r\n"
		   "Max-Forwards: 70\r\nFrom: <sip:golive@%s>;tag=%s\r\nTo: <sip:%s>\r\n"
		   "Call-ID: %s\r\nCSeq: 1 OPTIONS\r\nContact: <sip:golive@%s>\r\n"
		   "Accept: application/sdp\r\nContent-Length: 0\r\n\r\n",
		   text, here, branch, here, tag, text, id, here);
	s->probe_status = 0;
	if (buf_error(&out) < 0)
		return -ENOMEM;
	return client_send(&t, s->sip, METHOD_OPTIONS, branch, &flow, buf_str(&out), &probe_owner,
			   s);
}
