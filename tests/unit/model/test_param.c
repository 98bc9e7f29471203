#include "model/param.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "oom.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static void assert_param_text(const struct params *p, enum param id, const char *text)
{
	assert_string_equal(param_str(p, id).p, text);
}

static void names_are_sorted_and_found_in_any_case(void **state)
{
	(void)state;
	for (int i = 0; i < PARAM_COUNT; i++) {
		const struct param_info *info = &param_infos[i];

		assert_int_equal(param_find(str_of(info->name)), i);
		if (i > 0)
			assert_true(strcmp(param_infos[i - 1].name, info->name) < 0);
		for (int k = 0; info->aliases && info->aliases[k]; k++)
			assert_int_equal(param_find(str_of(info->aliases[k])), i);
	}
	assert_int_equal(param_find(STR("ss_max_cps")), PARAM_SS_MAX_CALL_PER_SECOND);
	assert_int_equal(param_find(STR("Fee_Precision")), PARAM_SERVER_BILLING_FEE_PRECISION);
	assert_int_equal(param_find(STR("")), PARAM_COUNT);
	assert_int_equal(param_find(STR("SS_MAX_CALL_PER_SECON")), PARAM_COUNT);
}

static void aliases_of_the_trade_are_known(void **state)
{
	static const struct {
		const char *alias;
		enum param id;
	} cases[] = {
		{ "FEE_PRECISION", PARAM_SERVER_BILLING_FEE_PRECISION },
		{ "FEE_PRECISTION", PARAM_SERVER_BILLING_FEE_PRECISION },
		{ "HOLD_TIME_PRECISION", PARAM_SERVER_BILLING_HOLD_TIME_PRECISION },
		{ "FREE_TIME", PARAM_SERVER_BILLING_FREE_TIME },
		{ "BILLING_FREE_E164S", PARAM_SERVER_BILLING_FREE_E164S },
		{ "BILLING_NO_CDR_E164S", PARAM_SERVER_BILLING_NO_CDR_E164S },
		{ "PREVENT_OVERDRAFT", PARAM_SERVER_BILLING_PREVENT_OVERDRAFT_ADVANCE_TIME },
		{ "SS_MAX_CPS", PARAM_SS_MAX_CALL_PER_SECOND },
		{ "SS_SIP_NAT_KEEP_ALIVE", PARAM_SS_SIP_NAT_KEEP_ALIVE_MESSAGE },
		{ "SS_BLACK_LIST_NO_ANSWER", PARAM_SS_BLACK_LIST_NO_ANSWER_LIMIT },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++)
		assert_int_equal(param_find(str_of(cases[i].alias)), cases[i].id);
}

static void every_default_is_accepted_and_keeps_its_form(void **state)
{
	CLEANUP(params_free) struct params *p = params_create();

	(void)state;
	assert_non_null(p);
	for (int i = 0; i < PARAM_COUNT; i++) {
		const struct param_info *info = &param_infos[i];
		enum param id = (enum param)i;
		struct err err = ERR_INIT;

		assert_true(param_is_default(p, id));
		assert_string_equal(param_str(p, id).p, info->default_text);
		if (params_set(p, id, str_of(info->default_text), &err) < 0)
			fail_msg("%s refuses its default: %s", info->name, err.message);
		assert_string_equal(param_str(p, id).p, info->default_text);
		assert_true(param_is_default(p, id));
	}
}

static void defaults_are_what_was_ruled(void **state)
{
	CLEANUP(params_free) struct params *p = params_create();
	int64_t first = 0, last = 0;

	(void)state;
	assert_non_null(p);
	assert_int_equal(param_int(p, PARAM_SERVER_BILLING_HOLD_TIME_PRECISION), 50);
	assert_int_equal(param_int(p, PARAM_SERVER_BILLING_FEE_PRECISION), 0);
	assert_int_equal(param_int(p, PARAM_SERVER_BILLING_FEE_UNIT), 0);
	assert_int_equal(param_int(p, PARAM_SS_MAX_CALL_PER_SECOND), 100);
	assert_int_equal(param_int(p, PARAM_SS_MAX_CONCURRENT_CALL), 1000);
	assert_int_equal(param_int(p, PARAM_SS_GATEWAY_SWITCH_LIMIT), 5);
	assert_int_equal(param_int(p, PARAM_SS_HUNT_TIMEOUT), 20);
	assert_int_equal(param_int(p, PARAM_SS_MEDIA_TIMEOUT), 60);
	assert_int_equal(param_int(p, PARAM_SS_MAXCALLDURATION), PARAM_UNSET);
	assert_false(param_bool(p, PARAM_SS_REPLY_UNAUTHORIZED));
	assert_true(param_bool(p, PARAM_SS_MEDIA_PROXY_ENABLE));
	assert_param_text(p, PARAM_SS_SIP_AUTHENTICATION_REALM, "tandem");
	assert_param_text(p, PARAM_SS_SIP_AUTHENTICATION_CODE, "401");
	param_range(p, PARAM_SS_MEDIA_PORT_RANGE, &first, &last);
	assert_int_equal(first, 10000);
	assert_int_equal(last, 20000);
}

