#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "oom.h"
#include "parsed.h"
#include "sip/digest.h"
#include "sip/digest_field.h"
#include "sip/digest_nonce.h"
#include "unit.h"

#define REALM    STR("tandem")
#define PASSWORD STR("Circle of Life")

enum { NOW = 1000000, HEADER_MAX = 600 };

static const unsigned char secret[32] = "a secret of thirty-two octets..";

static struct addr at(const char *text)
{
	struct addr a;

	assert_int_equal(addr_parse(str_of(text), 5060, &a), 0);
	return a;
}

/* ---- the computation ---- */

static void responses_are_those_of_the_rfcs(void **state)
{
	static const struct {
		enum digest_algorithm algorithm;
		const char *realm, *password, *nonce, *cnonce, *qop, *response;
	} cases[] = {
		{ DIGEST_MD5, "http-auth@example.org", "Circle of Life",
		  "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v",
		  "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ", "auth",
		  "8ca523f5e9506fed4657c9700eebdbec" },
		{ DIGEST_SHA256, "http-auth@example.org", "Circle of Life",
		  "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v",
		  "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ", "auth",
		  "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1" },
		{ DIGEST_MD5, "testrealm@host.com", "Circle Of Life",
		  "dcd98b7102dd2f0e8b11d0f600bfb0c093", "", "",
		  "670fd8c2df070c60b045671b8b24ff02" },
	};

	(void)state;
	for (size_t i = 0; i < ROWS(cases); i++) {
		struct digest_proof proof = {
			.user = STR("Mufasa"),
			.realm = str_of(cases[i].realm),
			.password = str_of(cases[i].password),
			.method = STR("GET"),
			.uri = STR("/dir/index.html"),
			.nonce = str_of(cases[i].nonce),
			.nc = STR("00000001"),
			.cnonce = str_of(cases[i].cnonce),
			.qop = str_of(cases[i].qop),
		};
		char hex[DIGEST_HEX];

		assert_int_equal(digest_compute(cases[i].algorithm, &proof, hex), 0);
		assert_string_equal(hex, cases[i].response);
	}
}

/* ---- server side ---- */

/* What a phone puts into its header; a field that is NULL is left out. */
struct credentials {
	const char *header, *scheme, *user, *realm, *uri, *algorithm, *nc, *cnonce, *qop, *password;
	const char *response; /* NULL: the right one */
	const char *more;
};

static const struct credentials usual = {
	.header = "Authorization",
	.scheme = "Digest",
	.user = "bob",
	.realm = "tandem",
	.uri = "sip:8801712345678@192.0.2.1",
	.algorithm = "SHA-256",
	.nc = "00000001",
	.cnonce = "abc",
	.qop = "auth",
	.password = "Circle of Life",
	.more = "",
};

static void put_field(struct buf *b, const char *name, const char *value)
{
	if (value)
		buf_printf(b, ", %s=\"%s\"", name, value);
}

static void right_response(const struct credentials *c, const char *nonce, char hex[DIGEST_HEX])
{
	struct digest_proof proof = {
		.user = str_of(c->user),
		.realm = str_of(c->realm),
		.password = str_of(c->password),
		.method = STR("INVITE"),
		.uri = str_of(c->uri),
		.nonce = str_of(nonce),
		.nc = str_of(c->nc),
		.cnonce = str_of(c->cnonce),
		.qop = str_of(c->qop),
	};
	bool is_sha = c->algorithm && strcmp(c->algorithm, "SHA-256") == 0;

	assert_int_equal(digest_compute(is_sha ? DIGEST_SHA256 : DIGEST_MD5, &proof, hex), 0);
}

static struct msg *request(const struct credentials *c, const char *nonce)
{
	char room[HEADER_MAX], hex[DIGEST_HEX];
	struct buf b = buf_fixed(room, sizeof(room));

