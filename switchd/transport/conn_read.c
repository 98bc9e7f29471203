#include <errno.h>
#include <sys/socket.h>

#include "transport/conn.h"
#include "transport/stream.h"

/* The reading side of a connection: bytes, framed, become messages. */

/* What is kept of a message that is not complete; a stranger may make us keep no more (T1). */
enum { PARTIAL_UNKNOWN_MAX = 64 * 1024, PARTIAL_TRUSTED_MAX = FRAME_MAX };

/* One message for the switch. False: nobody takes it now. */
static bool deliver(struct conn *c, struct str raw)
{
	const struct sink *sink = c->stream->sink;

	if (!sink->on_message(sink->ctx, &c->flow, raw))
		return false;
	stat_add(&sink->stats->received, 1);
	conn_alive(c);
	return true;
}

/*
 * What cannot be framed is the end of the connection; a broken head is handed up once, since the
 * parser refuses it too and an answer tells an honest peer why.
 */
static void give_up(struct conn *c, struct str head)
{
	stat_add(&c->stream->sink->stats->dropped_bad, 1);
	if (head.n == 0) {
		conn_end(c, -EBADMSG);
		return;
	}
	(void)deliver(c, head);
	c->is_closing = true;
}

static void answer_ping(struct conn *c)
{
	if (c->is_trusted)
		conn_alive(c);
	(void)conn_send(c, STR("\r\n"));
}

/* Takes off one thing that the bytes begin with. False: nothing more can be done with them now. */
static bool take_one(struct conn *c, struct str *bytes)
{
	struct frame before = c->frame;
	size_t n = 0;

	switch (frame_next(&c->frame, *bytes, &n)) {
	case FRAME_MORE:
		return false;
	case FRAME_SKIP:
		break;
	case FRAME_PING:
		answer_ping(c);
		break;
	case FRAME_MESSAGE:
		if (!deliver(c, str_head(*bytes, n))) {
			c->frame = before;
			c->is_paused = true;
			return false;
		}
		break;
	case FRAME_BROKEN:
		give_up(c, str_head(*bytes, n));
		return false;
	case FRAME_TOO_LONG: /* what there is of its headers says whom to tell */
		give_up(c, *bytes);
		return false;
	}
	*bytes = str_skip(*bytes, n);
	return !c->error;
}

static void note_partial(struct conn *c, struct str rest)
{
	size_t max = c->is_trusted ? PARTIAL_TRUSTED_MAX : PARTIAL_UNKNOWN_MAX;
	bool is_partial = rest.n > 0 && rest.p[0] != '\r' && rest.p[0] != '\n' && !c->is_paused;

	if (!is_partial)
		c->partial_ms = 0;
	else if (!c->partial_ms)
		c->partial_ms = c->stream->sink->loop->now_ms;
	if (is_partial && (rest.n > max || c->frame.size > max))
		conn_end(c, -EMSGSIZE);
}

/*
 * New bytes usually begin with a message and end with one: then they are never copied. Only what is
 * left of them is kept.
 */
static void take_bytes(struct conn *c, struct str fresh)
{
	struct str bytes = fresh;
	size_t kept = c->in.n;

	if (kept > 0) {
		buf_put(&c->in, fresh);
		bytes = buf_str(&c->in);
	}

	struct str rest = bytes;

	while (buf_error(&c->in) == 0 && take_one(c, &rest))
		;
	note_partial(c, rest);
	if (kept > 0)
		buf_consume(&c->in, bytes.n - rest.n);
	else
		buf_put(&c->in, rest);
	if (buf_error(&c->in) < 0)
		conn_end(c, buf_error(&c->in));
	else if (c->in.n == 0)
		buf_done(&c->in);
}

static ssize_t read_some(struct conn *c)
{
	ssize_t n;

	if (c->tls)
		return tls_link_read(c->tls, c->stream->scratch, STREAM_READ);
	n = recv(c->fd, c->stream->scratch, STREAM_READ, MSG_DONTWAIT);
	return n < 0 ? -errno : n;
}

void conn_read(struct conn *c)
{
	ssize_t n = read_some(c);

	if (n > 0) {
		take_bytes(c, str_n(c->stream->scratch, (size_t)n));
		if (!c->tls || c->error || !tls_link_is_over(c->tls))
			return;
		n = read_some(c);
	}
	if (n == 0)
		conn_end(c, -ECONNRESET);
	else if (n != -EAGAIN && n != -EINTR)
		conn_end(c, (int)n);
}

void conn_read_on(struct conn *c)
{
	take_bytes(c, (struct str){ c->stream->scratch, 0 });
}
