#include "call/transfer.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sip/party.h"
#include "sip/refer.h"

enum { URI_HEADERS_MAX = 512 };

bool transfer_may(const struct leg *l)
{
	if (l->side == SIDE_CALLER) {
		const struct source *s = call_peer(l->call);

		return s && s->row->call_transfer;
	}
	const struct vendor *v = leg_vendor(l);

	return v && v->row->call_transfer;
}

/* ---- REFER ---- */

/* Who pays for what this side asks for: a vendor is no customer, and may not ask. */
static bool payer_of(const struct leg *l, struct referral *r)
{
	const char *name = l->gateway;

	r->is_phone = l->is_phone;
	if (l->side == SIDE_CALLER) {
		const struct source *s = call_peer(l->call);

		name = s ? s->row->name : NULL;
		r->is_phone = s && s->phone;
	} else if (!l->is_phone) {
		return false;
	}
	return name && str_copy(r->payer, sizeof(r->payer), str_of(name)) == 0;
}

/* 0 or -EINVAL. The tag of ours says which worker has that call. */
static int read_replaces(struct str headers, struct referral *r)
{
	char room[URI_HEADERS_MAX];
	struct buf text = buf_fixed(room, sizeof(room));
	struct replaces found;
	int n = refer_replaces(headers, &text, &found);

	if (n <= 0)
		return n;
	if (steer_token_worker(found.to_tag) < 0 ||
	    str_copy(r->call_id, sizeof(r->call_id), found.call_id) < 0 ||
	    str_copy(r->our_tag, sizeof(r->our_tag), found.to_tag) < 0 ||
	    str_copy(r->their_tag, sizeof(r->their_tag), found.from_tag) < 0)
		return -EINVAL;
	return 0;
}

/* Exactly one, an INVITE to a number; everything else that could be asked for is refused. */
static int read_refer_to(const struct msg *m, struct referral *r)
{
	char room[NUMBER_MAX + 1];
	struct buf digits = buf_fixed(room, sizeof(room));
	struct str second, method;
	struct party p;

	if (msg_header(m, "Refer-To", 1, &second) || party_read(m, "Refer-To", 1, &p) ||
	    !party_read(m, "Refer-To", 0, &p))
		return 400;
	if (uri_param(&p.uri, "method", &method) && !str_eq(method, STR("INVITE")))
		return 603;
	if (uri_number(&p.uri, &digits) < 0 || number_set(&r->callee, buf_str(&digits)) < 0)
		return 404;
	return read_replaces(p.uri.headers, r) < 0 ? 400 : 0;
}

static void put_place(const struct leg *to, struct str number, const char *token, struct buf *out)
{
	static const char *const by[] = {
		[PROTO_UDP] = "", [PROTO_TCP] = ";transport=tcp", [PROTO_TLS] = ";transport=tls"
	};
	char here[ADDR_TEXT];

	buf_put(out, STR("Refer-To: <sip:"));
	party_put_user(number, out);
	buf_printf(out, STEER_REFERRED "%s@%s%s>\r\n", token, addr_text(&to->local, here),
		   by[to->dialog.flow.proto]);
}

int transfer_read(const struct leg *l, const struct msg *m, struct referral *ret)
{
	return l->call->state == CALL_UP && payer_of(l, ret) ? read_refer_to(m, ret) : 603;
}

int transfer_refer(struct leg *l, const struct msg *m, struct buf *extra)
{
	struct leg *other = leg_other(l);
	struct worker *w = l->call->worker;
	struct referral r = { 0 };
	char token[STEER_TOKEN];
	struct str sub;

	if (!transfer_may(l))
		return 405;
	if (!other || !other->is_answered || !transfer_may(other))
		return 603;
	if (l->refers == REFERS_MAX)
		return 503;

	int code = transfer_read(l, m, &r);
	bool is_here = !r.call_id[0] || leg_find(w, str_of(r.our_tag), str_of(r.call_id));
	int worker = is_here ? w->c.index : steer_token_worker(str_of(r.our_tag)) % w->hub->workers;

	if (code)
		return code;
	if (referral_put(w->hub->referrals, worker, &r, w->loop.now_ms, token) < 0)
		return 503;
	put_place(other, str_of(r.callee.digits), token, extra);
	buf_printf(extra, "Referred-By: %s\r\n", other->dialog.local);
	if (msg_header(m, "Refer-Sub", 0, &sub) && str_ieq(str_trim(sub), STR("false")))
		buf_put(extra, STR("Refer-Sub: false\r\n"));
	trail_add(&l->call->q.trail, "transfer", "passed", "%s asks for %s%s, charged to %s",
		  l->side == SIDE_CALLER ? "the caller" : "the callee", r.callee.digits,
		  r.call_id[0] ? " in the place of another call" : "", r.payer);
	return 0;
}

void transfer_sent(struct leg *l, uint32_t came, uint32_t went)
{
	l->refer[l->refers].came = came;
	l->refer[l->refers++].went = went;
}

static void forget(struct leg *l, int i)
{
	l->refer[i] = l->refer[--l->refers];
}

void transfer_refused(struct leg *l, uint32_t came)
{
	for (int i = 0; i < l->refers; i++) {
		if (l->refer[i].came == came) {
			forget(l, i);
			return;
		}
	}
}

