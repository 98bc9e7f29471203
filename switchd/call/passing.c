#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "call/bridge.h"
#include "call/message.h"
#include "call/transfer.h"

/*
 * INFO, MESSAGE, REFER and the NOTIFY that tells of it are passed to the other leg and their answers back. They belong to no offer, so
 * several may be under way (a digit does not wait for the one before), up to a bound.
 */
enum { PASSINGS_MAX = 16, DTMF_BYTES_MAX = 64 };

struct passing {
	struct list node; /* in from->passings */
	struct leg *from;
	struct server_txn *asked;
	struct client_txn *asking;
	enum method method;
	uint32_t cseq; /* as it came */
};

static void end(struct passing *p, int code)
{
	list_del(&p->node);
	if (p->asking)
		client_detach(p->asking);
	reply_simple(p->asked, code, STR(""));
	free(p);
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
	struct passing *p = ctx;

	(void)t;
	list_del(&p->node);
	if (p->asking)
		client_detach(p->asking);
	free(p);
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

/* 0, or the SIP code: nothing was sent. */
static int pass(struct leg *l, struct server_txn *t, const struct msg *m, const struct draft *d)
{
	struct leg *other = leg_other(l);
	struct passing *p = calloc(1, sizeof(*p));

	if (!p)
		return 500;
	*p = (struct passing){ .from = l, .asked = t, .method = m->method, .cseq = m->cseq };
	list_init(&p->node);
	list_add_tail(&l->passings, &p->node);
	server_own(t, &asked_owner, p);
	if (leg_send(other, d, &asking_owner, p, &p->asking) < 0)
		end(p, 503);
	else if (m->method == METHOD_REFER)
		transfer_sent(l, m->cseq, other->dialog.local_cseq);
	return 0;
}

void passing_request(struct leg *l, struct server_txn *t, const struct msg *m)
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

void passings_done(struct leg *l)
{
	while (!list_is_empty(&l->passings))
		end(CONTAINER(l->passings.next, struct passing, node), 487);
}
