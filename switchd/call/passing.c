#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "call/bridge.h"
#include "call/inside.h"
#include "call/message.h"
#include "call/transfer.h"

/*
 * INFO, MESSAGE, REFER and the NOTIFY that tells of it are passed to the other leg and their answers back. They belong to no offer, so
 * several may be under way (a digit does not wait for the one before), up to a bound.
 */
enum { PASSINGS_MAX = 16, DTMF_BYTES_MAX = 64 };
/* How often a call of another worker is asked for that is not to be had at the moment. */
enum { SEEKS_MAX = 5, SEEK_MS = 20 };

struct passing {
	struct list node; /* in from->passings */
	struct leg *from;
	struct server_txn *asked;
	struct client_txn *asking;
	enum method method;
	uint32_t cseq; /* as it came */
	struct timer again;
	int seeks;
	bool is_held; /* a REFER that waits for another worker's answer, or the BYE behind it */
};

static void forget(struct passing *p)
{
	list_del(&p->node);
	timer_stop(&p->again);
	if (p->asking)
		client_detach(p->asking);
	free(p);
}

static void end(struct passing *p, int code)
{
	struct server_txn *t = p->asked;

	if (p->method == METHOD_BYE)
		code = 200;
	forget(p);
	reply_simple(t, code, STR(""));
}

/* A challenge or a redirection is nothing that the other side could act on; 202 says something of some methods only. */
static int passable(const struct passing *p, int code)
{
	bool is_202_known = p->method == METHOD_REFER || p->method == METHOD_MESSAGE;

	if ((code >= 300 && code < 400) || code == 401 || code == 407)
		return 488;
	return code < 300 && !(code == 202 && is_202_known) ? 200 : code;
}

static void refused(const struct passing *p)
{
	if (p->method == METHOD_REFER)
		transfer_refused(p->from, p->cseq);
}

static void on_response(void *ctx, struct client_txn *t, const struct msg *m)
{
	(void)t;
	if (m->status < 200)
		return;
	if (m->status >= 300)
		refused(ctx);
	end(ctx, passable(ctx, m->status));
}

static void on_fail(void *ctx, struct client_txn *t, int error)
{
	(void)t;
	refused(ctx);
	end(ctx, error == -ETIMEDOUT ? 408 : 503);
}

static const struct client_owner asking_owner = { on_response, on_fail, NULL };

/* Nobody waits for it any more; what comes back is nobody's. */
static void on_asked_done(void *ctx, struct server_txn *t)
{
	(void)t;
	forget(ctx);
}

static const struct server_owner asked_owner = { NULL, NULL, on_asked_done };

static bool is_digit(struct str s)
{
	return s.n == 1 && memchr("0123456789*#ABCDabcd!", s.p[0], 21);
}

/* "Signal=1" or "Duration = 160" */
static bool is_assignment(struct str line)
{
	struct str name;

	if (!str_split(&line, '=', &name))
		return false;
	name = str_trim(name);
	line = str_trim(line);
	if (str_ieq(name, STR("Signal")))
		return is_digit(line) || (str_is_digits(line) && line.n <= 2);
	return str_ieq(name, STR("Duration")) && str_is_digits(line);
}

/* DTMF (the two bodies that are common with RFC 6086), a line each or one digit: nothing else of the other side gets through. */
static bool is_plain_dtmf(struct str body)
{
	struct str line;

	if (body.n > DTMF_BYTES_MAX)
		return false;
	while (str_line(&body, &line)) {
		line = str_trim(line);
		if (line.n && !is_digit(line) && !is_assignment(line))
			return false;
	}
	return true;
}

static bool is_dtmf_type(struct str type)
{
	return str_ieq(type, STR("application/dtmf-relay")) ||
	       str_ieq(type, STR("application/dtmf"));
}

static int check_info(const struct msg *m)
{
	if (m->body.n > 0 && !is_dtmf_type(m->content_type))
		return 415;
	return is_plain_dtmf(m->body) ? 0 : 400;
}

/* What goes to the other leg. 0, or the SIP code that refuses it. */
static int prepare(struct leg *l, const struct msg *m, struct buf *extra, struct buf *body)
{
	switch (m->method) {
	case METHOD_REFER:
		return transfer_refer(l, m, extra);
	case METHOD_NOTIFY:
		return transfer_may(l) ? transfer_notify(l, m, extra, body) : 405;
	case METHOD_MESSAGE:
		buf_put(body, m->body);
		return message_inside(l, m);
	default:
		buf_put(body, m->body);
		return check_info(m);
	}
}

static void refuse(struct leg *l, struct server_txn *t, const struct msg *m, int code)
{
	const char *accept = m->method == METHOD_MESSAGE  ? "Accept: text/plain\r\n"
			     : m->method == METHOD_NOTIFY ? "Accept: message/sipfrag\r\n"
							  : "Accept: application/dtmf-relay, "
							    "application/dtmf\r\n";

	if (code == 405)
		reply_allow(l, t, code, "");
	else if (code == 489)
		reply_simple(t, code, STR("Allow-Events: refer\r\n"));
	else
		reply_simple(t, code, code == 415 ? str_of(accept) : STR(""));
}

