#include "rig.h"
#include "transport/quota.h"

static struct addr source(const char *text)
{
	struct addr a;

	assert_int_equal(addr_parse(str_of(text), 0, &a), 0);
	return a;
}

static struct addr numbered(uint32_t n)
{
	struct addr a = source("10.0.0.0");

	a.in.sin_addr.s_addr = htonl(0x0a000000U + n);
	return a;
}

static void a_stranger_gets_few_and_gets_them_again(void **state)
{
	struct addr a = source("192.0.2.1:1"), b = source("192.0.2.1:2");

	(void)state;
	for (int round = 0; round < 2; round++) {
		for (int i = 0; i < QUOTA_UNKNOWN; i++)
			assert_int_equal(quota_take(&a, false), QUOTA_OK);
		assert_int_equal(quota_take(&b, false), QUOTA_SOURCE_FULL);
		for (int i = 0; i < QUOTA_UNKNOWN; i++)
			quota_give(&b, false);
	}
}

static void a_source_is_trusted_as_a_whole(void **state)
{
	struct addr a = source("192.0.2.2");

	(void)state;
	assert_int_equal(quota_take(&a, false), QUOTA_OK);
	quota_trust(&a);
	for (int i = 1; i < QUOTA_TRUSTED; i++)
		assert_int_equal(quota_take(&a, false), QUOTA_OK);
	assert_int_equal(quota_take(&a, false), QUOTA_SOURCE_FULL);
	assert_int_equal(quota_take(&a, true), QUOTA_SOURCE_FULL);
	for (int i = 1; i < QUOTA_TRUSTED; i++)
		quota_give(&a, false);
	quota_give(&a, true);
}

static void a_network_of_ipv6_is_one_source(void **state)
{
	(void)state;
	for (int i = 0; i < QUOTA_UNKNOWN; i++) {
		struct addr a = source("2001:db8::");

		a.in6.sin6_addr.s6_addr[15] = (uint8_t)i;
		assert_int_equal(quota_take(&a, false), QUOTA_OK);
	}

	struct addr same = source("2001:db8::ffff:1"), other = source("2001:db8:0:1::1");

	assert_int_equal(quota_take(&same, false), QUOTA_SOURCE_FULL);
	assert_int_equal(quota_take(&other, false), QUOTA_OK);
	quota_give(&other, false);
	for (int i = 0; i < QUOTA_UNKNOWN; i++)
		quota_give(&same, false);
}

static void there_is_a_limit_over_all(void **state)
{
	uint32_t taken = 0, n = 0;
	enum quota_verdict v;

	(void)state;
	/* Two sources may share a word, so some are told that theirs is full. */
	for (; taken < QUOTA_TOTAL; n++) {
		struct addr a = numbered(n);

		v = quota_take(&a, false);
		assert_int_not_equal(v, QUOTA_ALL_FULL);
		taken += v == QUOTA_OK;
	}
	assert_true(n - taken < 10);

	struct addr one_more = numbered(n);

	assert_int_equal(quota_take(&one_more, false), QUOTA_ALL_FULL);
	assert_int_equal(n, taken); /* so that all can be given back */
	while (n > 0) {
		struct addr a = numbered(--n);

		quota_give(&a, false);
	}
	assert_int_equal(quota_take(&one_more, false), QUOTA_OK);
	quota_give(&one_more, false);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_stranger_gets_few_and_gets_them_again),
		cmocka_unit_test(a_source_is_trusted_as_a_whole),
		cmocka_unit_test(a_network_of_ipv6_is_one_source),
		cmocka_unit_test(there_is_a_limit_over_all),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