	right_response(c, nonce, hex);
	buf_printf(&b, "%s: %s realm=\"%s\"", c->header, c->scheme, c->realm);
	put_field(&b, "username", c->user);
	put_field(&b, "nonce", nonce);
	put_field(&b, "uri", c->uri);
	put_field(&b, "response", c->response ? c->response : hex);
	put_field(&b, "algorithm", c->algorithm);
	put_field(&b, "nc", c->nc);
	put_field(&b, "cnonce", c->cnonce);
	put_field(&b, "qop", c->qop);
	buf_putz(&b, c->more);
	assert_non_null(buf_cstr(&b));
	return invite_with(room);
}

static int create(struct digest **d)
{
	return digest_create(d, secret, 1);
}

/* The nonce of a fresh challenge. */
static void nonce_of(struct digest *d, const struct addr *to, int64_t now_ms, char ret[NONCE_TEXT])
{
	char room[HEADER_MAX];
	struct buf b = buf_fixed(room, sizeof(room));

	digest_put_challenge(d, 401,
			     &(struct digest_ask){ .realm = REALM, .source = to, .now_ms = now_ms },
			     false, &b);
	ptrdiff_t start = str_find(buf_str(&b), STR("nonce=\""));
	assert_true(start > 0);
	struct str rest = str_skip(buf_str(&b), (size_t)start + 7);
	assert_int_equal(str_chr(rest, '"'), NONCE_TEXT - 1);
	assert_int_equal(str_copy(ret, NONCE_TEXT, str_head(rest, NONCE_TEXT - 1)), 0);
}

static void expect(struct digest *d, const struct credentials *c, const char *nonce, int64_t now_ms,
		   enum digest_verdict expected)
{
	CLEANUP(msg_free) struct msg *m = request(c, nonce);

	if (!m)
		return;
	enum digest_verdict v = digest_verify(d, m,
					      &(struct digest_ask){ .realm = REALM,
								    .password = PASSWORD,
								    .source = &source.peer,
								    .now_ms = now_ms },
					      NULL);
	if (v != expected && !oom_hit())
		fail_msg("verdict %d, not %d: nc %s, algorithm %s, more %s", v, expected, c->nc,
			 c->algorithm, c->more);
}

static void a_challenge_offers_both_algorithms(void **state)
{
	static const char both[] = "Proxy-Authenticate: Digest realm=\"a\\\"b\", nonce=\"%s\", "
				   "algorithm=SHA-256, qop=\"auth\", stale=true\r\n"
				   "Proxy-Authenticate: Digest realm=\"a\\\"b\", nonce=\"%s\", "
				   "algorithm=MD5, qop=\"auth\", stale=true\r\n";
	char room[HEADER_MAX], expected[HEADER_MAX], nonce[NONCE_TEXT];
	struct buf b = buf_fixed(room, sizeof(room));
	CLEANUP(digest_free) struct digest *d = NULL;

	(void)state;
	if (oom_refused(create(&d)))
		return;
	digest_put_challenge(
		d, 407,
		&(struct digest_ask){ .realm = STR("a\"b"), .source = &source.peer, .now_ms = NOW },
		true, &b);
	assert_non_null(buf_cstr(&b));
	ptrdiff_t start = str_find(buf_str(&b), STR("nonce=\""));
	assert_int_equal(
		str_copy(nonce, NONCE_TEXT,
			 str_head(str_skip(buf_str(&b), (size_t)start + 7), NONCE_TEXT - 1)),
		0);
	(void)snprintf(expected, sizeof(expected), both, nonce, nonce);
	assert_string_equal(room, expected);
}

static void the_right_password_opens(void **state)
{
	CLEANUP(digest_free) struct digest *d = NULL;
	struct credentials md5 = usual, none = usual, proxy = usual;
	char nonce[NONCE_TEXT];

	(void)state;
	if (oom_refused(create(&d)))
		return;
	md5.algorithm = "MD5";
	none.algorithm = NULL;
	proxy.header = "Proxy-Authorization";
	const struct credentials *all[] = { &usual, &md5, &none, &proxy };
	for (size_t i = 0; i < ROWS(all); i++) {
		nonce_of(d, &source.peer, NOW, nonce);
		expect(d, all[i], nonce, NOW, DIGEST_OK);
	}
}

