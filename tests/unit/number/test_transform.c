#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "number/transform.h"
#include "oom.h"

static struct transform *made(const char *rules)
{
	struct transform *t = NULL;
	struct err err = ERR_INIT;

	assert_int_equal(transform_create(&t, str_of(rules), &err), 0);
	assert_false(err_is_set(&err));
	return t;
}

static const struct {
	const char *rules, *number, *result;
} cases[] = {
	/* features.md §4.1 */
	{ "0:0", "02584316146", "02584316146" },
	{ "010:025", "01012345678", "02512345678" },
	{ "025:", "02584316146", "84316146" },
	{ "*:025*", "117", "025117" },
	{ "12345?78:99999999", "12345178", "99999999" },
	/* no rule, no match */
	{ "", "117", "117" },
	{ "9:8", "117", "117" },
	{ "1178:9", "117", "117" },
	/* the longest wins, then the first */
	{ "1:2,11:3,117:4", "1179", "49" },
	{ "117:4,11:3,1:2", "1179", "49" },
	{ "1?:3,11:4", "119", "39" },
	{ "11:4,1?:3", "119", "49" },
	{ "*:9*,1:2", "11", "21" },
	{ "*:9*,1:2", "31", "931" },
	{ ":9,*:8*", "31", "931" },
	/* an empty `from` adds in front */
	{ ":00", "31", "0031" },
	/* what the star stands for: taken over, moved or dropped; it may be nothing */
	{ "025*:*", "0251", "1" },
	{ "025*:86*9", "0251", "8619" },
	{ "9*:100", "9123", "100" },
	{ "025*:86*", "025", "86" },
	/* one digit, and only a digit */
	{ "1?:2", "1#5", "1#5" },
	{ "1?:2", "1", "1" },
	{ "??:", "12345", "345" },
	/* star, hash and plus are keys of a telephone */
	{ "\\*67:", "*67123", "123" },
	{ "12\\*:", "12*345", "345" },
	{ ":\\*31#", "123", "*31#123" },
	{ "\\**:*", "*5", "5" },
	{ "#:0,+:00", "+4930", "004930" },
	{ "#:0,+:00", "#4930", "04930" },
	/* blanks around the parts */
	{ " 1 : 2 , 3 : 4 ", "35", "45" },
	{ "1:2,", "15", "25" },
	/* only numbers are rewritten */
	{ ":9,*:9*", "anonymous", "anonymous" },
	{ ":9", "12a", "12a" },
};

static void numbers_are_rewritten(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct transform *t = made(cases[i].rules);
		char text[100];
		struct buf out = buf_fixed(text, sizeof(text));

		assert_int_equal(transform_apply(t, str_of(cases[i].number), &out), 0);
		assert_string_equal(buf_cstr(&out), cases[i].result);
		transform_free(t);
	}
}

static void without_rules_a_number_stays_as_it_is(void **state)
{
	(void)state;
	char text[100];
	struct buf out = buf_fixed(text, sizeof(text));

	assert_int_equal(transform_apply(NULL, STR("117"), &out), 0);
	assert_string_equal(buf_cstr(&out), "117");
}

#define TEN   "1234567890"
#define FORTY TEN TEN TEN TEN

static void assert_unusable(const struct transform *t, const char *number)
{
	char text[100];
	struct buf out = buf_fixed(text, sizeof(text));

	assert_int_equal(transform_apply(t, str_of(number), &out), -EINVAL);
	assert_int_equal(out.n, 0);
	assert_int_equal(buf_error(&out), 0);
}

static void a_result_has_one_to_forty_characters(void **state)
{
	(void)state;
	struct transform *strip = made("025:"), *lengthen = made(":0");
	char text[100];
	struct buf out = buf_fixed(text, sizeof(text));

	assert_unusable(strip, "025");
	assert_unusable(lengthen, FORTY);
	assert_unusable(NULL, FORTY "1");
	assert_unusable(NULL, "");
	assert_int_equal(transform_apply(strip, STR("025" FORTY), &out), 0);
	assert_string_equal(buf_cstr(&out), FORTY);
	transform_free(strip);
	transform_free(lengthen);
}

static void a_full_buffer_is_said_so(void **state)
{
	(void)state;
	char text[4];
	struct buf out = buf_fixed(text, sizeof(text));

	assert_int_equal(transform_apply(NULL, STR("12345"), &out), -ENOSPC);
}

