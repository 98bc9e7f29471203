/* Wrong passwords in a row: when none is taken any more, for how long, and what begins anew. */
#include "model/tries.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "oom.h"

enum { SECOND = 1000, MINUTE = 60 * SECOND };

static const ms_t NOW = 1800000000000;

static struct tries after(uint32_t wrong)
{
	struct tries t;

	tries_begin(&t);
	while (wrong-- > 0)
		tries_fail(&t, NOW);
	return t;
}

static void the_parameters_defaults_hold_until_others_are_known(void **state)
{
	struct tries t;

	(void)state;
	tries_begin(&t);
	assert_int_equal(t.limits.failures, 5);
	assert_int_equal(t.limits.pause_s, 120);
	assert_int_equal(t.limits.longest_s, 1800);
}

static void too_many_in_a_row_lock_and_each_lock_is_twice_as_long_up_to_the_longest(void **state)
{
	static const int64_t minutes[] = { 2, 4, 8, 16, 30, 30, 30 };
	struct tries t = after(4);

	(void)state;
	assert_int_equal(tries_left(&t, NOW), 0);
	t = after(0);
	for (size_t i = 0; i < sizeof(minutes) / sizeof(minutes[0]); i++) {
		for (int k = 0; k < 5; k++)
			tries_fail(&t, t.until ? t.until : NOW);
		assert_int_equal((tries_left(&t, t.last) + MINUTE - 1) / MINUTE, minutes[i]);
		assert_int_equal(tries_left(&t, t.until), 0);
	}
	assert_int_equal(t.wrong, 35);
}

static void a_lock_is_never_longer_than_the_longest(void **state)
{
	struct tries t = after(0);

	(void)state;
	t.limits = (struct tries_limits){ 1, 7200, 60 };
	tries_fail(&t, NOW);
	assert_int_equal(tries_left(&t, NOW), MINUTE);
	/* The clock is set back by a day: that is no reason to wait for one. */
	assert_int_equal(tries_left(&t, NOW - (ms_t)24 * 60 * MINUTE), 0);
}

static void so_long_without_a_wrong_one_begins_anew(void **state)
{
	struct tries t = after(4);

	(void)state;
	tries_fail(&t, NOW + 30 * MINUTE);
	assert_int_equal(t.wrong, 1);
	assert_int_equal(tries_left(&t, NOW + 30 * MINUTE), 0);
	t = after(5);
	for (int i = 0; i < 5; i++)
		tries_fail(&t, t.until + 29 * MINUTE);
	assert_int_equal(t.locks, 2);
}

/* --- the file --- */

static char path[64], folder[32];

static int make_folder(void **state)
{
	(void)state;
	(void)snprintf(folder, sizeof(folder), "/tmp/tries-XXXXXX");
	if (!mkdtemp(folder))
		return -1;
	(void)snprintf(path, sizeof(path), "%s/tries", folder);
	return 0;
}

static int drop_folder(void **state)
{
	(void)state;
	(void)unlink(path);
	return rmdir(folder);
}

static void every_console_counts_in_the_same_file(void **state)
{
	static const struct tries_limits limits = { 3, 30, 60 };
	struct tries one, other, now;
	struct err err = ERR_INIT;
	struct stat st;

	(void)state;
	tries_begin(&one);
	tries_begin(&other);
	assert_int_equal(tries_read(path, &now, &err), 0);
	assert_int_equal(tries_note(path, &limits, false, NOW, &one, &err), 0);
	assert_int_equal(tries_note(path, &limits, false, NOW, &other, &err), 0);
	assert_int_equal(tries_note(path, &limits, false, NOW, &one, &err), 0);
	assert_int_equal(tries_read(path, &now, &err), 1);
	assert_int_equal(tries_left(&now, NOW), 30 * SECOND);
	assert_int_equal(now.wrong, 3);
	assert_int_equal(now.limits.longest_s, 60);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	/* A right one, or an administrator, ends it for all; the limits stay known. */
	assert_int_equal(tries_note(path, NULL, true, NOW, &other, &err), 0);
	assert_int_equal(tries_read(path, &now, &err), 1);
	assert_int_equal(tries_left(&now, NOW), 0);
	assert_int_equal(now.wrong, 0);
	assert_int_equal(now.limits.failures, 3);
}

static void what_makes_no_sense_is_no_lock(void **state)
{
	static const char *const texts[] = {
		"",
		"x\n",
		"1 2 3\n",
		"1 1 1 1 1 0 1 1\n",
		"1 1 1 1 1 1 1 1 1\n",
		"-1 1 1 1 1 1 1 1\n",
	};
	struct tries now;
	struct err err = ERR_INIT;

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

		assert_true(fd >= 0);
		assert_int_equal(write(fd, texts[i], strlen(texts[i])), (ssize_t)strlen(texts[i]));
		(void)close(fd);
		assert_int_equal(tries_read(path, &now, &err), 1);
		assert_int_equal(now.wrong, 0);
		assert_int_equal(now.limits.failures, 5);
	}
}

static void a_file_out_of_reach_is_counted_by_who_asks(void **state)
{
	struct tries t;
	struct err err = ERR_INIT;

	(void)state;
	tries_begin(&t);
	for (int i = 0; i < 5; i++)
		assert_true(tries_note("/no/such/folder/tries", NULL, false, NOW, &t, &err) < 0);
	assert_int_equal(tries_left(&t, NOW), 2 * MINUTE);
}

/* What is at the place of the file's draft cannot be removed: each write fails, and the file stays as it was. */
static void a_file_that_cannot_be_written_is_counted_past(void **state)
{
	static const struct tries_limits limits = { 3, 60, 3600 };
	struct tries t;
	struct err err = ERR_INIT;
	char draft[sizeof(path) + 16], inside[sizeof(path) + 32];

	(void)state;
	tries_begin(&t);
	assert_int_equal(tries_note(path, &limits, true, NOW, &t, &err), 0);
	(void)snprintf(draft, sizeof(draft), "%s.new", path);
	(void)snprintf(inside, sizeof(inside), "%s/x", draft);
	assert_int_equal(mkdir(draft, 0700), 0);
	assert_int_equal(mkdir(inside, 0700), 0);
	for (int i = 0; i < 3; i++)
		assert_true(tries_note(path, &limits, false, NOW, &t, &err) < 0);
	assert_true(t.is_only_here);
	assert_true(tries_left(&t, NOW) > 0);
	(void)rmdir(inside);
	(void)rmdir(draft);
	assert_int_equal(tries_note(path, &limits, false, NOW, &t, &err), 0);
	assert_false(t.is_only_here);
	assert_int_equal(t.wrong, 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_parameters_defaults_hold_until_others_are_known),
		cmocka_unit_test(
			too_many_in_a_row_lock_and_each_lock_is_twice_as_long_up_to_the_longest),
		cmocka_unit_test(a_lock_is_never_longer_than_the_longest),
		cmocka_unit_test(so_long_without_a_wrong_one_begins_anew),
		cmocka_unit_test_setup_teardown(every_console_counts_in_the_same_file, make_folder,
						drop_folder),
		cmocka_unit_test_setup_teardown(what_makes_no_sense_is_no_lock, make_folder,
						drop_folder),
		cmocka_unit_test(a_file_out_of_reach_is_counted_by_who_asks),
		cmocka_unit_test_setup_teardown(a_file_that_cannot_be_written_is_counted_past,
						make_folder, drop_folder),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
