/*
 * REGISTER as it is read and bound: the headers after a good start. Whatever comes, no more contacts than allowed are bound,
 * the copy of another thread is the same, and what is answered is whole lines.
 */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>

#include "phone/contact.h"
#include "phone/registrar.h"
#include "sip/msg.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char start[] = "REGISTER sip:tandem SIP/2.0\r\n"
			    "Via: SIP/2.0/UDP 192.0.2.9:5060;branch=z9hG4bK1\r\n"
			    "From: <sip:1001@tandem>;tag=a\r\nTo: <sip:1001@tandem>\r\n"
			    "Call-ID: c\r\nCSeq: 7 REGISTER\r\n";

static void check_copy(const struct registration *r)
{
	struct buf bytes = BUF_INIT, again = BUF_INIT;
	struct bindings copy;

	assert(r->count > 0 && r->count <= BINDINGS_MAX);
	assert(bindings_init(&copy) == 0);
	registration_pack(r, &bytes);
	assert(registration_unpack(&copy, buf_str(&bytes)) == 0);
	registration_pack(bindings_find(&copy, STR("1001")), &again);
	assert(str_eq(buf_str(&bytes), buf_str(&again)));
	bindings_done(&copy);
	buf_done(&bytes);
	buf_done(&again);
}

static void apply(struct registrar *r, const struct msg *m)
{
	static const struct register_rules rules = { .expire_s = 60,
						     .nat_expire_s = 30,
						     .replaces = true };
	struct buf extra = BUF_INIT;
	const struct registration *reg;
	int code = registrar_apply(r, m, STR("1001"), &rules, &extra);

	assert(code == 200 || code == 400 || code == 403 || code == 416 || code == 423 ||
	       code == 500);
	assert(extra.n == 0 || str_has_suffix(buf_str(&extra), STR("\r\n")));
	assert(str_find(buf_str(&extra), STR("\r\n\r\n")) < 0);
	reg = bindings_find(registrar_bindings(r), STR("1001"));
	if (reg)
		check_copy(reg);
	buf_done(&extra);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct loop loop;
	static struct listen_spec listen;
	struct flow from = { .proto = PROTO_UDP };
	struct registrar_stats stats = { 0 };
	struct ring *ring = NULL;
	struct registrar *r = NULL;
	struct msg_fault fault;
	struct msg *m = NULL;
	struct buf text = BUF_INIT;

	loop.now_ms = 1000;
	wheel_init(&loop.wheel, loop.now_ms);
	assert(addr_parse(STR("192.0.2.1"), 5060, &listen.addr) == 0);
	assert(addr_parse(STR("192.0.2.9"), 5060, &from.peer) == 0);
	buf_put(&text, str_of(start));
	buf_put(&text, str_n(data, size));
	buf_put(&text, STR("\r\n\r\n"));
	if (msg_parse(&m, &from, buf_str(&text), &fault) == 0) {
		struct registrar_config c = { .loop = &loop,
					      .listen = &listen,
					      .listen_count = 1,
					      .workers = 1,
					      .to = &ring,
					      .from = &ring,
					      .stats = &stats };

		assert(ring_create(&ring, 1 << 18) == 0 && registrar_create(&r, &c) == 0);
		apply(r, m);
		apply(r, m);
	}
	(void)msg_free(m);
	registrar_free(r);
	ring_free(ring);
	buf_done(&text);
	return 0;
}
