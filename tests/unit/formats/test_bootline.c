#include "formats/bootline.h"

#include <errno.h>

#include "../base/unit.h"
#include "base/buf.h"
#include "base/cleanup.h"

#define HASH "9c4b6bc8449c1457eba80bc1b31daadb33d46a538059d9d3b25cea2737a3ad77"
#define SALT "000000000000000000000000000000000000000000000000000000006b0763A1"

static void the_boot_loader_names_slot_and_hash(void **state)
{
	struct bootline b;

	(void)state;
	assert_int_equal(
		bootline_parse(&b, STR("quiet tandem.slot=b tandem.verity=12310,12311," HASH
				       "," SALT " console=ttyS0\n")),
		0);
	assert_int_equal(b.slot, 'b');
	assert_int_equal(b.blocks, 12310);
	assert_int_equal(b.hash_start, 12311);
	assert_string_equal(b.root_hash, HASH);
	assert_string_equal(b.salt, SALT);
}

static void a_reset_and_an_installation_are_words_of_their_own(void **state)
{
	struct bootline b;

	(void)state;
	assert_int_equal(bootline_parse(&b, STR("tandem.slot=a tandem.verity=1,1," HASH "," SALT)),
			 0);
	assert_false(b.is_reset || b.is_install);
	assert_int_equal(bootline_parse(&b, STR("tandem.slot=a tandem.reset tandem.verity=1,1," HASH
						"," SALT)),
			 0);
	assert_true(b.is_reset);
	assert_int_equal(bootline_parse(&b, STR("quiet tandem.install")), 0);
	assert_true(b.is_install);
	assert_int_equal(bootline_parse(&b, STR("tandem.install=/dev/sda quiet")), 0);
	assert_true(b.is_install && b.slot == 0);
	assert_int_equal(bootline_parse(&b, STR("tandem.installed tandem.reset=1")), -ENODATA);
}

static void tries_are_told_of_both_slots(void **state)
{
	struct bootline b;

	(void)state;
	assert_int_equal(
		bootline_parse(
			&b, STR("tandem.slot=a tandem.tries=13 tandem.verity=1,1," HASH "," SALT)),
		0);
	assert_true(b.has_tries);
	assert_int_equal(b.tries[0], 1);
	assert_int_equal(b.tries[1], 3);
	assert_int_equal(bootline_parse(&b, STR("tandem.slot=a tandem.verity=1,1," HASH "," SALT)),
			 0);
	assert_false(b.has_tries);
}

static void a_word_that_is_missing_is_told(void **state)
{
	struct bootline b;

	(void)state;
	assert_int_equal(bootline_parse(&b, STR("")), -ENODATA);
	assert_int_equal(bootline_parse(&b, STR("tandem.slot=a")), -ENODATA);
	assert_int_equal(bootline_parse(&b, STR("tandem.verity=1,1," HASH "," SALT)), -ENODATA);
}

static void a_word_that_is_malformed_is_told(void **state)
{
	static const char *const BAD[] = {
		"tandem.slot=",
		"tandem.slot=a tandem.tries=1",
		"tandem.slot=a tandem.tries=14",
		"tandem.slot=a tandem.tries=000",
		"tandem.slot=c",
		"tandem.slot=aa",
		"tandem.slot=a tandem.verity=",
		"tandem.slot=a tandem.verity=1,1," HASH,
		"tandem.slot=a tandem.verity=0,1," HASH "," SALT,
		"tandem.slot=a tandem.verity=2,1," HASH "," SALT,
		"tandem.slot=a tandem.verity=-1,1," HASH "," SALT,
		"tandem.slot=a tandem.verity=1,4294967296," HASH "," SALT,
		"tandem.slot=a tandem.verity=1,1," HASH "0," SALT,
		"tandem.slot=a tandem.verity=1,1," HASH "," SALT ",x",
		"tandem.slot=a "
		"tandem.verity=1,1,xx4b6bc8449c1457eba80bc1b31daadb33d46a538059d9d3b25c"
		"ea2737a3ad77," SALT,
	};
	struct bootline b;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(BAD); i++)
		assert_int_equal(bootline_parse(&b, str_of(BAD[i])), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_boot_loader_names_slot_and_hash),
		cmocka_unit_test(a_reset_and_an_installation_are_words_of_their_own),
		cmocka_unit_test(tries_are_told_of_both_slots),
		cmocka_unit_test(a_word_that_is_missing_is_told),
		cmocka_unit_test(a_word_that_is_malformed_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
