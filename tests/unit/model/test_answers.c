#include "model/answers.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "model/answers_file.h"
#include "oom.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define KEY      "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f"

static void every_default_is_accepted(void **state)
{
	struct answers *a = answers_create();

	(void)state;
	assert_non_null(a);
	for (int i = 0; i < ANSWER_COUNT; i++) {
		struct err err = ERR_INIT;
		enum answer id = (enum answer)i;

		assert_int_equal(answer_find(str_of(answer_infos[i].name)), i);
		assert_false(answers_is_set(a, id));
		assert_int_equal(answers_set(a, id, answers_str(a, id), 0, &err), 0);
		assert_true(str_eq(answers_str(a, id), str_of(answer_infos[i].default_text)));
	}
	answers_free(a);
}

static void a_value_is_kept_in_one_form(void **state)
{
	static const struct {
		enum answer id;
		const char *given, *kept;
	} cases[] = {
		{ ANSWER_IPV4, "DHCP", "dhcp" },
		{ ANSWER_IPV4, "192.0.2.10/24", "192.0.2.10/24" },
		{ ANSWER_IPV4, "192.0.2.10 / 24", "192.0.2.10/24" },
		{ ANSWER_IPV6, "2001:DB8:0::10/64", "2001:db8::10/64" },
		{ ANSWER_NTP, "a.example, 192.0.2.1", "a.example,192.0.2.1" },
		{ ANSWER_MEDIA_PORTS, "20000 - 30000", "20000-30000" },
		{ ANSWER_SIP_PORT, "05060", "5060" },
		{ ANSWER_GOLIVE, "true", "yes" },
		{ ANSWER_PROFILE, "PBX", "pbx" },
		{ ANSWER_SSH_KEY, KEY " ops", KEY " ops" },
	};
	struct answers *a = answers_create();

	(void)state;
	assert_non_null(a);
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct err err = ERR_INIT;

		assert_int_equal(answers_set(a, cases[i].id, str_of(cases[i].given), 0, &err), 0);
		assert_true(str_eq(answers_str(a, cases[i].id), str_of(cases[i].kept)));
	}
	answers_free(a);
}

static void what_a_type_does_not_accept_is_refused_with_what_it_does(void **state)
{
	static const struct {
		enum answer id;
		const char *given;
	} cases[] = {
		{ ANSWER_HOSTNAME, "-a" },
		{ ANSWER_HOSTNAME, "a..b" },
		{ ANSWER_HOSTNAME, "a_b" },
		{ ANSWER_HOSTNAME, "a b" },
		{ ANSWER_HOSTNAME, "a$(reboot)" },
		{ ANSWER_TIMEZONE, "../../etc/shadow" },
		{ ANSWER_TIMEZONE, "/etc/shadow" },
		{ ANSWER_INTERFACE, "eth0/../x" },
		{ ANSWER_INTERFACE, "aninterfacename1" },
		{ ANSWER_IPV4, "192.0.2.10" },
		{ ANSWER_IPV4, "192.0.2.10/33" },
		{ ANSWER_IPV4, "0.0.0.0/0" },
		{ ANSWER_IPV4, "2001:db8::1/64" },
		{ ANSWER_IPV4, "192.0.2.10:5060/24" },
		{ ANSWER_IPV6, "192.0.2.10/24" },
		{ ANSWER_GATEWAY, "192.0.2.1," },
		{ ANSWER_DNS, "1.2.3.4,1.2.3.4,1.2.3.4,1.2.3.4" },
		{ ANSWER_NTP, "1.2.3.400" },
		{ ANSWER_PUBLIC_ADDRESS, "224.0.0.1" },
		{ ANSWER_SIP_PORT, "0" },
		{ ANSWER_SIP_PORT, "65536" },
		{ ANSWER_SIP_PORT, "5060x" },
		{ ANSWER_MEDIA_PORTS, "20000-10000" },
		{ ANSWER_MEDIA_PORTS, "20000" },
		{ ANSWER_MEDIA_PORTS, "1-2000" },
		{ ANSWER_SSH_KEY, "ssh-ed25519" },
		{ ANSWER_SSH_KEY, "ssh-ed25519 AAAA" },
		{ ANSWER_SSH_KEY, "command=\"x\" " KEY },
		{ ANSWER_SSH_KEY, "ssh-rsa AAAAC3NzaC1lZDI1NTE5AAAAIAAB" },
		{ ANSWER_ADMIN_PASSWORD_HASH, "secret" },
		{ ANSWER_PROFILE, "retail" },
		{ ANSWER_CTL, "account add \"id" },
		{ ANSWER_CTL, "a\x1b[2J" },
		{ ANSWER_DISK, "/etc/passwd" },
		{ ANSWER_DISK, "/dev/../etc/passwd" },
		{ ANSWER_LICENCE, "../x" },
		{ ANSWER_GOLIVE, "maybe" },
	};
	struct answers *a = answers_create();

	(void)state;
	assert_non_null(a);
	for (size_t i = 0; i < COUNT(cases); i++) {
		const char *name = answer_infos[cases[i].id].name;
		struct err err = ERR_INIT;

		assert_int_equal(answers_set(a, cases[i].id, str_of(cases[i].given), 0, &err),
				 -EINVAL);
		assert_string_equal(err.field, name);
		assert_true(err.accepted[0] && err.message[0]);
		assert_false(answers_is_set(a, cases[i].id));
	}
	answers_free(a);
}

