#include <stdio.h>

#include "rig.h"

#include "transport/steer.h"

enum { WORKERS = 7 };

static const char OURS[] = "t05000102030405060"; /* 18 characters: one too short */
static const char TOKEN[] = "t050001020304050607";

static void a_token_leads_back_to_who_minted_it(void **state)
{
	(void)state;
	for (int w = 0; w < 256; w++) {
		char token[STEER_TOKEN], branch[STEER_BRANCH];

		steer_mint(token, w);
		assert_int_equal(steer_token_worker(str_of(token)), w);
		steer_mint_branch(branch, w);
		assert_true(str_has_prefix(str_of(branch), STR("z9hG4bKt")));
		assert_int_equal(steer_token_worker(str_of(branch + 7)), w);
	}
}

static void no_two_tokens_are_alike(void **state)
{
	char a[STEER_TOKEN], b[STEER_TOKEN];

	(void)state;
	steer_mint(a, 1);
	steer_mint(b, 1);
	assert_string_not_equal(a, b);
}

static void what_others_mint_is_not_ours(void **state)
{
	static const char *const others[] = {
		"",
		"t",
		"1928301774",
		"x050001020304050607",
		"t05000102030405060A",
		"t0500010203040506071",
		"T050001020304050607",
		"t-50001020304050607",
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(others); i++)
		assert_int_equal(steer_token_worker(str_of(others[i])), -1);
	assert_int_equal(steer_token_worker(str_of(OURS)), -1);
	assert_int_equal(steer_token_worker(str_of(TOKEN)), 5);
}

/* Each holds a token of worker 5 where it counts. */
static const char *const LEADS_BACK[] = {
	/* a request that is to take a place in a call of that worker */
	"INVITE sip:x SIP/2.0\r\nTo: <sip:a@b>\r\nCall-ID: x\r\n"
	"Replaces: a@b;from-tag=1; to-tag=t050001020304050607\r\n\r\n",
	"INVITE sip:x SIP/2.0\r\nreplaces : a;to-tag=t050001020304050607;from-tag=1\r\n"
	"Call-ID: x\r\nTo: <sip:a@b>\r\n\r\n",
	/* a request inside a dialog, in all spellings of To */
	"BYE sip:x SIP/2.0\r\nVia: SIP/2.0/UDP a\r\nTo: <sip:a@b>;tag=t050001020304050607\r\n\r\n",
	"BYE sip:x SIP/2.0\r\nt: <sip:a@b>;tag=t050001020304050607\r\n\r\n",
	"BYE sip:x SIP/2.0\r\nT : sip:a@b;TAG=t050001020304050607\r\n\r\n",
	"BYE sip:x SIP/2.0\r\ntO\t: sip:a@b ; x=y ; tag = t050001020304050607 ;z\r\n\r\n",
	"BYE sip:x SIP/2.0\nTo: sip:a@b;tag=t050001020304050607\n\n",
	"BYE sip:x SIP/2.0\r\nTo:\r\n <sip:a@b>\r\n ;tag=t050001020304050607\r\n\r\n",
	"BYE sip:x SIP/2.0\r\nTo: <sip:a@b>;\r\n\ttag\r\n =\r\n t050001020304050607\r\n\r\n",
	"BYE sip:x SIP/2.0\r\nTo: \";tag=x<\\\"\" <sip:a@b;tag=y>;tag=t050001020304050607\r\n\r\n",
	"\r\n\r\nBYE sip:x SIP/2.0\r\nTo: <sip:a@b>;tag=t050001020304050607\r\n\r\n",
	"BYE sip:x SIP/2.0\r\nCall-ID: x\r\nTo: <sip:a@b>;tag=t050001020304050607\r\n\r\n",
	/* cut off behind it */
	"BYE sip:x SIP/2.0\r\nTo: <sip:a@b>;tag=t050001020304050607",
	/* an answer to our request */
	"SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP a;branch=z9hG4bKt050001020304050607;rport\r\n\r\n",
	"SIP/2.0 200 OK\r\nv:SIP/2.0/UDP a;branch=z9hG4bKt050001020304050607\r\n\r\n",
	"SIP/2.0 200 OK\r\nVIA : SIP / 2.0 / UDP [::1]:5060 ; Branch = "
	"z9hG4bKt050001020304050607\r\n\r\n",
	"SIP/2.0 200 OK\r\nCall-ID: x\r\nTo: <sip:a@b>;tag=t020001020304050607\r\n"
	"Via: SIP/2.0/UDP a;branch=z9hG4bKt050001020304050607, SIP/2.0/UDP b;branch=z9hG4bKx\r\n"
	"Via: SIP/2.0/UDP c;branch=z9hG4bKt020001020304050607\r\n\r\n",
};

