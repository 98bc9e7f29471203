#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "oom.h"
#include "rating/terms.h"

#define FULL                                                                                  \
	"price=0.0123 unit=60 first=30 step=6 setup=0.02 sections=60:0.01,120:0.005 tax=7.5 " \
	"precision=4 fee_unit=0.05 hold=50 free=3"
#define PLAIN                                                                                     \
	"price=0 unit=60 first=1 step=1 setup=0 sections=- tax=0 precision=0 fee_unit=0 hold=50 " \
	"free=0"

static void assert_put(const struct terms *t, const char *expected)
{
	char text[1000];
	struct buf out = buf_fixed(text, sizeof(text));

	terms_put(t, &out);
	assert_string_equal(buf_cstr(&out), expected);
}

static void terms_are_one_line_of_text(void **state)
{
	(void)state;
	struct terms t = {
		.price = 1230000,
		.unit_s = 60,
		.first_s = 30,
		.step_s = 6,
		.setup_fee = 2000000,
		.tax_percent = 750000000,
		.section_count = 2,
		.section = { { 60, 1000000 }, { 120, 500000 } },
		.fee_precision = 4,
		.fee_unit = 5000000,
		.hold_time_precision_ms = 50,
		.free_time_s = 3,
	};
	struct terms back;

	assert_put(&t, FULL);
	assert_int_equal(terms_parse(STR(FULL), &back), 0);
	assert_memory_equal(&back, &t, sizeof(t));
	assert_put(&TERMS_DEFAULT, PLAIN);
	assert_int_equal(terms_parse(STR(PLAIN), &back), 0);
	assert_memory_equal(&back, &TERMS_DEFAULT, sizeof(t));
}

/* Records of before they were there replay as they did. */
static void parts_that_came_later_are_written_where_they_say_something(void **state)
{
	(void)state;
	struct terms t = TERMS_DEFAULT, back;

	t.tax_unit = 1000000;
	assert_put(&t, PLAIN " tax_unit=0.01");
	assert_int_equal(terms_parse(STR(PLAIN " tax_unit=0.01"), &back), 0);
	assert_memory_equal(&back, &t, sizeof(t));
	t.is_of_talk = 1;
	assert_put(&t, PLAIN " talk=1 tax_unit=0.01");
	assert_int_equal(terms_parse(STR(PLAIN " tax_unit=1.01"), &back), -EINVAL);
	assert_int_equal(terms_parse(STR(PLAIN " tax_unit=-1"), &back), -EINVAL);
}

static void the_order_of_the_parts_does_not_matter(void **state)
{
	(void)state;
	struct terms t;

	assert_int_equal(terms_parse(STR("free=0 hold=50 fee_unit=0 precision=0 tax=0 sections=- "
					 "setup=0 step=1 first=1 unit=60 price=0"),
				     &t),
			 0);
	assert_memory_equal(&t, &TERMS_DEFAULT, sizeof(t));
}

/* Replaces the part of that name in PLAIN; an empty value takes the part out. */
static const char *with(const char *name, const char *value, char out[400])
{
	struct buf b = buf_fixed(out, 400);
	struct str rest = STR(PLAIN), word;

	while (str_split(&rest, ' ', &word)) {
		struct str key = str_head(word, (size_t)str_chr(word, '='));
		bool is_it = str_eq(key, str_of(name));

		if (is_it && !*value)
			continue;
		if (b.n > 0)
			buf_putc(&b, ' ');
		buf_put(&b, is_it ? str_head(word, key.n + 1) : word);
		if (is_it)
			buf_putz(&b, value);
	}
	return buf_cstr(&b);
}

static const struct {
	const char *name;
	const char *fine[3];
	const char *bad[9];
} parts[] = {
	{ "price",
	  { "0", "1000000000", "0.00000001" },
	  { "-0.1", "1000000000.00000001", "1e3", "0.000000001", "x", " 1", "1,5" } },
	{ "unit", { "1", "86400" }, { "0", "86401", "-1", "1.0", "x", "99999999999999999999" } },
	{ "first", { "1", "86400" }, { "0", "86401" } },
	{ "step", { "1", "86400" }, { "0", "86401" } },
	{ "setup", { "0", "1000000000" }, { "-1", "1000000001" } },
	{ "sections",
	  { "-", "1:0", "0:1,1000000000:2" },
	  { "1", ":", "1:", ":1", "1:2:3", "2:1,1:1", "1:1,1:1", "-1:1", "1000000001:1" } },
	{ "sections", { "60:1;120:2" }, { "60:1;120:2,180:3", "60:-1", "60:1000000001", "--" } },
	{ "tax", { "0", "1000", "7.5" }, { "-1", "1000.1", "7%" } },
	{ "precision", { "0", "8" }, { "-1", "9" } },
	{ "fee_unit", { "0", "1000" }, { "-1", "1001" } },
	{ "hold", { "1", "1000" }, { "0", "1001" } },
	{ "free", { "0", "3600" }, { "-1", "3601" } },
};

