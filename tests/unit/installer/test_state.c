#include "state.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "load.h"
#include "model/ports.h"
#include "profile.h"
#include "source.h"
#include "yard.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static struct setup setup;

static int open_yard(void **state)
{
	(void)state;
	setup = (struct setup){ .answers = answers_create() };
	if (setup.answers)
		yard_open(&setup.place);
	return setup.answers ? 0 : -1;
}

static int close_yard(void **state)
{
	(void)state;
	yard_close(&setup.place);
	setup.answers = answers_free(setup.answers);
	return 0;
}

static void what_was_done_is_remembered_for_these_answers_only(void **state)
{
	struct err err = ERR_INIT;
	struct state st, again;

	(void)state;
	assert_int_equal(state_load(&st, &setup), 0);
	assert_int_equal(st.commands, 0);
	st.commands = 7;
	st.is_golive_passed = true;
	assert_int_equal(state_save(&st, &setup, &err), 0);
	assert_int_equal(state_load(&again, &setup), 0);
	assert_int_equal(again.commands, 7);
	assert_true(again.is_golive_passed);
	assert_int_equal(answers_set(setup.answers, ANSWER_LINES, STR("5"), 0, &err), 0);
	assert_int_equal(state_load(&again, &setup), 0);
	assert_int_equal(again.commands, 0);
	assert_false(again.is_golive_passed);
}

static void a_state_that_is_damaged_is_a_beginning(void **state)
{
	struct err err = ERR_INIT;
	struct state st;

	(void)state;
	assert_int_equal(state_load(&st, &setup), 0);
	st.commands = 3;
	assert_int_equal(state_save(&st, &setup, &err), 0);
	assert_int_equal(place_write(&setup.place, SETUP_DIR "/state", 0600, STR("\0\xff\n=\n")),
			 1);
	assert_int_equal(state_load(&st, &setup), 0);
	assert_int_equal(st.commands, 0);
}

static void the_command_line_names_the_answers(void **state)
{
	static const struct {
		const char *line, *value;
	} cases[] = {
		{ "", "" },
		{ "quiet root=/dev/vda tandem.answers=http://a/b.conf ro\n", "http://a/b.conf" },
		{ "tandem.answers=http://a/ tandem.answers=label:X/y", "label:X/y" },
		{ "xtandem.answers=http://a/", "" },
		{ "tandem.answers=", "" },
		{ "a=\"b tandem.answers=http://evil/\"", "" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct str value = source_of_command_line(str_of(cases[i].line));

		assert_true(str_eq(value, str_of(cases[i].value)));
	}
}

static void media_ports_are_counted_as_the_relay_uses_them(void **state)
{
	char space[200];
	struct buf what = buf_fixed(space, sizeof(space));
	struct err err = ERR_INIT;

	(void)state;
	/* lines x 4 + CPS x 4 x 10 */
	assert_int_equal(ports_needed(1000, 100), 8000);
	assert_int_equal(ports_needed(1, 1), 44);
	assert_int_equal(load_missing(setup.answers, &what), 0);
	assert_int_equal(answers_set(setup.answers, ANSWER_LINES, STR("3000"), 0, &err), 0);
	assert_int_equal(load_missing(setup.answers, &what), 16000 - 10001);
}

static void every_profile_that_can_be_answered_exists(void **state)
{
	const char *const *names = answer_infos[ANSWER_PROFILE].values;

	(void)state;
	for (int i = 0; names[i]; i++) {
		char space[400];
		struct buf b = buf_fixed(space, sizeof(space));
		const struct profile *p = profile_find(str_of(names[i]));

		assert_non_null(p);
		profile_put_commands(p, &b);
		assert_int_equal(buf_error(&b), 0);
		assert_true(str_find(buf_str(&b), STR("SERVER_BILLING_FEE_PRECISION ")) > 0);
		buf_clear(&b);
		profile_describe(p, &b);
		assert_int_equal(buf_error(&b), 0);
	}
	assert_null(profile_find(STR("")));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, open_yard, close_yard)
	const struct CMUnitTest tests[] = {
		TEST(what_was_done_is_remembered_for_these_answers_only),
		TEST(a_state_that_is_damaged_is_a_beginning),
		TEST(the_command_line_names_the_answers),
		TEST(media_ports_are_counted_as_the_relay_uses_them),
		TEST(every_profile_that_can_be_answered_exists),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
