#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cmocka.h>

#include <jansson.h>

#include "base/loop.h"
#include "call/report.h"
#include "call/scanner.h"

/* switch-lockoutd's end of the socket, and a report that knows its path. */
struct rig {
	char dir[32], path[64];
	int fd;
	struct loop loop;
	struct report *report;
};

static void rig_init(struct rig *r)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };

	*r = (struct rig){ .dir = "/tmp/test-report-XXXXXX", .fd = -1 };
	assert_non_null(mkdtemp(r->dir));
	(void)snprintf(r->path, sizeof(r->path), "%s/s", r->dir);
	(void)str_copy(a.sun_path, sizeof(a.sun_path), str_of(r->path));
	r->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	assert_int_equal(bind(r->fd, (struct sockaddr *)&a, sizeof(a)), 0);
	if (loop_init(&r->loop) == 0)
		(void)report_create(&r->report, r->path, &r->loop);
	assert_non_null(r->report);
}

static void rig_done(struct rig *r)
{
	report_free(r->report);
	loop_done(&r->loop);
	(void)close(r->fd);
	(void)unlink(r->path);
	(void)rmdir(r->dir);
}

/* The next datagram; NULL if there is none. It must be JSON. */
static json_t *take(const struct rig *r)
{
	char room[4096];
	ssize_t n = recv(r->fd, room, sizeof(room), 0);
	json_t *o = n > 0 ? json_loadb(room, (size_t)n, JSON_REJECT_DUPLICATES, NULL) : NULL;

	assert_int_equal(n > 0, o != NULL);
	return o;
}

static int count(const struct rig *r)
{
	json_t *o;
	int n = 0;

	for (; (o = take(r)); n++)
		json_decref(o);
	return n;
}

static void assert_says(const json_t *o, const char *name, const char *text)
{
	assert_string_equal(json_string_value(json_object_get(o, name)), text);
}

static struct flow from(const char *peer, enum proto proto)
{
	struct flow f = { .proto = (uint8_t)proto };

	assert_int_equal(addr_parse(str_of(peer), 5062, &f.peer), 0);
	return f;
}

static void a_failure_is_told_with_its_proof(void **state)
{
	static const struct {
		enum proto proto;
		const char *peer, *src, *name, *proof;
	} cases[] = {
		{ PROTO_UDP, "192.0.2.7", "192.0.2.7", "udp", "nonce" },
		{ PROTO_TCP, "[2001:db8::7]:5062", "2001:db8::7", "tcp", "tcp" },
	};
	struct rig r;

	(void)state;
	rig_init(&r);
	for (size_t i = 0; i < 2; i++) {
		struct flow f = from(cases[i].peer, cases[i].proto);

		report_auth_failed(r.report, &f, STR("bob\"\\\n"), STR("INVITE 88017"), 1000);
		json_t *o = take(&r);
		assert_non_null(o);
		assert_int_equal(json_integer_value(json_object_get(o, "v")), 1);
		assert_int_equal(json_integer_value(json_object_get(o, "sport")), 5062);
		assert_says(o, "event", "auth_failed");
		assert_says(o, "src", cases[i].src);
		assert_says(o, "proto", cases[i].name);
		assert_says(o, "proof", cases[i].proof);
		assert_says(o, "account", "bob???");
		assert_says(o, "detail", "INVITE 88017");
		json_decref(o);
	}
	rig_done(&r);
}

