#include "call/message.h"

#include <errno.h>
#include <stdlib.h>

#include "base/meter.h"
#include "call/identify.h"
#include "call/numbers.h"
#include "phone/registrar.h"
#include "sip/party.h"
#include "sip/refer.h"
#include "vendor/sender.h"

/* Not longer than RFC 3428 §8 allows over UDP. */
enum { TEXT_BYTES_MAX = 1300, OPEN_MAX = 1000 };

struct message {
	struct list node; /* in worker->messages */
	struct worker *worker;
	struct server_txn *asked;
	struct client_txn *asking;
};

bool message_may(const struct leg *l)
{
	if (l->side == SIDE_CALLER) {
		const struct source *s = call_peer(l->call);

		return s && s->row->messages;
	}
	const struct vendor *v = leg_vendor(l);

	return v && v->row->messages;
}

static int check_text(const struct msg *m)
{
	if (!str_ieq(m->content_type, STR("text/plain")))
		return 415;
	return m->body.n > TEXT_BYTES_MAX ? 413 : 0;
}

int message_inside(struct leg *l, const struct msg *m)
{
	const struct leg *other = leg_other(l);

	if (!message_may(l))
		return 405;
	if (l->call->state != CALL_UP || !other || !other->is_answered)
		return 480;
	return message_may(other) ? check_text(m) : 603;
}

/* ---- NOTIFY: message-summary ---- */

static int read_notify(const struct msg *m, struct buf *extra, struct buf *body)
{
	struct str event, name, state;
	bool is_over;

	if (!msg_header(m, "Event", 0, &event) || !lex_split(&event, ';', &name) ||
	    !str_ieq(name, STR("message-summary")))
		return 489;
	if (!str_ieq(m->content_type, STR("application/simple-message-summary")))
		return 415;
	buf_put(extra, STR("Event: message-summary\r\n"));
	if (!msg_header(m, "Subscription-State", 0, &state) ||
	    !refer_put_state(state, extra, &is_over))
		buf_put(extra, STR("Subscription-State: terminated;reason=noresource\r\n"));
	refer_put_summary(m->body, body);
	return body->n > 0 ? 0 : 400;
}

/* ---- to a phone ---- */

static void end(struct message *p, int code)
{
	list_del(&p->node);
	p->worker->message_count--;
	if (p->asking)
		client_detach(p->asking);
	if (code)
		reply_simple(p->asked, code, STR(""));
	free(p);
}

static void on_response(void *ctx, struct client_txn *t, const struct msg *m)
{
	bool is_no_help =
		(m->status >= 300 && m->status < 400) || m->status == 401 || m->status == 407;

	(void)t;
	if (m->status >= 200)
		end(ctx, is_no_help ? 480 : m->status);
}

static void on_fail(void *ctx, struct client_txn *t, int error)
{
	(void)t;
	end(ctx, error == -ETIMEDOUT ? 408 : 480);
}

static const struct client_owner asking_owner = { on_response, on_fail, NULL };

/* Nobody waits for it any more. */
static void on_asked_done(void *ctx, struct server_txn *t)
{
	(void)t;
	end(ctx, 0);
}

static const struct server_owner asked_owner = { NULL, NULL, on_asked_done };

static const struct binding *binding_of(struct worker *w, const struct phone *p)
{
	registrar_catch_up(w->registrar);

	const struct registration *r =
		bindings_find(registrar_bindings(w->registrar), str_of(p->row->number));

	return r ? binding_nth(r, 0, w->loop.now_ms) : NULL;
}

static void put_party(struct str user, const struct addr *here, struct buf *out)
{
	char host[ADDR_TEXT];

	buf_put(out, STR("<sip:"));
	party_put_user(user, out);
	buf_printf(out, "%s%s>", user.n ? "@" : "anonymous@", addr_text(here, host));
}

/* 0 or negative errno. */
static int send_to(struct message *p, const struct binding *b, const struct inquiry *q,
		   struct draft *draft)
{
	struct worker *w = p->worker;
	struct sender sender = { &w->loop, w->transport, w->sip, w->c.index };
	CLEANUP(buf_done) struct buf local = BUF_INIT, remote = BUF_INIT;
	struct addr ours;
	struct dialog d;

