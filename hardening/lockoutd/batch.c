#include "batch.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <libnftnl/common.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <stdlib.h>
#include <sys/socket.h>

enum { ENVELOPE = 256, SOCKET_ROOM = 16 * 1024 * 1024, ANSWER = 65536 };

static void put_envelope(struct batch *b, struct nlmsghdr *(*make)(char *, uint32_t))
{
	char room[ENVELOPE];
	const struct nlmsghdr *h = make(room, ++b->seq);

	buf_put(&b->out, str_n(h, h->nlmsg_len));
}

void batch_begin(struct batch *b, uint32_t seq)
{
	*b = (struct batch){ .out = BUF_INIT, .seq = seq };
	b->scratch = malloc(BATCH_MESSAGE);
	b->is_short = !b->scratch;
	put_envelope(b, nftnl_batch_begin);
}

void batch_done(struct batch *b)
{
	free(b->scratch);
	b->scratch = NULL;
	buf_done(&b->out);
}

struct nlmsghdr *batch_message(struct batch *b, uint16_t type, uint16_t flags)
{
	if (b->is_short)
		return NULL;
	return nftnl_nlmsg_build_hdr(b->scratch, type, NFPROTO_INET, flags, ++b->seq);
}

void batch_put(struct batch *b, const struct nlmsghdr *h)
{
	b->last = b->out.n;
	buf_put(&b->out, str_n(h, h->nlmsg_len));
}

/*
 * The kernel works inside the send: when it returns, every answer is there to be read. Refused
 * messages are answered one by one, so the first is the cause. The last message asks for an answer in
 * any case: a batch that was done has that one.
 */
static int read_answers(struct mnl_socket *nl, uint32_t last)
{
	CLEANUP(free) char *room = malloc(ANSWER);
	int result = -EIO;
	bool is_refused = false;

	if (!room)
		return -ENOMEM;
	for (;;) {
		ssize_t n = recv(mnl_socket_get_fd(nl), room, ANSWER, MSG_DONTWAIT);
		int left = (int)n;

		if (n < 0)
			return is_refused || errno == EAGAIN ? result : -errno;
		for (const struct nlmsghdr *h = (const void *)room; mnl_nlmsg_ok(h, left);
		     h = mnl_nlmsg_next(h, &left)) {
			const struct nlmsgerr *e = mnl_nlmsg_get_payload(h);

			if (h->nlmsg_type != NLMSG_ERROR || is_refused)
				continue;
			is_refused = e->error != 0;
			if (is_refused || h->nlmsg_seq == last)
				result = e->error;
		}
	}
}

int batch_commit(struct batch *b, struct mnl_socket *nl)
{
	int fd = mnl_socket_get_fd(nl), room = SOCKET_ROOM;
	uint32_t last = b->seq;

	put_envelope(b, nftnl_batch_end);
	if (b->is_short || buf_error(&b->out))
		return -ENOMEM;
	((struct nlmsghdr *)(void *)(b->out.p + b->last))->nlmsg_flags |= NLM_F_ACK;
	if (b->out.n > (size_t)room)
		return -EMSGSIZE;
	(void)setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &room, sizeof(room));
	if (mnl_socket_sendto(nl, b->out.p, b->out.n) < 0)
		return -errno;
	return read_answers(nl, last);
}
