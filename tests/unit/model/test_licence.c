#include "model/licence.h"

#include <errno.h>
#include <openssl/evp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "oom.h"

#define DAY     INT64_C(86400000)
#define MACHINE "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

/* 2026-01-02T03:04:05Z */
enum { ISSUED_S = 1767323045 };

static struct licence sample(void)
{
	return (struct licence){ .customer = "Acme \"Telecom\" \\ \xc3\x96",
				 .machine = MACHINE,
				 .lines = 30,
				 .cps = 5,
				 .features = "a,b-2",
				 .issued = (ms_t)ISSUED_S * 1000,
				 .expires = (ms_t)ISSUED_S * 1000 + 365 * DAY };
}

static void the_canonical_text_is_as_the_header_says(void **state)
{
	CLEANUP(buf_done) struct buf out = BUF_INIT;
	struct licence l = sample();

	(void)state;
	l.expires = 0;
	licence_put_canonical(&l, &out);
	if (buf_error(&out) < 0)
		return;
	assert_string_equal(buf_cstr(&out),
			    "tandem-licence-1\ncustomer=Acme \"Telecom\" \\ \xc3\x96\n"
			    "machine=" MACHINE "\nlines=30\ncps=5\nfeatures=a,b-2\n"
			    "issued=2026-01-02T03:04:05.000Z\nexpires=never\n");
}

static void a_file_reads_back_as_it_was_written(void **state)
{
	CLEANUP(buf_done) struct buf file = BUF_INIT;
	struct licence l = sample(), back;

	(void)state;
	memset(l.signature, 0xa5, sizeof(l.signature));
	for (int i = 0; i < 2; i++) {
		l.expires = i ? 0 : l.expires;
		l.features[0] = i ? 0 : l.features[0];
		buf_clear(&file);
		licence_put_file(&l, &file);
		if (oom_refused(buf_error(&file)))
			return;
		assert_int_equal(licence_parse(&back, buf_str(&file), NULL), 0);
		assert_string_equal(back.customer, l.customer);
		assert_string_equal(back.machine, l.machine);
		assert_string_equal(back.features, l.features);
		assert_true(back.lines == l.lines && back.cps == l.cps);
		assert_true(back.issued == l.issued && back.expires == l.expires);
		assert_memory_equal(back.signature, l.signature, sizeof(l.signature));
	}
}

static void what_is_no_licence_is_refused_by_field(void **state)
{
	static const char good[] =
		"{\"customer\":\"A\",\"machine\":\"any\",\"lines\":1,\"cps\":0,\"features\":[],"
		"\"issued\":\"2026-01-01\",\"expires\":null,\"signature\":\"%s\"}";
	static const struct {
		const char *from, *to, *field;
	} cases[] = {
		{ "\"A\"", "\"\"", "customer" },
		{ "\"A\"", "\"A\\nlines=9\"", "customer" },
		{ "\"A\"", "\"A\\u0000\"", "" },
		{ "\"A\"", "7", "customer" },
		{ "\"any\"", "\"Any\"", "machine" },
		{ "\"any\"", "\"" MACHINE "0\"", "machine" },
		{ "\"lines\":1", "\"lines\":0", "lines" },
		{ "\"lines\":1", "\"lines\":1000001", "lines" },
		{ "\"lines\":1", "\"lines\":\"1\"", "lines" },
		{ "\"lines\":1", "\"lines\":1e1", "lines" },
		{ "\"cps\":0", "\"cps\":-1", "cps" },
		{ "[]", "[\"a,b\"]", "features" },
		{ "[]", "[\"\"]", "features" },
		{ "[]", "[1]", "features" },
		{ "[]", "\"a\"", "features" },
		{ "[]", "[\"A\"]", "features" },
		{ "\"2026-01-01\"", "null", "issued" },
		{ "\"2026-01-01\"", "\"1970-01-01\"", "issued" },
		{ "null", "\"2025-12-31\"", "expires" },
		{ "null", "\"soon\"", "expires" },
		{ "%s", "%s0", "signature" },
		{ "%s", "AA%s", "signature" },
		{ "\"cps\":0,", "", "cps" },
		{ "\"cps\":0,", "\"cps\":0,\"more\":1,", "" },
	};
	char hex[129] = { 0 };

	(void)state;
	memset(hex, '0', 128);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		CLEANUP(buf_done) struct buf text = BUF_INIT;
		const char *at = strstr(good, cases[i].from);
		struct licence l;
		struct err err = ERR_INIT;

		buf_put(&text, str_n(good, (size_t)(at - good)));
		buf_putz(&text, cases[i].to);
		buf_putz(&text, at + strlen(cases[i].from));
		const char *format = buf_cstr(&text);
		if (!format)
			return;
		CLEANUP(buf_done) struct buf file = BUF_INIT;
		const char *hole = strstr(format, "%s");
		buf_put(&file, str_n(format, (size_t)(hole - format)));
		buf_putz(&file, hex);
		buf_putz(&file, hole + 2);
		if (buf_error(&file) < 0)
			return;
		assert_int_equal(licence_parse(&l, buf_str(&file), &err), -EINVAL);
		assert_string_equal(err.field, cases[i].field);
	}
}