static void a_secret_is_not_repeated_in_an_error(void **state)
{
	struct answers *a = answers_create();
	struct err err = ERR_INIT;

	(void)state;
	assert_non_null(a);
	assert_int_equal(answers_set(a, ANSWER_ADMIN_PASSWORD_HASH, STR("hunter2"), 0, &err),
			 -EINVAL);
	assert_null(strstr(err.given, "hunter2"));
	answers_free(a);
}

static int parse(struct answers *a, const char *text, struct answers_report *report)
{
	return answers_parse(a, str_of(text), report);
}

static void a_file_is_read_with_its_lines(void **state)
{
	struct answers *a = answers_create();
	struct answers_report report;

	(void)state;
	assert_non_null(a);
	assert_int_equal(parse(a,
			       "\xef\xbb\xbf# comment\r\n\n  hostname = sw1 \r\n"
			       "ctl = account add id=a name=\"x = y\"\nctl=\nctl = status\n"
			       "ssh_port=22",
			       &report),
			 0);
	assert_true(str_eq(answers_str(a, ANSWER_HOSTNAME), STR("sw1")));
	assert_int_equal(answers_count(a, ANSWER_CTL), 2);
	assert_true(str_eq(answers_item(a, ANSWER_CTL, 0), STR("account add id=a name=\"x = y\"")));
	assert_int_equal(answers_line(a, ANSWER_CTL, 0), 4);
	assert_int_equal(answers_line(a, ANSWER_CTL, 1), 6);
	assert_int_equal(answers_int(a, ANSWER_SSH_PORT), 22);
	assert_int_equal(answers_int(a, ANSWER_SIP_PORT), 5060);
	assert_int_equal(answers_int(a, ANSWER_PROFILE), -1);
	answers_free(a);
}

static void every_fault_is_reported_with_its_line(void **state)
{
	struct answers *a = answers_create();
	struct answers_report report;
	CLEANUP(buf_done) struct buf text = BUF_INIT;

	(void)state;
	assert_non_null(a);
	assert_int_equal(
		parse(a, "hostname=a\nhostname=b\nnosuch=1\nsip_port=99999\nnonsense\n", &report),
		-EINVAL);
	assert_int_equal(report.count, 4);
	for (int i = 0; i < 4; i++)
		assert_int_equal(report.fault[i].line, i + 2);
	assert_int_equal(report.fault[1].err.code, ERR_UNKNOWN_FIELD);
	answers_report_print(&report, &text);
	assert_true(str_find(buf_str(&text),
			     STR("line 4: sip_port: sip_port does not accept this value "
				 "(given: \"99999\"; accepted: 1024 to 65535)")) >= 0);
	answers_free(a);
}

static void a_file_of_nothing_but_faults_is_bounded(void **state)
{
	struct answers *a = answers_create();
	struct answers_report report;
	CLEANUP(buf_done) struct buf text = BUF_INIT;

	(void)state;
	assert_non_null(a);
	for (int i = 0; i < 1000; i++)
		buf_putz(&text, "x\n");
	assert_int_equal(answers_parse(a, buf_str(&text), &report), -EINVAL);
	assert_int_equal(report.count, 1000);
	buf_clear(&text);
	answers_report_print(&report, &text);
	assert_true(str_find(buf_str(&text), STR("and 984 more")) >= 0);
	answers_free(a);
}

