#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "route/retry.h"

enum { CODES = 700 };

static const struct routing_gateway_row usual = {
	.switch_until_connect = ROUTING_GATEWAY_SWITCH_UNTIL_CONNECT_UNTIL_CONNECT,
	.switch_preset = ROUTING_GATEWAY_SWITCH_PRESET_CARRIER,
};

static struct routing_gateway_row gateway(int64_t until, int64_t preset, char *stop_codes)
{
	return (struct routing_gateway_row){ .switch_until_connect = until,
					     .switch_preset = preset,
					     .stop_codes = stop_codes };
}

/* As the parameters are by default. */
static const struct retry_rules defaults = { .stop_after_busy = true, .stop_after_rtp = true };

static bool goes_on(const struct routing_gateway_row *gw, enum try_stage stage, int code,
		    bool is_local, bool relayed)
{
	return retry_goes_on(
		gw, &defaults,
		&(struct retry_case){
			.stage = stage, .code = code, .is_local = is_local, .relayed = relayed });
}

/* behaviour.md, word for word: these stop, and these and all others go on. */
static bool carrier_goes_on(int code)
{
	switch (code) {
	case 404:
	case 410:
	case 484:
	case 485:
	case 486:
	case 487:
	case 600:
	case 604:
	case 607:
	case 608:
		return false;
	case 401:
	case 402:
	case 403:
	case 407:
	case 408:
	case 480:
	case 488:
	case 603:
	default:
		return true;
	}
}

static bool vos_goes_on(int code)
{
	/* Busy ends the hunt in this preset too (SS_GATEWAY_SWITCH_STOP_AFTER_USER_BUSY). */
	return code != 600 && (code < 400 || code > 499);
}

struct stage_case {
	int64_t until;
	enum try_stage stage;
	bool is_relayed;
	bool may_go_on;
};

#define UNTIL(word) ROUTING_GATEWAY_SWITCH_UNTIL_CONNECT_##word

static const struct stage_case stages[] = {
	{ UNTIL(OFF), TRY_SENT, false, false },
	{ UNTIL(OFF), TRY_SENT, true, false },
	{ UNTIL(OFF), TRY_RINGING, false, false },
	{ UNTIL(OFF), TRY_RINGING, true, false },
	{ UNTIL(OFF), TRY_EARLY_MEDIA, false, false },
	{ UNTIL(OFF), TRY_EARLY_MEDIA, true, false },
	{ UNTIL(OFF), TRY_ANSWERED, false, false },
	{ UNTIL(OFF), TRY_ANSWERED, true, false },
	{ UNTIL(UNTIL_RINGING), TRY_SENT, false, true },
	{ UNTIL(UNTIL_RINGING), TRY_SENT, true, true },
	{ UNTIL(UNTIL_RINGING), TRY_RINGING, false, false },
	{ UNTIL(UNTIL_RINGING), TRY_RINGING, true, false },
	{ UNTIL(UNTIL_RINGING), TRY_EARLY_MEDIA, false, false },
	{ UNTIL(UNTIL_RINGING), TRY_EARLY_MEDIA, true, false },
	{ UNTIL(UNTIL_RINGING), TRY_ANSWERED, false, false },
	{ UNTIL(UNTIL_RINGING), TRY_ANSWERED, true, false },
	{ UNTIL(UNTIL_CONNECT), TRY_SENT, false, true },
	{ UNTIL(UNTIL_CONNECT), TRY_SENT, true, true },
	{ UNTIL(UNTIL_CONNECT), TRY_RINGING, false, true },
	{ UNTIL(UNTIL_CONNECT), TRY_RINGING, true, true },
	{ UNTIL(UNTIL_CONNECT), TRY_EARLY_MEDIA, false, false },
	{ UNTIL(UNTIL_CONNECT), TRY_EARLY_MEDIA, true, true },
	{ UNTIL(UNTIL_CONNECT), TRY_ANSWERED, false, false },
	{ UNTIL(UNTIL_CONNECT), TRY_ANSWERED, true, false },
};

