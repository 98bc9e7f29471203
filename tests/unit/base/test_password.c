#include "base/password.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* Made by Python's hashlib.scrypt. */
static const char foreign[] =
	"$scrypt$ln=14,r=8,p=1$MDEyMzQ1Njc4OWFiY2RlZg$Pnit4MwOvCLmivWhix2J0BXM5404YFmq2YAK7M4shH0";

static void a_password_matches_its_own_hash_only(void **state)
{
	char hash[PASSWORD_HASH_TEXT], other[PASSWORD_HASH_TEXT];

	(void)state;
	assert_int_equal(password_hash(STR("correct Horse 7"), hash), 0);
	assert_int_equal(password_hash(STR("correct Horse 7"), other), 0);
	assert_string_not_equal(hash, other);
	assert_true(password_hash_is_valid(str_of(hash)));
	assert_int_equal(password_check(STR("correct Horse 7"), str_of(hash)), 1);
	assert_int_equal(password_check(STR("correct Horse 8"), str_of(hash)), 0);
	assert_int_equal(password_check(STR(""), str_of(hash)), 0);
}

static void another_tool_s_hash_is_taken(void **state)
{
	(void)state;
	assert_int_equal(password_check(STR("correct Horse 7"), str_of(foreign)), 1);
	assert_int_equal(password_check(STR("correct horse 7"), str_of(foreign)), 0);
}

static void costs_that_are_too_low_or_too_high_are_refused(void **state)
{
	static const char *const bad[] = {
		"",
		"$scrypt$",
		"$scrypt$ln=4,r=8,p=1$MDEyMzQ1Njc4OWFiY2RlZg$"
		"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
		"$scrypt$ln=31,r=8,p=1$MDEyMzQ1Njc4OWFiY2RlZg$"
		"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
		"$scrypt$ln=15,r=1,p=1$MDEyMzQ1Njc4OWFiY2RlZg$"
		"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
		"$scrypt$ln=15,r=8,p=9$MDEyMzQ1Njc4OWFiY2RlZg$"
		"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
		"$scrypt$ln=15,r=8,p=1$MDEyMzQ1Njc4OWFiY2RlZg$AAAA",
		"$scrypt$ln=15,r=8,p=1$AAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
		"$scrypt$ln=15,r=8,p=1$MDEyMzQ1Njc4OWFiY2RlZg$"
		"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA$x",
		"$6$salt$hash",
		"plain text",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++) {
		assert_false(password_hash_is_valid(str_of(bad[i])));
		assert_int_equal(password_check(STR("x"), str_of(bad[i])), -EINVAL);
	}
}

static void a_weak_password_is_told_why(void **state)
{
	static const char *const weak[] = {
		"",           "Short1!",    "aaaaaaaaaaaaaaaaaaaaaaaa",
		"abcdefghij", "0123456789", "Admin-is-good-9",
	};
	static const char *const good[] = {
		"correct Horse 7",
		"some words that are long",
		"k3Y.board.sm4sh",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(weak); i++)
		assert_non_null(password_weakness(str_of(weak[i]), STR("admin")));
	for (size_t i = 0; i < COUNT(good); i++)
		assert_null(password_weakness(str_of(good[i]), STR("admin")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_password_matches_its_own_hash_only),
		cmocka_unit_test(another_tool_s_hash_is_taken),
		cmocka_unit_test(costs_that_are_too_low_or_too_high_are_refused),
		cmocka_unit_test(a_weak_password_is_told_why),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
