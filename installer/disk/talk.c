#include "talk.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include "base/file.h"

enum { LINE = 256 };

int talk_open(struct talk *t, const char *path)
{
	if (t->n == TALK_LINES)
		return -ENOSPC;
	/* Some serial ports are there by name only: they are found out when something is said. */
	int fd = open(path, O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	t->fd[t->n++] = fd;
	return 0;
}

void talk_use_stdio(struct talk *t)
{
	t->fd[0] = STDIN_FILENO;
	t->n = 1;
}

void talk_done(struct talk *t)
{
	for (size_t i = 0; i < t->n; i++)
		if (t->fd[i] != STDIN_FILENO)
			(void)close(t->fd[i]);
	t->n = 0;
}

static void drop(struct talk *t, size_t i)
{
	if (t->fd[i] != STDIN_FILENO)
		(void)close(t->fd[i]);
	t->fd[i] = t->fd[--t->n];
}

void talk_say(struct talk *t, const char *fmt, ...)
{
	CLEANUP(buf_done) struct buf text = BUF_INIT;
	va_list ap;

	va_start(ap, fmt);
	buf_vprintf(&text, fmt, ap);
	va_end(ap);
	for (size_t i = t->n; i-- > 0;) {
		int fd = t->fd[i] == STDIN_FILENO ? STDOUT_FILENO : t->fd[i];

		if (file_put(fd, buf_str(&text)) < 0)
			drop(t, i);
	}
}

/* A terminal hands over whole lines. 1: there is one; 0: that line is gone; negative errno. */
static int hear(struct talk *t, size_t i, struct buf *ret)
{
	char text[LINE];
	ssize_t n = read(t->fd[i], text, sizeof(text));

	if (n <= 0) {
		drop(t, i);
		return 0;
	}
	if (text[n - 1] != '\n' && n == LINE)
		return -EMSGSIZE;
	buf_put(ret, str_trim(str_n(text, (size_t)n)));
	return buf_error(ret) < 0 ? buf_error(ret) : 1;
}

int talk_ask(struct talk *t, struct buf *ret)
{
	buf_clear(ret);
	while (t->n > 0) {
		struct pollfd p[TALK_LINES];
		size_t n = t->n;

		for (size_t i = 0; i < n; i++)
			p[i] = (struct pollfd){ .fd = t->fd[i], .events = POLLIN };
		if (poll(p, n, -1) < 0 && errno != EINTR)
			return -errno;
		for (size_t i = n; i-- > 0;) {
			int r = p[i].revents ? hear(t, i, ret) : 0;
			if (r != 0)
				return r < 0 ? r : 0;
		}
	}
	return -EPIPE;
}
