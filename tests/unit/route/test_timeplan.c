#include "route/timeplan.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define TEXT(s) ((char *)(uintptr_t)(s))

static const struct route_plan_row empty = {
	.name = TEXT("p"), .zone = TEXT("UTC"), .priority = FIELD_ABSENT, .line_limit = FIELD_ABSENT
};

static ms_t at(const char *text)
{
	ms_t ms = 0;

	assert_int_equal(clock_parse(str_of(text), &ms), 0);
	return ms;
}

static void assert_hours(const struct route_plan_row *row, const char *const *in,
			 const char *const *out)
{
	struct timeplan *p = NULL;

	assert_int_equal(timeplan_create(&p, row, NULL), 0);
	for (; *in; in++)
		if (!timeplan_is_in_force(p, at(*in)))
			fail_msg("not in force at %s", *in);
	for (; *out; out++)
		if (timeplan_is_in_force(p, at(*out)))
			fail_msg("in force at %s", *out);
	timeplan_free(p);
}

#define TIMES(...) ((const char *const[]){ __VA_ARGS__, NULL })

static void without_fields_it_is_always_in_force(void **state)
{
	(void)state;
	assert_hours(&empty, TIMES("1970-01-01T00:00:00Z", "2026-11-26T23:59:59Z"), TIMES(NULL));
}

/* 2026-11-23 was a Monday. */
static void days_of_the_week(void **state)
{
	struct route_plan_row row = empty;

	(void)state;
	row.days = TEXT("Fri-Mon,wed");
	assert_hours(&row,
		     TIMES("2026-11-23T12:00:00Z", "2026-11-25T00:00:00Z", "2026-11-27T12:00:00Z",
			   "2026-11-28T12:00:00Z", "2026-11-29T23:59:59Z"),
		     TIMES("2026-11-24T12:00:00Z", "2026-11-26T12:00:00Z"));
}

static void hours_of_the_day(void **state)
{
	struct route_plan_row row = empty;

	(void)state;
	row.from = TEXT("08:00");
	row.to = TEXT("18:30");
	assert_hours(&row, TIMES("2026-11-23T08:00:00Z", "2026-11-23T18:29:59Z"),
		     TIMES("2026-11-23T07:59:59Z", "2026-11-23T18:30:00Z"));
	row.to = NULL;
	assert_hours(&row, TIMES("2026-11-23T08:00:00Z", "2026-11-23T23:59:59Z"),
		     TIMES("2026-11-23T07:59:59Z"));
}

static void a_night_belongs_to_the_day_it_began_on(void **state)
{
	struct route_plan_row row = empty;

	(void)state;
	row.days = TEXT("fri");
	row.from = TEXT("22:00");
	row.to = TEXT("06:00");
	row.last = TEXT("2026-11-27");
	assert_hours(&row, TIMES("2026-11-27T22:00:00Z", "2026-11-28T05:59:59Z"),
		     TIMES("2026-11-27T05:00:00Z", "2026-11-27T21:59:59Z", "2026-11-28T06:00:00Z",
			   "2026-11-28T22:00:00Z", "2026-12-04T22:00:00Z"));
}

static void dates_and_zones(void **state)
{
	struct route_plan_row row = empty;

	(void)state;
	row.first = TEXT("2026-12-24");
	row.last = TEXT("2026-12-26");
	row.zone = TEXT("+05:30");
	assert_hours(&row, TIMES("2026-12-23T18:30:00Z", "2026-12-26T18:29:59Z"),
		     TIMES("2026-12-23T18:29:59Z", "2026-12-26T18:30:00Z"));
}

static void what_makes_no_sense_is_refused(void **state)
{
	struct {
		size_t field;
		const char *text;
	} cases[] = {
		{ offsetof(struct route_plan_row, days), "monday" },
		{ offsetof(struct route_plan_row, days), "mon-" },
		{ offsetof(struct route_plan_row, days), "mon-tue-wed" },
		{ offsetof(struct route_plan_row, from), "8:00" },
		{ offsetof(struct route_plan_row, from), "24:01" },
		{ offsetof(struct route_plan_row, to), "12:60" },
		{ offsetof(struct route_plan_row, to), "12" },
		{ offsetof(struct route_plan_row, first), "2026-02-30" },
		{ offsetof(struct route_plan_row, last), "26-01-01" },
		{ offsetof(struct route_plan_row, zone), "Mars/Olympus" },
		{ offsetof(struct route_plan_row, zone), "../../etc/passwd" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct route_plan_row row = empty;
		struct timeplan *p = NULL;

		*(char **)((char *)&row + cases[i].field) = TEXT(cases[i].text);
		if (timeplan_create(&p, &row, NULL) == 0)
			fail_msg("%s was taken", cases[i].text);
	}

	struct route_plan_row row = empty;
	struct timeplan *p = NULL;

	row.first = TEXT("2026-12-24");
	row.last = TEXT("2026-12-23");
	assert_int_not_equal(timeplan_create(&p, &row, NULL), 0);
}

static void the_first_that_is_in_force_decides(void **state)
{
	struct route_plan_row day = empty, night = empty, rest = empty;
	struct timeplan *plans[3] = { NULL };
	struct timeplan_verdict v;
	ms_t noon = at("2026-11-23T12:00:00Z"), late = at("2026-11-23T23:00:00Z");

	(void)state;
	day.action = ROUTE_PLAN_ACTION_ALLOW;
	day.from = TEXT("08:00");
	day.to = TEXT("18:00");
	day.callee = TEXT("880,44");
	night.action = ROUTE_PLAN_ACTION_CHANGE;
	night.from = TEXT("22:00");
	night.priority = 7;
	night.line_limit = 2;
	rest.name = TEXT("rest");
	assert_int_equal(timeplan_create(&plans[0], &day, NULL), 0);
	assert_int_equal(timeplan_create(&plans[1], &night, NULL), 0);
	assert_int_equal(timeplan_create(&plans[2], &rest, NULL), 0);

	timeplan_decide(plans, 0, noon, STR("1"), STR("8801"), &v);
	assert_false(v.is_denied);
	assert_null(v.plan);
	timeplan_decide(plans, 3, noon, STR("1"), STR("8801"), &v);
	assert_false(v.is_denied);
	assert_string_equal(v.plan, "p");
	timeplan_decide(plans, 3, late, STR("1"), STR("8801"), &v);
	assert_false(v.is_denied);
	assert_int_equal(v.priority, 7);
	assert_int_equal(v.line_limit, 2);
	timeplan_decide(plans, 3, noon, STR("1"), STR("33"), &v);
	assert_true(v.is_denied);
	assert_string_equal(v.plan, "rest");
	timeplan_decide(plans, 1, late, STR("1"), STR("8801"), &v);
	assert_true(v.is_denied); /* outside of what is allowed */
	timeplan_decide(plans, 1, late, STR("1"), STR("33"), &v);
	assert_false(v.is_denied); /* it is not about this number */
	for (int i = 0; i < 3; i++)
		timeplan_free(plans[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_fields_it_is_always_in_force),
		cmocka_unit_test(days_of_the_week),
		cmocka_unit_test(hours_of_the_day),
		cmocka_unit_test(a_night_belongs_to_the_day_it_began_on),
		cmocka_unit_test(dates_and_zones),
		cmocka_unit_test(what_makes_no_sense_is_refused),
		cmocka_unit_test(the_first_that_is_in_force_decides),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
