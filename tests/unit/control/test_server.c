#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "control/sock.h"

#include "../oom.h"
#include "rig.h"

#define CALL(id, method, params) \
	"{\"jsonrpc\":\"2.0\",\"id\":" id ",\"method\":\"" method "\",\"params\":" params "}"
#define ANSWER(id, result) "{\"jsonrpc\":\"2.0\",\"id\":" id ",\"result\":" result "}\n"

static struct rig rig;

static int set_up(void **state)
{
	(void)state;
	return rig_init(&rig);
}

static int tear_down(void **state)
{
	(void)state;
	rig_done(&rig);
	return 0;
}

static void assert_text(struct str got, const char *wanted)
{
	if (!str_eq(got, str_of(wanted)))
		fail_msg("got '%.*s', not '%s'", STR_ARG(got), wanted);
}

static void assert_has(struct str got, const char *wanted)
{
	if (str_find(got, str_of(wanted)) < 0)
		fail_msg("'%s' is not in '%.*s'", wanted, STR_ARG(got));
}

static void a_request_gets_its_answer(void **state)
{
	int fd = rig_connect(&rig);

	(void)state;
	assert_text(rig_ask(&rig, fd, CALL("1", "account.show", "{\"id\":\"acme\"}")),
		    ANSWER("1", "{\"id\":\"acme\"}"));
	assert_text(rig_ask(&rig, fd, CALL("\"x\"", "account.show", "{}")), ANSWER("\"x\"", "{}"));
	close(fd);
}

