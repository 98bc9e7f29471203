/* Peak and off-peak, second by second, right across both changes of the clock. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "dice.h"
#include "rating/bands.h"
#include "rating/charge.h"

enum { PEAK = 300, OFF = 100 }; /* of 1e-8, a second */

static ms_t at(const char *text)
{
	ms_t t;

	assert_int_equal(clock_parse(str_of(text), &t), 0);
	return t;
}

static char *text(const char *s)
{
	return (char *)(uintptr_t)s;
}

static struct tariff *tariff_of(money_t price, int64_t band_mode, int64_t unit)
{
	const struct tariff_rules rules = { .hold_time_precision_ms = 1000 };
	struct rate_row row = { .prefix = text("49"),
				.end = FIELD_ABSENT,
				.price = price,
				.unit = unit,
				.first = 1,
				.step = 1,
				.band_mode = band_mode },
			*rows = &row;
	struct err err = ERR_INIT;
	struct tariff *t = NULL;

	assert_int_equal(tariff_create(&t, &rows, 1, &rules, NULL, &err), 0);
	return t;
}

struct stage {
	struct route_plan_row row[2];
	struct timeplan *plan[2];
	struct tariff *own, *off;
	struct bands bands;
};

/* Off-peak from one time to the other, and on Saturdays all day. */
static void set_up(struct stage *s, const char *zone, const char *from, const char *to,
		   int64_t band_mode, int64_t off_unit)
{
	*s = (struct stage){ .own = tariff_of(PEAK, band_mode, 1),
			     .off = tariff_of(OFF, RATE_BAND_MODE_START, off_unit) };
	for (int i = 0; i < 2; i++) {
		struct err err = ERR_INIT;

		s->row[i] = (struct route_plan_row){ .name = text("night"),
						     .zone = text(zone),
						     .days = text(i ? "sat" : "mon-sun"),
						     .from = text(i ? "00:00" : from),
						     .to = text(i ? "24:00" : to) };
		assert_int_equal(timeplan_create(&s->plan[i], &s->row[i], &err), 0);
		s->bands.plan[i] = s->plan[i];
	}
	s->bands.plans = 2;
	s->bands.off = s->off;
}

static void tear_down(struct stage *s)
{
	timeplan_free(s->plan[0]);
	timeplan_free(s->plan[1]);
	tariff_free(s->own);
	tariff_free(s->off);
}

static struct terms terms_at(const struct stage *s, ms_t answer)
{
	struct tariff_span span = TARIFF_SPAN_ALL;
	struct terms t;

	assert_non_null(
		bands_find(&s->bands, s->own, STR("4930"), STR(""), answer, &span, &t).rate);
	assert_true(span.from <= answer && answer < span.until);
	assert_int_equal(terms_check(&t), 0);
	return t;
}

static void a_boundary_is_a_section_of_the_talk(void **state)
{
	static const struct {
		const char *answer;
		int64_t seconds;
		money_t fee;
	} cases[] = {
		{ "2026-11-26T18:59:50Z", 20, 10 * PEAK + 10 * OFF }, /* 20:00 in Berlin */
		{ "2026-11-26T18:59:50.001Z", 20, 10 * PEAK + 10 * OFF },
		{ "2026-11-26T18:59:49.999Z", 20, 11 * PEAK + 9 * OFF },
		{ "2026-11-26T06:59:50Z", 20, 10 * OFF + 10 * PEAK },
		/* The night in which an hour is left out, and the one in which one comes twice. */
		{ "2026-03-27T19:00:00Z", 12 * 3600 + 60, (12 * 3600 + 60) * OFF },
		{ "2026-03-29T18:00:00Z", 12 * 3600 + 60, 12 * 3600 * OFF + 60 * PEAK },
		{ "2026-03-29T00:59:00Z", 5 * 3600 + 120, (5 * 3600 + 60) * OFF + 60 * PEAK },
		{ "2026-10-25T00:30:00Z", 7 * 3600, 13 * 1800 * OFF + 1800 * PEAK },
	};
	struct stage s;

	(void)state;
	set_up(&s, "Europe/Berlin", "20:00", "08:00", RATE_BAND_MODE_SPLIT, 1);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct terms t = terms_at(&s, at(cases[i].answer));

		assert_int_equal(charge_total(&t, cases[i].seconds * 1000), cases[i].fee);
	}
	tear_down(&s);
}