static void what_is_accepted_is_kept_in_one_form(void **state)
{
	static const struct {
		enum param id;
		const char *given;
		const char *text;
		int64_t n;
	} cases[] = {
		{ PARAM_SS_MAX_CALL_PER_SECOND, "0200", "200", 200 },
		{ PARAM_SS_REPLY_UNAUTHORIZED, "1", "On", 1 },
		{ PARAM_SS_REPLY_UNAUTHORIZED, "on", "On", 1 },
		{ PARAM_SS_REPLY_UNAUTHORIZED, "TRUE", "On", 1 },
		{ PARAM_SS_MEDIA_PROXY_ENABLE, "no", "Off", 0 },
		{ PARAM_SS_SIP_TIMEOUT_INVITE, "15", "15", 15 },
		{ PARAM_SERVER_BILLING_FEE_UNIT, "0.0100", "0.01", 1000000 },
		{ PARAM_SS_SIP_AUTHENTICATION_CODE, "407", "407", 1 },
		{ PARAM_SS_SIP_USER_AGENT_PRIVACY, "none", "None", 2 },
		{ PARAM_SS_GATEWAY_SWITCH_LIMIT, "none", "None", PARAM_UNSET },
		{ PARAM_SS_SIP_USER_AGENT_EXPIRE, "AUTO", "Auto", PARAM_UNSET },
		{ PARAM_SS_SIP_USER_AGENT_EXPIRE, "20", "20", 20 },
		{ PARAM_SS_MAXCALLDURATION, "", "", PARAM_UNSET },
	};
	CLEANUP(params_free) struct params *p = params_create();

	(void)state;
	assert_non_null(p);
	for (size_t i = 0; i < COUNT(cases); i++) {
		assert_int_equal(params_set(p, cases[i].id, str_of(cases[i].given), NULL), 0);
		assert_param_text(p, cases[i].id, cases[i].text);
		assert_int_equal(param_int(p, cases[i].id), cases[i].n);
	}
}

static void texts_and_lists_are_kept_in_one_form(void **state)
{
	static const struct {
		enum param id;
		const char *given;
		const char *text;
	} cases[] = {
		{ PARAM_SS_MEDIA_PORT_RANGE, "10000-20000", "10000,20000" },
		{ PARAM_SS_MEDIA_PORT_RANGE, " 2000 , 3000", "2000,3000" },
		{ PARAM_SERVER_BILLING_FREE_E164S, "112, 999,*1#", "112,999,*1#" },
		{ PARAM_SERVER_BILLING_FREE_E164S, "", "" },
		{ PARAM_SERVER_QUERY_CDR_DENY_TIME, "08, 23", "8,23" },
		{ PARAM_SS_MEDIA_CODEC, "g.729,opus", "G.729,Opus" },
		{ PARAM_SS_SIP_AUTHENTICATION_REALM, "my realm", "my realm" },
	};
	CLEANUP(params_free) struct params *p = params_create();

	(void)state;
	assert_non_null(p);
	for (size_t i = 0; i < COUNT(cases); i++) {
		assert_int_equal(params_set(p, cases[i].id, str_of(cases[i].given), NULL), 0);
		assert_param_text(p, cases[i].id, cases[i].text);
	}
}

