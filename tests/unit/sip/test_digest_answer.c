#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "oom.h"
#include "parsed.h"
#include "sip/digest.h"
#include "unit.h"

#define REALM    STR("tandem")
#define PASSWORD STR("Circle of Life")

enum { NOW = 1000000, HEADER_MAX = 600 };

static const unsigned char secret[32] = "a secret of thirty-two octets..";

static struct msg *challenge(int code, const char *lines)
{
	char text[1000];

	(void)snprintf(
		text, sizeof(text),
		"SIP/2.0 %d x\nVia: SIP/2.0/UDP h\nFrom: <sip:a@b>;tag=1\nTo: <sip:a@b>;tag=2\n"
		"Call-ID: x\nCSeq: 1 INVITE\n%s\n\n",
		code, lines);
	return parsed(text);
}

static int answer(const struct msg *m, const char *realm, struct buf *out, struct str *ret)
{
	return digest_answer(m, METHOD_INVITE, STR("sip:8801712345678@192.0.2.1"), STR("bob"),
			     PASSWORD, str_of(realm), out, ret);
}

static void our_server_is_content_with_our_client(void **state)
{
	static const int codes[] = { 401, 407 };

	(void)state;
	for (size_t i = 0; i < ROWS(codes); i++) {
		CLEANUP(digest_free) struct digest *d = NULL;
		char room[HEADER_MAX];
		struct buf b = buf_fixed(room, sizeof(room));
		struct str realm;

		if (oom_refused(digest_create(&d, secret, 1)))
			return;
		digest_put_challenge(d, codes[i],
				     &(struct digest_ask){ .realm = REALM,
							   .source = &source.peer,
							   .now_ms = NOW },
				     false, &b);
		CLEANUP(msg_free) struct msg *c = challenge(codes[i], buf_cstr(&b));
		buf_clear(&b);
		if (!c || oom_refused(answer(c, "tandem", &b, &realm)))
			return;
		assert_str(realm, "tandem");
		assert_non_null(strstr(buf_cstr(&b), "algorithm=SHA-256"));
		CLEANUP(msg_free) struct msg *m = invite_with(room);
		if (!m)
			return;
		enum digest_verdict v = digest_verify(d, m,
						      &(struct digest_ask){ .realm = REALM,
									    .password = PASSWORD,
									    .source = &source.peer,
									    .now_ms = NOW },
						      NULL);
		assert_true(v == DIGEST_OK || oom_hit());
	}
}

static void the_strongest_challenge_that_we_know_is_answered(void **state)
{
	static const struct {
		const char *lines, *realm;
		const char *has; /* NULL: none can be answered */
	} cases[] = {
		{ "WWW-Authenticate: Digest realm=\"r\", nonce=\"n\", qop=\"auth\"", "",
		  ", qop=auth, nc=00000001" },
		{ "WWW-Authenticate: Digest realm=\"r\", nonce=\"n\", qop=\"auth-int, auth\"", "r",
		  ", qop=auth, nc=00000001" },
		{ "WWW-Authenticate: Digest realm=\"r\", nonce=\"n\", algorithm=MD5, qop=\"auth\"\n"
		  "WWW-Authenticate: Digest realm=\"r\", nonce=\"m\", algorithm=sha-256, "
		  "qop=\"auth\"",
		  "r", "nonce=\"m\"" },
		{ "WWW-Authenticate: Digest realm=\"r\", nonce=\"n\", algorithm=SHA-512-256\n"
		  "WWW-Authenticate: Basic realm=\"r\"\n"
		  "WWW-Authenticate: Digest realm=\"r\", nonce=\"m\", algorithm=MD5, opaque=\"o\"",
		  "r", "algorithm=MD5, opaque=\"o\"\r\n" },
		{ "WWW-Authenticate: Digest realm=\"r\", nonce=\"n\"\n"
		  "WWW-Authenticate: Digest realm=\"r\", nonce=\"m\"",
		  "r", "nonce=\"n\"" },
		{ "WWW-Authenticate: Digest realm=\"r\", nonce=\"n\"", "other", NULL },
		{ "WWW-Authenticate: Digest realm=\"r\", nonce=\"n\", algorithm=SHA-512-256", "r",
		  NULL },
		{ "WWW-Authenticate: Digest realm=\"r\", nonce=\"n\", qop=\"auth-int\"", "r",
		  NULL },
		{ "WWW-Authenticate: Digest realm=\"r\", nonce=\"\"", "r", NULL },
		{ "WWW-Authenticate: Digest nonce=\"n\"", "", NULL },
		{ "Proxy-Authenticate: Digest realm=\"r\", nonce=\"n\"", "r", NULL },
		{ "Subject: x", "r", NULL },
	};

	(void)state;
	for (size_t i = 0; i < ROWS(cases); i++) {
		CLEANUP(msg_free) struct msg *m = challenge(401, cases[i].lines);
		char room[HEADER_MAX];
		struct buf b = buf_fixed(room, sizeof(room));
		struct str realm = STR("untouched");

		if (!m)
			return;
		int r = answer(m, cases[i].realm, &b, &realm);
		if (r != (cases[i].has ? 0 : -ENOENT) && !oom_hit())
			fail_msg("%s: %d", cases[i].lines, r);
		assert_str(realm, r == 0 ? "r" : "untouched");
		if (r == 0 && !strstr(buf_cstr(&b), cases[i].has))
			fail_msg("%s: %s", cases[i].lines, room);
		assert_int_equal(b.n > 0, r == 0);
	}
}

