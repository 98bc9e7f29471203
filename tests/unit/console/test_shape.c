#include "console/shape.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* The shaped object must be that one. */
static void check(json_t *row, const char *want)
{
	json_t *should = json_loads(want, 0, NULL);

	if (!json_equal(row, should)) {
		char *is = json_dumps(row, JSON_COMPACT);

		fail_msg("%s instead of %s", is, want);
	}
	json_decref(should);
	json_decref(row);
}

static json_t *row(const char *text)
{
	return json_loads(text, 0, NULL);
}

static const struct {
	const char *in, *out;
} times[] = {
	{ "{\"t\":\"2026-11-25T23:15:02.381Z\"}", "{\"t\":\"2026-11-25 23:15:02\"}" },
	{ "{\"t\":null}", "{\"t\":null}" },
	{ "{\"t\":\"soon\"}", "{\"t\":\"soon\"}" },
	{ "{\"t\":\"not at all a time, but long\"}", "{\"t\":\"not at all a time, but long\"}" },
	{ "{\"t\":5}", "{\"t\":5}" },
	{ "{}", "{}" },
};

static void a_time_is_shown_to_the_second(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++) {
		json_t *r = row(times[i].in);

		shape_time(r, "t");
		check(r, times[i].out);
	}
}

static const struct {
	const char *in, *out;
} durations[] = {
	{ "{\"ms\":0}", "{\"ms\":0,\"d\":\"0:00\"}" },
	{ "{\"ms\":61999}", "{\"ms\":61999,\"d\":\"1:01\"}" },
	{ "{\"ms\":3600000}", "{\"ms\":3600000,\"d\":\"1:00:00\"}" },
	{ "{\"ms\":86399000}", "{\"ms\":86399000,\"d\":\"23:59:59\"}" },
	{ "{\"ms\":\"x\"}", "{\"ms\":\"x\",\"d\":\"0:00\"}" },
};

static void milliseconds_are_shown_as_a_duration(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(durations) / sizeof(durations[0]); i++) {
		json_t *r = row(durations[i].in);

		shape_duration(r, "ms", "d");
		check(r, durations[i].out);
	}
}

static void a_long_text_is_cut(void **state)
{
	json_t *r = row("{\"a\":\"0123456789\",\"b\":\"012\",\"c\":7}");

	(void)state;
	shape_cut(r, "a", 5);
	shape_cut(r, "b", 5);
	shape_cut(r, "c", 5);
	/* Where memory ran out it stays whole. */
	if (strlen(json_string_value(json_object_get(r, "a"))) == 10)
		json_decref(r);
	else
		check(r, "{\"a\":\"0123\xe2\x80\xa6\",\"b\":\"012\",\"c\":7}");
}

static void what_is_empty_is_left_out(void **state)
{
	json_t *r =
		row("{\"a\":null,\"b\":\"\",\"c\":[],\"d\":0,\"e\":false,\"f\":\"x\",\"g\":[1]}");

	(void)state;
	check(shape_filled(r), "{\"d\":0,\"e\":false,\"f\":\"x\",\"g\":[1]}");
	json_decref(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_time_is_shown_to_the_second),
		cmocka_unit_test(milliseconds_are_shown_as_a_duration),
		cmocka_unit_test(a_long_text_is_cut),
		cmocka_unit_test(what_is_empty_is_left_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
