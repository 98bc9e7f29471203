#include "base/clock.h"

#include <errno.h>
#include <time.h>

#include "base/cleanup.h"
#include "unit.h"

#define DAY_MS 86400000LL

static void a_moment_is_read_in_every_form(void **state)
{
	static const struct {
		const char *in;
		ms_t v;
	} row[] = {
		{ "1970-01-01", 0 },
		{ "1970-01-01T00:00:00.000Z", 0 },
		{ "1970-01-02", DAY_MS },
		{ "2000-02-29", 11016 * DAY_MS },
		{ "2026-11-22T23:34:05.123Z", 1795390445123 },
		{ "2026-11-22T23:34:05Z", 1795390445000 },
		{ "2026-11-22T23:34Z", 1795390440000 },
		{ "2026-11-22T23:34:05.1Z", 1795390445100 },
		{ "2026-11-22T23:34:05.12Z", 1795390445120 },
		{ "2026-11-22T23:34:05.123999999Z", 1795390445123 },
		{ "2026-11-23T05:34:05.123+06:00", 1795390445123 },
		{ "2026-11-23T05:19:05.123+05:45", 1795390445123 },
		{ "2026-11-22T18:34:05.123-05:00", 1795390445123 },
		{ "2026-11-22T23:34:05.123-00:00", 1795390445123 },
		{ "1970-01-01T05:00+05:00", 0 },
		{ "1970-01-01T00:00-23:59", DAY_MS - 60000 },
		{ "9999-12-31T23:59:59.999Z", 253402300799999 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(row); i++) {
		ms_t v = -77;

		assert_int_equal(clock_parse(str_of(row[i].in), &v), 0);
		assert_int_equal(v, row[i].v);
	}
}

static void what_is_no_moment_is_refused(void **state)
{
	static const struct {
		struct str in;
		int r;
	} row[] = {
		{ STR_INIT(""), -EINVAL },
		{ STR_INIT("2026"), -EINVAL },
		{ STR_INIT("2026-11"), -EINVAL },
		{ STR_INIT("2026-1-01"), -EINVAL },
		{ STR_INIT("26-11-22"), -EINVAL },
		{ STR_INIT("20261122"), -EINVAL },
		{ STR_INIT("-026-11-22"), -EINVAL },
		{ STR_INIT("2026-11-22T"), -EINVAL },
		{ STR_INIT("2026-11-22Z"), -EINVAL },
		{ STR_INIT("2026-11-22 10:00Z"), -EINVAL },
		{ STR_INIT("2026-11-22T10Z"), -EINVAL },
		{ STR_INIT("2026-11-22T10:00"), -EINVAL }, /* whose ten o'clock? */
		{ STR_INIT("2026-11-22T10:00:00"), -EINVAL },
		{ STR_INIT("2026-11-22T10:00:00z"), -EINVAL },
		{ STR_INIT("2026-11-22T10:00:00.Z"), -EINVAL },
		{ STR_INIT("2026-11-22T10:00:Z"), -EINVAL },
		{ STR_INIT("2026-11-22T10:00+0100"), -EINVAL },
		{ STR_INIT("2026-11-22T10:00+01"), -EINVAL },
		{ STR_INIT("2026-11-22T10:00+1:00"), -EINVAL },
		{ STR_INIT("2026-11-22T10:00Zx"), -EINVAL },
		{ STR_INIT("2026-11-22T10:00Z\0"), -EINVAL },
		{ STR_INIT(" 2026-11-22"), -EINVAL },
		{ STR_INIT("2026-11-22T+1:00Z"), -EINVAL },
		{ STR_INIT("1969-12-31"), -ERANGE },
		{ STR_INIT("0000-01-01"), -ERANGE },
		{ STR_INIT("2026-00-10"), -ERANGE },
		{ STR_INIT("2026-13-10"), -ERANGE },
		{ STR_INIT("2026-99-10"), -ERANGE },
		{ STR_INIT("2026-11-00"), -ERANGE },
		{ STR_INIT("2026-11-31"), -ERANGE },
		{ STR_INIT("2026-02-29"), -ERANGE },
		{ STR_INIT("2100-02-29"), -ERANGE },
		{ STR_INIT("2026-01-99"), -ERANGE },
		{ STR_INIT("2026-11-22T24:00Z"), -ERANGE },
		{ STR_INIT("2026-11-22T10:60Z"), -ERANGE },
		{ STR_INIT("2026-11-22T23:59:60Z"), -ERANGE },
		{ STR_INIT("2026-11-22T10:00+24:00"), -ERANGE },
		{ STR_INIT("2026-11-22T10:00+01:60"), -ERANGE },
		{ STR_INIT("1970-01-01T00:00+00:01"), -ERANGE },
		{ STR_INIT("9999-12-31T23:59-00:01"), -ERANGE },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(row); i++) {
		ms_t v = -77;

		assert_int_equal(clock_parse(row[i].in, &v), row[i].r);
		assert_int_equal(v, -77);
	}
}

static void days_all_over_the_calendar_agree_with_libc(void **state)
{
	int year = 0, month = 0;

	(void)state;
	for (ms_t day = 0; day <= 253402300799999 / DAY_MS; day += 11) {
		ms_t ms = day * DAY_MS + day % DAY_MS, back;
		time_t s = (time_t)(ms / 1000);
		char want[CLOCK_TEXT], text[CLOCK_TEXT];
		struct tm tm;

		assert_non_null(gmtime_r(&s, &tm));
		size_t n = strftime(want, sizeof(want), "%Y-%m-%dT%H:%M:%S", &tm);
		assert_memory_equal(clock_text(ms, text), want, n);
		assert_int_equal(clock_parse(str_of(text), &back), 0);
		assert_int_equal(back, ms);
		clock_month(ms, &year, &month);
		assert_int_equal(year, tm.tm_year + 1900);
		assert_int_equal(month, tm.tm_mon + 1);
	}
}

static void any_stamp_can_be_printed(void **state)
{
	char text[CLOCK_TEXT];

	(void)state;
	assert_string_equal(clock_text(-1, text), "1969-12-31T23:59:59.999Z");
	assert_string_equal(clock_text(INT64_MAX, text), "292278994-08-17T07:12:55.807Z");
	assert_non_null(clock_text(INT64_MIN, text));
}

static void hostile_text_never_does_more_than_fail(void **state)
{
	static const char form[] = "2026-11-22T23:34:05.123+06:00";
	static const char alphabet[] = "0123456789-+:.TZ \0";
	uint64_t seed = 1;

	(void)state;
	for (int i = 0; i < 300000; i++) {
		char text[sizeof(form)];
		ms_t v = -77;

		memcpy(text, form, sizeof(form));
		for (size_t k = chance(&seed, 5); k > 0; k--)
			text[chance(&seed, sizeof(text))] =
				alphabet[chance(&seed, sizeof(alphabet))];
		int r = clock_parse(str_n(text, chance(&seed, sizeof(text))), &v);
		assert_true(r == 0 || r == -EINVAL || r == -ERANGE);
		if (r == 0)
			assert_true(v >= 0 && v <= 253402300799999);
		else
			assert_int_equal(v, -77);
	}
}

static void the_clocks_run(void **state)
{
	int64_t us = clock_mono_us();
	ms_t ms = clock_mono_ms();

	(void)state;
	assert_true(us >= 0 && ms >= us / 1000);
	assert_true(clock_mono_us() >= us);
	assert_true(clock_wall_ms() > 1700000000000);
}

static void stamps_go_into_a_buffer(void **state)
{
	CLEANUP(buf_done) struct buf b = BUF_INIT;

	(void)state;
	buf_put_time(&b, 1795390445123);
	assert_string_equal(buf_cstr(&b), "2026-11-22T23:34:05.123Z");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_moment_is_read_in_every_form),
		cmocka_unit_test(what_is_no_moment_is_refused),
		cmocka_unit_test(days_all_over_the_calendar_agree_with_libc),
		cmocka_unit_test(any_stamp_can_be_printed),
		cmocka_unit_test(hostile_text_never_does_more_than_fail),
		cmocka_unit_test(the_clocks_run),
		cmocka_unit_test(stamps_go_into_a_buffer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
