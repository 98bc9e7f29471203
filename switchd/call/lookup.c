#include "call/lookup.h"

#include <errno.h>
#include <stdlib.h>

#include "call/numbers.h"
#include "call/way.h"
#include "call/world_gateway.h"
#include "number/dip.h"
#include "sip/party.h"
#include "vendor/ported.h"
#include "vendor/sender.h"

struct lookup {
	struct call *call;
	char *server;
	uint64_t key;
	ms_t keep_ms;
	struct client_txn *asking; /* a server by SIP, or */
	struct dip *dip;           /* a name server */
	struct timer timer;
};

/* ---- who is asked ---- */

/* NULL: nobody. */
static const struct vendor *server_of(const struct inquiry *q)
{
	const struct vendor *v = world_vendor(q->world, q->source->row->portability);
	struct str number = str_of(q->callee.digits);

	if (!v || v->row->purpose != ROUTING_GATEWAY_PURPOSE_PORTABILITY ||
	    v->row->status == ROUTING_GATEWAY_STATUS_LOCKED ||
	    world_phone_called(q->world, number) ||
	    !str_has_listed_prefix(number, str_of(v->row->prefix)))
		return NULL;
	return v;
}

static const struct addr *open_address(const struct vendor *v)
{
	for (int i = 0; i < v->address_count; i++)
		if (reach_is_open(v->reach[i], v->row->registration))
			return &v->address[i];
	return NULL;
}

static void note(struct inquiry *q, const char *server, const char *digits, const char *how)
{
	(void)number_set(&q->ported, str_of(digits));
	trail_add(&q->trail, "portability", "ok", "%s: %s %s%s", server, q->callee.digits,
		  digits[0] ? "is at " : "is where it seems", digits);
	if (how[0])
		trail_add(&q->trail, "portability", "ok", "%s", how);
}

bool lookup_refuses(const struct inquiry *q)
{
	return q->is_unlocated &&
	       q->source->row->portability_failure == MAPPING_GATEWAY_PORTABILITY_FAILURE_REFUSE;
}

void lookup_explain(struct inquiry *q)
{
	const struct vendor *v = server_of(q);

	if (q->ported.digits[0])
		trail_add(&q->trail, "portability", "ok", "%s is at %s, as was assumed",
			  q->callee.digits, q->ported.digits);
	else if (v)
		trail_add(&q->trail, "portability", "skip",
			  "a call would ask %s first; `ported` says what it would answer",
			  v->row->name);
}

/* ---- asking ---- */

/* The call goes on; nothing of the lookup is left. */
static void go_on(struct lookup *l)
{
	struct call *c = l->call;

	c->lookup = lookup_free(l);
	c->q.world = c->worker->world;
	c->q.source = call_source(c);
	if (!c->q.source)
		finish(c, REASON_DESTINATION_FORBIDDEN, HANGUP_SWITCH, 0);
	else
		setup_go_on(c);
}

/* Nobody said where the number is: setup_go_on sees to what that comes to. */
static void give_up(struct inquiry *q, const char *server, const char *why)
{
	q->is_unlocated = true;
	trail_add(&q->trail, "portability", "failed", "%s: %s%s", server, why,
		  lookup_refuses(q) ? "" : "; routed as dialled");
}

static void failed(struct lookup *l, const char *why)
{
	give_up(&l->call->q, l->server, why);
	go_on(l);
}

static void learnt(struct lookup *l, const char *digits)
{
	struct worker *w = l->call->worker;

	if (l->keep_ms > 0)
		ported_keep(w->ported, l->key, digits, w->loop.now_ms + l->keep_ms);
	note(&l->call->q, l->server, digits, "");
	go_on(l);
}

static void on_response(void *ctx, struct client_txn *t, const struct msg *m)
{
	struct lookup *l = ctx;
	struct worker *w = l->call->worker;
	char digits[PORTED_DIGITS + 1] = "", why[32];
	struct buf text = buf_fixed(why, sizeof(why));
	int r;

	(void)t;
	if (m->status < 200)
		return;
	if (m->status < 300) /* it is no LRN server: nobody wants to talk */
		fork_release(w, NULL, m);
	r = ported_read(m, digits);
	if (r < 0) {
		buf_printf(&text, "its answer is %d", m->status);
		failed(l, buf_cstr(&text));
		return;
	}
	learnt(l, digits);
}

static void on_fail(void *ctx, struct client_txn *t, int error)
{
	(void)t;
	failed(ctx, transport_error_text(error));
}

static const struct client_owner owner = { on_response, on_fail, NULL };

static void on_timer(struct timer *t, int64_t now_ms)
{
	struct lookup *l = CONTAINER(t, struct lookup, timer);

	(void)now_ms;
	failed(l, "no answer in time");
}

