#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "oom.h"
#include "phone/contact.h"
#include "phone/registrar.h"
#include "sip/msg.h"
#include "transport/steer.h"

enum { NOW = 1000000 };

static const struct register_rules usual = { .expire_s = 3600,
					     .nat_expire_s = 300,
					     .replaces = true };

/* One worker, whose only mail is to the main thread. */
struct rig {
	struct loop loop;
	struct ring *to_main;
	struct registrar *registrar;
	struct registrar_stats stats;
	struct listen_spec listen;
	uint32_t cseq;
};

static int rig_make(struct rig *g, size_t ring_bytes)
{
	*g = (struct rig){ 0 };
	if (loop_init(&g->loop) < 0 || ring_create(&g->to_main, ring_bytes) < 0)
		return -1;
	g->loop.now_ms = NOW;
	wheel_init(&g->loop.wheel, NOW);
	(void)addr_parse(STR("192.0.2.1"), 5060, &g->listen.addr);

	struct registrar_config c = { .loop = &g->loop,
				      .listen = &g->listen,
				      .listen_count = 1,
				      .workers = 1,
				      .to = &g->to_main,
				      .from = &g->to_main,
				      .stats = &g->stats };

	return registrar_create(&g->registrar, &c);
}

static void rig_done(struct rig *g)
{
	g->registrar = registrar_free(g->registrar);
	g->to_main = ring_free(g->to_main);
	loop_done(&g->loop);
}

static void rig_done_cleanup(struct rig *g)
{
	rig_done(g);
}

static struct msg *parse(struct rig *g, const char *headers)
{
	struct flow from = { .proto = PROTO_UDP };
	struct msg_fault fault;
	struct msg *m = NULL;
	char text[4096];

	(void)addr_parse(STR("192.0.2.9"), 5060, &from.peer);
	int n = snprintf(text, sizeof(text),
			 "REGISTER sip:tandem SIP/2.0\r\n"
			 "Via: SIP/2.0/UDP 192.0.2.9:5060;branch=z9hG4bK1\r\n"
			 "From: <sip:1001@tandem>;tag=a\r\nTo: <sip:1001@tandem>\r\n"
			 "CSeq: %u REGISTER\r\n%s\r\n",
			 ++g->cseq, headers);
	if (msg_parse(&m, &from, str_n(text, (size_t)n), &fault) < 0)
		m = msg_free(m);
	return m;
}

/* The code that these headers get; what is answered in *extra. */
static int apply(struct rig *g, const struct register_rules *rules, const char *headers,
		 struct buf *extra)
{
	CLEANUP(msg_free) struct msg *m = parse(g, headers);

	assert_non_null(m);
	return registrar_apply(g->registrar, m, STR("1001"), rules, extra);
}

static int bound(const struct rig *g)
{
	const struct registration *r = bindings_find(registrar_bindings(g->registrar), STR("1001"));

	return r ? r->count : 0;
}

static int told(struct rig *g)
{
	size_t n;
	int mails = 0;

	for (; ring_peek(g->to_main, &n); mails++)
		ring_pop(g->to_main);
	return mails;
}

static void pass(struct rig *g, int64_t now_ms)
{
	g->loop.now_ms = now_ms;
	wheel_advance(&g->loop.wheel, now_ms);
}

#define ONE   "Call-ID: c\r\nContact: <sip:1001@192.0.2.9>\r\n"
#define SHORT "Call-ID: c\r\nContact: <sip:1001@192.0.2.9:99>;expires=60\r\n"

static void a_registration_ends_by_itself(void **state)
{
	CLEANUP(rig_done) struct rig g;
	struct buf out = BUF_INIT;

	(void)state;
	if (rig_make(&g, 65536) < 0)
		return;
	assert_int_equal(apply(&g, &usual, ONE, &out), 200);
	assert_int_equal(apply(&g, &usual, SHORT, &out), 200);
	assert_int_equal(bound(&g), 2);
	(void)told(&g);
	pass(&g, NOW + 59999);
	assert_int_equal(bound(&g), 2);
	pass(&g, NOW + 60000);
	assert_int_equal(bound(&g), 1);
	assert_int_equal(told(&g), 1);
	pass(&g, NOW + 3600000);
	assert_int_equal(bound(&g), 0);
	assert_int_equal(told(&g), 1);
	assert_null(bindings_find(registrar_bindings(g.registrar), STR("1001")));
	assert_false(bindings_know(registrar_bindings(g.registrar), &g.listen.addr));
	buf_done(&out);
}

