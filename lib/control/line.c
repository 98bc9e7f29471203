#include "control/line.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "control/rpc.h"

enum { READ_BYTES = 16 * 1024, KEEP_BYTES = 1024 * 1024 };

void lines_done(struct lines *l)
{
	buf_done(&l->buf);
	*l = LINES_INIT;
}

/* Makes room at the end. A buffer that a huge line has blown up is given back once it is empty. */
static int make_room(struct lines *l)
{
	buf_consume(&l->buf, l->start);
	l->scanned -= l->start;
	l->start = 0;

	if (l->buf.n > RPC_LINE_MAX)
		return -EMSGSIZE;
	if (l->buf.n == 0 && l->buf.cap > KEEP_BYTES)
		buf_done(&l->buf);
	return buf_reserve(&l->buf, READ_BYTES);
}

ssize_t lines_read(struct lines *l, int fd)
{
	int r = make_room(l);
	if (r < 0)
		return r;

	ssize_t n;
	do
		n = recv(fd, l->buf.p + l->buf.n, l->buf.cap - l->buf.n, 0);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;

	l->buf.n += (size_t)n;
	return n;
}

bool lines_next(struct lines *l, struct str *ret)
{
	struct str unseen = str_skip(buf_str(&l->buf), l->scanned);
	ptrdiff_t at = str_chr(unseen, '\n');

	if (at < 0) {
		l->scanned = l->buf.n;
		return false;
	}

	size_t end = l->scanned + (size_t)at;
	*ret = str_n(l->buf.p + l->start, end - l->start);
	l->start = l->scanned = end + 1;
	return true;
}

bool lines_is_partial(const struct lines *l)
{
	return l->start < l->buf.n;
}
