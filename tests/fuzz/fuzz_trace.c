/*
 * The tracer before bytes that nobody has parsed: a message is kept, masked, drawn, exported and sent on. Masking keeps every
 * length, a picture is printable and as narrow as promised, and what a page holds is what was put there.
 */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>

#include "trace/hep.h"
#include "trace/ladder.h"
#include "trace/mask.h"
#include "trace/pcap.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct tap_message message_of(const uint8_t *data, size_t size)
{
	struct tap_message m = { .wall_us = 1000000, .proto = PROTO_UDP };

	(void)addr_parse(STR("192.0.2.1:5060"), 0, &m.local);
	(void)addr_parse(STR("[2001:db8::1]:5070"), 0, &m.peer);
	m.peer = size % 2 ? m.peer : m.local;
	m.local = m.peer;
	m.proto = size % 3 ? PROTO_UDP : PROTO_TCP;
	m.is_sent = size && data[0] & 1;
	return m;
}

static void check_mask(struct str raw)
{
	CLEANUP(buf_done) struct buf out = BUF_INIT;

	mask_put(&out, raw);
	assert(out.n == raw.n);
	for (size_t i = 0; i < raw.n; i++)
		assert(out.p[i] == raw.p[i] || out.p[i] == '*');
}

static void check_picture(const struct trace_call *c, const struct traced *const *m, size_t n)
{
	CLEANUP(buf_done) struct buf out = BUF_INIT;
	const struct ladder_options o = { .is_full = true };
	struct str rest, line;

	ladder_put(&out, c, m, n, &o);
	rest = buf_str(&out);
	while (str_line(&rest, &line))
		assert(!str_has_control(line));
}

static void check_capture(const struct traced *const *m, size_t n, size_t bytes)
{
	CLEANUP(buf_done) struct buf out = BUF_INIT;
	struct pcap p;

	assert(pcap_init(&p, &out, false) == 0);
	pcap_put_head(&p);
	for (size_t i = 0; i < n; i++)
		pcap_put(&p, m[i], false);
	assert(out.n >= 24 + (bytes <= 65507 ? bytes : 0));
	pcap_done(&p);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str raw = str_n(data, size);
	struct tap_message m = message_of(data, size);
	const struct trace_filter all = { 0 };
	CLEANUP(buf_done) struct buf packet = BUF_INIT;
	CLEANUP(free) const struct traced **kept = NULL;
	struct store s;
	size_t n = 0;

	assert(store_init(&s, 1 << 20) == 0);
	store_start(&s, &all);
	const struct trace_call *c = store_message(&s, &m, raw);
	assert(c && store_message(&s, &m, raw) == c);
	hep_encode(&packet, c, &m, raw);
	assert(store_collect(&s, c, &kept, &n) == 0 && n == 2);
	check_mask(raw);
	check_picture(c, kept, n);
	check_capture(kept, n, size);
	store_done(&s);
	return 0;
}