static void on_dip(void *ctx, int result, const char digits[PORTED_DIGITS + 1])
{
	static const struct {
		int error;
		const char *text;
	} whys[] = {
		{ -ENOENT, "its records say nothing about portability" },
		{ -EMSGSIZE, "its answer was cut short, and none came by TCP" },
		{ -EFBIG, "its answer is longer than 16384 octets" },
		{ -ELOOP, "its records lead from one domain to the next without end" },
		{ -EAGAIN, "it does not know now" },
		{ -ECONNREFUSED, "nobody listens there" },
		{ -ETIMEDOUT, "no answer in time" },
	};
	const char *why = "it could not be asked";

	for (size_t i = 0; i < sizeof(whys) / sizeof(whys[0]); i++)
		why = whys[i].error == result ? whys[i].text : why;
	if (result < 0)
		failed(ctx, why);
	else
		learnt(ctx, digits);
}

static int ask_names(struct lookup *l, const struct vendor *v)
{
	struct dip_order o = { .zone = str_of(v->row->portability_zone),
			       .server = v->address,
			       .servers = v->address_count,
			       .time_ms = v->row->portability_timeout,
			       .on_done = on_dip,
			       .ctx = l };
	struct number sent;

	if (numbers_callee_out(&l->call->q, v, &sent) != REASON_NONE)
		return -EINVAL;
	o.number = str_of(sent.digits);
	return dip_create(&l->dip, &l->call->worker->loop, &o);
}

static int ask_sip(struct lookup *l, const struct vendor *v, const struct addr *to)
{
	struct worker *w = l->call->worker;
	struct sender s = {
		.loop = &w->loop, .transport = w->transport, .sip = w->sip, .worker = w->c.index
	};
	char here[ADDR_TEXT];
	CLEANUP(buf_done) struct buf local = BUF_INIT, remote = BUF_INIT, target = BUF_INIT;
	struct dialog d = { 0 };
	struct number sent;
	struct flow flow;
	struct addr us;
	int r = way_to_vendor(w, v, to, &flow);

	if (r < 0 || numbers_callee_out(&l->call->q, v, &sent) != REASON_NONE)
		return r < 0 ? r : -EINVAL;
	transport_local(w->transport, &flow, &us);
	buf_printf(&local, "<sip:%s>", addr_text(&us, here));
	r = way_put_peer(v, str_of(sent.digits), to, &target, &remote);
	if (r < 0 || buf_error(&local))
		return -ENOMEM;
	r = sender_begin(&s, &d, buf_str(&local), buf_str(&remote), buf_str(&target), &flow);
	if (r == 0)
		r = sender_send(&s, &d,
				&(struct draft){ .method = METHOD_INVITE,
						 .local = &us,
						 .with_contact = true },
				&owner, l, &l->asking);
	dialog_done(&d);
	return r;
}

static int ask(struct lookup *l, const struct vendor *v, const struct addr *to)
{
	return vendor_is_name_server(v->row) ? ask_names(l, v) : ask_sip(l, v, to);
}

static struct lookup *create(struct call *c, const struct vendor *v, uint64_t key)
{
	struct lookup *l = calloc(1, sizeof(*l));

	if (!l)
		return NULL;
	l->call = c;
	l->key = key;
	l->keep_ms = v->row->portability_keep * 1000;
	l->server = strdup(v->row->name);
	timer_init(&l->timer, on_timer);
	return l->server ? l : lookup_free(l);
}

bool lookup_begin(struct call *c)
{
	struct worker *w = c->worker;
	const struct vendor *v = server_of(&c->q);
	const struct addr *to = v ? open_address(v) : NULL;
	char digits[PORTED_DIGITS + 1];
	uint64_t key;
	int r;

	if (!v)
		return false;
	key = htab_hash2(str_of(v->row->name), str_of(c->q.callee.digits));
	if (ported_find(w->ported, key, w->loop.now_ms, digits)) {
		note(&c->q, v->row->name, digits, "as it said before");
		return false;
	}
	c->lookup = to ? create(c, v, key) : NULL;
	r = c->lookup ? ask(c->lookup, v, to) : -ENETUNREACH;
	if (r < 0) {
		c->lookup = lookup_free(c->lookup);
		give_up(&c->q, v->row->name, to ? "it could not be asked" : "it is down");
		return false;
	}
	timer_start(&w->loop.wheel, &c->lookup->timer,
		    w->loop.now_ms + v->row->portability_timeout);
	return true;
}

struct lookup *lookup_free(struct lookup *l)
{
	if (!l)
		return NULL;
	timer_stop(&l->timer);
	if (l->asking) {
		client_cancel(l->asking); /* harmless if it has answered */
		client_detach(l->asking);
	}
	l->dip = dip_free(l->dip);
	free(l->server);
	free(l);
	return NULL;
}
