#include <errno.h>

#include "oom.h"
#include "sip/digest_field.h"
#include "unit.h"

static void fields_are_read_from_a_list(void **state)
{
	struct digest_fields f;

	(void)state;
	assert_int_equal(
		digest_fields(STR("digest  username = \"a\\\"b, c\" ,realm=\"\",, NC=00000001,"
				  "future=\"x\", algorithm=md5,"),
			      &f),
		0);
	assert_str(f.f[DIGEST_USERNAME], "a\\\"b, c");
	assert_str(f.f[DIGEST_REALM], "");
	assert_non_null(f.f[DIGEST_REALM].p);
	assert_str(f.f[DIGEST_NC], "00000001");
	assert_null(f.f[DIGEST_NONCE].p);
	assert_int_equal(digest_algorithm_of(&f), DIGEST_MD5);
}

static void broken_lists_are_refused(void **state)
{
	static const char *const texts[] = {
		"",
		"Digest",
		"Basic abc",
		"Digestrealm=\"x\"",
		"Digest realm",
		"Digest realm=",
		"Digest =x",
		"Digest realm=\"x",
		"Digest realm=\"x\\\"",
		"Digest realm=\"x\"y",
		"Digest realm=x\"y\"",
		"Digest realm=x\\",
		"Digest realm=\"x\", realm=\"x\"",
		"Digest realm=\"x\", Realm=y",
	};
	struct digest_fields f;

	(void)state;
	for (size_t i = 0; i < ROWS(texts); i++) {
		if (digest_fields(str_of(texts[i]), &f) != -EINVAL)
			fail_msg("taken: %s", texts[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fields_are_read_from_a_list),
		cmocka_unit_test(broken_lists_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
