#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "oom.h"
#include "trace/hep.h"
#include "trace/ladder.h"
#include "trace/mask.h"
#include "trace/pcap.h"

enum { LIMIT = 64 << 10 };

static struct store s;

static int set_up(void **state)
{
	(void)state;
	return store_init(&s, LIMIT);
}

static int tear_down(void **state)
{
	(void)state;
	store_done(&s);
	return 0;
}

/* A message of this call, `extra` octets long beyond its heads. */
static const struct trace_call *hear(const char *call_id, const char *peer, enum tap_who who,
				     size_t extra)
{
	static int64_t now = 1000000;
	static char text[32768];
	struct tap_message m = { .wall_us = now += 1000, .who = (uint8_t)who };
	int n = snprintf(text, sizeof(text),
			 "INVITE sip:1@x SIP/2.0\r\nCall-ID: %s\r\nX: %0*d\r\n\r\n", call_id,
			 (int)extra, 0);

	(void)addr_parse(STR("192.0.2.1:5060"), 0, &m.local);
	(void)addr_parse(str_of(peer), 5060, &m.peer);
	return store_message(&s, &m, str_n(text, (size_t)n));
}

static void note(const char *call_id, int64_t id, uint32_t attempt, const char *gateway,
		 const char *callee)
{
	struct tap_note n = { .call_id = id, .is_vendor = attempt > 0, .attempt = attempt };

	(void)str_copy(n.gateway, sizeof(n.gateway), str_of(gateway));
	(void)str_copy(n.number[1], sizeof(n.number[1]), str_of(callee));
	store_note(&s, &n, str_of(call_id));
}

static void start(const char *part, const char *text)
{
	struct trace_filter f = { 0 };
	struct err err = ERR_INIT;

	if (part)
		assert_int_equal(filter_set(&f, part, str_of(text), &err), 0);
	store_start(&s, &f);
}

static size_t kept(const char *key)
{
	const struct trace_call *c = store_find(&s, str_of(key));

	return c ? c->messages : 0;
}

static void both_legs_are_found_by_any_name(void **state)
{
	(void)state;
	start(NULL, NULL);
	(void)hear("a", "192.0.2.2", TAP_KNOWN, 1);
	note("a", 0x123, 0, "in", "880");
	note("b", 0x123, 1, "out", "880");
	(void)hear("b", "192.0.2.3", TAP_KNOWN, 1);
	assert_int_equal(kept("a"), 2);
	assert_int_equal(kept("b"), 2);
	assert_int_equal(kept("0000000000000123"), 2);
	assert_int_equal(kept("0000000000000124"), 0);
	assert_int_equal(kept(""), 0);
}

static void a_call_is_kept_from_its_first_message_once_a_vendor_meets_the_filter(void **state)
{
	(void)state;
	start("gateway", "out");
	(void)hear("a", "192.0.2.2", TAP_KNOWN, 1);
	note("a", 1, 0, "in", "880");
	assert_int_equal(kept("a"), 0);
	note("b", 1, 1, "out", "880");
	(void)hear("b", "192.0.2.3", TAP_KNOWN, 1);
	assert_int_equal(kept("a"), 2);
	(void)hear("c", "192.0.2.2", TAP_KNOWN, 1);
	note("c", 2, 0, "in", "881");
	assert_int_equal(kept("c"), 0);
}

static void a_stranger_waits_until_it_is_a_call(void **state)
{
	(void)state;
	start(NULL, NULL);
	assert_null(hear("a", "192.0.2.9", TAP_REFUSED, 1));
	(void)hear("b", "192.0.2.9", TAP_STRANGER, 1);
	assert_int_equal(kept("b"), 0);
	note("b", 7, 0, "in", "880");
	assert_int_equal(kept("b"), 1);
	start("address", "192.0.2.9");
	(void)hear("a", "192.0.2.9", TAP_REFUSED, 1);
	assert_int_equal(kept("a"), 1);
}

static void memory_has_an_end_and_the_newest_stays(void **state)
{
	char id[16];

	(void)state;
	start(NULL, NULL);
	for (int i = 0; i < 1000; i++) {
		(void)snprintf(id, sizeof(id), "call-%d", i);
		(void)hear(id, "192.0.2.2", TAP_KNOWN, 500);
		assert_true(s.bytes[0] + s.bytes[1] <= LIMIT);
		assert_true(s.calls <= LIMIT / 1024);
		assert_int_equal(kept(id), 1);
	}
	assert_int_equal(kept("call-0"), 0);
	assert_true(s.lost > 0);
	store_limit(&s, 0);
	assert_int_equal(kept(id), 0);
}

/* A flood of those that the door lets through pushes out nothing that is kept. */
static void strangers_push_out_only_each_other(void **state)
{
	char id[16];

	(void)state;
	start(NULL, NULL);
	(void)hear("a", "192.0.2.2", TAP_KNOWN, 1);
	for (int i = 0; i < 1000; i++) {
		(void)snprintf(id, sizeof(id), "guess-%d", i);
		(void)hear(id, "192.0.2.9", TAP_STRANGER, 300);
	}
	assert_int_equal(kept("a"), 1);
}

