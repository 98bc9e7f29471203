/*
 * The Contact of a 3xx answer: where it leads is an address that calls may be sent to, each once, and to another number never.
 */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>

#include "vendor/redirect.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct msg *message(struct str contact)
{
	struct flow flow = { .proto = PROTO_UDP };
	struct msg_fault fault;
	struct msg *m = NULL;
	struct buf b = BUF_INIT;

	assert(addr_parse(STR("192.0.2.9:5062"), 0, &flow.peer) == 0);
	buf_printf(&b, "SIP/2.0 302 Moved\r\nVia: SIP/2.0/UDP h;branch=z9hG4bKx\r\n"
		       "From: <sip:a@b>;tag=1\r\nTo: <sip:a@b>;tag=2\r\nCall-ID: x\r\n"
		       "CSeq: 1 INVITE\r\nContact: ");
	buf_put(&b, contact);
	buf_put(&b, STR("\r\n\r\n"));
	assert(!buf_error(&b));
	if (msg_parse(&m, &flow, buf_str(&b), &fault) < 0)
		m = msg_free(m);
	buf_done(&b);
	return m;
}

static void follow(const struct msg *m, enum redirect_rule rule, const struct addr *own)
{
	struct redirect way;
	struct addr to;
	int n = 0;

	redirect_begin(&way, own);
	while (redirect_next(&way, m, rule, own, 2, STR("8801"), &to) == 0) {
		assert(addr_is_set(&to) && !addr_is_any(&to) && !addr_is_multicast(&to));
		assert(!addr_eq(&to, own));
		assert(rule == REDIRECT_ANY || addr_eq(&to, &own[1]));
		assert(++n <= REDIRECT_MAX);
	}
	assert(rule != REDIRECT_OFF || n == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP(msg_free) struct msg *m = message(str_n(data, size));
	struct addr own[2];

	if (!m)
		return 0;
	assert(addr_parse(STR("192.0.2.1:5060"), 0, &own[0]) == 0);
	assert(addr_parse(STR("192.0.2.2:5060"), 0, &own[1]) == 0);
	follow(m, REDIRECT_OFF, own);
	follow(m, REDIRECT_OWN, own);
	follow(m, REDIRECT_ANY, own);
	return 0;
}
