#include "rig.h"

#include <string.h>

#include "lockoutd/judge.h"
#include "oom.h"

static struct judge *make(void)
{
	struct judge *j = NULL;

	assert_int_equal(judge_create(&j), 0);
	return j;
}

static struct event event(enum event_kind kind, enum proof proof, const char *src, uint32_t count)
{
	return (struct event){ .kind = kind,
			       .proof = proof,
			       .src = address(src),
			       .count = count,
			       .proto = "udp",
			       .account = "1001" };
}

/* The same event n times, gap_ms apart; the number of the one that brought a ban, 0: none did. */
static int repeat(struct judge *j, const struct event *e, int n, int64_t gap_ms, int64_t start_ms,
		  struct sentence *ret)
{
	for (int i = 0; i < n; i++) {
		if (judge_event(j, e, NULL, start_ms + i * gap_ms, 1800000000000, ret) == JUDGE_BAN)
			return i + 1;
	}
	return 0;
}

/* What each kind of evidence comes to when it is repeated once a second. */
static void evidence_weighs_what_its_proof_is_worth(void **state)
{
	static const struct {
		enum event_kind kind;
		enum proof proof;
		int bans_at; /* 0: never */
		int64_t seconds;
	} cases[] = {
		{ EVENT_AUTH_FAILED, PROOF_NONCE, 10, 600 },
		{ EVENT_AUTH_FAILED, PROOF_TCP, 10, 600 },
		{ EVENT_AUTH_FAILED, PROOF_NONE, 0, 0 },
		{ EVENT_SSH_FAILED, PROOF_TCP, 10, 600 },
		{ EVENT_TCP_ABUSE, PROOF_TCP, 10, 600 },
		{ EVENT_TCP_ABUSE, PROOF_NONE, 0, 0 },
		{ EVENT_SCANNER, PROOF_TCP, 2, 600 },
		{ EVENT_HONEYPOT, PROOF_TCP, 2, 600 },
		{ EVENT_HONEYPOT, PROOF_NONCE, 2, 600 },
		{ EVENT_SCANNER, PROOF_NONE, 1, 60 },
		{ EVENT_HONEYPOT, PROOF_NONE, 1, 60 },
		{ EVENT_UNKNOWN_SOURCE, PROOF_NONE, 0, 0 },
		{ EVENT_AUTH_OK, PROOF_NONCE, 0, 0 },
		{ EVENT_CONFIG_CHANGED, PROOF_TCP, 0, 0 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		CLEANUP(judge_free) struct judge *j = make();
		struct event e = event(cases[i].kind, cases[i].proof, "192.0.2.7", 1);
		struct sentence s = { 0 };

		assert_int_equal(repeat(j, &e, 60, 1000, 5000, &s), cases[i].bans_at);
		assert_int_equal(s.seconds, cases[i].seconds);
	}
}

/* Nothing that can be forged bans for longer than a minute, however much of it there is. */
static void a_lone_udp_packet_bans_for_a_minute_at_most(void **state)
{
	static const enum event_kind kinds[] = { EVENT_AUTH_FAILED, EVENT_UNKNOWN_SOURCE,
						 EVENT_SCANNER, EVENT_HONEYPOT, EVENT_TCP_ABUSE };
	CLEANUP(judge_free) struct judge *j = make();
	struct sentence s;

	(void)state;
	for (uint32_t now = 0; now < 2000; now++) {
		struct event e = event(kinds[now % 5], PROOF_NONE, "192.0.2.7", 1 + now % 900);

		if (judge_event(j, &e, NULL, now * 10, 0, &s) == JUDGE_NOTHING)
			continue;
		assert_int_equal(s.cause, CAUSE_KNOCKING);
		assert_true(s.seconds <= 60);
		assert_int_equal(s.level, 0);
	}
}

static void ten_failures_count_only_within_a_minute(void **state)
{
	CLEANUP(judge_free) struct judge *j = make();
	struct event e = event(EVENT_AUTH_FAILED, PROOF_NONCE, "192.0.2.7", 1);
	struct sentence s;

	(void)state;
	/* one every 7 s: never ten in 60 s */
	assert_int_equal(repeat(j, &e, 200, 7000, 0, &s), 0);
	/* nine at once, and the window does not end at a fixed second */
	assert_int_equal(repeat(j, &e, 9, 0, 10000000, &s), 0);
	assert_int_equal(judge_event(j, &e, NULL, 10059999, 0, &s), JUDGE_BAN);
	/* then all begins anew */
	assert_int_equal(repeat(j, &e, 9, 0, 10060000, &s), 0);
	assert_int_equal(judge_event(j, &e, NULL, 10120000, 0, &s), JUDGE_NOTHING);
}

static void counts_stand_for_so_many_events(void **state)
{
	CLEANUP(judge_free) struct judge *j = make();
	struct event nine = event(EVENT_AUTH_FAILED, PROOF_NONCE, "192.0.2.7", 9);
	struct event one = event(EVENT_AUTH_FAILED, PROOF_NONCE, "192.0.2.7", 1);
	struct event crowd = event(EVENT_UNKNOWN_SOURCE, PROOF_NONE, "192.0.2.8", 100);
	struct event most = event(EVENT_UNKNOWN_SOURCE, PROOF_NONE, "192.0.2.9", EVENT_COUNT_MAX);
	struct sentence s;

	(void)state;
	assert_int_equal(judge_event(j, &nine, NULL, 1, 0, &s), JUDGE_NOTHING);
	assert_int_equal(judge_event(j, &one, NULL, 2, 0, &s), JUDGE_BAN);
	assert_int_equal(judge_event(j, &crowd, NULL, 1, 0, &s), JUDGE_NOTHING);
	assert_int_equal(judge_event(j, &crowd, NULL, 9999, 0, &s), JUDGE_BAN);
	assert_int_equal(s.seconds, 60);
	assert_int_equal(judge_event(j, &most, NULL, 1, 0, &s), JUDGE_BAN);
	/* ten seconds later the count has begun anew */
	assert_int_equal(judge_event(j, &crowd, NULL, 100000, 0, &s), JUDGE_NOTHING);
	assert_int_equal(judge_event(j, &crowd, NULL, 110000, 0, &s), JUDGE_NOTHING);
}

static void who_comes_again_stays_out_twice_as_long(void **state)
{
	CLEANUP(judge_free) struct judge *j = make();
	struct event e = event(EVENT_AUTH_FAILED, PROOF_TCP, "192.0.2.7", 10);
	struct ban before = { .terms = { .cause = CAUSE_FAILURES, .level = 0 } };
	struct sentence s;
	int64_t want = 1200;

	(void)state;
	for (int i = 0; i < 40; i++) {
		assert_int_equal(judge_event(j, &e, &before, i, 0, &s), JUDGE_BAN);
		assert_int_equal(s.seconds, want);
		want = want * 2 > 86400 ? 86400 : want * 2;
		before.terms.level = s.level;
	}
	/* A minute's ban for knocking was none that counts. */
	before.terms.cause = CAUSE_KNOCKING;
	assert_int_equal(judge_event(j, &e, &before, 100, 0, &s), JUDGE_BAN);
	assert_int_equal(s.seconds, 600);
}

/* behaviour.md: with a live call at the address never the address; a day is as long as a call may last. */
static void a_customers_address_is_spared_for_a_day(void **state)
{
	enum { DAY = 86400 * 1000 };
	CLEANUP(judge_free) struct judge *j = make();
	struct event good = event(EVENT_AUTH_OK, PROOF_NONCE, "192.0.2.7", 1);
	struct event said = event(EVENT_AUTH_OK, PROOF_NONE, "192.0.2.8", 1);
	struct event scan = event(EVENT_SCANNER, PROOF_NONE, "192.0.2.7", 1);
	struct event guess = event(EVENT_AUTH_FAILED, PROOF_NONCE, "192.0.2.7", 10);
	struct cidr net = banned("192.0.2.7"), other = banned("192.0.2.8");
	struct sentence s = { 0 };

	(void)state;
	assert_int_equal(judge_last_good(j, &net, 0), -1);
	assert_int_equal(judge_event(j, &good, NULL, 1000, 0, &s), JUDGE_KNOW);
	assert_int_equal(judge_event(j, &said, NULL, 1000, 0, &s), JUDGE_NOTHING);
	assert_int_equal(judge_last_good(j, &net, 61000), 60000);
	assert_int_equal(judge_last_good(j, &other, 61000), -1);
	assert_int_equal(judge_event(j, &scan, NULL, 2000, 0, &s), JUDGE_NOTHING);
	assert_int_equal(judge_event(j, &guess, NULL, 3000, 0, &s), JUDGE_SPARE);
	assert_string_equal(s.reason, "10 failures within 60 s");
	assert_int_equal(judge_event(j, &scan, NULL, 1000 + DAY, 0, &s), JUDGE_BAN);
	assert_int_equal(judge_event(j, &guess, NULL, 1000 + DAY, 0, &s), JUDGE_BAN);
}

static void an_ipv6_source_is_its_64(void **state)
{
	CLEANUP(judge_free) struct judge *j = make();
	struct event a = event(EVENT_AUTH_FAILED, PROOF_TCP, "2001:db8:1:2::1", 5);
	struct event b = event(EVENT_AUTH_FAILED, PROOF_TCP, "2001:db8:1:2:ffff::9", 5);
	struct event c = event(EVENT_AUTH_FAILED, PROOF_TCP, "2001:db8:1:3::1", 5);
	struct sentence s;

	(void)state;
	assert_int_equal(judge_event(j, &a, NULL, 1, 0, &s), JUDGE_NOTHING);
	assert_int_equal(judge_event(j, &c, NULL, 1, 0, &s), JUDGE_NOTHING);
	assert_int_equal(judge_event(j, &b, NULL, 1, 0, &s), JUDGE_BAN);
}

/* Half a million forged sources later, the one with proof against it is still being counted. */
static void knocking_pushes_out_no_proof(void **state)
{
	CLEANUP(judge_free) struct judge *j = make();
	struct event e = event(EVENT_AUTH_FAILED, PROOF_NONCE, "192.0.2.7", 9);
	struct sentence s;

	(void)state;
	assert_int_equal(judge_event(j, &e, NULL, 1, 0, &s), JUDGE_NOTHING);
	for (uint32_t i = 0; i < SUSPECTS_MAX * 2; i++) {
		struct event forged = event(EVENT_UNKNOWN_SOURCE, PROOF_NONE, "10.0.0.0", 1);

		forged.src.in.sin_addr.s_addr = htonl(0x0a000000 + i);
		(void)judge_event(j, &forged, NULL, 2, 0, &s);
	}
	e.count = 1;
	assert_int_equal(judge_event(j, &e, NULL, 3, 0, &s), JUDGE_BAN);
}

static void the_evidence_says_what_was_seen(void **state)
{
	CLEANUP(judge_free) struct judge *j = make();
	struct event e = event(EVENT_AUTH_FAILED, PROOF_NONCE, "192.0.2.7", 1);
	struct sentence s = { 0 };

	(void)state;
	(void)str_copy(e.detail, sizeof(e.detail), STR("INVITE 4420"));
	assert_int_equal(repeat(j, &e, 10, 1, 0, &s), 10);
	assert_int_equal(strncmp(s.evidence,
				 "08:00:00 auth_failed by udp (nonce) as 1001 INVITE 4420; ", 57),
			 0);
	assert_true(strlen(s.evidence) < EVIDENCE_MAX);
}

static void an_acquitted_source_begins_anew(void **state)
{
	CLEANUP(judge_free) struct judge *j = make();
	struct event e = event(EVENT_SSH_FAILED, PROOF_TCP, "192.0.2.7", 9);
	struct cidr net = banned("192.0.2.7");
	struct sentence s;

	(void)state;
	judge_acquit(j, &net);
	assert_int_equal(judge_event(j, &e, NULL, 1, 0, &s), JUDGE_NOTHING);
	judge_acquit(j, &net);
	assert_int_equal(judge_event(j, &e, NULL, 2, 0, &s), JUDGE_NOTHING);
}

/* What fail2ban calls maxretry, findtime, bantime, bantime.maxtime; proof of worse things weighs half of the failures. */
static void an_operators_limits_hold(void **state)
{
	static const struct limits own = {
		.max_retry = 3, .find_s = 20, .ban_s = 100, .ban_max_s = 150
	};
	CLEANUP(judge_free) struct judge *j = make();
	struct event e = event(EVENT_AUTH_FAILED, PROOF_NONCE, "192.0.2.7", 1);
	struct event trap = event(EVENT_HONEYPOT, PROOF_TCP, "192.0.2.8", 1);
	struct ban before = { .terms = { .cause = CAUSE_FAILURES, .level = 0 } };
	struct sentence s;

	(void)state;
	judge_set_limits(j, &own);
	assert_int_equal(repeat(j, &e, 50, 10000, 0, &s), 0);
	assert_int_equal(repeat(j, &e, 3, 9000, 1000000, &s), 3);
	assert_int_equal(s.seconds, 100);
	assert_string_equal(s.reason, "3 failures within 20 s");
	assert_int_equal(repeat(j, &trap, 3, 1, 0, &s), 2);
	e.count = 3;
	assert_int_equal(judge_event(j, &e, &before, 2000000, 0, &s), JUDGE_BAN);
	assert_int_equal(s.seconds, 150);
}

static void a_customer_is_made_known_again_now_and_then(void **state)
{
	CLEANUP(judge_free) struct judge *j = make();
	struct event good = event(EVENT_AUTH_OK, PROOF_NONCE, "192.0.2.7", 1);
	struct event forged = event(EVENT_AUTH_OK, PROOF_NONE, "192.0.2.8", 1);
	const ms_t again = (ms_t)KNOW_AGAIN_S * 1000;
	struct sentence s;

	(void)state;
	assert_int_equal(judge_event(j, &forged, NULL, 1, 0, &s), JUDGE_NOTHING);
	assert_int_equal(judge_event(j, &good, NULL, 1, 0, &s), JUDGE_KNOW);
	assert_int_equal(judge_event(j, &good, NULL, again, 0, &s), JUDGE_NOTHING);
	assert_int_equal(judge_event(j, &good, NULL, again + 1, 0, &s), JUDGE_KNOW);
	assert_int_equal(judge_event(j, &good, NULL, again + 2, 0, &s), JUDGE_NOTHING);
}

static void one_life(void)
{
	CLEANUP(judge_free) struct judge *j = NULL;
	struct event good = event(EVENT_AUTH_OK, PROOF_TCP, "192.0.2.7", 1);
	struct event bad = event(EVENT_SCANNER, PROOF_TCP, "192.0.2.9", 2);
	struct sentence s;

	if (oom_refused(judge_create(&j)))
		return;
	(void)judge_event(j, &good, NULL, 1, 0, &s);
	(void)judge_event(j, &bad, NULL, 1, 0, &s);
}

static void memory_may_run_out(void **state)
{
	(void)state;
	oom_each(one_life);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(evidence_weighs_what_its_proof_is_worth),
		cmocka_unit_test(a_lone_udp_packet_bans_for_a_minute_at_most),
		cmocka_unit_test(ten_failures_count_only_within_a_minute),
		cmocka_unit_test(counts_stand_for_so_many_events),
		cmocka_unit_test(who_comes_again_stays_out_twice_as_long),
		cmocka_unit_test(a_customers_address_is_spared_for_a_day),
		cmocka_unit_test(a_customer_is_made_known_again_now_and_then),
		cmocka_unit_test(an_ipv6_source_is_its_64),
		cmocka_unit_test(knocking_pushes_out_no_proof),
		cmocka_unit_test(the_evidence_says_what_was_seen),
		cmocka_unit_test(an_acquitted_source_begins_anew),
		cmocka_unit_test(an_operators_limits_hold),
		cmocka_unit_test(memory_may_run_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