static void every_part_has_its_bounds(void **state)
{
	(void)state;
	char text[400];
	struct terms t;

	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		for (int v = 0; v < 3 && parts[i].fine[v]; v++)
			assert_int_equal(
				terms_parse(str_of(with(parts[i].name, parts[i].fine[v], text)),
					    &t),
				0);
		for (int v = 0; v < 9 && parts[i].bad[v]; v++)
			assert_int_equal(
				terms_parse(str_of(with(parts[i].name, parts[i].bad[v], text)), &t),
				-EINVAL);
	}
}

static void a_text_with_a_part_missing_does_not_replay(void **state)
{
	(void)state;
	char text[400];
	struct terms t;

	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
		assert_int_equal(terms_parse(str_of(with(parts[i].name, "", text)), &t), -EINVAL);
	for (size_t n = 0; n < sizeof(PLAIN) - 1; n++)
		assert_int_equal(terms_parse(str_head(STR(PLAIN), n), &t), -EINVAL);
	assert_int_equal(terms_parse(STR(PLAIN " price=0"), &t), -EINVAL);
	assert_int_equal(terms_parse(STR(PLAIN " colour=0"), &t), -EINVAL);
	assert_int_equal(terms_parse(STR(PLAIN " x"), &t), -EINVAL);
}

static void sixteen_sections_fit_and_no_more(void **state)
{
	(void)state;
	char text[1000];
	struct buf b = buf_fixed(text, sizeof(text));
	struct terms t = TERMS_DEFAULT;

	for (int i = 1; i <= TERMS_SECTIONS; i++)
		buf_printf(&b, "%s%d:0.%d", i > 1 ? "," : "", i * 60, i);
	assert_int_equal(terms_parse_sections(buf_str(&b), &t), 0);
	assert_int_equal(t.section_count, TERMS_SECTIONS);
	assert_int_equal(t.section[15].start_s, 960);
	assert_int_equal(t.section[15].price, 16000000);
	assert_int_equal(terms_check(&t), 0);

	buf_putz(&b, ",9999:1");
	struct terms before = t;
	assert_int_equal(terms_parse_sections(buf_str(&b), &t), -EINVAL);
	assert_memory_equal(&t, &before, sizeof(t));

	assert_int_equal(terms_parse_sections(STR(""), &t), 0);
	assert_int_equal(t.section_count, 0);
}

static void the_field_at_fault_is_named(void **state)
{
	(void)state;
	struct terms t = TERMS_DEFAULT;

	assert_null(terms_fault(&t));
	t.tax_percent = -1;
	assert_string_equal(terms_fault(&t), "tax_percent");
	assert_int_equal(terms_check(&t), -EINVAL);
	t.section_count = 17;
	assert_string_equal(terms_fault(&t), "sections");
	t.section_count = -1;
	assert_string_equal(terms_fault(&t), "sections");
	t.price = INT64_MIN;
	assert_string_equal(terms_fault(&t), "price");
}

static void terms_are_put(void)
{
	struct buf b = BUF_INIT;

	terms_put(&TERMS_DEFAULT, &b);
	if (!oom_refused(buf_error(&b)))
		assert_true(str_eq(buf_str(&b), STR(PLAIN)));
	buf_done(&b);
}

static void memory_may_run_out(void **state)
{
	(void)state;
	oom_each(terms_are_put);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(terms_are_one_line_of_text),
		cmocka_unit_test(parts_that_came_later_are_written_where_they_say_something),
		cmocka_unit_test(the_order_of_the_parts_does_not_matter),
		cmocka_unit_test(every_part_has_its_bounds),
		cmocka_unit_test(a_text_with_a_part_missing_does_not_replay),
		cmocka_unit_test(sixteen_sections_fit_and_no_more),
		cmocka_unit_test(the_field_at_fault_is_named),
		cmocka_unit_test(memory_may_run_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