static void a_refusal_says_why(void **state)
{
	int fd = rig_connect(&rig);

	(void)state;
	assert_text(
		rig_ask(&rig, fd, CALL("1", "account.del", "{}")),
		"{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":{\"code\":-32602,\"message\":\"no luck\","
		"\"data\":{\"code\":\"bad_value\",\"field\":\"id\",\"given\":\"ac\\\"me\","
		"\"accepted\":\"an account\"}}}\n");
	close(fd);
}

static void who_asks_is_known_and_cannot_be_claimed(void **state)
{
	int fd = rig_connect(&rig);
	char wanted[64] = "root";

	(void)state;
	if (geteuid() != 0)
		(void)snprintf(wanted, sizeof(wanted), "uid %u", (unsigned)geteuid());
	assert_has(rig_ask(&rig, fd,
			   "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"status.show\",\"actor\":"
			   "\"boss\"}"),
		   wanted);
	close(fd);
}

static const char *const hostile[] = {
	"hello",
	"\x01\x02\xff\xfe",
	"[" CALL("1", "status.show", "{}") "]",
	"{\"jsonrpc\":\"1.0\",\"id\":1,\"method\":\"status.show\"}",
	CALL("1", "status.show", "[]"),
	CALL("1", "status.show", "\"x\""),
	CALL("1", "no.such", "{}"),
	CALL("1", "", "{}"),
	"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"\\u001b[2J\"}",
};

static void a_bad_line_is_answered_and_the_next_one_served(void **state)
{
	int fd = rig_connect(&rig);

	(void)state;
	for (size_t i = 0; i < sizeof(hostile) / sizeof(hostile[0]); i++) {
		struct str answer = rig_ask(&rig, fd, hostile[i]);

		assert_has(answer, "\"error\":{\"code\":-32");
		assert_false(str_has_control(str_trim(answer)));
		assert_has(rig_ask(&rig, fd, CALL("2", "account.show", "{}")), ANSWER("2", "{}"));
	}
	close(fd);
}

static void a_nul_spoils_its_line_only(void **state)
{
	int fd = rig_connect(&rig);

	(void)state;
	rig_send(fd, STR("{\"jsonrpc\"\0:\"2.0\"}\n" CALL("2", "account.show", "{}") "\n"));
	rig_settle(&rig);

	struct str got = rig_read(fd, NULL);
	assert_has(got, "\"syntax\"");
	assert_has(got, ANSWER("2", "{}"));
	close(fd);
}

static void blank_lines_are_nothing(void **state)
{
	int fd = rig_connect(&rig);

	(void)state;
	assert_text(rig_ask(&rig, fd, "\n\r\n  \n"), "");
	assert_text(rig_ask(&rig, fd, CALL("1", "account.show", "{}") "\r"), ANSWER("1", "{}"));
	close(fd);
}

static void a_notification_is_done_and_not_answered(void **state)
{
	int fd = rig_connect(&rig);

	(void)state;
	assert_text(rig_ask(&rig, fd, "{\"jsonrpc\":\"2.0\",\"method\":\"account.del\"}"), "");
	assert_text(rig_ask(&rig, fd, "{\"jsonrpc\":\"2.0\",\"method\":\"no.such\"}"), "");
	assert_int_equal(rig.requests, 1);
	close(fd);
}

static void lines_sent_at_once_are_answered_in_order(void **state)
{
	CLEANUP(buf_done) struct buf all = BUF_INIT;
	CLEANUP(buf_done) struct buf wanted = BUF_INIT;
	CLEANUP(buf_done) struct buf got = BUF_INIT;
	int fd = rig_connect(&rig);

	(void)state;
	for (int i = 0; i < 40; i++) {
		buf_printf(&all, CALL("%d", "account.show", "{}") "\n", i);
		buf_printf(&wanted, ANSWER("%d", "{}"), i);
	}
	assert_int_equal(rig_send(fd, buf_str(&all)), all.n);
	while (got.n < wanted.n) {
		rig_settle(&rig);
		struct str some = rig_read(fd, NULL);
		assert_true(some.n > 0);
		buf_put(&got, some);
	}
	assert_text(buf_str(&got), buf_cstr(&wanted));
	close(fd);
}

static void a_late_answer_holds_up_its_own_client_only(void **state)
{
	int fd = rig_connect(&rig), other = rig_connect(&rig);

	(void)state;
	assert_text(rig_ask(&rig, fd, CALL("1", "call.hangup", "{}")), "");
	assert_text(rig_ask(&rig, fd, CALL("2", "account.show", "{}")), "");
	assert_text(rig_ask(&rig, other, CALL("3", "account.show", "{}")), ANSWER("3", "{}"));

	if (rig.held_count > 0)
		request_done(rig.held[--rig.held_count], json_true());
	rig_settle(&rig);
	assert_text(rig_read(fd, NULL), ANSWER("1", "true") ANSWER("2", "{}"));
	close(fd);
	close(other);
}

static void a_client_may_be_gone_before_its_answer(void **state)
{
	int fd = rig_connect(&rig);

	(void)state;
	assert_text(rig_ask(&rig, fd, CALL("1", "call.hangup", "{}")), "");
	close(fd);
	rig_settle(&rig);
	if (rig.held_count > 0)
		request_done(rig.held[--rig.held_count], json_object());
	rig_settle(&rig);
}

static void a_client_that_has_said_all_still_gets_its_answers(void **state)
{
	int fd = rig_connect(&rig);
	bool is_closed = false;

	(void)state;
	rig_send(fd, STR(CALL("1", "call.hangup", "{}") "\n" CALL("2", "account.show", "{}") "\n"));
	shutdown(fd, SHUT_WR);
	rig_settle(&rig);
	if (rig.held_count > 0)
		request_done(rig.held[--rig.held_count], json_true());
	rig_settle(&rig);
	assert_text(rig_read(fd, &is_closed), ANSWER("1", "true") ANSWER("2", "{}"));
	assert_true(is_closed);
	close(fd);
}

static void half_a_line_is_never_run(void **state)
{
	int fd = rig_connect(&rig);
	bool is_closed = false;

	(void)state;
	rig_send(fd, STR(CALL("1", "account.show", "{}")));
	shutdown(fd, SHUT_WR);
	rig_settle(&rig);
	assert_text(rig_read(fd, &is_closed), "");
	assert_true(is_closed);
	assert_int_equal(rig.requests, 0);
	close(fd);
}

static void a_line_may_come_byte_by_byte(void **state)
{
	static const char line[] = CALL("1", "account.show", "{}") "\n";
	int fd = rig_connect(&rig);

	(void)state;
	for (size_t i = 0; i < sizeof(line) - 1; i++) {
		assert_text(rig_read(fd, NULL), "");
		rig_send(fd, str_n(line + i, 1));
		rig_settle(&rig);
	}
	assert_text(rig_read(fd, NULL), ANSWER("1", "{}"));
	close(fd);
}

static void who_does_not_end_a_line_is_closed_in_time(void **state)
{
	int slow = rig_connect(&rig), quiet = rig_connect(&rig);

	(void)state;
	server_set_patience(rig.server, 50);
	rig_send(slow, STR("{\"jsonrpc\":"));
	rig_settle(&rig);
	assert_text(rig_ask(&rig, quiet, CALL("1", "account.show", "{}")), ANSWER("1", "{}"));
	assert_true(rig_is_closed_within(&rig, slow, 5000));
	assert_text(rig_ask(&rig, quiet, CALL("2", "account.show", "{}")), ANSWER("2", "{}"));
	close(slow);
	close(quiet);
}

static void who_does_not_read_costs_one_answer_and_is_closed_in_time(void **state)
{
	int fd = rig_connect(&rig);

	(void)state;
	server_set_patience(rig.server, 50);
	for (int i = 0; i < 20; i++)
		rig_send(fd, STR(CALL("1", "cdr.list", "{\"limit\":1000000}") "\n"));
	rig_settle(&rig);
	assert_int_equal(rig.requests, 1);
	assert_true(rig_is_closed_within(&rig, fd, 5000));
	assert_int_equal(rig.requests, 1);
	close(fd);
}

static void who_reads_slowly_gets_all_of_it(void **state)
{
	int fd = rig_connect(&rig);
	size_t got = 0;

	(void)state;
	rig_send(fd, STR(CALL("1", "cdr.list", "{\"limit\":3000000}") "\n"));
	for (int i = 0; i < 100; i++) {
		rig_settle(&rig);
		got += rig_read(fd, NULL).n;
	}
	assert_int_equal(got, strlen(ANSWER("1", "\"\"")) + 3000000);
	close(fd);
}

/* Sends, with the server taking turns, until it will take no more. */
static void flood(int fd, size_t bytes)
{
	static char junk[65536];

	memset(junk, 'x', sizeof(junk));
	for (size_t sent = 0; sent < bytes;) {
		size_t n = rig_send(fd, str_n(junk, sizeof(junk)));

		rig_settle(&rig);
		if (n == 0 && rig_send(fd, str_n(junk, 1)) == 0)
			return;
		sent += n;
	}
}

static void a_line_without_end_is_refused_and_closed(void **state)
{
	int fd = rig_connect(&rig);
	bool is_closed = false;

	(void)state;
	flood(fd, (size_t)RPC_LINE_MAX + 4 * 65536);
	assert_has(rig_read(fd, &is_closed), "the line is too long");
	assert_true(is_closed);
	close(fd);
}

static void clients_have_a_limit(void **state)
{
	int fd[SERVER_CLIENTS_MAX], late;
	bool is_closed = false;

	(void)state;
	for (int i = 0; i < SERVER_CLIENTS_MAX; i++) {
		fd[i] = rig_connect(&rig);
		rig_settle(&rig);
	}
	late = rig_connect(&rig);
	rig_settle(&rig);
	assert_has(rig_read(late, &is_closed), "too many clients");
	assert_true(is_closed);
	close(late);

	close(fd[0]);
	rig_settle(&rig);
	fd[0] = rig_connect(&rig);
	assert_text(rig_ask(&rig, fd[0], CALL("1", "account.show", "{}")), ANSWER("1", "{}"));
	for (int i = 0; i < SERVER_CLIENTS_MAX; i++)
		close(fd[i]);
}

static void requests_outlive_the_server(void **state)
{
	int fd = rig_connect(&rig);

	(void)state;
	assert_text(rig_ask(&rig, fd, CALL("1", "call.hangup", "{}")), "");
	rig.server = server_free(rig.server);
	if (rig.held_count > 0)
		request_done(rig.held[--rig.held_count], json_object());
	close(fd);
}

static void the_socket_is_for_owner_and_group(void **state)
{
	struct stat st;

	(void)state;
	assert_int_equal(stat(rig.path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0660);
}

/* Needs a second user; only root has one. */
static void a_stranger_is_turned_away_before_a_byte_is_read(void **state)
{
	char bytes[512];

	(void)state;
	if (geteuid() != 0)
		skip();
	assert_int_equal(chmod(rig.path, 0666), 0);
	assert_int_equal(chmod(rig.dir, 0755), 0);

	int pipes[2];
	assert_int_equal(pipe(pipes), 0);
	pid_t child = fork();
	if (child == 0) {
		if (setgid(65534) < 0 || setuid(65534) < 0)
			_exit(1);
		int fd = sock_connect(rig.path);
		ssize_t n = fd < 0 ? -1 : recv(fd, bytes, sizeof(bytes), 0);
		_exit(n > 0 && write(pipes[1], bytes, (size_t)n) == n ? 0 : 1);
	}
	int status = 0;
	while (waitpid(child, &status, WNOHANG) == 0)
		(void)sd_event_run(rig.ev, 1000);
	assert_int_equal(status, 0);

	ssize_t n = read(pipes[0], bytes, sizeof(bytes));
	assert_true(n > 0);
	assert_has(str_n(bytes, (size_t)n), "\"code\":\"forbidden\"");
	close(pipes[0]);
	close(pipes[1]);
}

static int create_again(const char *path, struct err *err)
{
	CLEANUP(server_free) struct server *s = NULL;

	return server_create(&s, rig.ev, path, NULL, NULL, err);
}

static void a_socket_somebody_listens_on_is_kept(void **state)
{
	struct err err = ERR_INIT;
	int fd;

	(void)state;
	assert_int_equal(create_again(rig.path, &err), -EINVAL);
	assert_int_equal(err.code, ERR_IN_USE);
	fd = rig_connect(&rig);
	assert_text(rig_ask(&rig, fd, CALL("1", "account.show", "{}")), ANSWER("1", "{}"));
	close(fd);
}

static void a_socket_left_behind_is_replaced(void **state)
{
	char path[128];
	struct err err = ERR_INIT;

	(void)state;
	(void)snprintf(path, sizeof(path), "%s/old.sock", rig.dir);
	int dead = sock_listen(path, &err);
	assert_true(dead >= 0);
	close(dead);
	assert_int_equal(access(path, F_OK), 0);
	assert_int_equal(create_again(path, &err), 0);
	assert_int_equal(access(path, F_OK), -1);
}

static void a_file_in_the_way_is_kept(void **state)
{
	char path[128];
	struct err err = ERR_INIT;

	(void)state;
	(void)snprintf(path, sizeof(path), "%s/file", rig.dir);
	FILE *f = fopen(path, "w");
	assert_non_null(f);
	(void)fclose(f);
	assert_int_equal(create_again(path, &err), -EINVAL);
	assert_int_equal(err.code, ERR_IN_USE);
	assert_int_equal(unlink(path), 0);
}

static void a_path_that_cannot_be_is_named(void **state)
{
	char path[200];
	struct err err = ERR_INIT;

	(void)state;
	(void)snprintf(path, sizeof(path), "%s/no/such/control.sock", rig.dir);
	assert_int_equal(create_again(path, &err), -EINVAL);
	assert_string_equal(err.given, path);

	memset(path, 'x', sizeof(path) - 1);
	path[sizeof(path) - 1] = 0;
	err = ERR_INIT;
	assert_int_equal(create_again(path, &err), -EINVAL);
	assert_string_equal(err.accepted, "a path of up to 107 bytes");
}

static void one_visit(void)
{
	struct rig r;

	if (!oom_refused(rig_init(&r))) {
		int fd = rig_connect(&r);
		bool is_closed = false;

		rig_send(fd, STR(CALL("1", "account.show", "{}") "\n" CALL("2", "call.hangup",
									   "{}") "\n"));
		rig_settle(&r);
		if (r.held_count > 0)
			request_done(r.held[--r.held_count], json_null());
		rig_settle(&r);
		/* Either all of it, or a client that was let go. */
		if (str_find(rig_read(fd, &is_closed), STR(ANSWER("2", "null"))) < 0)
			assert_true(oom_hit());
		close(fd);
	}
	rig_done(&r);
}

static void memory_may_run_out(void **state)
{
	(void)state;
	oom_each(one_visit);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_request_gets_its_answer),
		TEST(a_refusal_says_why),
		TEST(who_asks_is_known_and_cannot_be_claimed),
		TEST(a_bad_line_is_answered_and_the_next_one_served),
		TEST(a_nul_spoils_its_line_only),
		TEST(blank_lines_are_nothing),
		TEST(a_notification_is_done_and_not_answered),
		TEST(lines_sent_at_once_are_answered_in_order),
		TEST(a_late_answer_holds_up_its_own_client_only),
		TEST(a_client_may_be_gone_before_its_answer),
		TEST(a_client_that_has_said_all_still_gets_its_answers),
		TEST(half_a_line_is_never_run),
		TEST(a_line_may_come_byte_by_byte),
		TEST(who_does_not_end_a_line_is_closed_in_time),
		TEST(who_does_not_read_costs_one_answer_and_is_closed_in_time),
		TEST(who_reads_slowly_gets_all_of_it),
		TEST(a_line_without_end_is_refused_and_closed),
		TEST(clients_have_a_limit),
		TEST(requests_outlive_the_server),
		TEST(the_socket_is_for_owner_and_group),
		TEST(a_stranger_is_turned_away_before_a_byte_is_read),
		TEST(a_socket_somebody_listens_on_is_kept),
		TEST(a_socket_left_behind_is_replaced),
		TEST(a_file_in_the_way_is_kept),
		TEST(a_path_that_cannot_be_is_named),
		cmocka_unit_test(memory_may_run_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