static void check_codes(const struct stage_case *s, int64_t preset, bool (*expects)(int))
{
	struct routing_gateway_row gw = gateway(s->until, preset, NULL);

	for (int code = 300; code < CODES; code++) {
		bool expected = s->may_go_on && expects(code);

		assert_int_equal(goes_on(&gw, s->stage, code, false, s->is_relayed), expected);
		assert_int_equal(goes_on(&gw, s->stage, code, true, s->is_relayed), s->may_go_on);
	}
}

static void every_code_at_every_stage_is_as_its_preset_says(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(stages) / sizeof(stages[0]); i++) {
		check_codes(&stages[i], ROUTING_GATEWAY_SWITCH_PRESET_CARRIER, carrier_goes_on);
		check_codes(&stages[i], ROUTING_GATEWAY_SWITCH_PRESET_VOS, vos_goes_on);
	}
}

static bool own_list_goes_on(int code)
{
	return !(code == 503 || code == 486 || (code >= 600 && code < 700));
}

static void stop_codes_stand_in_for_the_preset(void **state)
{
	(void)state;
	char list[] = "503, 6xx,486", empty[] = "";
	int64_t until = UNTIL(UNTIL_CONNECT);

	for (int64_t preset = 0; preset < 2; preset++) {
		struct routing_gateway_row gw = gateway(until, preset, list);

		for (int code = 300; code < CODES; code++)
			assert_int_equal(goes_on(&gw, TRY_SENT, code, false, true),
					 own_list_goes_on(code));
	}

	struct routing_gateway_row gw =
		gateway(until, ROUTING_GATEWAY_SWITCH_PRESET_CARRIER, empty);
	assert_false(goes_on(&gw, TRY_SENT, 486, false, true));
	assert_true(goes_on(&gw, TRY_SENT, 503, false, true));
}

static void continue_codes_are_exceptions_from_all_of_it(void **state)
{
	char list[] = "4xx,5xx", goes[] = "408, 486,503,600";
	int64_t until = UNTIL(UNTIL_CONNECT);

	(void)state;
	for (int own = 0; own < 2; own++) {
		struct routing_gateway_row gw =
			gateway(until, ROUTING_GATEWAY_SWITCH_PRESET_CARRIER, own ? list : NULL);

		gw.continue_codes = goes;
		gw.stop_after_busy = ROUTING_GATEWAY_STOP_AFTER_BUSY_ON;
		assert_true(goes_on(&gw, TRY_SENT, 408, false, true));
		assert_true(goes_on(&gw, TRY_SENT, 486, false, true));
		assert_true(goes_on(&gw, TRY_SENT, 600, false, true));
		assert_true(goes_on(&gw, TRY_SENT, 503, false, true));
		assert_false(goes_on(&gw, TRY_SENT, 404, false, true));
		assert_false(goes_on(&gw, TRY_ANSWERED, 503, false, true));
	}
}

/* reasons.tsv: InviteTimeout, GatewayTimeout and UpstreamFailure go to the next. */
static void our_own_time_out_is_no_answer_that_a_list_could_stop(void **state)
{
	(void)state;
	char list[] = "4xx,5xx,6xx";
	struct routing_gateway_row gw =
		gateway(UNTIL(UNTIL_CONNECT), ROUTING_GATEWAY_SWITCH_PRESET_VOS, list);

	assert_true(goes_on(&gw, TRY_SENT, 408, true, false));
	assert_true(goes_on(&gw, TRY_SENT, 503, true, false));
	assert_false(goes_on(&gw, TRY_SENT, 408, false, false));
}

static void what_is_no_failure_is_not_retried(void **state)
{
	(void)state;
	assert_false(goes_on(&usual, TRY_SENT, 0, false, true));
	assert_false(goes_on(&usual, TRY_SENT, 200, false, true));
	assert_false(goes_on(&usual, TRY_SENT, -1, false, true));
}