static void a_token_where_it_counts_decides(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(LEADS_BACK); i++)
		assert_int_equal(steer_peek(str_of(LEADS_BACK[i]), WORKERS), 5);
}

static void a_worker_that_is_no_more_is_taken_modulo(void **state)
{
	(void)state;
	assert_int_equal(steer_peek(str_of(LEADS_BACK[0]), 3), 2);
	assert_int_equal(steer_peek(str_of(LEADS_BACK[0]), 1), 0);
}

/* All of them belong together by their Call-ID. */
static const char *const ONE_CALL[] = {
	"INVITE sip:x SIP/2.0\r\nTo: <sip:a@b>\r\nCall-ID: %s\r\n\r\n",
	"CANCEL sip:x SIP/2.0\r\nCall-ID: %s\r\nTo: <sip:a@b>\r\n\r\n",
	"ACK sip:x SIP/2.0\r\nTo: <sip:a@b>;tag=foreign\r\nCall-ID: %s\r\n\r\n",
	"INVITE sip:x SIP/2.0\r\nI:%s\r\n\r\n",
	"INVITE sip:x SIP/2.0\ncall-id \t:  %s  \nTo: x\n\n",
	"INVITE sip:x SIP/2.0\r\nCall-ID:\r\n  %s\r\nTo: x\r\n\r\n",
	/* a token of ours where it does not count */
	"INVITE sip:x SIP/2.0\r\nFrom: a;tag=t050001020304050607\r\nTo: a\r\nCall-ID: %s\r\n\r\n",
	"INVITE sip:x SIP/2.0\r\nVia: SIP/2.0/UDP a;branch=z9hG4bKt050001020304050607\r\n"
	"To: a\r\nCall-ID: %s\r\n\r\n",
	"INVITE sip:x SIP/2.0\r\nTo: <sip:a@b;tag=t050001020304050607>\r\nCall-ID: %s\r\n\r\n",
	"INVITE sip:x SIP/2.0\r\nTo: a\r\nTo: a;tag=t050001020304050607\r\nCall-ID: %s\r\n\r\n",
	"INVITE sip:x SIP/2.0\r\nTo: a\r\nCall-ID: %s\r\n\r\nTo: a;tag=t050001020304050607\r\n",
	"SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP a;branch=z9hG4bKforeign\r\nCall-ID: %s\r\n"
	"To: a;tag=t050001020304050607\r\n\r\n",
	"SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP a;branch=t050001020304050607\r\nCall-ID: %s\r\n\r\n",
	"SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP a, b;branch=z9hG4bKt050001020304050607\r\n"
	"Call-ID: %s\r\n\r\n",
};

static int peek_call(size_t i, const char *call_id)
{
	struct buf b = BUF_INIT;
	struct str form = str_of(ONE_CALL[i]);
	ptrdiff_t at = str_find(form, STR("%s"));

	buf_put(&b, str_head(form, (size_t)at));
	buf_putz(&b, call_id);
	buf_put(&b, str_skip(form, (size_t)at + 2));

	int worker = buf_error(&b) ? -1 : steer_peek(buf_str(&b), WORKERS);

	buf_done(&b);
	return worker;
}

/* The user in To, as the registrar will read it, wherever else a user seems to be. */
static void a_register_goes_to_the_worker_of_its_user(void **state)
{
	static const char *const of_1001[] = {
		"REGISTER sip:x SIP/2.0\r\nCall-ID: 1\r\nTo: <sip:1001@b>\r\n\r\n",
		"REGISTER sip:x SIP/2.0\r\nt: \"<sip:9@b>\" "
		"<sips:1001@other;x=y>;z=<sip:8@b>\r\nCall-ID: 2\r\n\r\n",
		"REGISTER sip:x SIP/2.0\r\nCall-ID: 3\r\nTo: "
		"sip:1001@b;tag=t050001020304050607\r\n\r\n",
		"REGISTER sip:x SIP/2.0\r\nTo: <sip:1001@b>\r\nTo: <sip:7@b>\r\nCall-ID: 4\r\n\r\n",
	};
	bool differs = false;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(of_1001); i++)
		assert_int_equal(steer_peek(str_of(of_1001[i]), WORKERS),
				 steer_user(STR("1001"), WORKERS));
	for (int i = 0; i < 64; i++)
		differs |= steer_user(str_n(&i, sizeof(i)), WORKERS) !=
			   steer_user(STR("1001"), WORKERS);
	assert_true(differs);
	assert_int_equal(steer_user(STR("1001"), 1), 0);
}

