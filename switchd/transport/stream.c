#include "transport/stream.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "transport/conn.h"
#include "transport/quota.h"

enum { UNACKED_MS = 32000 }; /* a peer that acknowledges nothing for so long is gone */

static uint64_t peer_hash(const struct flow *f)
{
	return addr_hash(&f->peer) ^ f->listener ^ (uint64_t)f->policy << 32;
}

static struct conn *find_number(const struct stream *s, const struct flow *f)
{
	struct hnode *it;

	HTAB_EACH_MATCH(it, &s->by_number, f->conn)
	{
		struct conn *c = CONTAINER(it, struct conn, by_number);

		if (addr_eq(&c->flow.peer, &f->peer))
			return c;
	}
	return NULL;
}

static struct conn *find_peer(const struct stream *s, const struct flow *f)
{
	struct hnode *it;

	HTAB_EACH_MATCH(it, &s->by_peer, peer_hash(f))
	{
		struct conn *c = CONTAINER(it, struct conn, by_peer);

		if (c->flow.listener == f->listener && c->flow.policy == f->policy &&
		    addr_eq(&c->flow.peer, &f->peer))
			return c;
	}
	return NULL;
}

/* Counts up, so that a number comes again only after four thousand million connections. */
static uint32_t next_number(struct stream *s)
{
	do
		s->last_number++;
	while (s->last_number == 0 || htab_first(&s->by_number, s->last_number));
	return s->last_number;
}

void stream_add(struct stream *s, struct conn *c)
{
	bool is_ours = c->is_connecting;

	c->flow.conn = next_number(s);
	htab_add(&s->by_number, &c->by_number, c->flow.conn);
	if (is_ours)
		htab_add(&s->by_peer, &c->by_peer, peer_hash(&c->flow));
	list_add_tail(c->is_trusted ? &s->trusted : &s->unknown, &c->member);
}

void stream_remove(struct stream *s, struct conn *c)
{
	htab_del(&s->by_number, &c->by_number);
	htab_del(&s->by_peer, &c->by_peer);
	list_del(&c->dirty);
	list_del(&c->member);
	list_add_tail(&s->ended, &c->member);
}

static void set_options(int fd)
{
	int one = 1, unacked = UNACKED_MS;

	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	(void)setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &unacked, sizeof(unacked));
}

/* When the switch is full, the unknown connection that was silent longest makes room. */
static bool make_room(struct stream *s)
{
	if (list_is_empty(&s->unknown))
		return false;
	conn_end(CONTAINER(s->unknown.next, struct conn, member), -ECONNABORTED);
	return true;
}

static bool take_quota(struct stream *s, const struct addr *peer, bool is_trusted)
{
	enum quota_verdict v = quota_take(peer, is_trusted);

	if (v == QUOTA_ALL_FULL && make_room(s))
		v = quota_take(peer, is_trusted);
	return v == QUOTA_OK;
}

static int new_link(struct stream *s, const struct flow *f, int fd, bool is_ours,
		    struct tls_link **ret)
{
	if (f->proto != PROTO_TLS)
		return 0;
	if (!is_ours)
		return tls_link_accept(ret, s->sink->tls, fd);
	return tls_link_connect(ret, s->sink->tls, fd, &f->peer,
				tls_policy_at(&s->policies, f->policy));
}

static int new_conn(struct stream *s, const struct flow *f, int fd, bool is_ours, struct conn **ret)
{
	struct tls_link *tls = NULL;
	int r = new_link(s, f, fd, is_ours, &tls);

	if (r == 0)
		r = conn_create(ret, s, f, fd, tls, is_ours);
	if (r < 0)
		(void)tls_link_free(tls);
	return r;
}

int stream_adopt(struct stream *s, const struct flow *f, int fd, bool is_ours, struct conn **ret)
{
	int r = -ENOBUFS;

	set_options(fd);
	if (take_quota(s, &f->peer, is_ours)) {
		r = new_conn(s, f, fd, is_ours, ret);
		if (r == 0)
			return 0;
		quota_give(&f->peer, is_ours);
	}
	stat_add(&s->sink->stats->refused_connections, 1);
	(void)close(fd);
	return r;
}