#define STOP(word) ROUTING_GATEWAY_STOP_AFTER_BUSY_##word

struct word_case {
	int64_t own;
	bool system, stops;
};

static const struct word_case words[] = {
	{ STOP(SYSTEM), true, true }, { STOP(SYSTEM), false, false }, { STOP(ON), true, true },
	{ STOP(ON), false, true },    { STOP(OFF), true, false },     { STOP(OFF), false, false },
};

static void the_gateways_word_on_busy_sdp_and_media_beats_the_parameters(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		const struct word_case *w = &words[i];
		struct routing_gateway_row gw = usual;
		struct retry_rules rules = { w->system, w->system, w->system, w->system, false };
		struct retry_case busy = { .code = 486, .relayed = true };
		struct retry_case early = { .stage = TRY_EARLY_MEDIA,
					    .code = 503,
					    .relayed = true };

		gw.stop_after_busy = w->own;
		gw.stop_after_rtp = gw.stop_after_sdp = STOP(OFF);
		assert_int_equal(retry_goes_on(&gw, &rules, &busy), !w->stops);
		assert_true(retry_goes_on(&gw, &rules, &early));
		gw.stop_after_sdp = w->own;
		assert_int_equal(retry_goes_on(&gw, &rules, &early), !w->stops);
		gw.stop_after_sdp = STOP(OFF);
		gw.stop_after_rtp = w->own;
		assert_true(retry_goes_on(&gw, &rules, &early));
		early.had_rtp = true;
		assert_int_equal(retry_goes_on(&gw, &rules, &early), !w->stops);
	}
}

static void a_list_of_its_own_says_everything_but_what_the_gateway_says_itself(void **state)
{
	char list[] = "503", busy_too[] = "486";
	struct routing_gateway_row gw =
		gateway(UNTIL(UNTIL_CONNECT), ROUTING_GATEWAY_SWITCH_PRESET_CARRIER, list);

	(void)state;
	assert_true(goes_on(&gw, TRY_SENT, 486, false, true));
	gw.stop_after_busy = STOP(ON);
	assert_false(goes_on(&gw, TRY_SENT, 486, false, true));
	assert_false(goes_on(&gw, TRY_SENT, 600, false, true));
	gw.stop_after_busy = STOP(OFF);
	gw.stop_codes = busy_too;
	assert_false(goes_on(&gw, TRY_SENT, 486, false, true));
	assert_true(goes_on(&gw, TRY_SENT, 600, false, true));
}

static void how_far_a_gateway_goes_can_be_left_to_the_parameter(void **state)
{
	struct routing_gateway_row gw =
		gateway(UNTIL(SYSTEM), ROUTING_GATEWAY_SWITCH_PRESET_CARRIER, NULL);
	struct retry_rules rules = { 0 };
	struct retry_case what = { .stage = TRY_RINGING, .code = 503 };

	(void)state;
	assert_false(retry_goes_on(&gw, &rules, &what));
	rules.until_connect = true;
	assert_true(retry_goes_on(&gw, &rules, &what));
	what.stage = TRY_SENT;
	rules.until_connect = false;
	assert_true(retry_goes_on(&gw, &rules, &what));
}

static void silence_of_one_we_are_registered_at_may_end_the_hunt(void **state)
{
	struct routing_gateway_row gw = usual;
	struct retry_rules rules = { .stop_after_silence = true };
	struct retry_case what = { .code = 408, .is_local = true, .is_silent = true };

	(void)state;
	assert_true(retry_goes_on(&gw, &rules, &what));
	gw.registration = true;
	assert_false(retry_goes_on(&gw, &rules, &what));
	what.is_silent = false;
	assert_true(retry_goes_on(&gw, &rules, &what));
	what.is_silent = true;
	rules.stop_after_silence = false;
	assert_true(retry_goes_on(&gw, &rules, &what));
}

