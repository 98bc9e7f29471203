#include "transport/udp.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>

enum {
	RECEIVE_BATCH = 32,
	BATCHES_A_TURN = 8, /* then the others have their turn; epoll tells us again */
	DATAGRAM_MAX = 65535,
	PAYLOAD_MAX = 65507, /* of IPv4; IPv6 has a little more */
	KEEP_ALIVE_MAX = 4,
	SEND_BATCH = 64,
	WAITING_MAX = 4096, /* parcels while the socket takes no more */
	WAITING_BYTES = 4 << 20,
	BYTES_KEPT = 256 * 1024 /* a buffer that grew beyond this is given back */
};

struct udp_batch {
	struct mmsghdr head[RECEIVE_BATCH];
	struct iovec vec[RECEIVE_BATCH];
	struct sockaddr_storage from[RECEIVE_BATCH];
	char bytes[RECEIVE_BATCH][DATAGRAM_MAX + 1];
};

int udp_batch_create(struct udp_batch **ret)
{
	/* Not calloc: the pages are touched as datagrams need them. */
	struct udp_batch *b = malloc(sizeof(*b));

	if (!b)
		return -ENOMEM;
	for (int i = 0; i < RECEIVE_BATCH; i++) {
		b->vec[i] = (struct iovec){ b->bytes[i], sizeof(b->bytes[i]) };
		b->head[i] = (struct mmsghdr){ .msg_hdr = { .msg_name = &b->from[i],
							    .msg_iov = &b->vec[i],
							    .msg_iovlen = 1 } };
	}
	*ret = b;
	return 0;
}

struct udp_batch *udp_batch_free(struct udp_batch *b)
{
	free(b);
	return NULL;
}

/* What keeps a NAT open is no message. */
static bool is_keep_alive(struct str raw)
{
	if (raw.n > KEEP_ALIVE_MAX)
		return false;
	for (size_t i = 0; i < raw.n; i++)
		if (raw.p[i] != '\r' && raw.p[i] != '\n' && raw.p[i] != '\0')
			return false;
	return true;
}

static void take_datagram(struct udp *u, const struct mmsghdr *h)
{
	struct str raw = str_n(h->msg_hdr.msg_iov->iov_base, h->msg_len);
	struct flow from = u->flow;

	if (is_keep_alive(raw))
		return;
	if ((h->msg_hdr.msg_flags & MSG_TRUNC) ||
	    addr_from_sa(h->msg_hdr.msg_name, h->msg_hdr.msg_namelen, &from.peer) < 0) {
		stat_add(&u->sink->stats->dropped_bad, 1);
		return;
	}
	stat_add(&u->sink->stats->received, 1);
	if (!u->sink->on_message(u->sink->ctx, &from, raw))
		stat_add(&u->sink->stats->dropped_full, 1);
}

/* Says whether there may be more. */
static bool receive_batch(struct udp *u)
{
	struct udp_batch *b = u->batch;

	for (int i = 0; i < RECEIVE_BATCH; i++)
		b->head[i].msg_hdr.msg_namelen = sizeof(b->from[i]);

	int n = recvmmsg(u->fd, b->head, RECEIVE_BATCH, MSG_DONTWAIT, NULL);

	for (int i = 0; i < n; i++)
		take_datagram(u, &b->head[i]);
	return n == RECEIVE_BATCH;
}

static void on_ready(struct event *e, uint32_t epoll_events)
{
	struct udp *u = CONTAINER(e, struct udp, event);

	if (epoll_events & EPOLLOUT)
		udp_flush(u);
	for (int i = 0; i < BATCHES_A_TURN && receive_batch(u); i++)
		;
}

int udp_init(struct udp *u, const struct sink *sink, struct udp_batch *batch, int fd,
	     uint16_t listener, int worker)
{
	*u = (struct udp){ .sink = sink, .batch = batch, .fd = fd };
	u->flow = (struct flow){ .proto = PROTO_UDP,
				 .worker = (uint8_t)worker,
				 .listener = listener };
	return loop_add(sink->loop, &u->event, fd, EPOLLIN, on_ready);
}

void udp_done(struct udp *u)
{
	if (!u->sink)
		return;
	loop_del(u->sink->loop, &u->event);
	buf_done(&u->bytes);
	free(u->parcels);
	*u = (struct udp){ 0 };
}

static int make_room(struct udp *u)
{
	if (u->count < u->room)
		return 0;

	size_t room = u->room ? u->room * 2 : SEND_BATCH;
	struct parcel *more = reallocarray(u->parcels, room, sizeof(*more));

	if (!more)
		return -ENOMEM;
	u->parcels = more;
	u->room = room;
	return 0;
}

int udp_send(struct udp *u, const struct addr *to, struct str bytes)
{
	if (bytes.n > PAYLOAD_MAX)
		return -EMSGSIZE;
	if (u->count >= WAITING_MAX || u->bytes.n + bytes.n > WAITING_BYTES) {
		stat_add(&u->sink->stats->dropped_full, 1);
		return -ENOBUFS;
	}

	int r = make_room(u);

	if (r == 0)
		r = buf_reserve(&u->bytes, bytes.n);
	if (r < 0) {
		u->bytes.err = 0; /* what is in there is whole */
		return r;
	}
	u->parcels[u->count++] = (struct parcel){ u->bytes.n, bytes.n, *to };
	buf_put(&u->bytes, bytes);
	if (u->count - u->first >= SEND_BATCH && !u->is_blocked)
		udp_flush(u);
	return 0;
}

/* How many of the next parcels the kernel took, or its negative errno. */
static int send_batch(struct udp *u)
{
	struct mmsghdr head[SEND_BATCH];
	struct iovec vec[SEND_BATCH];
	size_t n = u->count - u->first < SEND_BATCH ? u->count - u->first : SEND_BATCH;

	for (size_t i = 0; i < n; i++) {
		struct parcel *p = &u->parcels[u->first + i];

		vec[i] = (struct iovec){ u->bytes.p + p->at, p->n };
		head[i] = (struct mmsghdr){ .msg_hdr = { .msg_name = &p->to.sa,
							 .msg_namelen = addr_len(&p->to),
							 .msg_iov = &vec[i],
							 .msg_iovlen = 1 } };
	}

	int r = sendmmsg(u->fd, head, (unsigned)n, MSG_DONTWAIT);

	return r < 0 ? -errno : r;
}

static void set_blocked(struct udp *u, bool is_blocked)
{
	if (u->is_blocked == is_blocked)
		return;
	u->is_blocked = is_blocked;
	(void)loop_change(u->sink->loop, &u->event, is_blocked ? EPOLLIN | EPOLLOUT : EPOLLIN);
}

static void forget_sent(struct udp *u)
{
	u->first = u->count = 0;
	if (u->bytes.cap > BYTES_KEPT)
		buf_done(&u->bytes);
	buf_clear(&u->bytes);
}

void udp_flush(struct udp *u)
{
	while (u->first < u->count) {
		int r = send_batch(u);

		if (r == -EINTR)
			continue;
		if (r == -EAGAIN) {
			set_blocked(u, true);
			return;
		}
		/* Any other error is about the first one alone: no route to it, or a filter. */
		u->first += r < 0 ? 1 : (size_t)r;
		stat_add(r < 0 ? &u->sink->stats->dropped_bad : &u->sink->stats->sent,
			 r < 0 ? 1 : (uint64_t)r);
	}
	forget_sent(u);
	set_blocked(u, false);
}
