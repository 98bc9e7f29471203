#include "rig.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "control/sock.h"

static json_t *long_text(const json_t *params)
{
	size_t n = (size_t)json_integer_value(json_object_get(params, "limit"));
	CLEANUP(free) char *text = malloc(n + 1);

	if (!text)
		return NULL;
	memset(text, 'x', n);
	return json_stringn(text, n);
}

static void on_request(void *ctx, struct request *r)
{
	struct rig *rig = ctx;
	struct err err = ERR_INIT;

	rig->requests++;
	if (r->op == OP_STATUS_SHOW) {
		request_done(r, json_pack("{s:s}", "actor", r->actor));
	} else if (r->op == OP_ACCOUNT_SHOW) {
		request_done(r, json_deep_copy(r->params));
	} else if (r->op == OP_CDR_LIST) {
		request_done(r, long_text(r->params));
	} else if (r->op == OP_CALL_HANGUP && rig->held_count < RIG_HELD) {
		rig->held[rig->held_count++] = r;
	} else {
		(void)err_set(&err, ERR_BAD_VALUE, "id", STR("ac\"me"), "an account", "no %s",
			      "luck");
		request_fail(r, &err);
	}
}

int rig_init(struct rig *r)
{
	struct err err = ERR_INIT;

	*r = (struct rig){ 0 };
	(void)snprintf(r->dir, sizeof(r->dir), "/tmp/test-control-XXXXXX");
	assert_non_null(mkdtemp(r->dir));
	(void)snprintf(r->path, sizeof(r->path), "%s/control.sock", r->dir);
	assert_int_equal(sd_event_new(&r->ev), 0);
	return server_create(&r->server, r->ev, r->path, on_request, r, &err);
}

void rig_done(struct rig *r)
{
	struct err err = ERR_INIT;

	(void)err_set(&err, ERR_INTERNAL, "", STR(""), NULL, "over");
	r->server = server_free(r->server);
	for (int i = 0; i < r->held_count; i++)
		request_fail(r->held[i], &err);
	assert_int_equal(access(r->path, F_OK), -1);
	assert_int_equal(rmdir(r->dir), 0);
	sd_event_unref(r->ev);
}

void rig_settle(struct rig *r)
{
	/* A turn that found nothing may have moved something: ask twice. */
	for (int idle = 0; idle < 2;)
		idle = sd_event_run(r->ev, 0) > 0 ? 0 : idle + 1;
}

bool rig_is_closed_within(struct rig *r, int fd, int ms)
{
	for (; ms > 0; ms -= 10) {
		struct pollfd p = { .fd = fd };

		(void)sd_event_run(r->ev, 10 * 1000);
		if (poll(&p, 1, 0) > 0 && p.revents & POLLHUP)
			return true;
	}
	return false;
}

int rig_connect(const struct rig *r)
{
	int fd = sock_connect(r->path);

	assert_true(fd >= 0);
	assert_int_equal(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
	return fd;
}

size_t rig_send(int fd, struct str bytes)
{
	size_t sent = 0;

	while (sent < bytes.n) {
		ssize_t n = send(fd, bytes.p + sent, bytes.n - sent, MSG_NOSIGNAL);

		if (n < 0)
			break;
		sent += (size_t)n;
	}
	return sent;
}

struct str rig_read(int fd, bool *ret_is_closed)
{
	static char bytes[1 << 20];
	size_t got = 0;
	ssize_t n;

	while ((n = recv(fd, bytes + got, sizeof(bytes) - got, 0)) > 0)
		got += (size_t)n;
	if (ret_is_closed)
		*ret_is_closed = n == 0 || errno == ECONNRESET;
	return str_n(bytes, got);
}

struct str rig_ask(struct rig *r, int fd, const char *line)
{
	assert_int_equal(rig_send(fd, str_of(line)), strlen(line));
	assert_int_equal(rig_send(fd, STR("\n")), 1);
	rig_settle(r);
	return rig_read(fd, NULL);
}