static void codes_are_checked_as_entered(void **state)
{
	(void)state;
	static const char *const fine[] = { "",    "4xx", "4XX", "300",         "699",
					    "3xx", "6xx", "503", "4xx,503,600", "404, 410" };
	static const char *const bad[] = { "200",  "299",     "700",      "2xx",  "7xx", "40x",
					   "x",    "xxx",     "4x",       "44",   "+44", "-44",
					   "4044", "404;410", "5xx,,6xx", "4xxx", "4 0", "4.4" };
	struct err err = ERR_INIT;

	for (size_t i = 0; i < sizeof(fine) / sizeof(fine[0]); i++)
		assert_int_equal(retry_check_codes(str_of(fine[i]), "stop_codes", &err), 0);
	assert_false(err_is_set(&err));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		err = ERR_INIT;
		assert_int_equal(retry_check_codes(str_of(bad[i]), "continue_codes", &err),
				 -EINVAL);
		assert_string_equal(err.field, "continue_codes");
	}
	assert_int_equal(retry_check_codes(STR("486,x"), "stop_codes", &err), -EINVAL);
}

static int verdict_of(const int *codes)
{
	struct verdict v = { 0 };

	for (; *codes; codes++)
		verdict_add(&v, *codes);
	return verdict_code(&v);
}

#define VERDICT(...) verdict_of((const int[]){ __VA_ARGS__, 0 })

static void a_verdict_on_the_called_party_beats_the_last_try(void **state)
{
	(void)state;
	assert_int_equal(verdict_of((const int[]){ 0 }), 0);
	assert_int_equal(VERDICT(503), 503);
	assert_int_equal(VERDICT(500, 502), 502);
	assert_int_equal(VERDICT(503, 408), 408);
	assert_int_equal(VERDICT(480, 503), 480);
	assert_int_equal(VERDICT(480, 603), 480);
	assert_int_equal(VERDICT(503, 486), 486);
	assert_int_equal(VERDICT(486, 403), 486);
	/* each beats all behind it, whichever came first */
	assert_int_equal(VERDICT(480, 484, 410, 404, 600, 486), 486);
	assert_int_equal(VERDICT(486, 600, 404, 410, 484, 480), 486);
	assert_int_equal(VERDICT(480, 600, 404, 410, 484), 600);
	assert_int_equal(VERDICT(404, 410, 484, 480), 404);
	assert_int_equal(VERDICT(480, 484, 410), 410);
	assert_int_equal(VERDICT(480, 484), 484);
}

/* behaviour.md: 401, 402, 403, 407 and 3xx are never relayed; all else is. */
static void what_is_between_us_and_a_vendor_stays_there(void **state)
{
	(void)state;
	for (int code = 300; code < CODES; code++) {
		bool is_kept =
			code < 400 || code == 401 || code == 402 || code == 403 || code == 407;

		assert_int_equal(VERDICT(code), is_kept ? 503 : code);
		assert_int_equal(VERDICT(500, code), is_kept ? 503 : code);
	}
	assert_int_equal(VERDICT(701), 503);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_code_at_every_stage_is_as_its_preset_says),
		cmocka_unit_test(stop_codes_stand_in_for_the_preset),
		cmocka_unit_test(continue_codes_are_exceptions_from_all_of_it),
		cmocka_unit_test(our_own_time_out_is_no_answer_that_a_list_could_stop),
		cmocka_unit_test(what_is_no_failure_is_not_retried),
		cmocka_unit_test(the_gateways_word_on_busy_sdp_and_media_beats_the_parameters),
		cmocka_unit_test(
			a_list_of_its_own_says_everything_but_what_the_gateway_says_itself),
		cmocka_unit_test(how_far_a_gateway_goes_can_be_left_to_the_parameter),
		cmocka_unit_test(silence_of_one_we_are_registered_at_may_end_the_hunt),
		cmocka_unit_test(codes_are_checked_as_entered),
		cmocka_unit_test(a_verdict_on_the_called_party_beats_the_last_try),
		cmocka_unit_test(what_is_between_us_and_a_vendor_stays_there),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
