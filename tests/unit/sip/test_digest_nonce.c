#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "oom.h"
#include "parsed.h"
#include "sip/digest_nonce.h"

enum { NOW = 1000000 };

static const unsigned char secret[32] = "a secret of thirty-two octets..";

static struct addr at(const char *text)
{
	struct addr a;

	assert_int_equal(addr_parse(str_of(text), 5060, &a), 0);
	return a;
}

static void an_ipv6_source_has_its_own_nonces(void **state)
{
	struct addr a = at("[2001:db8::1]:1"), b = at("[2001:db8::2]:1");
	CLEANUP(nonces_free) struct nonces *n = NULL;
	char text[NONCE_TEXT];
	struct nonce nonce;

	(void)state;
	if (oom_refused(nonces_create(&n, secret, 255)))
		return;
	nonces_mint(n, &a, 0, NOW, text);
	assert_true(nonces_check(n, str_of(text), &a, NONCE_LIFE_MS, NOW, &nonce));
	assert_int_equal(nonce.minted_ms, NOW);
	assert_false(nonces_check(n, str_of(text), &b, NONCE_LIFE_MS, NOW, &nonce));
}

static void no_octet_of_a_nonce_can_be_changed(void **state)
{
	CLEANUP(nonces_free) struct nonces *n = NULL;
	char text[NONCE_TEXT];
	struct nonce nonce;

	(void)state;
	if (oom_refused(nonces_create(&n, secret, 1)))
		return;
	nonces_mint(n, &source.peer, 0, NOW, text);
	assert_true(nonces_check(n, str_of(text), &source.peer, NONCE_LIFE_MS, NOW, &nonce));
	for (size_t i = 0; i < NONCE_TEXT - 1; i++) {
		char was = text[i];

		text[i] = was == 'A' ? 'B' : 'A';
		assert_false(
			nonces_check(n, str_of(text), &source.peer, NONCE_LIFE_MS, NOW, &nonce));
		text[i] = ' ';
		assert_false(
			nonces_check(n, str_of(text), &source.peer, NONCE_LIFE_MS, NOW, &nonce));
		text[i] = was;
		assert_false(
			nonces_check(n, str_n(text, i), &source.peer, NONCE_LIFE_MS, NOW, &nonce));
	}
	assert_false(nonces_check(n, STR(""), &source.peer, NONCE_LIFE_MS, NOW, &nonce));
}

static void a_full_table_forgets_the_oldest_without_letting_it_in_again(void **state)
{
	CLEANUP(nonces_free) struct nonces *n = NULL;
	char first[NONCE_TEXT], text[NONCE_TEXT];
	struct nonce nonce;

	(void)state;
	if (oom_refused(nonces_create(&n, secret, 1)))
		return;
	nonces_mint(n, &source.peer, 0, NOW, first);
	assert_true(nonces_check(n, str_of(first), &source.peer, NONCE_LIFE_MS, NOW, &nonce));
	if (!nonces_use(n, &nonce, 1, NOW))
		return;
	for (int i = 0; i < NONCES_MAX; i++) {
		nonces_mint(n, &source.peer, 0, NOW + 1, text);
		assert_true(nonces_check(n, str_of(text), &source.peer, NONCE_LIFE_MS, NOW + 1,
					 &nonce));
		if (!nonces_use(n, &nonce, 1, NOW + 1))
			return;
	}
	assert_false(nonces_check(n, str_of(first), &source.peer, NONCE_LIFE_MS, NOW + 1, &nonce));
	assert_true(nonces_check(n, str_of(text), &source.peer, NONCE_LIFE_MS, NOW + 1, &nonce));
	assert_false(nonces_use(n, &nonce, 1, NOW + 1));
	assert_true(nonces_use(n, &nonce, 2, NOW + 2 * NONCE_LIFE_MS));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_ipv6_source_has_its_own_nonces),
		cmocka_unit_test(no_octet_of_a_nonce_can_be_changed),
		cmocka_unit_test(a_full_table_forgets_the_oldest_without_letting_it_in_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
