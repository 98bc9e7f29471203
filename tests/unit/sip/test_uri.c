#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "oom.h"
#include "sip/lex.h"
#include "sip/uri.h"
#include "unit.h"

#define X10 "xxxxxxxxxx"
#define D10 "0123456789"

static const struct {
	const char *text;
	enum uri_scheme scheme;
	const char *user, *host;
	uint16_t port;
	const char *params, *headers;
} good[] = {
	{ "sip:a", URI_SIP, "", "a", 0, "", "" },
	{ "SIP:a@b", URI_SIP, "a", "b", 0, "", "" },
	{ "sips:a@b:5061", URI_SIPS, "a", "b", 5061, "", "" },
	{ "sip:a:secret@b", URI_SIP, "a", "b", 0, "", "" },
	{ "sip:a:@b", URI_SIP, "a", "b", 0, "", "" },
	{ "sip:a@b:65535;lr;x=y?h=v&i=w", URI_SIP, "a", "b", 65535, "lr;x=y", "h=v&i=w" },
	{ "sip:b?h=v", URI_SIP, "", "b", 0, "", "h=v" },
	{ "sip:a;p=1@b;q=2", URI_SIP, "a;p=1", "b", 0, "q=2", "" },
	{ "sip:a?b;c/d@e", URI_SIP, "a?b;c/d", "e", 0, "", "" },
	{ "sip:%2B1%20x@b", URI_SIP, "%2B1%20x", "b", 0, "", "" },
	{ "sip:a@[2001:db8::1]:5060", URI_SIP, "a", "2001:db8::1", 5060, "", "" },
	{ "sip:[::ffff:192.0.2.1]", URI_SIP, "", "::ffff:192.0.2.1", 0, "", "" },
	{ "sip:[2001:db8:::192.0.2.1]", URI_SIP, "", "2001:db8:::192.0.2.1", 0, "", "" },
	{ "sip:a_b-c.example.com.", URI_SIP, "", "a_b-c.example.com.", 0, "", "" },
	{ "tel:+1-201-555-0123;phone-context=x", URI_TEL, "+1-201-555-0123", "", 0,
	  "phone-context=x", "" },
	{ "urn:service:sos", URI_OTHER, "", "", 0, "", "" },
	{ "http://a/b?c#d", URI_OTHER, "", "", 0, "", "" },
};

static void a_uri_is_read_into_its_parts(void **state)
{
	(void)state;
	for (size_t i = 0; i < ROWS(good); i++) {
		struct uri u;

		if (uri_parse(str_of(good[i].text), &u) < 0)
			fail_msg("refused: %s", good[i].text);
		assert_int_equal(u.scheme, good[i].scheme);
		assert_str(u.user, good[i].user);
		assert_str(u.host, good[i].host);
		assert_int_equal(u.port, good[i].port);
		assert_str(u.params, good[i].params);
		assert_str(u.headers, good[i].headers);
	}
}

static const char *const bad[] = {
	"",
	"sip",
	":a",
	"sip:",
	"1sip:a",
	"s p:a",
	"sip:@b",
	"sip::x@b",
	"sip:a@",
	"sip:a@b@c",
	"sip:a@b?c@d",
	"sip:a b@c",
	"sip:a@b c",
	"sip:a@b;x y",
	"sip:a\tb@c",
	"sip:a\x01@c",
	"sip:a\x7f@c",
	"sip:\xc3\xa4@c",
	"sip:a<@b",
	"sip:a>@b",
	"sip:a\"@b",
	"sip:a\\@b",
	"sip:%00@b",
	"sip:a%00",
	"sip:%1f@b",
	"sip:%7F@b",
	"sip:%0d%0a@b",
	"sip:%@b",
	"sip:%4@b",
	"sip:%4g@b",
	"sip:%%@b",
	"sip:a@b:",
	"sip:a@b:0",
	"sip:a@b:65536",
	"sip:a@b:-1",
	"sip:a@b:5060x",
	"sip:a@b:+1",
	"sip:a@b::1",
	"sip:2001:db8::1",
	"sip:[2001:db8::1",
	"sip:2001:db8::1]",
	"sip:[]",
	"sip:[1.2.3.4]",
	"sip:[::1]x",
	"sip:[::1]:",
	"sip:[:::1]",
	"sip:[2001:db8::::192.0.2.1]",
	"sip:[1:2:3:4:5:6:7:8:9]",
	"sip:a@b,c",
	"sip:a@%62",
	"tel:",
	"tel:;x=y",
	"tel:%00",
	"<sip:a@b>",
	" sip:a@b",
	"sip:a@b ",
};

