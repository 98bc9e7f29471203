#include "base/str.h"

#include <errno.h>
#include <stdlib.h>

#include "unit.h"

static const struct str nothing; /* p is NULL */

static void empty_slices_are_equal_wherever_they_point(void **state)
{
	(void)state;
	assert_true(str_eq(nothing, STR("")));
	assert_true(str_ieq(STR(""), nothing));
	assert_int_equal(str_cmp(nothing, STR("")), 0);
	assert_true(str_is_empty(str_of(NULL)));
	assert_true(str_has_prefix(STR("a"), nothing));
	assert_true(str_has_suffix(nothing, nothing));
	assert_int_equal(str_chr(nothing, 'a'), -1);
	assert_int_equal(str_find(nothing, nothing), 0);
	assert_int_equal(str_ifind(nothing, nothing), 0);
	assert_int_equal(str_find(nothing, STR("a")), -1);
	assert_int_equal(str_ifind(nothing, STR("a")), -1);
	assert_true(str_is_empty(str_trim(nothing)));
	assert_true(str_is_empty(str_skip(nothing, 5)));
	assert_true(str_is_empty(str_head(nothing, 5)));
	assert_false(str_has_control(nothing));
}

static void comparing_looks_at_every_octet(void **state)
{
	static const struct {
		struct str a, b;
		bool same, same_caseless;
	} row[] = {
		{ STR_INIT("invite"), STR_INIT("invite"), true, true },
		{ STR_INIT("Invite"), STR_INIT("iNVITE"), false, true },
		{ STR_INIT("invite"), STR_INIT("invit"), false, false },
		{ STR_INIT("a\0b"), STR_INIT("a\0c"), false, false },
		{ STR_INIT("[@`{"), STR_INIT("{`@["), false,
		  false }, /* not letters, though 0x20 apart */
		{ STR_INIT("\xc4"), STR_INIT("\xe4"), false,
		  false }, /* nor are these, in any locale */
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(row); i++) {
		assert_int_equal(str_eq(row[i].a, row[i].b), row[i].same);
		assert_int_equal(str_ieq(row[i].a, row[i].b), row[i].same_caseless);
		assert_int_equal(str_cmp(row[i].a, row[i].b) == 0, row[i].same);
	}
}

static void slices_sort_like_words_in_a_book(void **state)
{
	static const struct str sorted[] = { STR_INIT(""),   STR_INIT("880"), STR_INIT("8801"),
					     STR_INIT("89"), STR_INIT("a"),   STR_INIT("\xff") };

	(void)state;
	for (size_t i = 0; i < COUNT_OF(sorted); i++)
		for (size_t j = 0; j < COUNT_OF(sorted); j++) {
			int r = str_cmp(sorted[i], sorted[j]);

			assert_int_equal((r > 0) - (r < 0), (i > j) - (i < j));
		}
}