static void a_server_without_qop_is_answered_as_of_old(void **state)
{
	(void)state;
	CLEANUP(msg_free)
	struct msg *m = challenge(407, "Proxy-Authenticate: Digest realm=\"a\\\"b\", nonce=\"n\"");
	char room[HEADER_MAX];
	struct buf b = buf_fixed(room, sizeof(room));
	struct str realm;

	if (!m || oom_refused(answer(m, "", &b, &realm)))
		return;
	assert_str(realm, "a\\\"b");
	/* MD5(MD5(bob:a\"b:Circle of Life):n:MD5(INVITE:sip:8801712345678@192.0.2.1)) */
	assert_string_equal(buf_cstr(&b),
			    "Proxy-Authorization: Digest username=\"bob\", realm=\"a\\\"b\", "
			    "nonce=\"n\", uri=\"sip:8801712345678@192.0.2.1\", "
			    "response=\"b266421028e0350056e886059e6348d4\"\r\n");
}

/* Between the quotes of our answer it would take the closing one with it. */
static void backslash_in_bare_value(void **state)
{
	(void)state;
	CLEANUP(msg_free)
	struct msg *m = challenge(401, "WWW-Authenticate: Digest realm=ta\\, nonce=\"n\"");
	struct buf b = BUF_INIT;
	struct str realm;

	if (!m)
		return;
	assert_int_equal(answer(m, "", &b, &realm), -ENOENT);
	assert_int_equal(b.n, 0);
}

static void names_that_cannot_be_quoted_are_not_sent(void **state)
{
	static const char *const users[] = { "a\"b", "a\\b", "a\r\nX: y", "a\x7f" };

	(void)state;
	CLEANUP(msg_free)
	struct msg *m = challenge(401, "WWW-Authenticate: Digest realm=\"r\", nonce=\"n\"");
	struct buf b = BUF_INIT;
	struct str realm;

	if (!m)
		return;
	for (size_t i = 0; i < ROWS(users); i++)
		assert_int_equal(digest_answer(m, METHOD_BYE, STR("sip:a"), str_of(users[i]),
					       PASSWORD, STR("r"), &b, &realm),
				 -ENOENT);
	assert_int_equal(b.n, 0);
}

/* ---- memory ---- */

static void a_challenge_is_answered(void)
{
	CLEANUP(msg_free)
	struct msg *m =
		challenge(401, "WWW-Authenticate: Digest realm=\"a\", nonce=\"n\", qop=\"auth\"");
	struct buf b = BUF_INIT;
	struct str realm;

	if (m)
		(void)oom_refused(answer(m, "a", &b, &realm));
	buf_done(&b);
}

static void memory_may_run_out(void **state)
{
	(void)state;
	oom_each(a_challenge_is_answered);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(our_server_is_content_with_our_client),
		cmocka_unit_test(the_strongest_challenge_that_we_know_is_answered),
		cmocka_unit_test(a_server_without_qop_is_answered_as_of_old),
		cmocka_unit_test(backslash_in_bare_value),
		cmocka_unit_test(names_that_cannot_be_quoted_are_not_sent),
		cmocka_unit_test(memory_may_run_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