static void what_shares_a_call_id_goes_to_one_worker(void **state)
{
	static const char *const ids[] = { "a84b4c76e66710@pc33.atlanta.com", "1", "2", "3" };

	(void)state;
	for (size_t c = 0; c < COUNT_OF(ids); c++) {
		int expected = peek_call(0, ids[c]);

		assert_in_range(expected, 0, WORKERS - 1);
		for (size_t i = 1; i < COUNT_OF(ONE_CALL); i++)
			assert_int_equal(peek_call(i, ids[c]), expected);
	}
}

static void a_cancel_follows_an_invite_that_went_elsewhere(void **state)
{
	static const char cancel[] =
		"CANCEL sip:x SIP/2.0\r\nTo: <sip:a@b>\r\nCall-ID: %d@x\r\n\r\n";
	static const char bye[] = "BYE sip:x SIP/2.0\r\nTo: <sip:a@b>\r\nCall-ID: %d@x\r\n\r\n";

	(void)state;
	for (int i = 0; i < 100; i++) {
		char one[128], other[128], id[32];
		int w = i % WORKERS;

		(void)snprintf(one, sizeof(one), cancel, i);
		(void)snprintf(other, sizeof(other), bye, i);
		(void)snprintf(id, sizeof(id), "%d@x", i);

		int hashed = steer_peek(str_of(one), WORKERS);

		steer_stray(str_of(id), w, WORKERS);
		assert_int_equal(steer_peek(str_of(one), WORKERS), w);
		assert_int_equal(steer_peek(str_of(other), WORKERS), hashed);
		/* Another INVITE of that Call-ID, which went where that leads. */
		steer_stray(str_of(id), hashed, WORKERS);
		assert_int_equal(steer_peek(str_of(one), WORKERS), hashed);
		steer_stray(str_of(id), 0, 1);
		assert_int_equal(steer_peek(str_of(one), 1), 0);
	}
}

static void calls_are_spread_evenly(void **state)
{
	enum { CALLS = 7000 };
	int count[WORKERS] = { 0 };

	(void)state;
	for (int i = 0; i < CALLS; i++) {
		char m[64];
		int n = snprintf(m, sizeof(m), "OPTIONS x SIP/2.0\r\ni: %d@host\r\nt: x\r\n\r\n",
				 i);

		count[steer_peek(str_n(m, (size_t)n), WORKERS)]++;
	}
	for (int w = 0; w < WORKERS; w++)
		assert_in_range(count[w], CALLS / WORKERS * 8 / 10, CALLS / WORKERS * 12 / 10);
}

static void any_bytes_give_some_answer(void **state)
{
	static const char *const bad[] = {
		"",
		"\r\n",
		"\n",
		":",
		"a",
		"SIP/2.0 ",
		"SIP/2.0 200\r\nVia",
		"SIP/2.0 200\r\nv:",
		"x\r\nto",
		"x\r\nto:",
		"x\r\nto:\"",
		"x\r\nto:\"\\",
		"x\r\nto:<",
		"x\r\nto:<a>;tag",
		"x\r\nto:<a>;tag=",
		"x\r\n to: a",
		"x\r\ni:",
		"x\r\n:\r\n::\r\n\r\n",
		" \r\n \r\n ",
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(bad); i++)
		assert_in_range(steer_peek(str_of(bad[i]), WORKERS), 0, WORKERS - 1);
	assert_int_equal(steer_peek((struct str){ 0 }, WORKERS), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_token_leads_back_to_who_minted_it),
		cmocka_unit_test(no_two_tokens_are_alike),
		cmocka_unit_test(what_others_mint_is_not_ours),
		cmocka_unit_test(a_token_where_it_counts_decides),
		cmocka_unit_test(a_worker_that_is_no_more_is_taken_modulo),
		cmocka_unit_test(what_shares_a_call_id_goes_to_one_worker),
		cmocka_unit_test(a_register_goes_to_the_worker_of_its_user),
		cmocka_unit_test(a_cancel_follows_an_invite_that_went_elsewhere),
		cmocka_unit_test(calls_are_spread_evenly),
		cmocka_unit_test(any_bytes_give_some_answer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
