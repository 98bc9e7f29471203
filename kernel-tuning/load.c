#include "load.h"

#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"

enum {
	PACKET = 172, /* RTP with 20 ms of G.711 */
	TICK_MS = 20,
	TICKS = 1000 / TICK_MS,
	BATCH = 64,
	LAST_MS = 1000, /* what is on its way at the end gets this long */
};

struct way {
	int from, to;
};

static void way_done_cleanup(struct way *w)
{
	if (w->from >= 0)
		(void)close(w->from);
	if (w->to >= 0)
		(void)close(w->to);
}

/* Two sockets of the sizes that programs get without asking, as rmem_default says. */
static int way_open(struct way *w)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
	socklen_t n = sizeof(a);

	w->to = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	w->from = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (w->to < 0 || w->from < 0 ||
	    bind(w->to, (const struct sockaddr *)(const void *)&a, sizeof(a)) < 0 ||
	    getsockname(w->to, (struct sockaddr *)(void *)&a, &n) < 0 ||
	    connect(w->from, (const struct sockaddr *)(const void *)&a, sizeof(a)) < 0)
		return -errno;
	return 0;
}

static void fill(struct mmsghdr *message, struct iovec *part, char *bytes)
{
	for (int i = 0; i < BATCH; i++) {
		part[i] = (struct iovec){ .iov_base = bytes, .iov_len = PACKET };
		message[i] =
			(struct mmsghdr){ .msg_hdr = { .msg_iov = &part[i], .msg_iovlen = 1 } };
	}
}

static int send_burst(const struct way *w, uint32_t n, uint64_t *sent)
{
	struct mmsghdr message[BATCH];
	struct iovec part[BATCH];
	char bytes[PACKET] = { 0 };

	fill(message, part, bytes);
	while (n > 0) {
		int done = sendmmsg(w->from, message, n < BATCH ? n : BATCH, 0);

		if (done < 0 && errno != EINTR)
			return -errno;
		if (done > 0) {
			n -= (uint32_t)done;
			*sent += (uint64_t)done;
		}
	}
	return 0;
}

static void take_all(const struct way *w, uint64_t *received)
{
	struct mmsghdr message[BATCH];
	struct iovec part[BATCH];
	char bytes[PACKET];
	int n;

	do {
		fill(message, part, bytes);
		n = recvmmsg(w->to, message, BATCH, MSG_DONTWAIT, NULL);
		*received += n > 0 ? (uint64_t)n : 0;
	} while (n > 0);
}

static void until_next(int64_t *at_us)
{
	int64_t left;

	*at_us += TICK_MS * 1000;
	left = *at_us - clock_mono_us();
	if (left > 0)
		(void)poll(NULL, 0, (int)(left / 1000));
}

int load_run(uint32_t rate, uint32_t seconds, struct load *ret)
{
	CLEANUP(way_done) struct way w = { -1, -1 };
	struct load l = { 0 };
	int64_t at = clock_mono_us();
	int r = way_open(&w);

	for (uint32_t i = 0; r == 0 && i < seconds * TICKS; i++) {
		r = send_burst(&w, (rate + TICKS - 1) / TICKS, &l.sent);
		until_next(&at);
		take_all(&w, &l.received);
	}
	for (int i = 0; r == 0 && l.received < l.sent && i < LAST_MS / TICK_MS; i++) {
		until_next(&at);
		take_all(&w, &l.received);
	}
	if (r == 0)
		*ret = l;
	return r;
}
