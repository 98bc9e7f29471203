#include "base/buf.h"

#include <errno.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "oom.h"
#include "unit.h"

static void what_is_put_comes_out_in_order(void **state)
{
	CLEANUP(buf_done) struct buf b = BUF_INIT;

	(void)state;
	buf_put(&b, STR("INVITE "));
	buf_putz(&b, "sip:");
	buf_putc(&b, 'a');
	buf_printf(&b, "@%s:%d ", "host", 5060);
	buf_put_u64(&b, UINT64_MAX);
	buf_putc(&b, ' ');
	buf_put_i64(&b, INT64_MIN);
	buf_put_i64(&b, 0);
	buf_put_hex(&b, "\x00\xff\x1a", 3);
	buf_put(&b, str_of(NULL));
	assert_int_equal(buf_error(&b), 0);
	assert_string_equal(buf_cstr(&b), "INVITE sip:a@host:5060 18446744073709551615 "
					  "-9223372036854775808000ff1a");
}

static void an_empty_buffer_is_an_empty_text(void **state)
{
	CLEANUP(buf_done) struct buf b = BUF_INIT;

	(void)state;
	assert_true(str_is_empty(buf_str(&b)));
	assert_string_equal(buf_cstr(&b), "");
	buf_consume(&b, 0);
	buf_printf(&b, "%s", "");
	assert_int_equal(b.n, 0);
}

static void a_buffer_grows_to_what_it_is_given(void **state)
{
	CLEANUP(buf_done) struct buf b = BUF_INIT;

	(void)state;
	for (int i = 0; i < 10000; i++)
		buf_printf(&b, "%04d", i);
	assert_int_equal(buf_error(&b), 0);
	assert_int_equal(b.n, 40000);
	for (size_t i = 0; i < 10000; i += 7) {
		uint32_t v;

		assert_int_equal(str_to_u32(str_n(b.p + i * 4, 4), 9999, &v), 0);
		assert_int_equal(v, i);
	}
}

static void one_long_printf_is_not_cut(void **state)
{
	CLEANUP(buf_done) struct buf b = BUF_INIT;

	(void)state;
	for (int width = 0; width < 300; width++) {
		buf_clear(&b);
		buf_printf(&b, "%*d", width, 7);
		assert_int_equal(b.n, width ? width : 1);
	}
}

static void the_first_error_sticks_until_clear(void **state)
{
	char mem[4];
	struct buf b = buf_fixed(mem, sizeof(mem));

	(void)state;
	buf_put(&b, STR("abc"));
	buf_put(&b, STR("de"));
	assert_int_equal(buf_error(&b), -ENOSPC);
	buf_putc(&b, 'd');
	buf_printf(&b, "e");
	assert_str_equal(buf_str(&b), "abc");
	assert_null(buf_cstr(&b));
	assert_null(buf_steal(&b));

	buf_clear(&b);
	assert_int_equal(buf_error(&b), 0);
	buf_put(&b, STR("wxyz"));
	assert_int_equal(buf_error(&b), 0);
	assert_str_equal(buf_str(&b), "wxyz");
}

static void a_fixed_buffer_never_writes_beyond_its_end(void **state)
{
	(void)state;
	for (size_t cap = 0; cap < 8; cap++) {
		char mem[9] = "########";
		struct buf b = buf_fixed(mem, cap);

		buf_printf(&b, "%s", "12345");
		assert_int_equal(buf_error(&b), cap < 6 ? -ENOSPC : 0);
		buf_clear(&b);
		buf_put_hex(&b, "\x12\x34\x56", 3);
		assert_int_equal(buf_error(&b), cap < 6 ? -ENOSPC : 0);
		for (size_t i = cap; i < 8; i++)
			assert_int_equal(mem[i], '#');
	}
}

static void absurd_sizes_are_refused(void **state)
{
	CLEANUP(buf_done) struct buf b = BUF_INIT;

	(void)state;
	buf_putc(&b, 'a');
	assert_int_equal(buf_reserve(&b, SIZE_MAX), -ENOMEM);
	buf_clear(&b);
	buf_put_hex(&b, "", SIZE_MAX);
	assert_int_equal(buf_error(&b), -ENOMEM);
}