static void strangers_are_counted_and_told_once_a_second(void **state)
{
	struct flow many = from("192.0.2.7", PROTO_UDP), few = from("192.0.2.8", PROTO_UDP);
	struct rig r;

	(void)state;
	rig_init(&r);
	for (int i = 0; i < 5000; i++)
		report_stranger(r.report, &many, 1000);
	for (int i = 0; i < STRANGER_MIN - 1; i++)
		report_stranger(r.report, &few, 1000);
	assert_int_equal(count(&r), 0);
	wheel_advance(&r.loop.wheel, 1000);
	wheel_advance(&r.loop.wheel, 2500);
	json_t *o = take(&r);
	assert_says(o, "event", "unknown_source");
	assert_says(o, "src", "192.0.2.7");
	assert_says(o, "proof", "none");
	assert_int_equal(json_integer_value(json_object_get(o, "count")), 5000);
	json_decref(o);
	assert_int_equal(count(&r), 0);
	rig_done(&r);
}

static void a_flood_tells_so_many_a_second(void **state)
{
	struct flow f = from("192.0.2.7", PROTO_UDP);
	struct rig r;
	int told = 0;

	(void)state;
	rig_init(&r);
	for (int i = 0; i < 10 * REPORTS_MAX; i++) {
		report_scanner(r.report, &f, STR("friendly-scanner"), 1000);
		told += count(&r); /* the socket holds only a few unread */
	}
	assert_int_equal(told, REPORTS_MAX);
	report_scanner(r.report, &f, STR("friendly-scanner"), 2000);
	assert_int_equal(count(&r), 1);
	rig_done(&r);
}

static void a_customer_is_told_now_and_then(void **state)
{
	struct flow f = from("192.0.2.7", PROTO_UDP);
	struct rig r;

	(void)state;
	rig_init(&r);
	for (int64_t now = 1000; now < 1000 + 2 * GOOD_EVERY_MS; now += 100)
		report_auth_ok(r.report, &f, STR("bob"), now);
	assert_int_equal(count(&r), 2);
	rig_done(&r);
}

static void nobody_listening_is_no_matter(void **state)
{
	struct flow f = from("192.0.2.7", PROTO_TCP);
	struct report *none = NULL, *lost = NULL, *far = NULL;
	char path[sizeof(((struct sockaddr_un *)0)->sun_path) + 1] = "";

	(void)state;
	(void)report_create(&none, NULL, NULL);
	(void)report_create(&lost, "/nonexistent/security.sock", NULL);
	assert_true(none && lost);
	report_config_changed(none);
	report_config_changed(lost);
	report_tcp_abuse(lost, &f, 1000);
	report_stranger(none, &f, 1000);
	memset(path, 'a', sizeof(path) - 1);
	assert_int_equal(report_create(&far, path, NULL), -ENAMETOOLONG);
	assert_null(far);
	report_free(none);
	report_free(lost);
}

static void scanners_are_known_by_their_name(void **state)
{
	static const struct {
		const char *raw, *agent; /* NULL: it is none */
	} cases[] = {
		{ "OPTIONS sip:1 SIP/2.0\r\nUser-Agent: friendly-scanner\r\n\r\n",
		  "friendly-scanner" },
		{ "OPTIONS sip:1 SIP/2.0\r\nuser-agent:  SIPVicious 0.3\r\n\r\n",
		  "SIPVicious 0.3" },
		{ "OPTIONS sip:1 SIP/2.0\r\nUser-Agent: PBX 12\r\n\r\nfriendly-scanner", NULL },
		{ "OPTIONS sip:friendly-scanner SIP/2.0\r\n\r\n", NULL },
		{ "\nUser-Agent:", NULL },
		{ "", NULL },
	};
	struct str agent;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		bool is_one = scanner_find(str_of(cases[i].raw), &agent);

		assert_int_equal(is_one, cases[i].agent != NULL);
		if (is_one)
			assert_true(str_eq(agent, str_of(cases[i].agent)));
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_failure_is_told_with_its_proof),
		cmocka_unit_test(strangers_are_counted_and_told_once_a_second),
		cmocka_unit_test(a_flood_tells_so_many_a_second),
		cmocka_unit_test(a_customer_is_told_now_and_then),
		cmocka_unit_test(nobody_listening_is_no_matter),
		cmocka_unit_test(scanners_are_known_by_their_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