static void hostile_values_are_refused_and_the_old_one_stays(void **state)
{
	static const struct {
		enum param id;
		const char *given;
	} cases[] = {
		{ PARAM_SS_MAX_CALL_PER_SECOND, "" },
		{ PARAM_SS_MAX_CALL_PER_SECOND, "-1" },
		{ PARAM_SS_MAX_CALL_PER_SECOND, "100.5" },
		{ PARAM_SS_MAX_CALL_PER_SECOND, "NaN" },
		{ PARAM_SS_MAX_CALL_PER_SECOND, "100001" },
		{ PARAM_SS_MAX_CALL_PER_SECOND, "123456789012345678901234567890" },
		{ PARAM_SS_MAX_CALL_PER_SECOND, "None" },
		{ PARAM_SS_REPLY_UNAUTHORIZED, "" },
		{ PARAM_SS_REPLY_UNAUTHORIZED, "2" },
		{ PARAM_SS_SIP_AUTHENTICATION_CODE, "403" },
		{ PARAM_SS_SIP_AUTHENTICATION_CODE, "4O1" },
		{ PARAM_SERVER_BILLING_FEE_PRECISION, "5" },
		{ PARAM_SERVER_BILLING_FEE_PRECISION, "0.01" },
		{ PARAM_SERVER_BILLING_FEE_UNIT, "0.000000001" },
		{ PARAM_SERVER_BILLING_FEE_UNIT, "1001" },
		{ PARAM_SERVER_BILLING_FEE_UNIT, "1e-2" },
		{ PARAM_SERVER_BILLING_PREVENT_OVERDRAFT_ADVANCE_TIME, "16" },
		{ PARAM_SS_MEDIA_PORT_RANGE, "20000,10000" },
		{ PARAM_SS_MEDIA_PORT_RANGE, "10000" },
		{ PARAM_SS_MEDIA_PORT_RANGE, "10000,20000,30000" },
		{ PARAM_SS_MEDIA_PORT_RANGE, "80,20000" },
		{ PARAM_SS_MEDIA_PORT_RANGE, "10000,65536" },
		{ PARAM_SS_MEDIA_PORT_RANGE, "-10000,20000" },
		{ PARAM_SS_MEDIA_PORT_RANGE, "" },
		{ PARAM_SERVER_BILLING_FREE_E164S, "112,,999" },
		{ PARAM_SERVER_BILLING_FREE_E164S, "112,fire" },
		{ PARAM_SERVER_QUERY_CDR_DENY_TIME, "24" },
		{ PARAM_SS_MEDIA_CODEC, "G.729,MP3" },
		{ PARAM_SS_SIP_AUTHENTICATION_REALM, "a\r\nX: y" },
		{ PARAM_SS_SIP_AUTHENTICATION_REALM, "a\xff" },
	};
	CLEANUP(params_free) struct params *p = params_create();

	(void)state;
	assert_non_null(p);
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct err err = ERR_INIT;

		assert_int_equal(params_set(p, cases[i].id, str_of(cases[i].given), &err), -EINVAL);
		assert_int_equal(err.code, ERR_BAD_VALUE);
		assert_string_equal(err.field, param_infos[cases[i].id].name);
		assert_true(err.accepted[0] != '\0');
		assert_true(param_is_default(p, cases[i].id));
	}
}

static void a_text_may_not_be_longer_than_its_limit(void **state)
{
	CLEANUP(params_free) struct params *p = params_create();
	char text[130];

	(void)state;
	assert_non_null(p);
	memset(text, 'r', sizeof(text));
	assert_int_equal(params_set(p, PARAM_SS_SIP_AUTHENTICATION_REALM, str_n(text, 128), NULL),
			 0);
	assert_int_equal(params_set(p, PARAM_SS_SIP_AUTHENTICATION_REALM, str_n(text, 129), NULL),
			 -EINVAL);
	assert_int_equal(param_str(p, PARAM_SS_SIP_AUTHENTICATION_REALM).n, 128);
}

static void a_reset_value_is_at_its_default(void **state)
{
	CLEANUP(params_free) struct params *p = params_create();

	(void)state;
	assert_non_null(p);
	assert_int_equal(params_set(p, PARAM_SS_MAX_CALL_PER_SECOND, STR("7"), NULL), 0);
	assert_false(param_is_default(p, PARAM_SS_MAX_CALL_PER_SECOND));
	params_reset(p, PARAM_SS_MAX_CALL_PER_SECOND);
	assert_true(param_is_default(p, PARAM_SS_MAX_CALL_PER_SECOND));
	assert_int_equal(param_int(p, PARAM_SS_MAX_CALL_PER_SECOND), 100);
}

static void a_copy_is_apart(void **state)
{
	CLEANUP(params_free) struct params *p = params_create();

	(void)state;
	assert_non_null(p);
	assert_int_equal(params_set(p, PARAM_SERVER_BILLING_FREE_E164S, STR("112"), NULL), 0);
	CLEANUP(params_free) struct params *copy = params_copy(p);
	assert_non_null(copy);
	assert_int_equal(params_set(p, PARAM_SERVER_BILLING_FREE_E164S, STR("911"), NULL), 0);
	assert_param_text(copy, PARAM_SERVER_BILLING_FREE_E164S, "112");
	assert_int_equal(param_int(copy, PARAM_SS_MAX_CALL_PER_SECOND), 100);
}

