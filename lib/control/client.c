#include "control/client.h"

#include <errno.h>
#include <sys/socket.h>
#include <sys/time.h>

#include "control/line.h"
#include "control/rpc.h"
#include "control/sock.h"

struct client {
	int fd;
	json_int_t last_id;
	struct lines in;
};

int client_open(struct client **ret, const char *path)
{
	struct client *c = calloc(1, sizeof(*c));

	if (!c)
		return -ENOMEM;
	c->fd = sock_connect(path);
	if (c->fd < 0) {
		int r = c->fd;

		free(c);
		return r;
	}
	*ret = c;
	return 0;
}

struct client *client_close(struct client *c)
{
	if (!c)
		return NULL;
	(void)close(c->fd);
	lines_done(&c->in);
	free(c);
	return NULL;
}

int client_set_timeout(struct client *c, uint32_t ms)
{
	struct timeval t = { .tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000 };

	if (setsockopt(c->fd, SOL_SOCKET, SO_RCVTIMEO, &t, sizeof(t)) < 0 ||
	    setsockopt(c->fd, SOL_SOCKET, SO_SNDTIMEO, &t, sizeof(t)) < 0)
		return -errno;
	return 0;
}

static int send_all(int fd, struct str bytes)
{
	while (bytes.n > 0) {
		ssize_t n = send(fd, bytes.p, bytes.n, MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		bytes = str_skip(bytes, (size_t)n);
	}
	return 0;
}

static int read_line(struct client *c, struct str *ret)
{
	while (!lines_next(&c->in, ret)) {
		ssize_t n = lines_read(&c->in, c->fd);

		if (n < 0)
			return (int)n;
		if (n == 0)
			return -ECONNRESET;
	}
	return 0;
}

int client_call(struct client *c, const char *method, json_t *params, json_t **ret, struct err *err)
{
	CLEANUP(buf_done) struct buf request = BUF_INIT;
	struct str line;

	int r = rpc_put_call(&request, ++c->last_id, method, params);
	if (r < 0)
		return r;

	/* Who is turned away finds the socket closed already, and the reason waiting in it. */
	int sent = send_all(c->fd, buf_str(&request));
	r = read_line(c, &line);
	if (r < 0)
		return sent < 0 ? sent : r;
	return rpc_parse_answer(line, c->last_id, ret, err);
}