static void secrets_become_stars(void **state)
{
	static const struct {
		const char *in, *out;
	} all[] = {
		/* What nobody knows is as secret as what is known to be. */
		{ "INVITE x SIP/2.0\r\nAuthorization: Digest a=\"b\",\r\n c=d\r\nTo: x\r\n\r\n",
		  "INVITE x SIP/2.0\r\nAuthorization: Digest *****,\r\n ***\r\nTo: x\r\n\r\n" },
		{ "R x SIP/2.0\r\nAuthorization: DIGEST username=\"a,b\",\r\n Response = \"0f\" "
		  ",nc=1\r\n\r\n",
		  "R x SIP/2.0\r\nAuthorization: DIGEST username=\"a,b\",\r\n Response = **** "
		  ",nc=1\r\n\r\n" },
		{ "SIP/2.0 401 No\r\nwww-authenticate : Digest nonce=1, realm=\"a\\\"b\"\r\n\r\n",
		  "SIP/2.0 401 No\r\nwww-authenticate : Digest nonce=1, realm=\"a\\\"b\"\r\n\r\n" },
		{ "SIP/2.0 200 OK\r\nAuthentication-Info: nextnonce=1, rspauth=\"ab\"\r\n\r\n",
		  "SIP/2.0 200 OK\r\nAuthentication-Info: nextnonce=1, rspauth=****\r\n\r\n" },
		/* A response behind a quote that is one too many, or none; other schemes. */
		{ "R x SIP/2.0\r\nAuthorization: Digest uri=\"x, response=\"0f\"\r\n\r\n",
		  "R x SIP/2.0\r\nAuthorization: Digest ******* *************\r\n\r\n" },
		{ "R x SIP/2.0\r\nAuthorization: Digest nc=1 response=0f\r\n\r\n",
		  "R x SIP/2.0\r\nAuthorization: Digest **** ***********\r\n\r\n" },
		{ "R x SIP/2.0\r\nAuthorization: Digest uri=x;response=0f\r\n\r\n",
		  "R x SIP/2.0\r\nAuthorization: Digest *****************\r\n\r\n" },
		{ "R x SIP/2.0\r\nAuthorization: Basic nonce=1\r\n\r\n",
		  "R x SIP/2.0\r\nAuthorization: Basic *******\r\n\r\n" },
		{ "R x SIP/2.0\r\nAuthorization: nonce=1\r\n\r\n",
		  "R x SIP/2.0\r\nAuthorization: *******\r\n\r\n" },
		{ "INVITE x SIP/2.0\r\n\r\na=crypto:1 S inline:KEY|2^20\r\na=x:inline:y\r\n",
		  "INVITE x SIP/2.0\r\n\r\na=crypto:1 S inline:********\r\na=x:inline:y\r\n" },
		{ "Authorization", "Authorization" },
		{ "", "" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		CLEANUP(buf_done) struct buf out = BUF_INIT;

		mask_put(&out, str_of(all[i].in));
		assert_true(str_eq(buf_str(&out), str_of(all[i].out)));
	}
}

static void a_filter_says_what_it_takes(void **state)
{
	static const char *const bad[][2] = { { "address", "x" },  { "address", "" },
					      { "number", "8*0" }, { "number", "*" },
					      { "number", "8 0" }, { "gateway", "" },
					      { "colour", "red" } };
	struct trace_filter f = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct err err = ERR_INIT;

		assert_true(filter_set(&f, bad[i][0], str_of(bad[i][1]), &err) < 0);
		assert_string_equal(err.field, bad[i][0]);
	}
	assert_int_equal(f.wanted, 0);
}

static void a_call_is_written_out(void)
{
	CLEANUP(buf_done) struct buf text = BUF_INIT;
	CLEANUP(free) const struct traced **m = NULL;
	const struct ladder_options o = { .is_full = true };
	struct store own;
	struct pcap p;
	size_t n = 0;
	const struct trace_filter all = { 0 };
	struct tap_message in = { .wall_us = 1, .proto = PROTO_TCP };

	(void)addr_parse(STR("192.0.2.1:5060"), 0, &in.local);
	(void)addr_parse(STR("192.0.2.2:5060"), 0, &in.peer);
	if (!oom_refused(store_init(&own, LIMIT))) {
		store_start(&own, &all);
		const struct trace_call *c = store_message(&own, &in, STR("BYE x SIP/2.0\r\n\r\n"));

		if (c && store_collect(&own, c, &m, &n) == 0)
			ladder_put(&text, c, m, n, &o);
		if (pcap_init(&p, &text, false) == 0 && n)
			pcap_put(&p, m[0], false);
		pcap_done(&p);
		hep_encode(&text, c, &in, STR("BYE x SIP/2.0\r\n\r\n"));
	}
	store_done(&own);
}

static void memory_may_run_out(void **state)
{
	(void)state;
	oom_each(a_call_is_written_out);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(both_legs_are_found_by_any_name, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			a_call_is_kept_from_its_first_message_once_a_vendor_meets_the_filter,
			set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_stranger_waits_until_it_is_a_call, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(memory_has_an_end_and_the_newest_stays, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(strangers_push_out_only_each_other, set_up,
						tear_down),
		cmocka_unit_test(secrets_become_stars),
		cmocka_unit_test(a_filter_says_what_it_takes),
		cmocka_unit_test(memory_may_run_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