static void without_split_the_answer_decides(void **state)
{
	struct stage s;
	struct terms t;

	(void)state;
	set_up(&s, "Europe/Berlin", "20:00", "08:00", RATE_BAND_MODE_START, 1);
	t = terms_at(&s, at("2026-11-26T18:59:50Z"));
	assert_int_equal(charge_total(&t, 20000), 20 * PEAK);
	t = terms_at(&s, at("2026-11-26T19:00:00Z"));
	assert_int_equal(charge_total(&t, 20000), 20 * OFF);
	tear_down(&s);
	/* So it does where the two prices are of other units. */
	set_up(&s, "Europe/Berlin", "20:00", "08:00", RATE_BAND_MODE_SPLIT, 60);
	t = terms_at(&s, at("2026-11-26T18:59:50Z"));
	assert_int_equal(charge_total(&t, 20000), 20 * PEAK);
	tear_down(&s);
}

static void free_seconds_come_first_and_move_no_boundary(void **state)
{
	struct given g = { .seconds = 7 };
	struct stage s;
	struct terms t;

	(void)state;
	set_up(&s, "Europe/Berlin", "20:00", "08:00", RATE_BAND_MODE_SPLIT, 1);
	t = terms_at(&s, at("2026-11-26T18:59:50Z"));
	assert_int_equal(charge_total_given(&t, &g, 20000), 3 * PEAK + 10 * OFF);
	g.seconds = 12;
	assert_int_equal(charge_total_given(&t, &g, 20000), 8 * OFF);
	tear_down(&s);
}

/* Against each second by itself. */
static void check_talk(const struct stage *s, ms_t answer, int64_t seconds)
{
	struct terms t = terms_at(s, answer);
	money_t sum = 0;

	for (int64_t k = 0; k < seconds; k++)
		sum += bands_are_off_peak(&s->bands, answer + k * 1000) ? OFF : PEAK;
	assert_int_equal(charge_total(&t, seconds * 1000), sum);
}

static void every_second_has_the_price_of_its_band(void **state)
{
	static const struct {
		const char *zone, *from, *to, *around[3];
	} cases[] = {
		{ "Europe/Berlin",
		  "20:00",
		  "08:00",
		  { "2026-03-29T01:00:00Z", "2026-10-25T01:00:00Z", "2026-06-01T00:00:00Z" } },
		/* Hours that are left out, or come twice, themselves. */
		{ "Europe/Berlin",
		  "02:15",
		  "02:45",
		  { "2026-03-29T01:00:00Z", "2026-10-25T01:00:00Z", "2027-03-28T01:00:00Z" } },
		{ "America/Havana",
		  "23:30",
		  "00:30",
		  { "2026-03-08T05:00:00Z", "2026-11-01T05:00:00Z", "2027-03-14T05:00:00Z" } },
		{ "Australia/Lord_Howe",
		  "01:45",
		  "02:15",
		  { "2026-04-04T15:00:00Z", "2026-10-03T15:30:00Z", "2027-04-03T15:00:00Z" } },
		{ "UTC",
		  "12:00",
		  "12:01",
		  { "2026-12-31T23:00:00Z", "2028-02-29T00:00:00Z", "2026-01-01T00:00:00Z" } },
	};
	struct dice d = dice_new();

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct stage s;

		set_up(&s, cases[i].zone, cases[i].from, cases[i].to, RATE_BAND_MODE_SPLIT, 1);
		for (int n = 0; n < 12; n++)
			check_talk(&s,
				   at(cases[i].around[n % 3]) +
					   dice_in(&d, -26 * 3600000, 4 * 3600000),
				   dice_in(&d, 1, 86400));
		tear_down(&s);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_boundary_is_a_section_of_the_talk),
		cmocka_unit_test(without_split_the_answer_decides),
		cmocka_unit_test(free_seconds_come_first_and_move_no_boundary),
		cmocka_unit_test(every_second_has_the_price_of_its_band),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
