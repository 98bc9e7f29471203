#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "control/client.h"
#include "control/sock.h"

#include "rig.h"

/* The rig in a thread of its own, since a client waits for its answer. */
static struct rig rig;
static pthread_t thread;
static int stop_fd[2];

static int on_stop(sd_event_source *source, int fd, uint32_t events, void *ctx)
{
	(void)fd;
	(void)events;
	(void)ctx;
	return sd_event_exit(sd_event_source_get_event(source), 0);
}

static void *serve(void *ctx)
{
	(void)sd_event_loop(ctx);
	return NULL;
}

static int set_up(void **state)
{
	(void)state;
	if (rig_init(&rig) < 0 || pipe(stop_fd) < 0)
		return -1;
	if (sd_event_add_io(rig.ev, NULL, stop_fd[0], 1, on_stop, NULL) < 0)
		return -1;
	return pthread_create(&thread, NULL, serve, rig.ev);
}

static int tear_down(void **state)
{
	(void)state;
	if (write(stop_fd[1], "x", 1) != 1 || pthread_join(thread, NULL) != 0)
		return -1;
	close(stop_fd[0]);
	close(stop_fd[1]);
	rig_done(&rig);
	return 0;
}

static void a_call_brings_its_result(void **state)
{
	CLEANUP(client_close) struct client *c = NULL;
	struct err err = ERR_INIT;
	json_t *result = NULL, *params = json_pack("{s:s}", "id", "acme");

	(void)state;
	assert_int_equal(client_open(&c, rig.path), 0);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(client_call(c, "account.show", params, &result, &err), 0);
		assert_true(json_equal(result, params));
		json_decref(result);
	}
	json_decref(params);
}

static void a_refusal_is_told_in_full(void **state)
{
	CLEANUP(client_close) struct client *c = NULL;
	struct err err = ERR_INIT;
	json_t *result = NULL;

	(void)state;
	assert_int_equal(client_open(&c, rig.path), 0);
	assert_int_equal(client_call(c, "account.del", NULL, &result, &err), -EINVAL);
	assert_int_equal(err.code, ERR_BAD_VALUE);
	assert_string_equal(err.field, "id");
	assert_string_equal(err.given, "ac\"me");
	assert_string_equal(err.accepted, "an account");
	assert_string_equal(err.message, "no luck");
	assert_null(result);
}

static void an_answer_may_be_long(void **state)
{
	CLEANUP(client_close) struct client *c = NULL;
	struct err err = ERR_INIT;
	json_t *result = NULL, *params = json_pack("{s:i}", "limit", 3000000);

	(void)state;
	assert_int_equal(client_open(&c, rig.path), 0);
	assert_int_equal(client_call(c, "cdr.list", params, &result, &err), 0);
	assert_int_equal(json_string_length(result), 3000000);
	json_decref(result);
	json_decref(params);
}

static void a_call_that_stands_still_ends_when_asked(void **state)
{
	CLEANUP(client_close) struct client *c = NULL;
	struct err err = ERR_INIT;
	json_t *result = NULL;

	(void)state;
	assert_int_equal(client_open(&c, rig.path), 0);
	assert_int_equal(client_set_timeout(c, 50), 0);
	assert_int_equal(client_call(c, "call.hangup", NULL, &result, &err), -EAGAIN);
}

static void where_nobody_listens_is_not_reachable(void **state)
{
	struct client *c = NULL;
	char path[128];
	struct err err = ERR_INIT;

	(void)state;
	(void)snprintf(path, sizeof(path), "%s/none.sock", rig.dir);
	assert_int_equal(client_open(&c, path), -ENOENT);

	int dead = sock_listen(path, &err);
	close(dead);
	assert_int_equal(client_open(&c, path), -ECONNREFUSED);
	unlink(path);

	memset(path, 'x', sizeof(path) - 1);
	path[sizeof(path) - 1] = 0;
	assert_int_equal(client_open(&c, path), -ENAMETOOLONG);
}

struct liar {
	int fd;
	const char *says;
};

static void *lie(void *ctx)
{
	const struct liar *l = ctx;
	struct timespec wait = { .tv_nsec = 1000000 };
	char request[4096];
	int fd;

	while ((fd = accept(l->fd, NULL, NULL)) < 0)
		nanosleep(&wait, NULL);
	if (recv(fd, request, sizeof(request), 0) > 0)
		(void)send(fd, l->says, strlen(l->says), MSG_NOSIGNAL);
	close(fd);
	return NULL;
}

static int ask_liar(const char *says, struct err *err)
{
	CLEANUP(client_close) struct client *c = NULL;
	char path[128];
	pthread_t other;
	json_t *result = NULL;
	struct err ignored = ERR_INIT;

	(void)snprintf(path, sizeof(path), "%s/liar.sock", rig.dir);
	struct liar liar = { sock_listen(path, &ignored), says };

	assert_true(liar.fd >= 0);
	assert_int_equal(client_open(&c, path), 0);
	assert_int_equal(pthread_create(&other, NULL, lie, &liar), 0);
	int r = client_call(c, "status.show", NULL, &result, err);
	c = client_close(c); /* a liar who still listens hears the end */
	assert_int_equal(pthread_join(other, NULL), 0);
	close(liar.fd);
	unlink(path);
	return r;
}

static void an_answer_that_is_none_is_told_from_a_refusal(void **state)
{
	struct err err = ERR_INIT;

	(void)state;
	assert_int_equal(ask_liar("", &err), -ECONNRESET);
	assert_int_equal(ask_liar("{\"jsonrpc\":\"2.0\",\"id\":1,\"res", &err), -ECONNRESET);
	assert_int_equal(ask_liar("hello\n", &err), -EPROTO);
	assert_int_equal(ask_liar("{\"jsonrpc\":\"2.0\",\"id\":2,\"result\":{}}\n", &err), -EPROTO);
	assert_int_equal(ask_liar("{\"id\":null,\"error\":{\"message\":\"go away\"}}\n", &err),
			 -EINVAL);
	assert_string_equal(err.message, "go away");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_call_brings_its_result),
		TEST(a_refusal_is_told_in_full),
		TEST(an_answer_may_be_long),
		TEST(a_call_that_stands_still_ends_when_asked),
		TEST(where_nobody_listens_is_not_reachable),
		TEST(an_answer_that_is_none_is_told_from_a_refusal),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
