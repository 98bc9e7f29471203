#include "transport/tls_policy.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>

#include "base/cleanup.h"
#include "oom.h"

#define PIN_A "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
#define PIN_B "ffeeddccbbaa99887766554433221100FFEEDDCCBBAA99887766554433221100"

static void pins_are_hex_of_one_length(void **state)
{
	static const struct {
		const char *text;
		int result;
		size_t n;
	} cases[] = {
		{ "", 0, 0 },
		{ PIN_A, 0, 32 },
		{ PIN_A "," PIN_B, 0, 64 },
		{ " " PIN_A " ,, " PIN_B ",", 0, 64 },
		{ PIN_A "0", -EINVAL, 0 },
		{ PIN_A PIN_B, -EINVAL, 0 },
		{ "sha256/" PIN_A, -EINVAL, 0 },
		{ "g0112233445566778899aabbccddeeff00112233445566778899aabbccddeeff", -EINVAL, 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		CLEANUP(buf_done) struct buf out = BUF_INIT;

		assert_int_equal(tls_pins_parse(str_of(cases[i].text), &out), cases[i].result);
		if (cases[i].result == 0 && !buf_error(&out))
			assert_int_equal(out.n, cases[i].n);
	}
}

static void the_same_settings_have_one_number(void **state)
{
	const struct tls_policy by_name = { .check = TLS_CHECK_NAME, .name = STR("a.test") };
	const struct tls_policy other = { .check = TLS_CHECK_NAME, .name = STR("b.test") };
	const struct tls_policy off = { .check = TLS_CHECK_NONE, .name = STR("a.test") };
	const struct tls_policy pinned = { .check = TLS_CHECK_PIN, .pins = STR("a.test") };
	struct tls_policies t;
	uint32_t first;

	(void)state;
	if (oom_refused(tls_policies_init(&t)))
		return;
	first = tls_policy_number(&t, &by_name);
	for (int i = 0; first && i < 40; i++) {
		char name[16] = "x";
		struct tls_policy p = { .check = TLS_CHECK_NAME, .name = str_n(name, 2) };

		name[1] = (char)('A' + i);
		(void)tls_policy_number(&t, &p);
		assert_int_equal(tls_policy_number(&t, &by_name), first);
	}
	if (first) {
		assert_int_not_equal(tls_policy_number(&t, &other), first);
		assert_int_not_equal(tls_policy_number(&t, &off), first);
		assert_int_not_equal(tls_policy_number(&t, &pinned), first);
		assert_string_equal(tls_policy_at(&t, first)->name.p, "a.test");
	}
	assert_int_equal(tls_policy_at(&t, 0)->check, TLS_CHECK_NAME);
	assert_int_equal(tls_policy_at(&t, 9999)->name.n, 0);
	tls_policies_done(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pins_are_hex_of_one_length),
		cmocka_unit_test(the_same_settings_have_one_number),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