/* From the address that we listen on, so that the peer knows us; the port is the kernel's choice. */
static int open_socket(const struct listener *l, const struct addr *peer)
{
	int fd = socket(peer->sa.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	struct addr from = l->addr;
	int one = 1, r = 0;

	if (fd < 0)
		return -errno;
	addr_set_port(&from, 0);
	(void)setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &one, sizeof(one));
	if (!addr_is_any(&from) && bind(fd, &from.sa, addr_len(&from)) < 0)
		r = -errno;
	if (r == 0 && connect(fd, &peer->sa, addr_len(peer)) < 0 && errno != EINPROGRESS)
		r = -errno;
	if (r == 0)
		return fd;
	(void)close(fd);
	return r;
}

static int open_conn(struct stream *s, const struct flow *to, struct conn **ret)
{
	int fd = open_socket(&s->listener[to->listener], &to->peer);
	int r = fd < 0 ? fd : stream_adopt(s, to, fd, true, ret);
	struct sockaddr_storage own;
	socklen_t n = sizeof(own);

	if (r == 0 && getsockname(fd, (struct sockaddr *)&own, &n) == 0)
		(void)addr_from_sa((struct sockaddr *)&own, n, &(*ret)->local);
	return r;
}

int stream_send(struct stream *s, const struct flow *to, struct str bytes)
{
	struct conn *c = to->conn ? find_number(s, to) : find_peer(s, to);

	if (!c && to->conn)
		return -ENOTCONN;

	int r = c ? 0 : open_conn(s, to, &c);

	if (r == 0)
		r = conn_send(c, bytes);
	if (r == 0)
		stat_add(&s->sink->stats->sent, 1);
	return r;
}

uint32_t stream_conn(const struct stream *s, const struct flow *f)
{
	const struct conn *c = find_peer(s, f);

	return c ? c->flow.conn : 0;
}

const struct addr *stream_local(const struct stream *s, const struct flow *f)
{
	const struct conn *c = f->conn ? find_number(s, f) : find_peer(s, f);

	return c && addr_is_set(&c->local) ? &c->local : NULL;
}

void stream_flush(struct stream *s)
{
	while (!list_is_empty(&s->dirty))
		conn_flush(CONTAINER(s->dirty.next, struct conn, dirty));
}

void stream_trust(struct stream *s, const struct flow *f)
{
	struct conn *c = find_number(s, f);

	if (c)
		conn_trust(c);
}

int stream_init(struct stream *s, const struct sink *sink, int worker,
		const struct listener *listener, int count)
{
	*s = (struct stream){ .worker = worker, .listener = listener, .listener_count = count };
	list_init(&s->unknown);
	list_init(&s->trusted);
	list_init(&s->ended);
	list_init(&s->dirty);
	s->sink = sink;
	s->scratch = malloc(STREAM_READ);
	if (!s->scratch)
		return -ENOMEM;

	int r = htab_init(&s->by_number, 0);

	if (r == 0)
		r = htab_init(&s->by_peer, 0);
	if (r == 0)
		r = tls_policies_init(&s->policies);
	return r < 0 ? r : doors_open(s);
}

static void free_conns(struct list *conns)
{
	struct list *it, *tmp;

	LIST_EACH (it, tmp, conns)
		conn_free(CONTAINER(it, struct conn, member));
}

void stream_done(struct stream *s)
{
	if (!s->sink)
		return;
	free_conns(&s->unknown);
	free_conns(&s->trusted);
	free_conns(&s->ended);
	doors_close(s);
	htab_done(&s->by_number);
	htab_done(&s->by_peer);
	tls_policies_done(&s->policies);
	free(s->scratch);
	*s = (struct stream){ 0 };
}