static const struct {
	const char *rules, *given, *says;
} hostile[] = {
	{ "1", "1", "rule 1 has no colon" },
	{ "1:2,3", "3", "rule 2 has no colon" },
	{ "1:2,,3:4", "", "rule 2 has no colon" },
	{ "1:2:3", "1:2:3", "rule 1 has something besides 0-9 # + * and \\*" },
	{ "1a:2", "1a:2", "rule 1 has something besides 0-9 # + ? * and \\*" },
	{ "1:2x", "1:2x", "rule 1 has something besides 0-9 # + * and \\*" },
	{ "1:?", "1:?", "rule 1 has something besides 0-9 # + * and \\*" },
	{ "1 2:3", "1 2:3", "rule 1 has something besides 0-9 # + ? * and \\*" },
	{ "1\\:2", "1\\:2", "rule 1 has something besides 0-9 # + ? * and \\*" },
	{ "1\\?:2", "1\\?:2", "rule 1 has something besides 0-9 # + ? * and \\*" },
	{ "\xff:1", "", "rule 1 has something besides 0-9 # + ? * and \\*" },
	{ "1:2,1*2:3", "1*2:3", "rule 2 has a * before its end (the star key is written \\*)" },
	{ "*1:3", "*1:3", "rule 1 has a * before its end (the star key is written \\*)" },
	{ "1**:3", "1**:3", "rule 1 has more than one *" },
	{ "1*:**", "1*:**", "rule 1 has more than one *" },
	{ "1:2*", "1:2*", "rule 1 has a * only behind the colon (the star key is written \\*)" },
	{ "1*:", "1*:", "rule 1 leaves nothing of the number" },
	{ "*:", "*:", "rule 1 leaves nothing of the number" },
	{ FORTY "1:2", "", "rule 1 is longer than 40 characters" },
	{ "1:" FORTY "1", "", "rule 1 is longer than 40 characters" },
};

static void hostile_rules_are_refused_by_number(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(hostile) / sizeof(hostile[0]); i++) {
		struct transform *t = NULL;
		struct err err = ERR_INIT;

		assert_int_equal(transform_create(&t, str_of(hostile[i].rules), &err), -EINVAL);
		assert_null(t);
		assert_int_equal(err.code, ERR_BAD_VALUE);
		assert_string_equal(err.message, hostile[i].says);
		if (*hostile[i].given)
			assert_string_equal(err.given, hostile[i].given);
		assert_int_equal(transform_create(&t, str_of(hostile[i].rules), NULL), -EINVAL);
	}
}

static void a_nul_is_no_digit(void **state)
{
	(void)state;
	struct transform *t = NULL;

	assert_int_equal(transform_create(&t, STR("1\0:2"), NULL), -EINVAL);
	assert_int_equal(transform_create(&t, STR("\0"), NULL), -EINVAL);
}

static void there_are_at_most_1024_rules(void **state)
{
	(void)state;
	struct buf rules = BUF_INIT;
	struct transform *t = NULL;
	struct err err = ERR_INIT;

	for (int i = 0; i < TRANSFORM_RULES_MAX; i++)
		buf_printf(&rules, "%s%d:7", i ? "," : "", i);
	assert_int_equal(buf_error(&rules), 0);
	assert_int_equal(transform_create(&t, buf_str(&rules), NULL), 0);
	t = transform_free(t);

	buf_putz(&rules, ",5:6");
	assert_int_equal(buf_error(&rules), 0);
	assert_int_equal(transform_create(&t, buf_str(&rules), &err), -EINVAL);
	assert_string_equal(err.message, "rule 1025 is one too many");
	buf_done(&rules);
}

static void rules_are_compiled_and_applied(void)
{
	CLEANUP(transform_free) struct transform *t = NULL;
	CLEANUP(buf_done) struct buf out = BUF_INIT;

	if (oom_refused(transform_create(&t, STR("010:025,*:9*"), NULL)))
		return;
	if (oom_refused(transform_apply(t, STR("0101"), &out)))
		return;
	assert_true(str_eq(buf_str(&out), STR("0251")));
}

static void memory_may_run_out(void **state)
{
	(void)state;
	oom_each(rules_are_compiled_and_applied);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers_are_rewritten),
		cmocka_unit_test(without_rules_a_number_stays_as_it_is),
		cmocka_unit_test(a_result_has_one_to_forty_characters),
		cmocka_unit_test(a_full_buffer_is_said_so),
		cmocka_unit_test(hostile_rules_are_refused_by_number),
		cmocka_unit_test(a_nul_is_no_digit),
		cmocka_unit_test(there_are_at_most_1024_rules),
		cmocka_unit_test(memory_may_run_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