/* ---- NOTIFY ---- */

/* Which REFER of `asker` is it about (RFC 3515 §2.4.6)? -1: none. */
static int refer_of(const struct leg *asker, struct str params)
{
	struct str id;
	uint32_t cseq;

	if (!lex_param(params, STR("id"), &id))
		return asker->refers == 1 ? 0 : -1;
	for (int i = 0; str_to_u32(id, UINT32_MAX, &cseq) == 0 && i < asker->refers; i++) {
		if (asker->refer[i].went == cseq)
			return i;
	}
	return -1;
}

int transfer_notify(struct leg *l, const struct msg *m, struct buf *extra, struct buf *body)
{
	struct leg *asker = leg_other(l);
	struct str event, name, rest, id, state;
	bool is_over;

	if (!msg_header(m, "Event", 0, &event))
		return 489;
	rest = event;
	if (!lex_split(&rest, ';', &name) || !str_ieq(name, STR("refer")))
		return 489;
	struct str params = str_skip(event, (size_t)(name.p + name.n - event.p));
	int i = asker ? refer_of(asker, params) : -1;
	if (i < 0)
		return 481;
	if (!str_ieq(m->content_type, STR("message/sipfrag")))
		return 415;
	buf_put(extra, STR("Event: refer"));
	if (lex_param(params, STR("id"), &id))
		buf_printf(extra, ";id=%u", asker->refer[i].came);
	buf_put(extra, STR("\r\n"));
	if (!msg_header(m, "Subscription-State", 0, &state) ||
	    !refer_put_state(state, extra, &is_over) || !refer_put_progress(m->body, body))
		return 400;
	if (is_over)
		forget(asker, i);
	return 0;
}

/* ---- the call that it leads to ---- */

bool transfer_take(struct worker *w, const struct msg *m, struct referral *ret)
{
	struct str user = m->uri.user, token;
	char room[NUMBER_MAX + 1];
	struct buf digits = buf_fixed(room, sizeof(room));
	ptrdiff_t at = str_find(user, STR(STEER_REFERRED));

	if (at < 0)
		return false;
	token = str_head(str_skip(user, (size_t)at + sizeof(STEER_REFERRED) - 1), STEER_TOKEN - 1);
	/* Whoever calls another number than it was asked to makes a call of its own. */
	return referral_take(w->hub->referrals, token, w->loop.now_ms, ret) &&
	       uri_number(&m->uri, &digits) == 0 &&
	       str_eq(buf_str(&digits), str_of(ret->callee.digits));
}

const struct source *transfer_payer(const struct worker *w, const struct referral *r)
{
	const struct phone *p = r->is_phone ? world_phone(w->world, r->payer) : NULL;

	if (r->is_phone)
		return p ? &p->source : NULL;
	return world_source(w->world, r->payer);
}

/* ---- in the place of another call ---- */

/* Who is at the end of this leg, as one who can be called. */
static const struct vendor *vendor_of(const struct leg *l)
{
	const struct source *s;

	if (l->side == SIDE_CALLEE)
		return leg_vendor(l);
	s = call_peer(l->call);
	return s && s->phone ? &s->phone->vendor : NULL;
}

bool transfer_is_of_payer(const struct leg *l, const struct referral *r)
{
	struct referral own = { 0 };

	return payer_of(l, &own) && own.is_phone == r->is_phone &&
	       str_eq(str_of(own.payer), str_of(r->payer));
}

enum reason transfer_find(struct call *c, const struct referral *r)
{
	struct worker *w = c->worker;
	CLEANUP(buf_done) struct buf line = BUF_INIT;
	struct leg *l, *end;
	const struct vendor *v;
	const struct dialog *d;

	if (!r->call_id[0])
		return REASON_NONE;
	l = leg_find(w, str_of(r->our_tag), str_of(r->call_id));
	end = l && l->call->state == CALL_UP ? leg_other(l) : NULL;
	v = end && end->is_answered ? vendor_of(end) : NULL;
	if (!v || !str_eq(str_of(l->dialog.remote_tag), str_of(r->their_tag)) ||
	    !transfer_is_of_payer(l, r) || !transfer_may(end))
		return REASON_DESTINATION_FORBIDDEN;
	d = &end->dialog;
	buf_printf(&line, "Require: replaces\r\nReplaces: %s;to-tag=%s;from-tag=%s\r\n", d->call_id,
		   d->remote_tag, d->local_tag);
	if (buf_error(&line))
		return REASON_OVERLOAD;
	c->taken = (struct taken){ .line = buf_steal(&line),
				   .target = strdup(d->target),
				   .flow = d->flow };
	c->q.only = v->gate;
	return c->taken.line && c->taken.target ? REASON_NONE : REASON_OVERLOAD;
}

int transfer_turn(struct leg *l)
{
	const struct taken *t = &l->call->taken;
	char *target = t->line ? strdup(t->target) : NULL;

	if (!t->line)
		return 0;
	if (!target)
		return -ENOMEM;
	free(l->dialog.target);
	l->dialog.target = target;
	l->dialog.flow = t->flow;
	return 0;
}

void taken_done(struct taken *t)
{
	free(t->line);
	free(t->target);
}