static void a_list_has_its_items_and_no_parts_of_them(void **state)
{
	CLEANUP(params_free) struct params *p = params_create();

	(void)state;
	assert_non_null(p);
	assert_false(param_list_has(p, PARAM_SERVER_BILLING_FREE_E164S, STR("112")));
	assert_false(param_list_has(p, PARAM_SERVER_BILLING_FREE_E164S, STR("")));
	assert_int_equal(params_set(p, PARAM_SERVER_BILLING_FREE_E164S, STR("112,911"), NULL), 0);
	assert_true(param_list_has(p, PARAM_SERVER_BILLING_FREE_E164S, STR("911")));
	assert_false(param_list_has(p, PARAM_SERVER_BILLING_FREE_E164S, STR("11")));
	assert_false(param_list_has(p, PARAM_SERVER_BILLING_FREE_E164S, STR("112,911")));
}

static void a_parameter_says_what_it_accepts(void **state)
{
	static const struct {
		enum param id;
		const char *accepted;
	} cases[] = {
		{ PARAM_SS_SIP_TIMEOUT_INVITE, "1 to 120 s" },
		{ PARAM_SS_REPLY_UNAUTHORIZED, "Off or On" },
		{ PARAM_SS_SIP_AUTHENTICATION_CODE, "401 or 407" },
		{ PARAM_SS_GATEWAY_SWITCH_LIMIT, "1 to 50 attempts; or None" },
		{ PARAM_SS_MAXCALLDURATION, "1 to 604800 s; or None; or nothing" },
		{ PARAM_SS_MEDIA_PORT_RANGE, "first,last, both 1024 to 65535 UDP ports" },
		{ PARAM_SERVER_QUERY_CDR_DENY_TIME,
		  "separated by commas: 0 to 23 hours; or nothing" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		CLEANUP(buf_done) struct buf b = BUF_INIT;

		param_accepts(cases[i].id, &b);
		assert_string_equal(buf_cstr(&b), cases[i].accepted);
	}
}

static void every_type_and_effect_has_a_name(void **state)
{
	(void)state;
	for (int i = 0; i < PARAM_COUNT; i++) {
		assert_true(param_type_name(param_infos[i].type)[0] != '\0');
		assert_true(param_effect_name(param_infos[i].effect)[0] != '\0');
	}
	assert_string_equal(param_effect_name(EFFECT_NONE_YET), "none yet");
}

static void a_set_is_made_changed_and_copied(void)
{
	CLEANUP(params_free) struct params *p = params_create();
	CLEANUP(params_free) struct params *copy = NULL;
	int64_t first, last;

	if (!p) {
		assert_true(oom_hit());
		return;
	}
	if (oom_refused(params_set(p, PARAM_SS_MEDIA_PORT_RANGE, STR("2000,3000"), NULL))) {
		assert_true(param_is_default(p, PARAM_SS_MEDIA_PORT_RANGE));
		return;
	}
	if (oom_refused(params_set(p, PARAM_SS_MAX_CALL_PER_SECOND, STR("5"), NULL)))
		return;
	copy = params_copy(p);
	assert_true(copy || oom_hit());
	if (!copy)
		return;
	param_range(copy, PARAM_SS_MEDIA_PORT_RANGE, &first, &last);
	assert_int_equal(last, 3000);
}

static void memory_may_run_out(void **state)
{
	(void)state;
	oom_each(a_set_is_made_changed_and_copied);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_are_sorted_and_found_in_any_case),
		cmocka_unit_test(aliases_of_the_trade_are_known),
		cmocka_unit_test(every_default_is_accepted_and_keeps_its_form),
		cmocka_unit_test(defaults_are_what_was_ruled),
		cmocka_unit_test(what_is_accepted_is_kept_in_one_form),
		cmocka_unit_test(texts_and_lists_are_kept_in_one_form),
		cmocka_unit_test(hostile_values_are_refused_and_the_old_one_stays),
		cmocka_unit_test(a_text_may_not_be_longer_than_its_limit),
		cmocka_unit_test(a_reset_value_is_at_its_default),
		cmocka_unit_test(a_copy_is_apart),
		cmocka_unit_test(a_list_has_its_items_and_no_parts_of_them),
		cmocka_unit_test(a_parameter_says_what_it_accepts),
		cmocka_unit_test(every_type_and_effect_has_a_name),
		cmocka_unit_test(memory_may_run_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
