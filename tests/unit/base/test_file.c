#include "base/file.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "oom.h"
#include "unit.h"

static char path[] = "/tmp/tandem_file_XXXXXX";

static int make(void **state)
{
	int fd = mkstemp(path);

	(void)state;
	return fd < 0 || write(fd, "0123456789", 10) != 10 || close(fd) < 0 ? -1 : 0;
}

static int drop(void **state)
{
	(void)state;
	return unlink(path);
}

static void a_file_is_appended_whole(void **state)
{
	CLEANUP(buf_done) struct buf b = BUF_INIT;

	(void)state;
	buf_putz(&b, "x");
	assert_int_equal(file_read(path, 10, &b, NULL), 0);
	assert_str_equal(buf_str(&b), "x0123456789");
}

static void a_file_that_is_longer_is_refused(void **state)
{
	CLEANUP(buf_done) struct buf b = BUF_INIT;

	(void)state;
	assert_int_equal(file_read(path, 9, &b, NULL), -EFBIG);
}

static void a_file_that_is_not_there_is_told(void **state)
{
	CLEANUP(buf_done) struct buf b = BUF_INIT;

	(void)state;
	assert_int_equal(file_read("/nonexistent/file", 10, &b, NULL), -ENOENT);
	assert_int_equal(file_read("/", 10, &b, NULL), -EISDIR);
}

/* A daemon's own umask is not what its reader is asked about. */
static void the_mode_is_the_one_that_was_asked_for(void **state)
{
	char other[sizeof(path) + 8];
	struct stat s;
	mode_t before = umask(0077);

	(void)state;
	(void)snprintf(other, sizeof(other), "%s.w", path);
	assert_int_equal(file_write(other, STR("x"), 0644, true, NULL), 0);
	(void)umask(before);
	assert_int_equal(stat(other, &s), 0);
	assert_int_equal(s.st_mode & 0777, 0644);
	(void)unlink(other);
}

static void a_file_is_read(void)
{
	CLEANUP(buf_done) struct buf b = BUF_INIT;

	(void)oom_refused(file_read(path, 10, &b, NULL));
}

static void memory_may_run_out(void **state)
{
	(void)state;
	oom_each(a_file_is_read);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_file_is_appended_whole),
		cmocka_unit_test(a_file_that_is_longer_is_refused),
		cmocka_unit_test(a_file_that_is_not_there_is_told),
		cmocka_unit_test(the_mode_is_the_one_that_was_asked_for),
		cmocka_unit_test(memory_may_run_out),
	};

	return cmocka_run_group_tests(tests, make, drop);
}
