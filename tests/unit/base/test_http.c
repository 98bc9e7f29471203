#include "base/http.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static void an_address_is_taken_apart(void **state)
{
	static const struct {
		const char *text, *host;
		uint16_t port;
		const char *path;
	} cases[] = {
		{ "http://a.example/x/t.conf", "a.example", 80, "/x/t.conf" },
		{ "http://a.example", "a.example", 80, "/" },
		{ "http://192.0.2.1:8000/?q=1", "192.0.2.1", 8000, "/?q=1" },
		{ "http://[2001:db8::1]/a", "2001:db8::1", 80, "/a" },
		{ "http://[2001:db8::1]:81/a", "2001:db8::1", 81, "/a" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct err err = ERR_INIT;
		struct http_url u;

		assert_int_equal(http_url_parse(str_of(cases[i].text), &u, &err), 0);
		assert_true(str_eq(u.host, str_of(cases[i].host)));
		assert_int_equal(u.port, cases[i].port);
		assert_true(str_eq(u.path, str_of(cases[i].path)));
	}
}

static void what_is_no_such_address_is_refused(void **state)
{
	static const char *const bad[] = {
		"",
		"https://a.example/",
		"ftp://a/",
		"http://",
		"http:///x",
		"http://a:0/",
		"http://a:65536/",
		"http://a:x/",
		"http://[::1/",
		"http://[]/",
		"http://[::1]x/",
		"http://user@a/",
		"http://a/ b",
		"http://a/\r\nX: y",
		"http://a/\xc3\xa9",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++) {
		struct err err = ERR_INIT;
		struct http_url u;

		assert_int_equal(http_url_parse(str_of(bad[i]), &u, &err), -EINVAL);
		assert_true(err_is_set(&err));
	}
}

static void the_request_is_one_that_any_server_answers_plainly(void **state)
{
	char space[256];
	struct buf b = buf_fixed(space, sizeof(space));
	struct err err = ERR_INIT;
	struct http_url u;

	(void)state;
	assert_int_equal(http_url_parse(STR("http://[2001:db8::1]:81/a"), &u, &err), 0);
	http_put_get(&u, &b);
	assert_true(str_eq(buf_str(&b), STR("GET /a HTTP/1.0\r\nHost: [2001:db8::1]:81\r\n"
					    "User-Agent: tandem\r\nAccept: */*\r\n\r\n")));
}

static void a_good_reply_gives_its_body(void **state)
{
	static const struct {
		const char *reply, *body;
	} cases[] = {
		{ "HTTP/1.0 200 OK\r\n\r\nabc", "abc" },
		{ "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc", "abc" },
		{ "HTTP/1.1 200\r\ncontent-length: 0\r\n\r\n", "" },
		{ "HTTP/1.0 200 OK\n\nabc\r\n\r\n", "abc\r\n\r\n" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct err err = ERR_INIT;
		struct str body;

		assert_int_equal(http_reply_parse(str_of(cases[i].reply), &body, &err), 0);
		assert_true(str_eq(body, str_of(cases[i].body)));
	}
}

static void any_other_reply_is_refused_with_a_reason(void **state)
{
	static const char *const bad[] = {
		"",
		"abc",
		"HTTP/1.0 200 OK",
		"HTTP/1.0 404 Not Found\r\n\r\nabc",
		"HTTP/1.0 301 Moved\r\nLocation: http://b/\r\n\r\n",
		"HTTP/2 200\r\n\r\n",
		"SSH-2.0-OpenSSH\r\n",
		"HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\nabc",
		"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nabc",
		"HTTP/1.0 200 OK\r\nContent-Length: -1\r\n\r\nabc",
		"HTTP/1.0 200 OK\r\nContent-Length: 3\r\nContent-Length: 3\r\n\r\nabc",
		"HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
		"HTTP/1.0 200 OK\r\nContent-Encoding: gzip\r\n\r\nx",
		"HTTP/1.0 200 OK\r\nnonsense\r\n\r\nabc",
		"HTTP/1.0 200 OK\r\nX: y\r\n",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++) {
		struct err err = ERR_INIT;
		struct str body;

		assert_int_equal(http_reply_parse(str_of(bad[i]), &body, &err), -EINVAL);
		assert_true(err.message[0]);
	}
}

static void a_post_says_what_follows_and_2xx_accepts_it(void **state)
{
	static const struct {
		const char *reply;
		int accepted;
	} cases[] = {
		{ "HTTP/1.0 200 OK\r\n\r\n", 0 },
		{ "HTTP/1.1 202 Yes\r\nX: y\r\n\r\nz", 0 },
		{ "HTTP/1.1 204\r\n", 0 },
		{ "HTTP/1.1 500 No\r\n\r\n", -EINVAL },
		{ "HTTP/1.1 302 2\r\n", -EINVAL },
		{ "SSH-2.0-OpenSSH\r\n", -EINVAL },
		{ "", -EINVAL },
		{ "HTTP/1.1", -EINVAL },
	};
	CLEANUP(buf_done) struct buf head = BUF_INIT;
	struct http_url u;

	(void)state;
	assert_int_equal(http_url_parse(STR("http://[2001:db8::1]:81/a?b"), &u, NULL), 0);
	http_put_post(&u, "text/plain", 7, &head);
	assert_string_equal(buf_cstr(&head),
			    "POST /a?b HTTP/1.0\r\nHost: [2001:db8::1]:81\r\nUser-Agent: tandem\r\n"
			    "Accept: */*\r\nContent-Type: text/plain\r\nContent-Length: 7\r\n\r\n");
	for (size_t i = 0; i < COUNT(cases); i++)
		assert_int_equal(http_reply_accepted(str_of(cases[i].reply), NULL),
				 cases[i].accepted);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_address_is_taken_apart),
		cmocka_unit_test(what_is_no_such_address_is_refused),
		cmocka_unit_test(the_request_is_one_that_any_server_answers_plainly),
		cmocka_unit_test(a_good_reply_gives_its_body),
		cmocka_unit_test(any_other_reply_is_refused_with_a_reason),
		cmocka_unit_test(a_post_says_what_follows_and_2xx_accepts_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