static void the_front_can_be_consumed(void **state)
{
	CLEANUP(buf_done) struct buf b = BUF_INIT;

	(void)state;
	buf_put(&b, STR("12345"));
	buf_consume(&b, 2);
	assert_str_equal(buf_str(&b), "345");
	buf_consume(&b, 3);
	assert_str_equal(buf_str(&b), "");
	buf_putc(&b, '6');
	assert_str_equal(buf_str(&b), "6");
}

static void stolen_bytes_belong_to_the_thief(void **state)
{
	struct buf b = BUF_INIT;
	char mem[4];
	char *z;

	(void)state;
	buf_put(&b, STR("abc"));
	z = buf_steal(&b);
	assert_string_equal(z, "abc");
	assert_null(b.p);
	free(z);

	b = buf_fixed(mem, sizeof(mem));
	buf_put(&b, STR("full"));
	z = buf_steal(&b);
	assert_string_equal(z, "full");
	assert_ptr_not_equal(z, mem);
	free(z);
}

static void what_a_terminal_would_act_on_is_replaced(void **state)
{
	static const struct {
		struct str in;
		const char *out;
	} row[] = {
		{ STR_INIT("caf\xc3\xa9 \xe2\x82\xac"), "caf\xc3\xa9 \xe2\x82\xac" },
		{ STR_INIT("a\r\nb\t\x1b[31m\0"), "a??b??[31m?" },
		{ STR_INIT("\x7f\xc2\x9b"), "??" },
		{ STR_INIT("\xe2\x80\xaetxt.exe"), "?txt.exe" }, /* right-to-left override */
		{ STR_INIT("a\xe2\x80\x8b\xe2\x81\xa6\xef\xbb\xbf"), "a???" },
		{ STR_INIT("\xff\xc3!"), "?"
					 "?!" },
		{ STR_INIT("\xe2\x82"), "??" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(row); i++) {
		CLEANUP(buf_done) struct buf b = BUF_INIT;

		buf_put_printable(&b, row[i].in);
		assert_string_equal(buf_cstr(&b), row[i].out);
	}
}

static void nothing_in_a_text_of_html_is_markup(void **state)
{
	CLEANUP(buf_done) struct buf b = BUF_INIT;

	(void)state;
	buf_put_html(&b, STR("a<b> & \"c\" 'd' \xc3\xa9\n"));
	assert_string_equal(buf_cstr(&b), "a&lt;b&gt; &amp; &quot;c&quot; &#39;d&#39; \xc3\xa9?");
}

static void printable_text_is_cut_between_characters(void **state)
{
	char mem[4];
	struct buf b = buf_fixed(mem, sizeof(mem));

	(void)state;
	buf_put_printable(&b, STR("ab\xe2\x82\xac"));
	assert_str_equal(buf_str(&b), "ab");
}

static void text_is_built(void)
{
	CLEANUP(buf_done) struct buf b = BUF_INIT;

	buf_put(&b, STR("abc"));
	buf_printf(&b, "%0100d", 7);
	buf_put_hex(&b, "abc", 3);

	char *z = buf_steal(&b);
	if (!z) {
		assert_true(oom_hit());
		assert_int_equal(buf_error(&b), -ENOMEM);
	}
	free(z);
}

static void memory_may_run_out(void **state)
{
	(void)state;
	oom_each(text_is_built);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_put_comes_out_in_order),
		cmocka_unit_test(an_empty_buffer_is_an_empty_text),
		cmocka_unit_test(a_buffer_grows_to_what_it_is_given),
		cmocka_unit_test(one_long_printf_is_not_cut),
		cmocka_unit_test(the_first_error_sticks_until_clear),
		cmocka_unit_test(a_fixed_buffer_never_writes_beyond_its_end),
		cmocka_unit_test(absurd_sizes_are_refused),
		cmocka_unit_test(the_front_can_be_consumed),
		cmocka_unit_test(stolen_bytes_belong_to_the_thief),
		cmocka_unit_test(what_a_terminal_would_act_on_is_replaced),
		cmocka_unit_test(nothing_in_a_text_of_html_is_markup),
		cmocka_unit_test(printable_text_is_cut_between_characters),
		cmocka_unit_test(memory_may_run_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
