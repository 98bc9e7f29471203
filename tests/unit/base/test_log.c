#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#include "unit.h"

/* stderr goes into a pipe while a test runs; what was written is read back from it. */
static int saved = -1, reader = -1;

static int setup(void **state)
{
	int fd[2];

	(void)state;
	log_set_level(LOG_INFO);
	if (pipe2(fd, O_NONBLOCK) < 0)
		return -1;
	reader = fd[0];
	saved = dup(STDERR_FILENO);
	(void)dup2(fd[1], STDERR_FILENO);
	(void)close(fd[1]);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	(void)dup2(saved, STDERR_FILENO);
	(void)close(saved);
	(void)close(reader);
	return 0;
}

static const char *written(void)
{
	static char text[65536];
	ssize_t n = read(reader, text, sizeof(text) - 1);

	text[n > 0 ? n : 0] = 0;
	return text;
}

static void a_line_has_level_text_and_fields(void **state)
{
	(void)state;
	log_at(LOG_WARNING, FIELDS(.gateway = "berlin", .call_id = "9f3a"), "no answer in %d ms",
	       5);
	assert_string_equal(written(), "warning no answer in 5 ms call_id=9f3a gateway=berlin\n");
	log_at(LOG_ERR, NULL, "disk full");
	assert_string_equal(written(), "err disk full\n");
	log_at(LOG_INFO, FIELDS(.account = "7"), "%s", "");
	assert_string_equal(written(), "info  account=7\n");
}

static void what_is_less_urgent_than_the_level_is_dropped(void **state)
{
	(void)state;
	log_at(LOG_DEBUG, NULL, "a");
	assert_string_equal(written(), "");
	log_set_level(LOG_DEBUG);
	log_at(LOG_DEBUG, NULL, "b");
	assert_string_equal(written(), "debug b\n");
	log_set_level(LOG_ERR);
	log_at(LOG_WARNING, NULL, "c");
	log_at(LOG_EMERG, NULL, "d");
	assert_string_equal(written(), "emerg d\n");
}

static void one_line_never_looks_like_two(void **state)
{
	(void)state;
	log_at(LOG_INFO,
	       FIELDS(.call_id = "x\r\nerr forged", .gateway = "a b=\"c\"", .account = ""),
	       "bad\n%s\x1b[1m", "err forged");
	assert_string_equal(written(), "info bad?err forged?[1m call_id=\"x??err forged\" "
				       "gateway=\"a b='c'\" account=\"\"\n");
}

static void a_long_line_is_cut_but_keeps_its_fields(void **state)
{
	static char big[5000];
	const char *line;
	size_t n;

	(void)state;
	memset(big, 'x', sizeof(big) - 1);
	log_at(LOG_NOTICE, FIELDS(big, big, big), "%s", big);
	line = written();
	n = strlen(line);
	assert_true(n > 800 && n <= 1024);
	assert_int_equal(line[n - 1], '\n');
	assert_non_null(strstr(line, " account=xxx"));
}

static void errno_survives(void **state)
{
	(void)state;
	errno = EBUSY;
	log_at(LOG_INFO, NULL, "x");
	assert_int_equal(errno, EBUSY);
	(void)written();
}

enum { THREADS = 4, LINES = 100 };

static void *write_lines(void *arg)
{
	for (int i = 0; i < LINES; i++)
		log_at(LOG_INFO, FIELDS(.call_id = arg), "%d 0123456789", i);
	return NULL;
}

static void lines_of_threads_do_not_mix(void **state)
{
	static char name[THREADS][2] = { "a", "b", "c", "d" };
	pthread_t thread[THREADS];
	struct str rest, line;
	int n = 0;

	(void)state;
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&thread[i], NULL, write_lines, name[i]), 0);
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(pthread_join(thread[i], NULL), 0);
	for (rest = str_of(written()); str_line(&rest, &line); n++) {
		assert_true(str_has_prefix(line, STR("info ")));
		assert_true(
			str_has_suffix(str_head(line, line.n - 1), STR(" 0123456789 call_id=")));
	}
	assert_int_equal(n, THREADS * LINES);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define LOG_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		LOG_TEST(a_line_has_level_text_and_fields),
		LOG_TEST(what_is_less_urgent_than_the_level_is_dropped),
		LOG_TEST(one_line_never_looks_like_two),
		LOG_TEST(a_long_line_is_cut_but_keeps_its_fields),
		LOG_TEST(errno_survives),
		LOG_TEST(lines_of_threads_do_not_mix),
	};

	(void)unsetenv("JOURNAL_STREAM");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
