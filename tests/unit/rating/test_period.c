/* The calendar of a wall clock: every moment lies in one period, across both changes of summer time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"
#include "dice.h"
#include "rating/period.h"

static ms_t at(const char *text)
{
	ms_t t;

	assert_int_equal(clock_parse(str_of(text), &t), 0);
	return t;
}

static struct zone *zone_of(const char *name)
{
	struct zone *z = NULL;

	assert_int_equal(zone_create(&z, str_of(name)), 0);
	return z;
}

static void a_period_is_that_of_the_zones_own_calendar(void **state)
{
	static const struct {
		const char *zone, *at, *begins, *ends;
		enum period_unit unit;
	} cases[] = {
		{ "UTC", "2026-11-26T16:00:00Z", "2026-11-01T00:00:00Z", "2026-12-01T00:00:00Z",
		  PERIOD_MONTH },
		{ "UTC", "2026-11-01T00:00:00Z", "2026-11-01T00:00:00Z", "2026-12-01T00:00:00Z",
		  PERIOD_MONTH },
		{ "UTC", "2026-10-31T23:59:59Z", "2026-10-01T00:00:00Z", "2026-11-01T00:00:00Z",
		  PERIOD_MONTH },
		{ "UTC", "2028-02-29T12:00:00Z", "2028-02-29T00:00:00Z", "2028-03-01T00:00:00Z",
		  PERIOD_DAY },
		{ "UTC", "2026-12-31T23:59:59Z", "2026-01-01T00:00:00Z", "2027-01-01T00:00:00Z",
		  PERIOD_YEAR },
		/* Summer time begins and ends: months of an hour less, and of one more. */
		{ "Europe/Berlin", "2026-03-31T21:59:59Z", "2026-02-28T23:00:00Z",
		  "2026-03-31T22:00:00Z", PERIOD_MONTH },
		{ "Europe/Berlin", "2026-10-05T00:00:00Z", "2026-09-30T22:00:00Z",
		  "2026-10-31T23:00:00Z", PERIOD_MONTH },
		{ "Europe/Berlin", "2026-03-29T10:00:00Z", "2026-03-28T23:00:00Z",
		  "2026-03-29T22:00:00Z", PERIOD_DAY },
		{ "Europe/Berlin", "2026-10-25T10:00:00Z", "2026-10-24T22:00:00Z",
		  "2026-10-25T23:00:00Z", PERIOD_DAY },
		{ "+05:30", "2026-11-30T18:30:00Z", "2026-11-30T18:30:00Z", "2026-12-31T18:30:00Z",
		  PERIOD_MONTH },
		/* Where the day itself begins an hour late, or midnight comes twice. */
		{ "America/Havana", "2026-03-08T12:00:00Z", "2026-03-08T05:00:00Z",
		  "2026-03-09T04:00:00Z", PERIOD_DAY },
		{ "America/Havana", "2026-11-01T04:30:00Z", "2026-11-01T04:00:00Z",
		  "2026-11-02T05:00:00Z", PERIOD_DAY },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct zone *z = zone_of(cases[i].zone);
		struct period p;

		period_at(z, cases[i].unit, at(cases[i].at), &p);
		assert_int_equal(p.begins, at(cases[i].begins));
		assert_int_equal(p.ends, at(cases[i].ends));
		zone_free(z);
	}
}

static void once_is_all_of_time(void **state)
{
	struct period p;

	(void)state;
	period_at(NULL, PERIOD_ONCE, at("2026-11-26T16:00:00Z"), &p);
	assert_int_equal(p.begins, 0);
	assert_int_equal(p.ends, INT64_MAX);
}

static void periods_join_without_a_gap(void **state)
{
	static const char *const names[] = { "UTC", "Europe/Berlin", "America/Havana",
					     "Australia/Lord_Howe", "-11:45" };
	struct dice d = dice_new();

	(void)state;
	for (size_t z = 0; z < sizeof(names) / sizeof(names[0]); z++) {
		struct zone *zone = zone_of(names[z]);

		for (int n = 0; n < 4000; n++) {
			ms_t t =
				dice_in(&d, at("1980-01-01T00:00:00Z"), at("2099-01-01T00:00:00Z"));
			enum period_unit unit = (enum period_unit)dice_in(&d, 0, 2);
			struct period p, before, next;

			period_at(zone, unit, t, &p);
			assert_true(p.begins <= t && t < p.ends);
			period_at(zone, unit, p.ends, &next);
			assert_int_equal(next.begins, p.ends);
			period_at(zone, unit, p.begins - 1, &before);
			assert_int_equal(before.ends, p.begins);
		}
		zone_free(zone);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_period_is_that_of_the_zones_own_calendar),
		cmocka_unit_test(once_is_all_of_time),
		cmocka_unit_test(periods_join_without_a_gap),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
