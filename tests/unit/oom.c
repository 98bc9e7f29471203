#include "oom.h"

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

/* What a child of the OOM=1 run says by its exit status. Everything else is a crash. */
enum { NOTHING_REFUSED = 40, REFUSED = 41 };
enum { BATCH = 50, HANG_S = 45, GROUP_MS = 24000, RUNS_MAX = 100000 };

static _Thread_local long refuse_at; /* 0: refuse nothing */
static _Thread_local long count;
static bool in_child;

/* Present only where the test is linked with them. */
int __lsan_do_recoverable_leak_check(void) __attribute__((weak));

static void refuse_the(long n)
{
	count = 0;
	refuse_at = n;
}

static bool refuse(void)
{
	if (refuse_at == 0 || ++count != refuse_at)
		return false;
	errno = ENOMEM;
	return true;
}

/* The linker (--wrap) sends every call of X here as __wrap_X, and keeps X itself as __real_X. */
#define WRAP(type, name, params, args, failed)                   \
	type __real_##name params;                               \
	type __wrap_##name params;                               \
	type __wrap_##name params                                \
	{                                                        \
		return refuse() ? (failed) : __real_##name args; \
	}

WRAP(void *, malloc, (size_t n), (n), NULL)
WRAP(void *, calloc, (size_t n, size_t size), (n, size), NULL)
WRAP(void *, realloc, (void *p, size_t n), (p, n), NULL)
WRAP(void *, reallocarray, (void *p, size_t n, size_t size), (p, n, size), NULL)
WRAP(void *, aligned_alloc, (size_t align, size_t n), (align, n), NULL)
WRAP(int, posix_memalign, (void **ret, size_t align, size_t n), (ret, align, n), ENOMEM)
WRAP(char *, strdup, (const char *s), (s), NULL)
WRAP(char *, strndup, (const char *s, size_t n), (s, n), NULL)

int __wrap_vasprintf(char **ret, const char *format, va_list args);
int __wrap_asprintf(char **ret, const char *format, ...);
int __real_vasprintf(char **ret, const char *format, va_list args);

__attribute__((format(printf, 2, 0))) int __wrap_vasprintf(char **ret, const char *format,
							   va_list args)
{
	return refuse() ? -1 : __real_vasprintf(ret, format, args);
}

__attribute__((format(printf, 2, 3))) int __wrap_asprintf(char **ret, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	int r = __wrap_vasprintf(ret, format, args);
	va_end(args);
	return r;
}

/* cmocka compares by strcmp; a string that was never made shall fail the assert, not crash it. */
void __real__assert_string_equal(const char *a, const char *b, const char *file, int line);
void __wrap__assert_string_equal(const char *a, const char *b, const char *file, int line);
void __wrap__assert_string_equal(const char *a, const char *b, const char *file, int line)
{
	if (!a || !b) {
		print_error("%s is NULL\n", a ? "the second string" : "the first string");
		_fail(file, line);
	}
	__real__assert_string_equal(a, b, file, line);
}

static void fail_if_leaked(long n)
{
	if (!__lsan_do_recoverable_leak_check || !__lsan_do_recoverable_leak_check())
		return;
	if (n > 0)
		fail_msg("leak when allocation %ld is refused", n);
	else
		fail_msg("leak when nothing is refused");
}

void oom_each(void (*body)(void))
{
	if (in_child) {
		body();
		return;
	}
	for (long n = 1; n <= RUNS_MAX; n++) {
		refuse_the(n);
		body();
		refuse_at = 0;

		bool done = count < n;

		fail_if_leaked(done ? 0 : n);
		if (done)
			return;
	}
	fail_msg("still short of memory after %d runs", RUNS_MAX);
}

bool oom_hit(void)
{
	return refuse_at != 0 && count >= refuse_at;
}

bool oom_refused(int r)
{
	if (r >= 0)
		return false;
	assert_int_equal(r, -ENOMEM);
	assert_true(oom_hit());
	return true;
}

