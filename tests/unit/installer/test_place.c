#include "place.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "yard.h"

static int open_yard(void **state)
{
	static struct place p;

	yard_open(&p);
	*state = &p;
	return 0;
}

static int close_yard(void **state)
{
	yard_close(*state);
	return 0;
}

static mode_t mode_of(const struct place *p, const char *path)
{
	CLEANUP(free) char *full = place_path(p, path);
	struct stat st;

	assert_non_null(full);
	assert_int_equal(lstat(full, &st), 0);
	return st.st_mode & 07777;
}

static ino_t inode_of(const struct place *p, const char *path)
{
	CLEANUP(free) char *full = place_path(p, path);
	struct stat st;

	assert_non_null(full);
	assert_int_equal(lstat(full, &st), 0);
	return st.st_ino;
}

static void a_file_is_written_only_when_it_differs(void **state)
{
	const struct place *p = *state;

	assert_int_equal(place_write(p, "/etc/a/b.conf", 0644, STR("one\n")), 1);
	yard_expect(p, "/etc/a/b.conf", "one\n");
	ino_t first = inode_of(p, "/etc/a/b.conf");
	assert_int_equal(place_write(p, "/etc/a/b.conf", 0644, STR("one\n")), 0);
	assert_int_equal(inode_of(p, "/etc/a/b.conf"), first);
	assert_int_equal(place_write(p, "/etc/a/b.conf", 0644, STR("two\n")), 1);
	yard_expect(p, "/etc/a/b.conf", "two\n");
	assert_int_equal(place_write(p, "/etc/a/b.conf", 0644, STR("two\nmore\n")), 1);
	yard_expect(p, "/etc/a/b.conf", "two\nmore\n");
}

static void a_secret_is_nobody_else_s_whatever_the_umask(void **state)
{
	const struct place *p = *state;
	mode_t before = umask(0);

	assert_int_equal(place_write(p, "/etc/secret", 0600, STR("x")), 1);
	assert_int_equal(mode_of(p, "/etc/secret"), 0600);
	(void)umask(077);
	assert_int_equal(place_write(p, "/etc/open", 0644, STR("x")), 1);
	assert_int_equal(mode_of(p, "/etc/open"), 0644);
	(void)umask(before);
	/* The same bytes with other rights are another file. */
	assert_int_equal(place_write(p, "/etc/open", 0600, STR("x")), 1);
	assert_int_equal(mode_of(p, "/etc/open"), 0600);
}

static void a_link_in_the_way_is_replaced_not_followed(void **state)
{
	const struct place *p = *state;
	CLEANUP(free) char *link = place_path(p, "/etc/x");
	CLEANUP(free) char *fresh = place_path(p, "/etc/x.setup");

	assert_non_null(link);
	assert_non_null(fresh);
	assert_int_equal(place_write(p, "/etc/target", 0644, STR("kept")), 1);
	assert_int_equal(symlink("target", link), 0);
	assert_int_equal(symlink("target", fresh), 0); /* and one where the new file is made */
	assert_int_equal(place_write(p, "/etc/x", 0644, STR("new")), 1);
	yard_expect(p, "/etc/target", "kept");
	yard_expect(p, "/etc/x", "new");
}

static void what_a_killed_run_left_is_no_obstacle(void **state)
{
	const struct place *p = *state;

	assert_int_equal(place_write(p, "/etc/x.setup", 0600, STR("half")), 1);
	assert_int_equal(place_write(p, "/etc/x", 0644, STR("whole")), 1);
	yard_expect(p, "/etc/x", "whole");
	yard_expect(p, "/etc/x.setup", NULL);
}

static void a_link_points_where_it_should(void **state)
{
	const struct place *p = *state;
	CLEANUP(free) char *full = place_path(p, "/etc/localtime");
	char target[64];

	assert_non_null(full);
	assert_int_equal(place_link(p, "/etc/localtime", "../zone/UTC"), 1);
	assert_int_equal(place_link(p, "/etc/localtime", "../zone/UTC"), 0);
	assert_int_equal(place_link(p, "/etc/localtime", "../zone/CET"), 1);
	ssize_t n = readlink(full, target, sizeof(target));
	assert_true(n > 0 && str_eq(str_n(target, (size_t)n), STR("../zone/CET")));
}

static void what_is_no_file_is_not_read(void **state)
{
	const struct place *p = *state;
	CLEANUP(free) char *pipe = place_path(p, "/pipe");
	CLEANUP(buf_done) struct buf b = BUF_INIT;

	assert_non_null(pipe);
	assert_int_equal(mkfifo(pipe, 0600), 0);
	assert_int_equal(place_read(p, "/pipe", 100, &b), -EMEDIUMTYPE);
	assert_int_equal(place_read(p, "/none", 100, &b), -ENOENT);
	assert_int_equal(place_write(p, "/big", 0600, STR("0123456789")), 1);
	assert_int_equal(place_read(p, "/big", 9, &b), -EFBIG);
	assert_int_equal(place_remove(p, "/big"), 1);
	assert_int_equal(place_remove(p, "/big"), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_file_is_written_only_when_it_differs, open_yard,
						close_yard),
		cmocka_unit_test_setup_teardown(a_secret_is_nobody_else_s_whatever_the_umask,
						open_yard, close_yard),
		cmocka_unit_test_setup_teardown(a_link_in_the_way_is_replaced_not_followed,
						open_yard, close_yard),
		cmocka_unit_test_setup_teardown(what_a_killed_run_left_is_no_obstacle, open_yard,
						close_yard),
		cmocka_unit_test_setup_teardown(a_link_points_where_it_should, open_yard,
						close_yard),
		cmocka_unit_test_setup_teardown(what_is_no_file_is_not_read, open_yard, close_yard),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
