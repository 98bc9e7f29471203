#include <errno.h>

#include "oom.h"
#include "sip/refer.h"
#include "unit.h"

static void a_call_to_be_replaced_is_read(void **state)
{
	static const struct {
		const char *value;
		bool is_early_only;
	} forms[] = {
		{ "a@b;to-tag=1;from-tag=2", false },
		{ "a@b ; from-tag=2 ;to-tag = 1", false },
		{ "a@b;x=y;to-tag=1;from-tag=2;early-only", true },
	};

	(void)state;
	for (size_t i = 0; i < ROWS(forms); i++) {
		struct replaces r;

		assert_int_equal(refer_read_replaces(str_of(forms[i].value), &r), 0);
		assert_str(r.call_id, "a@b");
		assert_str(r.to_tag, "1");
		assert_str(r.from_tag, "2");
		assert_int_equal(r.is_early_only, forms[i].is_early_only);
	}
}

static void half_a_call_is_none(void **state)
{
	static const char *const values[] = {
		"",
		"a@b",
		";to-tag=1;from-tag=2",
		" ;to-tag=1;from-tag=2",
		"a b;to-tag=1;from-tag=2",
		"a@b;to-tag=1",
		"a@b;from-tag=2",
		"a@b;to-tag=;from-tag=2",
		"a@b;to-tag=1;to-tag=1;from-tag=2",
	};

	(void)state;
	for (size_t i = 0; i < ROWS(values); i++) {
		struct replaces r;

		if (refer_read_replaces(str_of(values[i]), &r) != -EINVAL)
			fail_msg("taken: %s", values[i]);
	}
}

static void the_headers_of_a_uri_hold_one(void **state)
{
	static const struct {
		const char *headers;
		int result;
	} cases[] = {
		{ "", 0 },
		{ "Subject=x&Require=replaces", 0 },
		{ "Subject=x&replaces=a%40b%3Bto-tag%3D1%3Bfrom-tag%3D2", 1 },
		{ "Replaces=a%40b%3Bto-tag%3D1%3Bfrom-tag%3D2&Replaces=c", -EINVAL },
		{ "Replaces=a%4", -EINVAL },
		{ "Replaces=a%0D%0Ab%3Bto-tag%3D1%3Bfrom-tag%3D2", -EINVAL },
		{ "Replaces=only-a-call-id", -EINVAL },
	};

	(void)state;
	for (size_t i = 0; i < ROWS(cases); i++) {
		char room[200];
		struct buf text = buf_fixed(room, sizeof(room));
		struct replaces r;

		assert_int_equal(refer_replaces(str_of(cases[i].headers), &text, &r),
				 cases[i].result);
		if (cases[i].result == 1)
			assert_str(r.call_id, "a@b");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_call_to_be_replaced_is_read),
		cmocka_unit_test(half_a_call_is_none),
		cmocka_unit_test(the_headers_of_a_uri_hold_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
