#include "rig.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "lockoutd/event.h"
#include "lockoutd/sshd.h"

static void a_datagram_is_read_whole(void **state)
{
	static const char text[] =
		"{\"v\":1,\"ts\":1800000000000,\"event\":\"auth_failed\",\"src\":\"192.0.2.7\","
		"\"sport\":5062,\"proto\":\"udp\",\"proof\":\"nonce\",\"account\":\"1001\","
		"\"detail\":\"INVITE 4420\",\"count\":3}";
	struct event e;

	(void)state;
	assert_int_equal(event_parse(STR(text), &e), 0);
	assert_int_equal(e.kind, EVENT_AUTH_FAILED);
	assert_int_equal(e.proof, PROOF_NONCE);
	assert_int_equal(e.count, 3);
	assert_string_equal(e.account, "1001");
	assert_string_equal(e.detail, "INVITE 4420");
	assert_string_equal(e.proto, "udp");
	assert_int_equal(addr_port(&e.src), 0);
	assert_string_equal(addr_host_text(&e.src, (char[ADDR_TEXT]){ 0 }), "192.0.2.7");
}

static void what_is_left_out_has_a_harmless_value(void **state)
{
	struct event e;

	(void)state;
	assert_int_equal(
		event_parse(STR("{\"v\":1,\"event\":\"scanner\",\"src\":\"2001:db8::1\"}"), &e), 0);
	assert_int_equal(e.proof, PROOF_NONE);
	assert_int_equal(e.count, 1);
	assert_string_equal(e.account, "");
	assert_int_equal(event_parse(STR("{\"v\":1,\"event\":\"config_changed\"}"), &e), 0);
	assert_false(addr_is_set(&e.src));
}

static void what_is_no_event_is_refused(void **state)
{
	static const char *const bad[] = {
		"",
		"null",
		"[]",
		"{}",
		"{\"v\":1}",
		"{\"v\":2,\"event\":\"scanner\",\"src\":\"192.0.2.7\"}",
		"{\"v\":\"1\",\"event\":\"scanner\",\"src\":\"192.0.2.7\"}",
		"{\"v\":1,\"event\":\"party\",\"src\":\"192.0.2.7\"}",
		/* nobody but the journal speaks of SSH */
		"{\"v\":1,\"event\":\"ssh_failed\",\"src\":\"192.0.2.7\",\"proof\":\"tcp\"}",
		"{\"v\":1,\"event\":\"scanner\"}",
		"{\"v\":1,\"event\":\"scanner\",\"src\":\"example.org\"}",
		"{\"v\":1,\"event\":\"scanner\",\"src\":17}",
		"{\"v\":1,\"event\":\"scanner\",\"src\":\"192.0.2.0/24\"}",
		"{\"v\":1,\"event\":\"scanner\",\"src\":\"192.0.2.7\",\"proof\":\"honest\"}",
		"{\"v\":1,\"event\":\"scanner\",\"src\":\"192.0.2.7\",\"proof\":1}",
		"{\"v\":1,\"event\":\"scanner\",\"src\":\"192.0.2.7\",\"count\":0}",
		"{\"v\":1,\"event\":\"scanner\",\"src\":\"192.0.2.7\",\"count\":-5}",
		"{\"v\":1,\"event\":\"scanner\",\"src\":\"192.0.2.7\",\"count\":1000001}",
		"{\"v\":1,\"event\":\"scanner\",\"src\":\"192.0.2.7\",\"count\":\"many\"}",
		"{\"v\":1,\"event\":\"scanner\",\"src\":\"192.0.2.7\",\"account\":{}}",
		"{\"v\":1,\"event\":\"scanner\",\"src\":\"192.0.2.7\",\"src\":\"192.0.2.8\"}",
		"{\"v\":1,\"event\":\"scanner\",\"src\":\"192.0.2.7\"} {}",
	};
	struct event e;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(bad); i++)
		assert_int_equal(event_parse(str_of(bad[i]), &e), -EINVAL);
}

