#include "oom.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

enum { RUNS_MAX = 100000 };

static _Thread_local long refuse_at; /* 0: refuse nothing */
static _Thread_local long count;

/* Present only where the test is linked with them. */
int __lsan_do_recoverable_leak_check(void) __attribute__((weak));
void json_set_alloc_funcs(void *(*)(size_t), void (*)(void *)) __attribute__((weak));

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
	if (json_set_alloc_funcs)
		json_set_alloc_funcs(__wrap_malloc, free);

	for (long n = 1; n <= RUNS_MAX; n++) {
		count = 0;
		refuse_at = n;
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