static EVP_PKEY *sign(struct licence *l, unsigned char ret_key[LICENCE_KEY])
{
	CLEANUP(buf_done) struct buf text = BUF_INIT;
	EVP_PKEY *pkey = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	size_t n = LICENCE_KEY, s = LICENCE_SIGNATURE;

	licence_put_canonical(l, &text);
	bool done =
		buf_error(&text) == 0 && EVP_PKEY_get_raw_public_key(pkey, ret_key, &n) == 1 &&
		EVP_DigestSignInit(ctx, NULL, NULL, NULL, pkey) == 1 &&
		EVP_DigestSign(ctx, l->signature, &s, (const unsigned char *)text.p, text.n) == 1;
	EVP_MD_CTX_free(ctx);
	if (!done) {
		EVP_PKEY_free(pkey);
		pkey = NULL;
	}
	return pkey;
}

static void any_change_breaks_the_signature(void **state)
{
	struct licence l = sample();
	unsigned char key[LICENCE_KEY];
	EVP_PKEY *pkey = sign(&l, key);

	(void)state;
	if (!pkey)
		return;
	EVP_PKEY_free(pkey);
	int r = licence_verify(&l, key, NULL);
	if (oom_refused(r))
		return;
	assert_int_equal(r, 0);
	for (int field = 0; field < 9; field++) {
		struct licence changed = l;
		unsigned char other[LICENCE_KEY];
		struct err err = ERR_INIT;

		memcpy(other, key, sizeof(key));
		switch (field) {
		case 0:
			changed.customer[0] ^= 1;
			break;
		case 1:
			changed.machine[63] = '0';
			break;
		case 2:
			changed.lines++;
			break;
		case 3:
			changed.cps = 0;
			break;
		case 4:
			changed.features[0] = 'c';
			break;
		case 5:
			changed.issued++;
			break;
		case 6:
			changed.expires = 0;
			break;
		case 7:
			changed.signature[63] ^= 0x20;
			break;
		default:
			other[0] ^= 1;
			break;
		}
		r = licence_verify(&changed, other, &err);
		if (oom_refused(r < 0 && r != -EINVAL ? r : 0))
			return;
		assert_int_equal(r, -EINVAL);
		assert_string_equal(err.field, "signature");
	}
}

static void the_end_comes_in_two_steps(void **state)
{
	struct licence l = sample();
	ms_t end = l.expires, grace = end + LICENCE_GRACE_DAYS * DAY;

	(void)state;
	assert_int_equal(licence_state_at(NULL, end), LICENCE_NONE);
	assert_int_equal(licence_lines_at(NULL, end), 0);
	assert_int_equal(licence_state_at(&l, 0), LICENCE_VALID);
	assert_int_equal(licence_state_at(&l, end - 1), LICENCE_VALID);
	assert_int_equal(licence_state_at(&l, end), LICENCE_EXPIRED);
	assert_int_equal(licence_lines_at(&l, grace - 1), 30);
	assert_int_equal(licence_state_at(&l, grace), LICENCE_LAPSED);
	assert_int_equal(licence_lines_at(&l, grace), LICENCE_LAPSED_LINES);
	l.lines = 4;
	assert_int_equal(licence_lines_at(&l, grace), 4);
	l.expires = 0;
	assert_int_equal(licence_state_at(&l, INT64_MAX), LICENCE_VALID);
}

static void a_licence_is_for_one_machine_or_any(void **state)
{
	struct licence l = sample();
	struct err err = ERR_INIT;

	(void)state;
	assert_int_equal(licence_check_machine(&l, STR(MACHINE), NULL), 0);
	assert_int_equal(licence_check_machine(&l, STR(""), &err), -EINVAL);
	assert_non_null(strstr(err.message, "not known"));
	err = ERR_INIT;
	assert_int_equal(licence_check_machine(&l, STR("f0f0"), &err), -EINVAL);
	assert_non_null(strstr(err.message, "f0f0"));
	(void)str_copy(l.machine, sizeof(l.machine), STR(LICENCE_ANY_MACHINE));
	assert_int_equal(licence_check_machine(&l, STR(""), NULL), 0);
}

/* The digest is of "01234567-89ab-cdef-0123-456789abcdef\n02:00:00:00:00:0a", by sha256sum. */
static void a_binding_does_not_depend_on_case(void **state)
{
	char a[LICENCE_BINDING], b[LICENCE_BINDING];

	(void)state;
	assert_int_equal(licence_binding(a, STR("01234567-89AB-CDEF-0123-456789ABCDEF\n"),
					 STR("02:00:00:00:00:0A\n")),
			 0);
	assert_int_equal(licence_binding(b, STR("01234567-89ab-cdef-0123-456789abcdef"),
					 STR("02:00:00:00:00:0a")),
			 0);
	assert_string_equal(a, b);
	assert_string_equal(a, "9aa36d4edf6d83c15e6f7ffedfd9f64e37acb81e48168be5c830515b0f4dc6fb");
	assert_int_equal(licence_binding(a, STR("01234567"), STR("02:00:00:00:00:0a")), -EINVAL);
	assert_int_equal(licence_binding(a, STR("01234567-89ab-cdef-0123-456789abcdef"),
					 STR("02-00-00-00-00-0a")),
			 -EINVAL);
	assert_int_equal(licence_binding(a, STR(""), STR("")), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_canonical_text_is_as_the_header_says),
		cmocka_unit_test(a_file_reads_back_as_it_was_written),
		cmocka_unit_test(what_is_no_licence_is_refused_by_field),
		cmocka_unit_test(any_change_breaks_the_signature),
		cmocka_unit_test(the_end_comes_in_two_steps),
		cmocka_unit_test(a_licence_is_for_one_machine_or_any),
		cmocka_unit_test(a_binding_does_not_depend_on_case),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
