#include "certificate.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "base/cleanup.h"
#include "yard.h"

static struct setup setup;

static int open_yard(void **state)
{
	(void)state;
	setup = (struct setup){ .answers = answers_create(), .machine.interface = "eth0" };
	if (setup.answers)
		yard_open(&setup.place);
	return setup.answers ? 0 : -1;
}

static int close_yard(void **state)
{
	(void)state;
	yard_close(&setup.place);
	setup.answers = answers_free(setup.answers);
	return 0;
}

static void answer(enum answer id, const char *value)
{
	assert_int_equal(answers_set(setup.answers, id, str_of(value), 0, NULL), 0);
}

static int make(void)
{
	struct err err = ERR_INIT;

	return certificate_make(&setup, &err);
}

static BIO *open_file(const char *path, struct buf *bytes)
{
	assert_int_equal(place_read(&setup.place, path, 65536, bytes), 0);
	return BIO_new_mem_buf(bytes->p, (int)bytes->n);
}

static void it_is_for_this_machine_and_has_its_key(void **state)
{
	CLEANUP(buf_done) struct buf crt = BUF_INIT;
	CLEANUP(buf_done) struct buf secret = BUF_INIT;
	BIO *from;
	X509 *c;
	EVP_PKEY *key;

	(void)state;
	answer(ANSWER_HOSTNAME, "sw1.example.net");
	answer(ANSWER_IPV4, "127.0.0.2/8");
	answer(ANSWER_PUBLIC_ADDRESS, "203.0.113.9");
	assert_int_equal(make(), 0);
	from = open_file(CERTIFICATE_PATH, &crt);
	c = PEM_read_bio_X509(from, NULL, NULL, NULL);
	BIO_free(from);
	from = open_file(CERTIFICATE_KEY, &secret);
	key = PEM_read_bio_PrivateKey(from, NULL, NULL, NULL);
	BIO_free(from);
	assert_int_equal(X509_check_private_key(c, key), 1);
	assert_int_equal(X509_check_host(c, "sw1.example.net", 0, 0, NULL), 1);
	assert_int_equal(X509_check_ip_asc(c, "127.0.0.2", 0), 1);
	assert_int_equal(X509_check_ip_asc(c, "203.0.113.9", 0), 1);
	assert_int_equal(X509_check_ip_asc(c, "127.0.0.3", 0), 0);
	assert_int_equal(X509_verify(c, key), 1);
	assert_true(X509_cmp_current_time(X509_get0_notBefore(c)) < 0);
	assert_true(X509_cmp_current_time(X509_get0_notAfter(c)) > 0);
	X509_free(c);
	EVP_PKEY_free(key);
}

static void one_that_is_there_stays(void **state)
{
	(void)state;
	answer(ANSWER_IPV4, "127.0.0.2/8");
	assert_true(place_write(&setup.place, CERTIFICATE_PATH, 0644, STR("mine")) >= 0);
	assert_int_equal(make(), 0);
	yard_expect(&setup.place, CERTIFICATE_PATH, "mine");
	yard_expect(&setup.place, CERTIFICATE_KEY, NULL);
}

static void without_tls_there_is_none(void **state)
{
	(void)state;
	answer(ANSWER_SIP_TLS_PORT, "0");
	assert_int_equal(make(), 0);
	yard_expect(&setup.place, CERTIFICATE_PATH, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(it_is_for_this_machine_and_has_its_key, open_yard,
						close_yard),
		cmocka_unit_test_setup_teardown(one_that_is_there_stays, open_yard, close_yard),
		cmocka_unit_test_setup_teardown(without_tls_there_is_none, open_yard, close_yard),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