static void values_that_do_not_go_together_are_found(void **state)
{
	static const struct {
		const char *text;
		uint32_t line; /* 0 = they do go together */
	} cases[] = {
		{ "", 0 },
		{ "api_port=5060\n", 1 },
		{ "api_port=0\nsip_tls_port=0\n", 0 },
		{ "media_ports=5000-6000\n", 0 },
		{ "hostname=a\nsip_port=10000\n", 2 },
		{ "ipv4=192.0.2.10/24\ngateway=192.0.2.1\n", 0 },
		{ "ipv4=192.0.2.10/24\ngateway=198.51.100.1\n", 2 },
		{ "ipv4=192.0.2.10/32\ngateway=198.51.100.1\n", 0 },
		{ "ipv4=dhcp\ngateway=192.0.2.1\n", 2 },
		{ "ipv4=192.0.2.10/24\ngateway=192.0.2.1,192.0.2.2\n", 2 },
		{ "ipv4=192.0.2.10/24\nipv6=2001:db8::2/64\ngateway=192.0.2.1,fe80::1\n", 0 },
		{ "ipv6=2001:db8::2/64\ngateway=2001:db8:1::1\n", 2 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		CLEANUP(answers_free) struct answers *a = answers_create();
		struct answers_report report;

		assert_non_null(a);
		assert_int_equal(parse(a, cases[i].text, &report), 0);
		int r = answers_check(a, &report);
		if (i == 3) { /* SIP stands among the media ports: no line, it is the default */
			assert_int_equal(r, -EINVAL);
			assert_int_equal(report.fault[0].line, 0);
			continue;
		}
		assert_int_equal(r, cases[i].line ? -EINVAL : 0);
		if (cases[i].line)
			assert_int_equal(report.fault[0].line, cases[i].line);
	}
}

static void what_this_version_cannot_do_is_refused(void **state)
{
	static const struct {
		const char *text;
		uint32_t line; /* 0 = it can */
	} cases[] = {
		{ "api_port=0\npublic_address=203.0.113.9\n", 0 },
		{ "hostname=a\napi_port=8080\n", 2 },
		{ "public_address=10.0.0.1\n", 1 },
		{ "public_address=fd00::1\n", 1 },
		{ "public_address=127.0.0.1\n", 1 },
		{ "public_address=2001:db8::1\n", 0 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		CLEANUP(answers_free) struct answers *a = answers_create();
		struct answers_report report;

		assert_non_null(a);
		assert_int_equal(parse(a, cases[i].text, &report), 0);
		assert_int_equal(answers_check(a, &report), 0);
		assert_int_equal(answers_check_able(a, &report), cases[i].line ? -EINVAL : 0);
		assert_int_equal(report.count, cases[i].line > 0);
		if (cases[i].line)
			assert_int_equal(report.fault[0].line, cases[i].line);
	}
}

static void what_is_kept_holds_no_secret_and_nothing_done_once(void **state)
{
	CLEANUP(answers_free) struct answers *a = answers_create();
	CLEANUP(answers_free) struct answers *copy = NULL;
	CLEANUP(buf_done) struct buf kept = BUF_INIT;
	CLEANUP(buf_done) struct buf all = BUF_INIT;
	struct answers_report report;
	uint16_t first, last;

	(void)state;
	assert_non_null(a);
	assert_int_equal(parse(a,
			       "ctl = gateway add password=hunter2\nmedia_ports = 2000-2999\n"
			       "ssh_key = " KEY "\nssh_key = " KEY " two\nhostname = sw\n"
			       "admin_password_hash = $scrypt$ln=15,r=8,p=1$AAAAAAAAAAAAAAAAAAAAAA$"
			       "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n",
			       &report),
			 0);
	copy = answers_copy(a);
	assert_non_null(copy);
	answers_print(copy, true, &kept);
	answers_print(copy, false, &all);
	assert_true(str_eq(buf_str(&kept), STR("hostname = sw\nmedia_ports = 2000-2999\n"
					       "ssh_key = " KEY "\nssh_key = " KEY " two\n")));
	assert_true(str_find(buf_str(&all), STR("hunter2")) >= 0);
	assert_true(str_find(buf_str(&all), STR("scrypt")) >= 0);
	answers_ports(copy, ANSWER_MEDIA_PORTS, &first, &last);
	assert_int_equal(first, 2000);
	assert_int_equal(last, 2999);
}

static void what_is_no_small_regular_file_is_not_read(void **state)
{
	CLEANUP(answers_free) struct answers *a = answers_create();
	struct answers_report report;

	(void)state;
	assert_non_null(a);
	assert_int_equal(answers_load(a, "/nonexistent/x", &report), -ENOENT);
	assert_int_equal(answers_load(a, "/dev/zero", &report), -EMEDIUMTYPE);
	assert_int_equal(answers_load(a, "/", &report), -EMEDIUMTYPE);
}

static void a_file_goes_round(void)
{
	CLEANUP(answers_free) struct answers *a = answers_create();
	CLEANUP(answers_free) struct answers *copy = NULL;
	struct answers_report report;

	if (!a || oom_refused(parse(a, "hostname=x\nctl=a\nctl=b\ndns=192.0.2.1\n", &report)))
		return;
	copy = answers_copy(a);
	assert_true(copy || oom_hit());
}

static void memory_may_run_out(void **state)
{
	(void)state;
	oom_each(a_file_goes_round);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_default_is_accepted),
		cmocka_unit_test(a_value_is_kept_in_one_form),
		cmocka_unit_test(what_a_type_does_not_accept_is_refused_with_what_it_does),
		cmocka_unit_test(a_secret_is_not_repeated_in_an_error),
		cmocka_unit_test(a_file_is_read_with_its_lines),
		cmocka_unit_test(every_fault_is_reported_with_its_line),
		cmocka_unit_test(a_file_of_nothing_but_faults_is_bounded),
		cmocka_unit_test(values_that_do_not_go_together_are_found),
		cmocka_unit_test(what_this_version_cannot_do_is_refused),
		cmocka_unit_test(what_is_kept_holds_no_secret_and_nothing_done_once),
		cmocka_unit_test(what_is_no_small_regular_file_is_not_read),
		cmocka_unit_test(memory_may_run_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
