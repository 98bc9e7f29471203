#include "base/base64.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* RFC 4648 §10, and what they are without padding. */
static const struct {
	const char *bytes, *padded, *plain;
} vectors[] = {
	{ "", "", "" },
	{ "f", "Zg==", "Zg" },
	{ "fo", "Zm8=", "Zm8" },
	{ "foo", "Zm9v", "Zm9v" },
	{ "foob", "Zm9vYg==", "Zm9vYg" },
	{ "fooba", "Zm9vYmE=", "Zm9vYmE" },
	{ "foobar", "Zm9vYmFy", "Zm9vYmFy" },
	{ "\xff\xfb\xbf", "//u/", "//u/" },
};

static void the_vectors_of_the_rfc_go_both_ways(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(vectors); i++) {
		char space[64];
		struct buf b = buf_fixed(space, sizeof(space));

		buf_put_base64(&b, str_of(vectors[i].bytes), true);
		assert_true(str_eq(buf_str(&b), str_of(vectors[i].padded)));
		buf_clear(&b);
		buf_put_base64(&b, str_of(vectors[i].bytes), false);
		assert_true(str_eq(buf_str(&b), str_of(vectors[i].plain)));
		buf_clear(&b);
		assert_int_equal(base64_decode(str_of(vectors[i].padded), &b), 0);
		assert_int_equal(base64_decode(str_of(vectors[i].plain), &b), 0);
		assert_int_equal(b.n, 2 * strlen(vectors[i].bytes));
		assert_true(str_has_prefix(buf_str(&b), str_of(vectors[i].bytes)));
		assert_true(str_has_suffix(buf_str(&b), str_of(vectors[i].bytes)));
	}
}

static void what_is_not_exactly_base64_is_refused_and_leaves_nothing(void **state)
{
	static const char *const bad[] = { "Z",      "Zg=",  "Zg===", "Zm9vY", "Zh==",
					   "Zm9=",   "Z=g=", "Zm9v ", " Zm9v", "=",
					   "Zm9v\n", "Zm_v", "====",  "Zm9v=", "Zg==Zg==" };

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++) {
		char space[64];
		struct buf b = buf_fixed(space, sizeof(space));

		buf_putz(&b, "kept");
		assert_int_equal(base64_decode(str_of(bad[i]), &b), -EINVAL);
		assert_true(str_eq(buf_str(&b), STR("kept")));
	}
	char space[8];
	struct buf b = buf_fixed(space, sizeof(space));
	assert_int_equal(base64_decode(str_n("Zm\0v", 4), &b), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_vectors_of_the_rfc_go_both_ways),
		cmocka_unit_test(what_is_not_exactly_base64_is_refused_and_leaves_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
