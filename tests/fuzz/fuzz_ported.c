/*
 * The Contact of an LRN server's redirection: what is read of it is a routing number of 1 to 40 digits, or none.
 */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "vendor/ported.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct flow flow = { .proto = PROTO_UDP };
	struct msg_fault fault;
	CLEANUP(msg_free) struct msg *m = NULL;
	CLEANUP(buf_done) struct buf b = BUF_INIT;
	char digits[PORTED_DIGITS + 1];

	assert(addr_parse(STR("192.0.2.9:5062"), 0, &flow.peer) == 0);
	buf_printf(&b, "SIP/2.0 302 Moved\r\nVia: SIP/2.0/UDP h;branch=z9hG4bKx\r\n"
		       "From: <sip:a@b>;tag=1\r\nTo: <sip:a@b>;tag=2\r\nCall-ID: x\r\n"
		       "CSeq: 1 INVITE\r\nContact: ");
	buf_put(&b, str_n(data, size));
	buf_put(&b, STR("\r\n\r\n"));
	assert(!buf_error(&b));
	if (msg_parse(&m, &flow, buf_str(&b), &fault) < 0) {
		m = msg_free(m);
		return 0;
	}
	memset(digits, 'x', sizeof(digits));

	int r = ported_read(m, digits);

	assert(r == 1 || r == 0 || r < 0);
	if (r == 1) {
		size_t n = strnlen(digits, sizeof(digits));

		assert(n > 0 && n <= PORTED_DIGITS && strspn(digits, "0123456789") == n);
	} else {
		assert(digits[0] == 'x');
	}
	return 0;
}