static void a_full_ring_is_told_later(void **state)
{
	CLEANUP(rig_done) struct rig g;
	struct buf out = BUF_INIT;
	int mails = 0, n;

	(void)state;
	if (rig_make(&g, 4096) < 0)
		return;
	for (int i = 0; i < 100; i++) {
		assert_int_equal(apply(&g, &usual, ONE, &out), 200);
		buf_clear(&out);
	}
	assert_true(atomic_load(&g.stats.mail_put_off) > 0);
	assert_true(told(&g) < 100);
	assert_int_equal(apply(&g, &usual, "Call-ID: c\r\nContact: *\r\nExpires: 0\r\n", &out),
			 200);
	while ((n = told(&g)) > 0) {
		mails += n;
		registrar_flush(g.registrar);
	}
	assert_true(mails > 0);
	assert_null(bindings_find(registrar_bindings(g.registrar), STR("1001")));
	buf_done(&out);
}

static void a_copy_is_the_same(void **state)
{
	CLEANUP(rig_done) struct rig g;
	struct buf out = BUF_INIT, bytes = BUF_INIT, again = BUF_INIT;
	struct bindings copy;

	(void)state;
	if (rig_make(&g, 65536) < 0)
		return;
	(void)apply(&g, &usual,
		    "Call-ID: c\r\nUser-Agent: x\r\nPath: <sip:192.0.2.8;lr>\r\n"
		    "Contact: <sip:1001@10.0.0.1>;q=0.3, <sip:1001@10.0.0.2>;q=0.5\r\n"
		    "Contact: <sip:1001@10.0.0.3>;q=0.3\r\n",
		    &out);
	if (bound(&g) != 3 || bindings_init(&copy) < 0)
		goto end;
	registration_pack(bindings_find(registrar_bindings(g.registrar), STR("1001")), &bytes);
	if (!buf_error(&bytes) && registration_unpack(&copy, buf_str(&bytes)) == 0) {
		const struct registration *r = bindings_find(&copy, STR("1001"));
		static const char *const order[] = { "sip:1001@10.0.0.2", "sip:1001@10.0.0.1",
						     "sip:1001@10.0.0.3" };

		registration_pack(r, &again);
		if (buf_error(&again))
			goto end;
		assert_true(str_eq(buf_str(&bytes), buf_str(&again)));
		for (int i = 0; i < 3; i++)
			assert_string_equal(binding_nth(r, i, NOW)->contact, order[i]);
		assert_null(binding_nth(r, 3, NOW));
		assert_null(binding_nth(r, 0, NOW + 3600000));
	}
end:
	bindings_done(&copy);
	buf_done(&bytes);
	buf_done(&again);
	buf_done(&out);
}

static const struct {
	const char *headers;
	int code;
} rows[] = {
	{ "Contact: <sip:1@h>", 0 },
	{ "Contact: sip:1@h;expires=5", 0 },
	{ "Contact: <sip:1@h>;expires=99999999999", 0 },
	{ "Contact: *\r\nExpires: 0", 0 },
	{ "Contact: *\r\nExpires: 1", 400 },
	{ "Contact: *", 400 },
	{ "Contact: *, <sip:1@h>\r\nExpires: 0", 400 },
	{ "Contact: <tel:+49>", 416 },
	{ "Contact: <mailto:a@b>", 416 },
	{ "Contact: <sip:1@h?Route=x>", 400 },
	{ "Contact: <sip:1@h>, <sip:1@h>", 400 }, /* twice the same */
	{ "Path: <sip:h;lr>", 0 },
	{ "Path: sip:h", 400 },
	{ "Path: <tel:1>", 400 },
};

static void what_is_asked_for_is_read(void **state)
{
	CLEANUP(rig_done) struct rig g;

	(void)state;
	if (rig_make(&g, 65536) < 0)
		return;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct buf out = BUF_INIT;
		char text[512];
		static const struct register_rules any = { .expire_s = 60, .nat_expire_s = 1 };

		(void)snprintf(text, sizeof(text), "Call-ID: c\r\n%s\r\n", rows[i].headers);

		int code = apply(&g, &any, text, &out);

		if (!oom_hit() && code != (rows[i].code ? rows[i].code : 200))
			fail_msg("%s: %d", rows[i].headers, code);
		buf_done(&out);
	}
}

static void one_life(void)
{
	struct rig g;
	struct buf out = BUF_INIT;

	if (rig_make(&g, 65536) == 0) {
		struct msg *m = parse(&g, ONE "Path: <sip:192.0.2.8;lr>\r\nUser-Agent: a\r\n");

		if (m) {
			int code = registrar_apply(g.registrar, m, STR("1001"), &usual, &out);

			assert_true(code == 200 || code == 500 || code == 400);
		}
		(void)msg_free(m);
	}
	buf_done(&out);
	rig_done(&g);
}

static void memory_may_run_out(void **state)
{
	(void)state;
	oom_each(one_life);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_registration_ends_by_itself),
		cmocka_unit_test(a_full_ring_is_told_later),
		cmocka_unit_test(a_copy_is_the_same),
		cmocka_unit_test(what_is_asked_for_is_read),
		cmocka_unit_test(memory_may_run_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
