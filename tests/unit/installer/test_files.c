#include "files.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "model/answers_file.h"
#include "yard.h"

#define IFCFG "/etc/sysconfig/network-scripts/ifcfg-eth0"
#define HASH                                            \
	"$scrypt$ln=15,r=8,p=1$AAAAAAAAAAAAAAAAAAAAAA$" \
	"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
#define KEY "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f"

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

static void answer(const char *text)
{
	struct answers_report report;

	assert_int_equal(answers_parse(setup.answers, str_of(text), &report), 0);
}

static unsigned write_all(void)
{
	struct err err = ERR_INIT;
	unsigned after = 0;

	assert_int_equal(files_write(&setup, FILES_MACHINE, &after, &err), 0);
	assert_int_equal(files_write(&setup, FILES_SWITCH, &after, &err), 0);
	return after;
}

static void a_fixed_address_becomes_what_centos_has(void **state)
{
	(void)state;
	answer("ipv4 = 127.0.0.2/8\nipv6 = 2001:db8::2/64\ngateway = 127.0.0.1,2001:db8::1\n"
	       "dns = 192.0.2.53,2001:db8::53\nntp = a.example,b.example\nsip_port = 5070\n");
	(void)write_all();
	yard_expect(&setup.place, IFCFG,
		    "DEVICE=eth0\nTYPE=Ethernet\nONBOOT=yes\nBOOTPROTO=none\nIPADDR=127.0.0.2\n"
		    "PREFIX=8\nGATEWAY=127.0.0.1\nIPV6INIT=yes\nIPV6_AUTOCONF=no\n"
		    "IPV6ADDR=2001:db8::2/64\nIPV6_DEFAULTGW=2001:db8::1\nDNS1=192.0.2.53\n"
		    "DNS2=2001:db8::53\n");
	yard_expect(&setup.place, "/etc/tandem/switchd.env",
		    "# Written by switch-setup from /etc/tandem/tandem.conf.\n"
		    "SWITCHD_ARGS=--listen udp:127.0.0.2:5070 --listen tcp:127.0.0.2:5070 "
		    "--listen tls:127.0.0.2:5061 --media 127.0.0.2 --listen udp:[2001:db8::2]:5070 "
		    "--listen "
		    "tcp:[2001:db8::2]:5070 --listen tls:[2001:db8::2]:5061 --media 2001:db8::2 "
		    "--media-ports 10000-20000\n");
}

static void behind_a_nat_the_switch_says_its_address_outside(void **state)
{
	(void)state;
	answer("ipv4 = 127.0.0.2/8\nsip_tls_port = 0\npublic_address = 203.0.113.9\n");
	(void)write_all();
	yard_expect(&setup.place, "/etc/tandem/switchd.env",
		    "# Written by switch-setup from /etc/tandem/tandem.conf.\n"
		    "SWITCHD_ARGS=--listen udp:127.0.0.2:5060 --listen tcp:127.0.0.2:5060 "
		    "--media 127.0.0.2 --public 203.0.113.9 --media-ports 10000-20000\n");
}

static void dhcp_leaves_the_address_to_the_network(void **state)
{
	struct err err = ERR_INIT;
	unsigned after = 0;

	(void)state;
	answer("hostname = sw1\nipv6 = auto\n");
	assert_int_equal(files_write(&setup, FILES_MACHINE, &after, &err), 0);
	yard_expect(&setup.place, "/etc/hostname", "sw1\n");
	yard_expect(&setup.place, IFCFG,
		    "DEVICE=eth0\nTYPE=Ethernet\nONBOOT=yes\nBOOTPROTO=dhcp\nIPV6INIT=yes\n"
		    "IPV6_AUTOCONF=yes\n");
}