static void something_is_found_at_both_ends_and_not_beyond(void **state)
{
	static const struct {
		struct str s, needle;
		int at, at_caseless;
	} row[] = {
		{ STR_INIT("a;tag=1"), STR_INIT("tag="), 2, 2 },
		{ STR_INIT("a;TAG=1"), STR_INIT("tag="), -1, 2 },
		{ STR_INIT("abc"), STR_INIT("abc"), 0, 0 },
		{ STR_INIT("abc"), STR_INIT("C"), -1, 2 },
		{ STR_INIT("ab"), STR_INIT("abc"), -1, -1 },
		{ STR_INIT("aab"), STR_INIT("ab"), 1, 1 },
		{ STR_INIT("abc"), STR_INIT(""), 0, 0 },
		{ STR_INIT("x\0y"), STR_INIT("\0y"), 1, 1 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(row); i++) {
		assert_int_equal(str_find(row[i].s, row[i].needle), row[i].at);
		assert_int_equal(str_ifind(row[i].s, row[i].needle), row[i].at_caseless);
	}
	assert_int_equal(str_chr(STR("a@b@"), '@'), 1);
	assert_int_equal(str_chr(STR("ab"), '@'), -1);
}

static void ends_are_recognised(void **state)
{
	(void)state;
	assert_true(str_has_prefix(STR("sips:a"), STR("sip")));
	assert_false(str_has_prefix(STR("si"), STR("sip")));
	assert_true(str_has_suffix(STR("a.example"), STR(".example")));
	assert_false(str_has_suffix(STR("xample"), STR(".example")));
	assert_false(str_has_suffix(STR("a.exampl"), STR(".example")));
}

static void cutting_stays_within_the_slice(void **state)
{
	(void)state;
	assert_str_equal(str_skip(STR("abc"), 1), "bc");
	assert_str_equal(str_skip(STR("abc"), 3), "");
	assert_str_equal(str_skip(STR("abc"), SIZE_MAX), "");
	assert_str_equal(str_head(STR("abc"), 2), "ab");
	assert_str_equal(str_head(STR("abc"), SIZE_MAX), "abc");
	assert_str_equal(str_trim(STR(" \t\r\n a b \n")), "a b");
	assert_str_equal(str_trim(STR(" \t\r\n")), "");
	assert_str_equal(str_trim(STR("a\0 ")), "a\0");
}

/* Pieces are written with | between them and behind the last. */
static void a_list_is_split_into_its_pieces(void **state)
{
	static const struct {
		const char *in, *pieces;
	} row[] = {
		{ "a,,b", "a||b|" }, { " a , b ", "a|b|" }, { "a", "a|" },   { "", "" },
		{ ",", "|" },        { "a,", "a|" },        { ",a", "|a|" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(row); i++) {
		struct str rest = str_of(row[i].in), piece, want = str_of(row[i].pieces);

		size_t pieces = 0;

		while (str_split(&rest, ',', &piece)) {
			assert_true(str_eq(str_head(want, piece.n), piece));
			want = str_skip(want, piece.n + 1);
			pieces++;
		}
		assert_true(str_is_empty(want));
		assert_int_equal(str_count(str_of(row[i].in), ','), pieces);
	}
}

static void lines_end_with_lf_or_cr_lf(void **state)
{
	struct str rest = STR("v=0\r\n\no=\r-\n\r\nlast"), line;

	(void)state;
	assert_true(str_line(&rest, &line));
	assert_str_equal(line, "v=0");
	assert_true(str_line(&rest, &line));
	assert_str_equal(line, "");
	assert_true(str_line(&rest, &line));
	assert_str_equal(line, "o=\r-");
	assert_true(str_line(&rest, &line));
	assert_str_equal(line, "");
	assert_true(str_line(&rest, &line));
	assert_str_equal(line, "last");
	assert_false(str_line(&rest, &line));
}

static void a_number_is_digits_and_nothing_else(void **state)
{
	static const struct {
		const char *in;
		uint64_t max;
		int r;
		uint64_t v;
	} row[] = {
		{ "0", 9, 0, 0 },
		{ "000000000000000000000000000007", 9, 0, 7 },
		{ "10", 9, -ERANGE, 0 },
		{ "18446744073709551615", UINT64_MAX, 0, UINT64_MAX },
		{ "18446744073709551616", UINT64_MAX, -ERANGE, 0 },
		{ "99999999999999999999999", UINT64_MAX, -ERANGE, 0 },
		{ "99999999999999999999999x", UINT64_MAX, -EINVAL, 0 },
		{ "", 9, -EINVAL, 0 },
		{ "+1", 9, -EINVAL, 0 },
		{ "-1", 9, -EINVAL, 0 },
		{ " 1", 9, -EINVAL, 0 },
		{ "1 ", 9, -EINVAL, 0 },
		{ "0x1", 9, -EINVAL, 0 },
		{ "1e1", 99, -EINVAL, 0 },
		{ "\xd9\xa1", 9, -EINVAL, 0 }, /* ARABIC-INDIC DIGIT ONE */
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(row); i++) {
		uint64_t v = 77;

		assert_int_equal(str_to_u64(str_of(row[i].in), row[i].max, &v), row[i].r);
		assert_int_equal(v, row[i].r ? 77 : row[i].v);
	}
	uint32_t u32 = 77;
	assert_int_equal(str_to_u32(STR("4294967296"), UINT32_MAX, &u32), -ERANGE);
	assert_int_equal(u32, 77);
	assert_int_equal(str_to_u32(STR("4294967295"), UINT32_MAX, &u32), 0);
	assert_int_equal(u32, UINT32_MAX);
}

static void a_signed_number_has_at_most_one_minus(void **state)
{
	static const struct {
		const char *in;
		int64_t min, max;
		int r;
		int64_t v;
	} row[] = {
		{ "-1", -5, 5, 0, -1 },
		{ "-0", 0, 5, 0, 0 },
		{ "-6", -5, 5, -ERANGE, 0 },
		{ "6", -5, 5, -ERANGE, 0 },
		{ "-9223372036854775808", INT64_MIN, INT64_MAX, 0, INT64_MIN },
		{ "-9223372036854775809", INT64_MIN, INT64_MAX, -ERANGE, 0 },
		{ "9223372036854775807", INT64_MIN, INT64_MAX, 0, INT64_MAX },
		{ "9223372036854775808", INT64_MIN, INT64_MAX, -ERANGE, 0 },
		{ "--1", -5, 5, -EINVAL, 0 },
		{ "-", -5, 5, -EINVAL, 0 },
		{ "", -5, 5, -EINVAL, 0 },
		{ "- 1", -5, 5, -EINVAL, 0 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(row); i++) {
		int64_t v = 77;

		assert_int_equal(str_to_i64(str_of(row[i].in), row[i].min, row[i].max, &v),
				 row[i].r);
		assert_int_equal(v, row[i].r ? 77 : row[i].v);
	}
}

static void control_characters_and_digits_are_told_apart(void **state)
{
	(void)state;
	assert_true(str_is_digits(STR("0123456789")));
	assert_false(str_is_digits(STR("")));
	assert_false(str_is_digits(STR("12#")));
	assert_true(str_has_control(STR("a\0b")));
	assert_true(str_has_control(STR("a\x7f")));
	assert_true(str_has_control(STR("\x1f")));
	assert_false(str_has_control(STR("a b\xff")));
}

static void utf8_is_taken_only_in_its_one_right_form(void **state)
{
	static const struct {
		struct str in;
		size_t n;
		uint32_t c;
	} row[] = {
		{ STR_INIT("a"), 1, 'a' },
		{ STR_INIT("\0"), 1, 0 },
		{ STR_INIT("\x7f"), 1, 0x7f },
		{ STR_INIT("\xc2\x80"), 2, 0x80 },
		{ STR_INIT("\xdf\xbf"), 2, 0x7ff },
		{ STR_INIT("\xe0\xa0\x80"), 3, 0x800 },
		{ STR_INIT("\xef\xbf\xbf"), 3, 0xffff },
		{ STR_INIT("\xf0\x90\x80\x80"), 4, 0x10000 },
		{ STR_INIT("\xf4\x8f\xbf\xbf"), 4, 0x10ffff },
		{ STR_INIT(""), 0, 0 },
		{ STR_INIT("\x80"), 0, 0 },
		{ STR_INIT("\xc0\x80"), 0, 0 },         /* overlong NUL */
		{ STR_INIT("\xc1\xbf"), 0, 0 },         /* overlong */
		{ STR_INIT("\xe0\x9f\xbf"), 0, 0 },     /* overlong */
		{ STR_INIT("\xf0\x8f\xbf\xbf"), 0, 0 }, /* overlong */
		{ STR_INIT("\xed\xa0\x80"), 0, 0 },     /* surrogate */
		{ STR_INIT("\xf4\x90\x80\x80"), 0, 0 }, /* beyond Unicode */
		{ STR_INIT("\xf5\x80\x80\x80"), 0, 0 },
		{ STR_INIT("\xff"), 0, 0 },
		{ STR_INIT("\xe2\x82"), 0, 0 }, /* cut short */
		{ STR_INIT("\xe2(\xa1"), 0, 0 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(row); i++) {
		uint32_t c = 77;

		assert_int_equal(str_utf8(row[i].in, &c), row[i].n);
		assert_int_equal(c, row[i].n ? row[i].c : 77);
	}
}

static void a_copy_is_whole_or_empty(void **state)
{
	char dst[4];
	char *z;

	(void)state;
	assert_int_equal(str_copy(dst, sizeof(dst), STR("abc")), 0);
	assert_string_equal(dst, "abc");
	assert_int_equal(str_copy(dst, sizeof(dst), STR("abcd")), -ENOSPC);
	assert_string_equal(dst, "");
	assert_int_equal(str_copy(dst, sizeof(dst), STR("a\0b")), -ENOSPC);
	assert_string_equal(dst, "");
	assert_int_equal(str_copy(dst, 1, nothing), 0);

	z = str_dup(STR("abc"));
	assert_string_equal(z, "abc");
	free(z);
	z = str_dup(nothing);
	assert_string_equal(z, "");
	free(z);
}

static void a_list_of_prefixes_is_any_of_them(void **state)
{
	(void)state;
	assert_true(str_has_listed_prefix(STR("8801"), STR("")));
	assert_true(str_has_listed_prefix(STR("8801"), STR("44,880")));
	assert_false(str_has_listed_prefix(STR("8801"), STR("44,8802")));
	assert_false(str_has_listed_prefix(STR("88"), STR("880")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(empty_slices_are_equal_wherever_they_point),
		cmocka_unit_test(comparing_looks_at_every_octet),
		cmocka_unit_test(slices_sort_like_words_in_a_book),
		cmocka_unit_test(something_is_found_at_both_ends_and_not_beyond),
		cmocka_unit_test(ends_are_recognised),
		cmocka_unit_test(cutting_stays_within_the_slice),
		cmocka_unit_test(a_list_is_split_into_its_pieces),
		cmocka_unit_test(lines_end_with_lf_or_cr_lf),
		cmocka_unit_test(a_number_is_digits_and_nothing_else),
		cmocka_unit_test(a_signed_number_has_at_most_one_minus),
		cmocka_unit_test(control_characters_and_digits_are_told_apart),
		cmocka_unit_test(utf8_is_taken_only_in_its_one_right_form),
		cmocka_unit_test(a_copy_is_whole_or_empty),
		cmocka_unit_test(a_list_of_prefixes_is_any_of_them),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