	transport_local(w->transport, &b->flow, &ours);
	put_party(str_of(q->caller.digits), &ours, &local);
	put_party(str_of(q->callee.digits), &ours, &remote);
	int e = buf_error(&local) ? buf_error(&local) : buf_error(&remote);
	if (e == 0)
		e = sender_begin(&sender, &d, buf_str(&local), buf_str(&remote), str_of(b->contact),
				 &b->flow);
	if (e < 0)
		return e;
	d.routes = b->path;
	draft->local = &ours;
	e = sender_send(&sender, &d, draft, &asking_owner, p, &p->asking);
	d.routes = NULL;
	dialog_done(&d);
	draft->local = NULL;
	return e;
}

/* Whom it is for; 0 or the SIP code. */
static int find_phone(struct worker *w, const struct source *s, const struct msg *m,
		      struct inquiry *q, const struct phone **ret)
{
	if (!s->row->messages)
		return 405;
	if (s->row->status == MAPPING_GATEWAY_STATUS_LOCKED)
		return 403;
	if (s->meter && !meter_take(s->meter, w->loop.now_ms))
		return 503;
	if (identify_numbers(w, s, m, q) != REASON_NONE || numbers_in(q) != REASON_NONE)
		return 404;
	*ret = world_phone_called(w->world, str_of(q->callee.digits));
	if (!*ret)
		return 404;
	return (*ret)->row->messages ? 0 : 603;
}

static int send_message(struct worker *w, struct server_txn *t, const struct binding *b,
			const struct inquiry *q, struct draft *draft)
{
	struct message *p = w->message_count < OPEN_MAX ? calloc(1, sizeof(*p)) : NULL;

	if (!p)
		return 503;
	*p = (struct message){ .worker = w, .asked = t };
	list_init(&p->node);
	list_add_tail(&w->messages, &p->node);
	w->message_count++;
	server_own(t, &asked_owner, p);
	if (send_to(p, b, q, draft) < 0)
		end(p, 480);
	return 0;
}

static void refuse(struct server_txn *t, int code)
{
	switch (code) {
	case 405:
		reply_simple(t, code, STR("Allow: " DIALOG_ALLOW ", REGISTER\r\n"));
		break;
	case 415:
		reply_simple(t, code,
			     STR("Accept: text/plain, application/simple-message-summary\r\n"));
		break;
	case 489:
		reply_simple(t, code, STR("Allow-Events: message-summary\r\n"));
		break;
	default:
		reply_simple(t, code, STR(""));
		break;
	}
}

/* From a known source: 0, or the SIP code that refuses it. */
static int pass(struct worker *w, struct server_txn *t, const struct msg *m, struct inquiry *q)
{
	CLEANUP(buf_done) struct buf extra = BUF_INIT, summary = BUF_INIT;
	bool is_notify = m->method == METHOD_NOTIFY;
	const struct phone *p = NULL;
	int code = find_phone(w, q->source, m, q, &p);

	if (code == 0)
		code = is_notify ? read_notify(m, &extra, &summary) : check_text(m);
	if (code)
		return code;

	const struct binding *b = binding_of(w, p);
	struct draft draft = { .method = m->method,
			       .with_contact = is_notify,
			       .max_forwards = m->max_forwards > 0 ? m->max_forwards - 1 : 0,
			       .extra = buf_str(&extra),
			       .content_type = m->content_type,
			       .body = is_notify ? buf_str(&summary) : m->body };

	if (!b)
		return 480;
	if (buf_error(&extra) || buf_error(&summary))
		return 500;
	return send_message(w, t, b, q, &draft);
}

void message_request(struct worker *w, struct server_txn *t, const struct msg *m)
{
	struct inquiry q = { .hub = w->hub, .world = w->world, .is_dry = true };
	enum reason why;
	int code;

	if (m->max_forwards == 0) {
		refuse(t, 483);
		return;
	}
	q.trail.is_off = true;
	q.source = identify(w, t, m, &why);
	if (!q.source && why == REASON_UNKNOWN_SOURCE)
		refuse(t, 405);
	if (!q.source)
		return;
	code = pass(w, t, m, &q);
	if (code)
		refuse(t, code);
	inquiry_done(&q);
}

void messages_done(struct worker *w)
{
	while (!list_is_empty(&w->messages)) {
		struct message *p = CONTAINER(w->messages.next, struct message, node);

		server_detach(p->asked);
		end(p, 0);
	}
}