/* Our requests to such a Contact could be read by nobody. */
static void host_in_tel(void **state)
{
	struct uri u;

	(void)state;
	assert_int_equal(uri_parse(STR("tel:1001@192.0.2.2:5060;transport=udp"), &u), -EINVAL);
	assert_int_equal(uri_parse(STR("tel:1001:x"), &u), -EINVAL);
	assert_int_equal(uri_parse(STR("tel:1001;isub=a@b"), &u), 0);
}

static void what_is_no_uri_is_refused(void **state)
{
	struct uri untouched = { .port = 77 };

	(void)state;
	for (size_t i = 0; i < ROWS(bad); i++) {
		if (uri_parse(str_of(bad[i]), &untouched) != -EINVAL)
			fail_msg("taken: %s", bad[i]);
		assert_int_equal(untouched.port, 77);
	}
	assert_int_equal(uri_parse(str_n("sip:a\0b@c", 9), &untouched), -EINVAL);
}

static void parameters_are_found_by_name(void **state)
{
	struct uri u;
	struct str value = STR("untouched");

	(void)state;
	assert_int_equal(uri_parse(STR("sip:h;lr;Transport=TCP;x=;transport=udp"), &u), 0);
	assert_true(uri_param(&u, "transport", &value));
	assert_str(value, "TCP");
	assert_true(uri_param(&u, "LR", &value));
	assert_str(value, "");
	assert_true(uri_param(&u, "x", &value));
	value = STR("untouched");
	assert_false(uri_param(&u, "trans", &value));
	assert_str(value, "untouched");
}

static const struct {
	const char *uri, *number; /* NULL: none */
} numbers[] = {
	{ "sip:8801712345678@h", "8801712345678" },
	{ "sip:+8801712345678@h", "8801712345678" },
	{ "sip:%2B880%31@h", "8801" },
	{ "sip:+1-201.555(0123)@h", "12015550123" },
	{ "sip:123;phone-context=+44@h", "123" },
	{ "tel:+1-201-555-0123;phone-context=x", "12015550123" },
	{ "sip:00%23123*4@h", "00#123*4" },
	{ "sip:alice@h", "alice" },
	{ "sip:Alice.B-c_1@h", "Alice.B-c_1" },
	{ "sip:" D10 D10 D10 D10 "@h", D10 D10 D10 D10 },
	{ "sip:" D10 D10 D10 D10 "0@h", NULL },
	{ "sip:-" D10 D10 D10 D10 "@h", D10 D10 D10 D10 },
	{ "sip:" X10 X10 X10 X10 "@h", X10 X10 X10 X10 },
	{ "sip:" X10 X10 X10 X10 "x@h", NULL },
	{ "sip:h", NULL },
	{ "sip:+@h", NULL },
	{ "sip:-.()@h", NULL },
	{ "sip:;phone-context=x@h", NULL },
	{ "sip:1+2@h", NULL },
	{ "sip:++12@h", NULL },
	{ "sip:+alice@h", NULL },
	{ "sip:alice%20b@h", NULL },
	{ "sip:1%3Bphone-context=x@h", NULL },
	{ "sip:%C3%A4@h", NULL },
	{ "sip:1$@h", NULL },
	{ "urn:123", NULL },
};

static void a_number_is_what_was_dialled(void **state)
{
	(void)state;
	for (size_t i = 0; i < ROWS(numbers); i++) {
		char room[64];
		struct buf out = buf_fixed(room, sizeof(room));
		struct uri u;

		assert_int_equal(uri_parse(str_of(numbers[i].uri), &u), 0);
		int r = uri_number(&u, &out);
		if (r != (numbers[i].number ? 0 : -EINVAL))
			fail_msg("%s: %d", numbers[i].uri, r);
		assert_str(buf_str(&out), numbers[i].number ? numbers[i].number : "");
	}
}

static void the_same_place_is_user_and_host(void **state)
{
	static const struct {
		const char *a, *b;
		bool is_same;
	} pairs[] = {
		{ "sip:a@h", "sips:a@H:5061;x=y", true },
		{ "sip:%61%2b@h", "sip:a+@h", true },
		{ "sip:h", "sip:h", true },
		{ "sip:a@h", "sip:A@h", false },
		{ "sip:a@h", "sip:ab@h", false },
		{ "sip:ab@h", "sip:a@h", false },
		{ "sip:a@h", "sip:h", false },
		{ "sip:a@h", "sip:a@i", false },
	};

	(void)state;
	for (size_t i = 0; i < ROWS(pairs); i++) {
		struct uri a, b;

		assert_int_equal(uri_parse(str_of(pairs[i].a), &a), 0);
		assert_int_equal(uri_parse(str_of(pairs[i].b), &b), 0);
		assert_int_equal(uri_same_place(&a, &b), pairs[i].is_same);
	}
}

/* ---- name-addr ---- */

