#include "base/zone.h"

#include <errno.h>
#include <string.h>

#include "oom.h"
#include "unit.h"

enum { HOUR = 3600000 };

static ms_t at(const char *text)
{
	ms_t ret = 0;

	assert_int_equal(clock_parse(str_of(text), &ret), 0);
	return ret;
}

static struct zone *open_zone(const char *name)
{
	struct zone *z = NULL;
	int r = zone_create(&z, str_of(name));

	if (r == -ENOMEM && oom_hit())
		skip();
	assert_int_equal(r, 0);
	return z;
}

static void offsets_are_those_of_the_place_and_the_day(void **state)
{
	static const struct {
		const char *zone, *utc;
		int minutes;
	} cases[] = {
		{ "UTC", "2026-07-01T00:00:00Z", 0 },
		{ "+05:30", "2026-07-01T00:00:00Z", 330 },
		{ "-03:30", "2026-07-01T00:00:00Z", -210 },
		{ "Europe/Berlin", "2026-01-15T00:00:00Z", 60 },
		{ "Europe/Berlin", "2026-03-29T00:59:59Z", 60 },
		{ "Europe/Berlin", "2026-03-29T01:00:00Z", 120 },
		{ "Europe/Berlin", "2026-10-25T00:59:59Z", 120 },
		{ "Europe/Berlin", "2026-10-25T01:00:00Z", 60 },
		{ "Europe/Berlin", "2099-07-01T00:00:00Z", 120 },
		{ "America/New_York", "2060-12-01T00:00:00Z", -300 },
		{ "Australia/Sydney", "2050-01-01T00:00:00Z", 660 },
		{ "Asia/Kathmandu", "2026-07-01T00:00:00Z", 345 },
		{ "Asia/Dhaka", "2026-07-01T00:00:00Z", 360 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		CLEANUP(zone_free) struct zone *z = open_zone(cases[i].zone);

		assert_int_equal(zone_offset(z, at(cases[i].utc)), cases[i].minutes * 60000);
	}
}

static void a_wall_clock_names_a_moment(void **state)
{
	static const struct {
		const char *zone, *local, *utc;
	} cases[] = {
		{ "Europe/Berlin", "2026-11-26T00:00:00Z", "2026-11-25T23:00:00Z" },
		/* comes twice: its first */
		{ "Europe/Berlin", "2026-10-25T02:30:00Z", "2026-10-25T00:30:00Z" },
		{ "Europe/Berlin", "2026-10-25T03:00:00Z", "2026-10-25T02:00:00Z" },
		/* left out: the leap */
		{ "Europe/Berlin", "2026-03-29T02:30:00Z", "2026-03-29T01:00:00Z" },
		{ "Europe/Berlin", "2026-03-29T03:00:00Z", "2026-03-29T01:00:00Z" },
		/* and the day after the leap has nothing to do with it */
		{ "Europe/Berlin", "2026-03-29T03:30:00Z", "2026-03-29T01:30:00Z" },
		{ "Europe/Berlin", "2026-03-30T00:00:00Z", "2026-03-29T22:00:00Z" },
		{ "Europe/Berlin", "2026-10-26T00:00:00Z", "2026-10-25T23:00:00Z" },
		{ "Asia/Kathmandu", "2026-01-01T00:00:00Z", "2025-12-31T18:15:00Z" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		CLEANUP(zone_free) struct zone *z = open_zone(cases[i].zone);

		assert_int_equal(zone_utc(z, at(cases[i].local)), at(cases[i].utc));
	}
}

static void what_is_no_zone_is_refused(void **state)
{
	static const char *const names[] = {
		"",       "/etc/passwd", "../../etc/passwd", "Nowhere/Town", "+5:3x",
		"+19:00", "Europe",      "Europe/Berlin ",   "zone.tab",     "Europe//../.."
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(names); i++) {
		struct zone *z = NULL;

		assert_true(zone_create(&z, str_of(names[i])) < 0);
		assert_null(z);
	}
}

static void every_cut_of_a_file_is_refused_or_read(void **state)
{
	/* Two blocks without transitions, and a rule. */
	static const char file[] = "TZif2\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
				   "\0\0\0\0\0\1\0\0\0\4"
				   "\0\0\016\020\0\0CET\0"
				   "TZif2\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
				   "\0\0\0\0\0\1\0\0\0\4"
				   "\0\0\016\020\0\0CET\0"
				   "\nCET-1CEST,M3.5.0,M10.5.0/3\n";
	size_t whole = sizeof(file) - 1;

	(void)state;
	for (size_t n = 0; n <= whole; n++) {
		CLEANUP(zone_free) struct zone *z = NULL;

		if (zone_parse(&z, str_n(file, n)) == 0)
			assert_int_equal(zone_offset(z, at("2026-01-01")), HOUR);
		if (n == whole && z)
			assert_int_equal(zone_offset(z, at("2026-07-01")), 2 * HOUR);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(offsets_are_those_of_the_place_and_the_day),
		cmocka_unit_test(a_wall_clock_names_a_moment),
		cmocka_unit_test(what_is_no_zone_is_refused),
		cmocka_unit_test(every_cut_of_a_file_is_refused_or_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