static void long_and_wild_texts_are_cut_and_made_printable(void **state)
{
	char text[EVENT_BYTES_MAX + 64];
	struct event e;

	(void)state;
	(void)snprintf(
		text, sizeof(text),
		"{\"v\":1,\"event\":\"scanner\",\"src\":\"192.0.2.7\",\"account\":\"%0200d\","
		"\"detail\":\"a\\u001b[2Jb\\nc\"}",
		1);
	assert_int_equal(event_parse(str_of(text), &e), 0);
	assert_int_equal(strlen(e.account), sizeof(e.account) - 1);
	assert_string_equal(e.detail, "a?[2Jb?c");
	(void)snprintf(
		text, sizeof(text),
		"{\"v\":1,\"event\":\"scanner\",\"src\":\"192.0.2.7\",\"detail\":\"%02040d\"}", 1);
	assert_int_equal(event_parse(str_of(text), &e), -EINVAL);
}

static void sshd_tells_of_failures(void **state)
{
	static const struct {
		const char *line, *src; /* NULL: it is none */
	} cases[] = {
		{ "Failed password for root from 192.0.2.7 port 4022 ssh2", "192.0.2.7" },
		{ "Invalid user bob from 2001:db8::7 port 4022", "2001:db8::7" },
		{ "Invalid user  from 192.0.2.7 port 4022", "192.0.2.7" },
		{ "Connection closed by authenticating user admin 192.0.2.7 port 4022 [preauth]",
		  "192.0.2.7" },
		{ "error: maximum authentication attempts exceeded for admin from 192.0.2.7 port "
		  "4022 "
		  "ssh2 [preauth]",
		  "192.0.2.7" },
		/* said of an invalid user before */
		{ "Failed password for invalid user bob from 192.0.2.7 port 4022 ssh2", NULL },
		{ "Accepted publickey for admin from 192.0.2.7 port 4022 ssh2: ED25519 SHA256:x",
		  NULL },
		{ "Connection closed by 192.0.2.7 port 4022", NULL },
		{ "Server listening on 0.0.0.0 port 22.", NULL },
		{ "Failed password for root from 192.0.2.7 port 99999 ssh2", NULL },
		{ "Failed password for root from 192.0.2.7 ssh2", NULL },
		{ "Failed password for ", NULL },
		{ "", NULL },
	};
	struct event e;
	char text[ADDR_TEXT];

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		int r = sshd_read(str_of(cases[i].line), &e);

		assert_int_equal(r, cases[i].src ? 0 : -ENOENT);
		if (!cases[i].src)
			continue;
		assert_string_equal(addr_host_text(&e.src, text), cases[i].src);
		assert_int_equal(e.kind, EVENT_SSH_FAILED);
		assert_int_equal(e.proof, PROOF_TCP);
	}
}

/* The name is the attacker's: it must not get another address banned. */
static void a_name_cannot_point_at_somebody_else(void **state)
{
	static const char *const lines[] = {
		"Invalid user x from 198.51.100.1 port 22 ssh2 from 192.0.2.7 port 4022",
		"Invalid user from 198.51.100.1 port 22 [preauth] from 192.0.2.7 port 4022",
		"Failed password for root from 198.51.100.1 port 22 ssh2 from 192.0.2.7 port 1 "
		"ssh2",
		"Connection closed by authenticating user a 198.51.100.1 port 22 192.0.2.7 port "
		"4022 "
		"[preauth]",
	};
	struct event e;
	char text[ADDR_TEXT];

	(void)state;
	for (size_t i = 0; i < COUNT_OF(lines); i++) {
		assert_int_equal(sshd_read(str_of(lines[i]), &e), 0);
		assert_string_equal(addr_host_text(&e.src, text), "192.0.2.7");
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_datagram_is_read_whole),
		cmocka_unit_test(what_is_left_out_has_a_harmless_value),
		cmocka_unit_test(what_is_no_event_is_refused),
		cmocka_unit_test(long_and_wild_texts_are_cut_and_made_printable),
		cmocka_unit_test(sshd_tells_of_failures),
		cmocka_unit_test(a_name_cannot_point_at_somebody_else),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
