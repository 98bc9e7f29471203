/*
 * Identity headers of a call, up to an empty line: what is passed on is a message again, says nothing of the first peer's
 * hosts, and has no more elements than it may.
 */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>

#include "sip/party.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char start[] =
	"INVITE sip:1@192.0.2.1 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.9;branch=z9hG4bK1\r\n"
	"From: <sip:2@192.0.2.9>;tag=1\r\nTo: <sip:1@192.0.2.1>\r\nCall-ID: 1\r\n"
	"CSeq: 1 INVITE\r\nMax-Forwards: 70\r\nContact: <sip:192.0.2.9>\r\n";

static struct msg *read_message(struct str headers)
{
	struct buf b = BUF_INIT;
	struct flow flow = { .proto = PROTO_UDP };
	struct msg_fault fault;
	struct msg *m = NULL;

	assert(addr_parse(STR("192.0.2.9:5062"), 0, &flow.peer) == 0);
	buf_putz(&b, start);
	buf_put(&b, headers);
	buf_put(&b, STR("\r\n"));
	if (msg_parse(&m, &flow, buf_str(&b), &fault) < 0)
		m = msg_free(m);
	buf_done(&b);
	return m;
}

static int count(const struct msg *m, const char *name)
{
	struct str value;
	int n = 0;

	while (msg_header(m, name, n, &value))
		n++;
	return n;
}

static void check(const struct msg *m)
{
	struct buf out = BUF_INIT;
	int history = party_pass(m, "History-Info", "index,rc,mp,np", "198.51.100.1:5060", 8, &out);
	int asserted = party_pass(m, "P-Asserted-Identity", "", "198.51.100.1:5060", 2, &out);

	assert(party_pass_raw(m, "Identity", 8, &out) <= 8);
	party_put_privacy(party_privacy(m), &out);
	assert(!buf_error(&out) && history <= 8 && asserted <= 2);
	if (out.n > MSG_HEAD_BYTES_MAX / 2) {
		buf_done(&out);
		return;
	}

	struct msg *again = read_message(buf_str(&out));

	assert(again);
	assert(count(again, "History-Info") == history);
	assert(count(again, "P-Asserted-Identity") == asserted);
	assert(party_privacy(again) == party_privacy(m));
	for (int i = 0; i < history; i++) {
		struct party p;

		assert(party_read(again, "History-Info", i, &p));
		assert(p.uri.scheme == URI_TEL || str_eq(p.uri.host, STR("198.51.100.1")));
	}
	(void)msg_free(again);
	buf_done(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct msg *m = read_message(str_n(data, size));

	if (m)
		check(m);
	(void)msg_free(m);
	return 0;
}