static void what_is_not_right_is_wrong(void **state)
{
	CLEANUP(digest_free) struct digest *d = NULL;
	struct credentials c[14];
	char nonce[NONCE_TEXT];

	(void)state;
	if (oom_refused(create(&d)))
		return;
	for (size_t i = 0; i < ROWS(c); i++)
		c[i] = usual;
	c[0].password = "circle of life";
	c[1].user = "bobby";
	c[1].password = "";
	c[2].response = "";
	c[3].response = "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1";
	c[4].qop = NULL; /* of RFC 2069 */
	c[5].qop = "auth-int";
	c[6].cnonce = "";
	c[7].nc = "00000000";
	c[8].nc = "1";
	c[9].nc = "0000000g";
	c[10].uri = "sip:8801712345679@192.0.2.1";
	c[11].uri = "sip:8801712345678@192.0.2.9";
	c[12].algorithm = "MD5-sess";
	c[13].uri = "";
	nonce_of(d, &source.peer, NOW, nonce);
	for (size_t i = 0; i < ROWS(c); i++)
		expect(d, &c[i], nonce, NOW, DIGEST_WRONG);
	/* None of them has used the nonce up. */
	expect(d, &usual, nonce, NOW, DIGEST_OK);
}

static void the_uri_may_be_written_in_another_way(void **state)
{
	CLEANUP(digest_free) struct digest *d = NULL;
	struct credentials c = usual;
	char nonce[NONCE_TEXT];

	(void)state;
	if (oom_refused(create(&d)))
		return;
	nonce_of(d, &source.peer, NOW, nonce);
	c.uri = "sip:%38801712345678@192.0.2.1:5060;transport=udp";
	expect(d, &c, nonce, NOW, DIGEST_OK);
}

static void another_realm_or_scheme_is_none(void **state)
{
	CLEANUP(digest_free) struct digest *d = NULL;
	struct credentials realm = usual, scheme = usual, twice = usual;

	(void)state;
	if (oom_refused(create(&d)))
		return;
	realm.realm = "other";
	scheme.scheme = "Basic";
	twice.more = ", username=\"alice\"";
	expect(d, &realm, "x", NOW, DIGEST_NONE);
	expect(d, &scheme, "x", NOW, DIGEST_NONE);
	expect(d, &twice, "x", NOW, DIGEST_NONE);
}

static void credentials_for_our_realm_are_found_among_others(void **state)
{
	CLEANUP(digest_free) struct digest *d = NULL;
	struct credentials c = usual;
	char nonce[NONCE_TEXT];
	struct str user;

	(void)state;
	if (oom_refused(create(&d)))
		return;
	nonce_of(d, &source.peer, NOW, nonce);
	c.header = "Authorization: Digest realm=\"other\", username=\"x\"\nProxy-Authorization: x\n"
		   "Authorization";
	CLEANUP(msg_free) struct msg *m = request(&c, nonce);
	if (!m)
		return;
	assert_true(digest_user(m, REALM, &user));
	assert_str(user, "bob");
	assert_true(digest_user(m, STR("other"), &user));
	assert_str(user, "x");
	assert_false(digest_user(m, STR("third"), &user));
	expect(d, &c, nonce, NOW, DIGEST_OK);
}

static void nobody_is_let_in_without_a_password(void **state)
{
	CLEANUP(digest_free) struct digest *d = NULL;
	struct credentials c = usual;
	char nonce[NONCE_TEXT];

	(void)state;
	if (oom_refused(create(&d)))
		return;
	nonce_of(d, &source.peer, NOW, nonce);
	c.password = "a dummy, as long as others";
	CLEANUP(msg_free) struct msg *m = request(&c, nonce);
	if (m)
		assert_int_equal(digest_verify(d, m,
					       &(struct digest_ask){ .realm = REALM,
								     .source = &source.peer,
								     .now_ms = NOW },
					       NULL),
				 DIGEST_WRONG);
}

