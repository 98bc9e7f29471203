#include "phone/inner.h"

/*
 * Is a contact still there? OPTIONS once in SS_ENDPOINTTIMETOLIVE, asked by the worker that the user belongs to. Any final
 * answer says yes; none within ANSWER_MS, in which five copies leave over UDP, or a connection that is gone, says no.
 */
enum { ANSWER_MS = 8000 };

static void on_probe(struct timer *t, int64_t now_ms);

static struct registrar *registrar_of(const struct binding *b)
{
	return b->registration->registrar;
}

void probe_start(struct registrar *r, struct binding *b)
{
	b->registration->registrar = r;
	b->probe.on_expire = on_probe;
	if (r->probe_ms > 0)
		timer_start(&r->c.loop->wheel, &b->probe, r->c.loop->now_ms + r->probe_ms);
}

void probe_stop(struct binding *b)
{
	timer_stop(&b->probe);
	if (b->asking)
		client_detach(b->asking);
	b->asking = NULL;
}

static void gone(struct binding *b)
{
	struct registrar *r = registrar_of(b);
	struct registration *reg = b->registration;

	binding_drop(&r->bindings, b);
	atomic_fetch_add_explicit(&r->c.stats->gone, 1, memory_order_relaxed);
	registrar_changed(r, reg);
}

static void on_response(void *ctx, struct client_txn *t, const struct msg *m)
{
	struct binding *b = ctx;

	if (m->status < 200)
		return;
	client_detach(t);
	b->asking = NULL;
	probe_start(registrar_of(b), b);
}

static void on_fail(void *ctx, struct client_txn *t, int error)
{
	struct binding *b = ctx;

	(void)error;
	client_detach(t);
	b->asking = NULL;
	gone(b);
}

static const struct client_owner owner = { on_response, on_fail, NULL };

/* 0; -EINVAL and such: it cannot even be sent. */
static int ask(struct registrar *r, struct binding *b)
{
	char here[ADDR_TEXT];
	CLEANUP(buf_done) struct buf local = BUF_INIT, remote = BUF_INIT;
	struct addr ours;
	struct dialog d;
	struct draft draft = { .method = METHOD_OPTIONS, .local = &ours };

	transport_local(r->c.transport, &b->flow, &ours);
	buf_printf(&local, "<sip:%s>", addr_text(&ours, here));
	buf_printf(&remote, "<%s>", b->contact);
	int e = buf_error(&local) ? buf_error(&local) : buf_error(&remote);
	if (e == 0)
		e = sender_begin(&r->sender, &d, buf_str(&local), buf_str(&remote),
				 str_of(b->contact), &b->flow);
	if (e < 0)
		return e;
	d.routes = b->path;
	e = sender_send(&r->sender, &d, &draft, &owner, b, &b->asking);
	d.routes = NULL;
	dialog_done(&d);
	return e;
}

static void on_probe(struct timer *t, int64_t now_ms)
{
	struct binding *b = CONTAINER(t, struct binding, probe);
	struct registrar *r = registrar_of(b);

	if (b->asking) {
		probe_stop(b);
		gone(b);
	} else if (ask(r, b) < 0) {
		b->asking = NULL;
		gone(b);
	} else {
		timer_start(&r->c.loop->wheel, t, now_ms + ANSWER_MS);
	}
}