/*
 * The OOM=1 run, in place of cmocka's own loop over a group.
 *
 * A fork of a process under asan takes 10 ms and more, so a child tries a batch of numbers, one
 * after the other. What a failed assert leaves behind (memory, sockets, threads) may disturb those
 * that follow it in the batch, so only the first of a child is believed when it says that there is
 * nothing left to refuse, or crashes: another number saying so is tried again in a child of its own.
 */

typedef int group_fn(const char *name, const struct CMUnitTest *tests, size_t n,
		     CMFixtureFunction setup, CMFixtureFunction teardown);
group_fn __real__cmocka_run_group_tests;
group_fn __wrap__cmocka_run_group_tests;

/* Shared with the child. */
struct progress {
	long trying;
	long refused;
};

struct group {
	const char *name;
	CMFixtureFunction setup, teardown;
	long end, test_end; /* of the group, of the test that runs: ms */
	struct progress *at;
};

/* Every allocation up to the 200th; after that ever fewer, as they are ever more alike. */
static long next(long n)
{
	return n + 1 + n / 200;
}

static void show(FILE *f)
{
	char line[512];

	rewind(f);
	while (fgets(line, sizeof(line), f))
		fputs(line, stderr);
}

static void child(const struct group *g, const struct CMUnitTest *test, FILE *out)
{
	dup2(fileno(out), STDOUT_FILENO);
	dup2(fileno(out), STDERR_FILENO);
	in_child = true;
	for (int i = 0; i < BATCH; i++) {
		alarm(HANG_S);
		refuse_the(g->at->trying);
		(void)__real__cmocka_run_group_tests(g->name, test, 1, g->setup, g->teardown);
		if (!oom_hit())
			_exit(NOTHING_REFUSED);
		g->at->refused++;
		g->at->trying = next(g->at->trying);
	}
	_exit(REFUSED);
}

/* Tries a batch from number n on. Returns how the child ended, -1 after a crash; g->at->trying is the
 * number that it ended with, or the next to try. */
static int run(struct group *g, const struct CMUnitTest *test, long n)
{
	FILE *out = tmpfile();
	int status = -1;

	g->at->trying = n;
	fflush(NULL);
	pid_t pid = out ? fork() : -1;
	if (pid == 0)
		child(g, test, out);
	if (pid > 0 && waitpid(pid, &status, 0) == pid && WIFEXITED(status))
		status = WEXITSTATUS(status);
	if (status != REFUSED && status != NOTHING_REFUSED)
		status = -1;
	if (status < 0 && g->at->trying == n) {
		print_error("%s: crash or hang when allocation %ld is refused:\n", test->name, n);
		if (out)
			show(out);
	}
	if (out)
		fclose(out);
	return status;
}

static long now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Each test has its share of what the group has left, so that a long one takes nothing from those behind it. */
static void share_time(struct group *g, size_t tests_left)
{
	long now = now_ms();

	g->test_end = now + (g->end - now) / (long)tests_left;
}

static bool survives(struct group *g, const struct CMUnitTest *test)
{
	long n = 1;
	long first;
	int status;

	do {
		first = n;
		status = run(g, test, first);
		n = g->at->trying;
		if (now_ms() > g->test_end) {
			print_message("%s: stopped at allocation %ld, out of time\n", test->name,
				      n);
			return status >= 0 || n != first;
		}
	} while (status == REFUSED || n != first);
	return status == NOTHING_REFUSED;
}

int __wrap__cmocka_run_group_tests(const char *name, const struct CMUnitTest *tests, size_t n,
				   CMFixtureFunction setup, CMFixtureFunction teardown)
{
	struct group g = { .name = name, .setup = setup, .teardown = teardown };
	int failed = 0;

	if (!getenv("OOM"))
		return __real__cmocka_run_group_tests(name, tests, n, setup, teardown);

	g.at = mmap(NULL, sizeof(*g.at), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (g.at == MAP_FAILED)
		return 1;
	g.end = now_ms() + GROUP_MS;
	for (size_t i = 0; i < n; i++) {
		share_time(&g, n - i);
		failed += survives(&g, &tests[i]) ? 0 : 1;
	}
	print_message("[   OOM    ] %ld allocations refused; %zu passed, %d failed\n",
		      g.at->refused, n - (size_t)failed, failed);
	return failed;
}