static void a_nonce_is_used_with_growing_counts_only(void **state)
{
	static const struct {
		const char *nc;
		enum digest_verdict verdict;
	} steps[] = {
		{ "00000002", DIGEST_OK },    { "00000002", DIGEST_STALE },
		{ "00000001", DIGEST_STALE }, { "00000003", DIGEST_OK },
		{ "0000000A", DIGEST_OK },    { "0000000a", DIGEST_STALE },
		{ "ffffffff", DIGEST_OK },    { "ffffffff", DIGEST_STALE },
	};
	CLEANUP(digest_free) struct digest *d = NULL;
	struct credentials c = usual;
	char nonce[NONCE_TEXT];

	(void)state;
	if (oom_refused(create(&d)))
		return;
	nonce_of(d, &source.peer, NOW, nonce);
	for (size_t i = 0; i < ROWS(steps) && !oom_hit(); i++) {
		c.nc = steps[i].nc;
		expect(d, &c, nonce, NOW, steps[i].verdict);
	}
}

static void a_nonce_has_an_end_and_an_owner(void **state)
{
	static const unsigned char other_secret[32] = "of another run";
	CLEANUP(digest_free) struct digest *d = NULL;
	CLEANUP(digest_free) struct digest *other_worker = NULL;
	CLEANUP(digest_free) struct digest *other_run = NULL;
	struct addr other_host = at("192.0.2.10"), other_port = at("192.0.2.9:9");
	char nonce[NONCE_TEXT];

	(void)state;
	if (oom_refused(create(&d)) || oom_refused(digest_create(&other_worker, secret, 2)) ||
	    oom_refused(digest_create(&other_run, other_secret, 1)))
		return;
	nonce_of(d, &source.peer, NOW, nonce);
	expect(d, &usual, nonce, NOW - 1, DIGEST_STALE);
	expect(d, &usual, nonce, NOW + NONCE_LIFE_MS, DIGEST_STALE);
	expect(other_worker, &usual, nonce, NOW, DIGEST_STALE);
	expect(other_run, &usual, nonce, NOW, DIGEST_STALE);
	expect(d, &usual, nonce, NOW + NONCE_LIFE_MS - 1, DIGEST_OK);
	nonce_of(d, &other_host, NOW, nonce);
	expect(d, &usual, nonce, NOW, DIGEST_STALE);
	nonce_of(d, &other_port, NOW, nonce);
	expect(d, &usual, nonce, NOW, DIGEST_OK);
}

/* ---- memory ---- */

static void a_caller_is_challenged_and_let_in(void)
{
	CLEANUP(digest_free) struct digest *d = NULL;
	char nonce[NONCE_TEXT];

	if (oom_refused(create(&d)))
		return;
	nonce_of(d, &source.peer, NOW, nonce);
	expect(d, &usual, nonce, NOW, DIGEST_OK);
}

static void memory_may_run_out(void **state)
{
	(void)state;
	oom_each(a_caller_is_challenged_and_let_in);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(responses_are_those_of_the_rfcs),
		cmocka_unit_test(a_challenge_offers_both_algorithms),
		cmocka_unit_test(the_right_password_opens),
		cmocka_unit_test(what_is_not_right_is_wrong),
		cmocka_unit_test(the_uri_may_be_written_in_another_way),
		cmocka_unit_test(another_realm_or_scheme_is_none),
		cmocka_unit_test(credentials_for_our_realm_are_found_among_others),
		cmocka_unit_test(nobody_is_let_in_without_a_password),
		cmocka_unit_test(a_nonce_is_used_with_growing_counts_only),
		cmocka_unit_test(a_nonce_has_an_end_and_an_owner),
		cmocka_unit_test(memory_may_run_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
