#include "wire.h"

#include <errno.h>

#include "oom.h"

#define PEER .peer.in = { .sin_family = AF_INET, .sin_port = 0xc413, .sin_addr.s_addr = 0x090200c0 }

const struct flow over_udp = { .proto = PROTO_UDP, PEER };
const struct flow over_tcp = { .proto = PROTO_TCP, .listener = 1, .conn = 7, PEER };

/* The linker takes these before it looks into the library of transport/. */

int transport_send(struct transport *t, const struct flow *to, struct str bytes)
{
	struct wire *w = (struct wire *)(void *)t;
	struct str line = bytes, word;

	if (w->fails_with)
		return w->fails_with;
	if (w->on_send) {
		w->on_send(w->ctx, to, bytes);
		return 0;
	}
	buf_clear(&w->last);
	buf_put(&w->last, bytes);
	w->last_flow = *to;
	(void)str_split(&line, ' ', &word);
	if (str_eq(word, STR("SIP/2.0")))
		(void)str_split(&line, ' ', &word);
	wire_note(w, ">%.*s", STR_ARG(word));
	return 0;
}

uint32_t transport_conn(const struct transport *t, const struct flow *f)
{
	(void)t;
	return f->conn;
}

int wire_init(struct wire *w, const struct sip_user *user)
{
	*w = (struct wire){ 0 };

	int r = loop_init(&w->loop);

	if (r < 0)
		return r;
	w->loop.now_ms = w->loop.wheel.now_ms;
	r = sip_create(&w->sip, &w->loop, (struct transport *)(void *)w, 3, user, NULL);
	if (r < 0)
		loop_done(&w->loop);
	return r;
}

void wire_done(struct wire *w)
{
	w->sip = sip_free(w->sip);
	loop_done(&w->loop);
	buf_done(&w->trace);
	buf_done(&w->last);
}

void wire_receive(struct wire *w, const struct flow *from, const char *lines)
{
	struct buf b = BUF_INIT;

	for (; *lines; lines++) {
		if (*lines == '\n')
			buf_putc(&b, '\r');
		buf_putc(&b, *lines);
	}
	if (buf_error(&b) == 0)
		sip_receive(w->sip, from, buf_str(&b));
	buf_done(&b);
}

void wire_later(struct wire *w, int64_t ms)
{
	int64_t end = w->loop.now_ms + ms;

	while (w->loop.now_ms < end) {
		int64_t wait = wheel_wait_ms(&w->loop.wheel, w->loop.now_ms);
		int64_t left = end - w->loop.now_ms;

		w->loop.now_ms += wait >= 0 && wait < left ? wait : left;
		wheel_advance(&w->loop.wheel, w->loop.now_ms);
	}
	wheel_advance(&w->loop.wheel, end); /* what was set to "now" by the last of them */
}

void wire_note(struct wire *w, const char *fmt, ...)
{
	va_list args;

	if (w->trace.n)
		buf_putc(&w->trace, ' ');
	va_start(args, fmt);
	buf_vprintf(&w->trace, fmt, args);
	va_end(args);
}

void wire_expect(struct wire *w, const char *what, const char *expected)
{
	const char *got = buf_cstr(&w->trace);

	if (!oom_hit() && strcmp(got, expected) != 0)
		fail_msg("%s:\n got      \"%s\"\n expected \"%s\"", what, got, expected);
	buf_clear(&w->trace);
}