static const struct {
	const char *text, *display, *uri, *params;
} addrs[] = {
	{ "<sip:a@b>", "", "sip:a@b", "" },
	{ " Bob  B. <sip:a@b> ;tag=1", "Bob  B.", "sip:a@b", ";tag=1" },
	{ "\"a <x> \\\" ; ,\"<sip:a@b;c?d>;t", "a <x> \\\" ; ,", "sip:a@b;c?d", ";t" },
	{ "sip:a@b;tag=1", "", "sip:a@b", ";tag=1" },
	{ "sip:a@b ; tag=\"<\"", "", "sip:a@b", "; tag=\"<\"" },
	{ "\"\" <sip:a@b>", "", "sip:a@b", "" },
	{ "\xc3\xa4 <sip:a>", "\xc3\xa4", "sip:a", "" },
};

static void a_name_addr_is_read_into_its_parts(void **state)
{
	(void)state;
	for (size_t i = 0; i < ROWS(addrs); i++) {
		struct name_addr a;

		assert_int_equal(lex_name_addr(str_of(addrs[i].text), &a), 0);
		assert_str(a.display, addrs[i].display);
		assert_str(a.uri, addrs[i].uri);
		assert_str(a.params, addrs[i].params);
	}
}

static void what_is_no_name_addr_is_refused(void **state)
{
	static const char *const texts[] = {
		"",
		"<>",
		"<sip:a",
		"\"a",
		"\"a\\\" <sip:a>",
		"\"a\"",
		"\"a\" sip:a",
		"a\"b <sip:a>",
		"a:b <sip:a>",
		"a, b <sip:a>",
		"<sip:a> x",
		"<sip:a>,b",
		"sip:a?b",
		"sip:a,sip:b",
		";tag=1",
		"a\\b <sip:a>",
		"a;b <sip:a>?",
	};
	struct name_addr a;

	(void)state;
	for (size_t i = 0; i < ROWS(texts); i++) {
		if (lex_name_addr(str_of(texts[i]), &a) == 0 && strcmp(texts[i], "a;b <sip:a>?"))
			fail_msg("taken: %s", texts[i]);
	}
}

static void separators_inside_quotes_and_brackets_do_not_split(void **state)
{
	static const char *const pieces[] = { "a", "\"b,\\\",\"", "<c,\">", "", "d\"e,f" };
	struct str rest = STR("a, \"b,\\\",\" ,<c,\">,,d\"e,f"), piece;
	size_t n = 0;

	(void)state;
	while (lex_split(&rest, ',', &piece)) {
		assert_true(n < ROWS(pieces));
		assert_str(piece, pieces[n++]);
	}
	assert_int_equal(n, ROWS(pieces));
}

static void a_quoted_string_ends_where_it_began(void **state)
{
	struct str inside = STR("untouched");

	(void)state;
	assert_true(lex_quoted(STR("\"\""), &inside));
	assert_str(inside, "");
	assert_true(lex_quoted(STR("\"a\\\"\\\\\""), &inside));
	assert_str(inside, "a\\\"\\\\");
	assert_false(lex_quoted(STR("\""), &inside));
	assert_false(lex_quoted(STR("\"\\\""), &inside));
	assert_false(lex_quoted(STR("\"a\"b\""), &inside));
	assert_false(lex_quoted(STR("a"), &inside));
	assert_false(lex_quoted(STR(""), &inside));
}

static void a_token_has_token_characters_only(void **state)
{
	(void)state;
	assert_true(lex_is_token(STR("aZ09-.!%*_+`'~")));
	assert_false(lex_is_token(STR("")));
	for (int c = 0; c < 256; c++) {
		char one = (char)c;
		bool expected = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') ||
				(c >= 'a' && c <= 'z') || (c && strchr("-.!%*_+`'~", c));

		assert_int_equal(lex_is_token(str_n(&one, 1)), expected);
	}
}

static void a_short_buffer_is_told_of(void **state)
{
	char room[4];
	struct buf out = buf_fixed(room, sizeof(room));
	struct uri u;

	(void)state;
	assert_int_equal(uri_parse(STR("sip:12345@h"), &u), 0);
	assert_int_equal(uri_number(&u, &out), 0);
	assert_int_equal(buf_error(&out), -ENOSPC);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_uri_is_read_into_its_parts),
		cmocka_unit_test(host_in_tel),
		cmocka_unit_test(what_is_no_uri_is_refused),
		cmocka_unit_test(parameters_are_found_by_name),
		cmocka_unit_test(a_number_is_what_was_dialled),
		cmocka_unit_test(the_same_place_is_user_and_host),
		cmocka_unit_test(a_name_addr_is_read_into_its_parts),
		cmocka_unit_test(what_is_no_name_addr_is_refused),
		cmocka_unit_test(separators_inside_quotes_and_brackets_do_not_split),
		cmocka_unit_test(a_quoted_string_ends_where_it_began),
		cmocka_unit_test(a_token_has_token_characters_only),
		cmocka_unit_test(a_short_buffer_is_told_of),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
