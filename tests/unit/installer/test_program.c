#include "program.h"

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"

enum { LIMIT = 30000 };

static void a_program_gets_its_words_as_they_are(void **state)
{
	const char *argv[] = { "/usr/bin/printf", "%s|", "a b", "$(id)", "; exit 1", "*", NULL };
	CLEANUP(buf_done) struct buf said = BUF_INIT;

	(void)state;
	assert_int_equal(program_run(argv, LIMIT, &said), 0);
	assert_true(str_eq(buf_str(&said), STR("a b|$(id)|; exit 1|*|")));
}

static void its_exit_status_and_both_outputs_come_back(void **state)
{
	const char *argv[] = { "/bin/sh", "-c", "echo out; echo err >&2; exit 3", NULL };
	const char *killed[] = { "/bin/sh", "-c", "kill -TERM $$", NULL };
	CLEANUP(buf_done) struct buf said = BUF_INIT;

	(void)state;
	assert_int_equal(program_run(argv, LIMIT, &said), 3);
	assert_true(str_eq(buf_str(&said), STR("out\nerr\n")));
	assert_int_equal(program_run(killed, LIMIT, &said), 128 + SIGTERM);
}

static void it_sees_nothing_of_ours(void **state)
{
	const char *argv[] = { "/usr/bin/env", NULL };
	const char *input[] = { "/bin/cat", NULL };
	CLEANUP(buf_done) struct buf said = BUF_INIT;

	(void)state;
	assert_int_equal(program_run(argv, LIMIT, &said), 0);
	assert_true(str_eq(buf_str(&said), STR("PATH=/usr/sbin:/usr/bin:/sbin:/bin\n"
					       "LC_ALL=C.UTF-8\n")));
	/* No terminal to ask anybody at: input is at its end. */
	assert_int_equal(program_run(input, LIMIT, &said), 0);
}

static void what_takes_too_long_is_killed_with_its_children(void **state)
{
	const char *argv[] = { "/bin/sh", "-c", "sleep 1000 & echo begun; wait", NULL };
	CLEANUP(buf_done) struct buf said = BUF_INIT;

	(void)state;
	assert_int_equal(program_run(argv, 1000, &said), -ETIMEDOUT);
	assert_true(str_eq(buf_str(&said), STR("begun\n")));
}

static void what_it_says_is_bounded(void **state)
{
	const char *argv[] = { "/usr/bin/head", "-c", "1000000", "/dev/zero", NULL };
	CLEANUP(buf_done) struct buf said = BUF_INIT;

	(void)state;
	assert_int_equal(program_run(argv, LIMIT, &said), 0);
	assert_in_range(said.n, 1, PROGRAM_OUTPUT_MAX);
}

static void what_is_not_there_is_an_error(void **state)
{
	const char *argv[] = { "/nonexistent/program", NULL };
	CLEANUP(buf_done) struct buf said = BUF_INIT;

	(void)state;
	assert_int_equal(program_run(argv, LIMIT, &said), -ENOENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_program_gets_its_words_as_they_are),
		cmocka_unit_test(its_exit_status_and_both_outputs_come_back),
		cmocka_unit_test(it_sees_nothing_of_ours),
		cmocka_unit_test(what_takes_too_long_is_killed_with_its_children),
		cmocka_unit_test(what_it_says_is_bounded),
		cmocka_unit_test(what_is_not_there_is_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