static bool has_room(const struct leg *l)
{
	int n = 0;

	for (const struct list *it = l->passings.next; it != &l->passings; it = it->next)
		n++;
	return n < PASSINGS_MAX;
}

static void on_again(struct timer *t, int64_t now_ms)
{
	struct passing *p = CONTAINER(t, struct passing, again);

	(void)now_ms;
	if (!bridge_seek(p->from, server_request(p->asked)))
		passing_resume(p->from);
}

static struct passing *add(struct leg *l, struct server_txn *t, const struct msg *m)
{
	struct passing *p = calloc(1, sizeof(*p));

	if (!p)
		return NULL;
	*p = (struct passing){ .from = l, .asked = t, .method = m->method, .cseq = m->cseq };
	list_init(&p->node);
	timer_init(&p->again, on_again);
	list_add_tail(&l->passings, &p->node);
	server_own(t, &asked_owner, p);
	return p;
}

/* 0, or the SIP code: nothing was sent. */
static int pass(struct leg *l, struct server_txn *t, const struct msg *m, const struct draft *d)
{
	struct leg *other = leg_other(l);
	struct passing *p = add(l, t, m);

	if (!p)
		return 500;
	if (leg_send(other, d, &asking_owner, p, &p->asking) < 0)
		end(p, 503);
	else if (m->method == METHOD_REFER)
		transfer_sent(l, m->cseq, other->dialog.local_cseq);
	return 0;
}

static struct passing *held(const struct leg *l, enum method method)
{
	for (struct list *it = l->passings.next; it != &l->passings; it = it->next) {
		struct passing *p = CONTAINER(it, struct passing, node);

		if (p->is_held && p->method == method)
			return p;
	}
	return NULL;
}

static bool hold(struct leg *l, struct server_txn *t, const struct msg *m)
{
	struct passing *p = add(l, t, m);

	if (p)
		p->is_held = true;
	return p != NULL;
}

/* A transfer between two calls, of which the other is on another worker: that one is asked for it first. */
static bool seek(struct leg *l, struct server_txn *t, const struct msg *m)
{
	return m->method == METHOD_REFER && !held(l, METHOD_REFER) && has_room(l) &&
	       bridge_seek(l, m) && hold(l, t, m);
}

bool passing_holds_bye(struct leg *l, struct server_txn *t, const struct msg *m)
{
	return held(l, METHOD_REFER) && !held(l, METHOD_BYE) && hold(l, t, m);
}

static void go_on(struct leg *l, struct server_txn *t, const struct msg *m)
{
	CLEANUP(buf_done) struct buf extra = BUF_INIT, body = BUF_INIT;
	struct leg *other = leg_other(l);

	if (m->method == METHOD_REFER && bridge_refer(l, t, m))
		return;

	int code = has_room(l) ? prepare(l, m, &extra, &body) : 503;
	struct draft d = { .method = m->method,
			   .with_contact = m->method == METHOD_REFER || m->method == METHOD_NOTIFY,
			   .content_type = body.n ? m->content_type : STR(""),
			   .extra = buf_str(&extra),
			   .body = buf_str(&body) };

	if (code == 0 && (buf_error(&extra) || buf_error(&body)))
		code = 500;
	if (code == 0 && (l->call->state != CALL_UP || !other || !other->is_answered))
		reply_simple(t, 200, STR("")); /* a digit that nobody can hear yet */
	else if (code == 0)
		code = pass(l, t, m, &d);
	if (code)
		refuse(l, t, m, code);
}

void passing_request(struct leg *l, struct server_txn *t, const struct msg *m)
{
	if (!seek(l, t, m))
		go_on(l, t, m);
}

/* The transaction of what was held, which is nobody's now; NULL: nothing was. */
static struct server_txn *release(struct leg *l, enum method method)
{
	struct passing *p = held(l, method);
	struct server_txn *t = p ? p->asked : NULL;

	if (!t)
		return NULL;
	forget(p);
	server_detach(t);
	return t;
}

void passing_wait(struct leg *l)
{
	struct passing *p = held(l, METHOD_REFER);
	struct loop *loop = &l->call->worker->loop;

	if (p && p->seeks++ < SEEKS_MAX)
		timer_start(&loop->wheel, &p->again, loop->now_ms + SEEK_MS);
	else
		passing_resume(l);
}

void passing_resume(struct leg *l)
{
	struct server_txn *refer = release(l, METHOD_REFER), *bye = release(l, METHOD_BYE);

	if (refer)
		go_on(l, refer, server_request(refer));
	if (bye)
		inside_bye(l, bye, server_request(bye));
}

void passings_done(struct leg *l)
{
	while (!list_is_empty(&l->passings))
		end(CONTAINER(l->passings.next, struct passing, node), 487);
}
