#include "courier/smtp.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/cleanup.h"

static void a_relay_is_a_host_and_may_have_a_port(void **state)
{
	static const struct {
		const char *text, *host;
		int port; /* -1: none */
	} cases[] = {
		{ "mail.example.com", "mail.example.com", 25 },
		{ "192.0.2.1:2525", "192.0.2.1", 2525 },
		{ "[2001:db8::1]", "2001:db8::1", 25 },
		{ "[2001:db8::1]:26", "2001:db8::1", 26 },
		{ "", "", -1 },
		{ ":25", "", -1 },
		{ "a:0", "", -1 },
		{ "a:65536", "", -1 },
		{ "a:b", "", -1 },
		{ "a b", "", -1 },
		{ "[::1", "", -1 },
		{ "[::1]x", "", -1 },
		{ "http://a", "", -1 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct err err = ERR_INIT;
		struct str host = STR("");
		uint16_t port = 0;
		int r = smtp_relay_parse(str_of(cases[i].text), &host, &port, &err);

		assert_int_equal(r, cases[i].port < 0 ? -EINVAL : 0);
		if (r < 0)
			continue;
		assert_true(str_eq(host, str_of(cases[i].host)));
		assert_int_equal(port, cases[i].port);
	}
}

static void nothing_of_an_address_is_a_command(void **state)
{
	static const char *const good[] = { "noc@example.com", "a.b+c@h", "x_1@[192" };
	static const char *const bad[] = { "",      "a",       "@h",          "a@",
					   "a@b@c", "a b@c",   "a@b\r\nDATA", "<a@b>",
					   "a@b>",  "\"a\"@b", "a@b,c@d",     "\xc3\xa4@b" };
	struct err err = ERR_INIT;

	(void)state;
	for (size_t i = 0; i < 2; i++)
		assert_int_equal(smtp_address_check(str_of(good[i]), &err), 0);
	assert_int_equal(smtp_address_check(str_of(good[2]), &err), -EINVAL);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(smtp_address_check(str_of(bad[i]), &err), -EINVAL);
}

static void a_reply_has_one_line_or_several(void **state)
{
	static const struct {
		const char *text;
		int code;
	} cases[] = {
		{ "220 mail ready\r\n", 220 },
		{ "250\r\n", 250 },
		{ "250-mail\r\n250-SIZE 1000\r\n250 8BITMIME\r\n", 250 },
		{ "250-mail\r\n250-SIZE", 0 },
		{ "250-mail\r\n", 0 },
		{ "", 0 },
		{ "22", 0 },
		{ "220 mail", 0 },
		{ "550 no\n", 550 },
		{ "250-a\r\n550 b\r\n", -EINVAL },
		{ "25\r\n", -EINVAL },
		{ "HTTP/1.1 400 Bad\r\n", -EINVAL },
		{ "999 x\r\n", -EINVAL },
		{ "250x\r\n", -EINVAL },
		{ "\r\n", -EINVAL },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_int_equal(smtp_reply(str_of(cases[i].text)), cases[i].code);
}

static void a_text_cannot_end_the_mail_nor_begin_a_line_of_the_head(void **state)
{
	const struct smtp_mail m = { .from = STR_INIT("a@b"),
				     .to = STR_INIT("c@d"),
				     .subject = STR_INIT("x\r\nBcc: e@f"),
				     .text = STR_INIT(".\r\nQUIT\r\n..two\nbell\a") };
	CLEANUP(buf_done) struct buf out = BUF_INIT;

	(void)state;
	smtp_put_mail(&m, 1700000000000, &out);
	if (buf_error(&out))
		return;
	assert_true(str_has_prefix(buf_str(&out), STR("Date: Tue, 14 Nov 2023 22:13:20 +0000\r\n"
						      "From: <a@b>\r\nTo: <c@d>\r\n"
						      "Subject: x??Bcc: e@f\r\n")));
	assert_true(str_has_suffix(buf_str(&out),
				   STR("8bit\r\n\r\n..\r\nQUIT\r\n...two\r\nbell \r\n")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_relay_is_a_host_and_may_have_a_port),
		cmocka_unit_test(nothing_of_an_address_is_a_command),
		cmocka_unit_test(a_reply_has_one_line_or_several),
		cmocka_unit_test(a_text_cannot_end_the_mail_nor_begin_a_line_of_the_head),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