static void only_what_changed_has_consequences(void **state)
{
	(void)state;
	answer("ipv4 = 127.0.0.2/8\n");
	assert_int_equal(write_all(),
			 AFTER_HOSTNAME | AFTER_NETWORK | AFTER_SSH | AFTER_CONF | AFTER_SWITCH);
	assert_int_equal(write_all(), 0);
	assert_int_equal(answers_set(setup.answers, ANSWER_SIP_PORT, STR("5070"), 0, NULL), 0);
	assert_int_equal(write_all(), AFTER_CONF | AFTER_SWITCH);
	assert_int_equal(answers_set(setup.answers, ANSWER_NTP, STR("a.example"), 0, NULL), 0);
	assert_int_equal(write_all(), AFTER_CONF);
	answers_reset(setup.answers, ANSWER_NTP);
	assert_int_equal(write_all(), AFTER_CONF);
}

static void who_may_log_in_is_kept_unless_answered_anew(void **state)
{
	(void)state;
	answer("ipv4 = 127.0.0.2/8\nadmin_password_hash = " HASH "\nssh_key = " KEY "\n");
	(void)write_all();
	yard_expect(&setup.place, "/etc/tandem/admin.hash", HASH "\n");
	yard_expect(&setup.place, "/etc/ssh/authorized_keys/admin", KEY "\n");
	answers_reset(setup.answers, ANSWER_ADMIN_PASSWORD_HASH);
	answers_reset(setup.answers, ANSWER_SSH_KEY);
	(void)write_all();
	yard_expect(&setup.place, "/etc/tandem/admin.hash", HASH "\n");
	yard_expect(&setup.place, "/etc/ssh/authorized_keys/admin", KEY "\n");
}

static void the_kept_configuration_holds_no_secret_and_can_be_read_again(void **state)
{
	CLEANUP(free) char *path = NULL;
	CLEANUP(answers_free) struct answers *again = answers_create();
	CLEANUP(buf_done) struct buf text = BUF_INIT;
	struct answers_report report;

	(void)state;
	answer("ipv4 = 127.0.0.2/8\nadmin_password_hash = " HASH "\n"
	       "ctl = routing-gateway add name=x password=hunter2\nssh_port = 2200\n");
	(void)write_all();
	assert_int_equal(place_read(&setup.place, ANSWERS_PATH, 4096, &text), 0);
	assert_true(str_find(buf_str(&text), STR("scrypt")) < 0);
	assert_true(str_find(buf_str(&text), STR("hunter2")) < 0);
	path = place_path(&setup.place, ANSWERS_PATH);
	assert_non_null(path);
	assert_non_null(again);
	assert_int_equal(answers_load(again, path, &report), 0);
	assert_int_equal(answers_int(again, ANSWER_SSH_PORT), 2200);
}

static void a_time_zone_must_exist(void **state)
{
	struct err err = ERR_INIT;
	unsigned after = 0;

	(void)state;
	answer("timezone = Nowhere/City\n");
	assert_int_equal(files_write(&setup, FILES_MACHINE, &after, &err), -EINVAL);
	assert_string_equal(err.field, "timezone");
	yard_expect(&setup.place, "/etc/hostname", NULL);
}

static void a_machine_without_a_network_is_told_so(void **state)
{
	struct err err = ERR_INIT;
	unsigned after = 0;

	(void)state;
	setup.machine.interface[0] = '\0';
	assert_int_equal(files_write(&setup, FILES_MACHINE, &after, &err), -EINVAL);
	assert_string_equal(err.field, "interface");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, open_yard, close_yard)
	const struct CMUnitTest tests[] = {
		TEST(a_fixed_address_becomes_what_centos_has),
		TEST(behind_a_nat_the_switch_says_its_address_outside),
		TEST(dhcp_leaves_the_address_to_the_network),
		TEST(only_what_changed_has_consequences),
		TEST(who_may_log_in_is_kept_unless_answered_anew),
		TEST(the_kept_configuration_holds_no_secret_and_can_be_read_again),
		TEST(a_time_zone_must_exist),
		TEST(a_machine_without_a_network_is_told_so),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
