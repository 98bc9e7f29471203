#include "base/secret.h"

#include "unit.h"

static void secrets_are_equal_in_every_octet_or_not_at_all(void **state)
{
	char a[40] = "0123456789abcdef0123456789abcdef", b[40];

	(void)state;
	memcpy(b, a, sizeof(b));
	assert_true(secret_eq(str_n(a, sizeof(a)), str_n(b, sizeof(b))));
	for (size_t i = 0; i < sizeof(a); i++)
		for (int bit = 0; bit < 8; bit++) {
			b[i] = (char)(b[i] ^ 1 << bit);
			assert_false(secret_eq(str_n(a, sizeof(a)), str_n(b, sizeof(b))));
			b[i] = a[i];
		}
	assert_false(secret_eq(str_n(a, 39), str_n(b, 40)));
	assert_true(secret_eq(str_of(NULL), STR("")));
}

static void a_wiped_secret_is_gone(void **state)
{
	char a[] = "secret";

	(void)state;
	secret_wipe(a, 3);
	assert_memory_equal(a, "\0\0\0ret", 7);
	secret_wipe(a, sizeof(a));
	assert_memory_equal(a, "\0\0\0\0\0\0", 7);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(secrets_are_equal_in_every_octet_or_not_at_all),
		cmocka_unit_test(a_wiped_secret_is_gone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
