#include "transport/transport.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "transport/frame.h"
#include "transport/listener.h"
#include "transport/local.h"
#include "transport/post.h"
#include "transport/sink.h"
#include "transport/steer.h"
#include "transport/stream.h"
#include "transport/udp.h"

struct transport {
	struct transport_config config; /* its arrays are not looked at after creation */
	struct transport_stats stats;
	struct sink sink;
	int count; /* of listeners that are open */
	struct listener *listener;
	struct udp *udp; /* one a listener, unused for streams */
	struct udp_batch *batch;
	struct stream stream;
	struct post *post;
	struct local local;
};

/* ---- in ---- */

static bool on_message(void *ctx, const struct flow *from, struct str raw)
{
	struct transport *t = ctx;
	int owner = steer_peek(raw, t->config.workers);

	if (owner == t->config.worker) {
		t->config.on_message(t->config.ctx, from, raw);
		return true;
	}
	if (!post_push(t->post, owner, POST_MESSAGE, from, 0, raw))
		return false;
	stat_add(&t->stats.handed_over, 1);
	return true;
}

static void tell_gone(struct transport *t, const struct flow *flow, int error)
{
	if (t->config.on_gone)
		t->config.on_gone(t->config.ctx, flow, error);
}

static void tell_others_gone(struct transport *t, const struct flow *flow, int error)
{
	for (int w = 0; w < t->config.workers; w++)
		if (w != t->config.worker)
			(void)post_push(t->post, w, POST_GONE, flow, error, STR(""));
}

/* A flow of a trusted connection may be held by any worker, by its calls and transactions. */
static void on_gone(void *ctx, const struct flow *flow, bool is_trusted, int error)
{
	struct transport *t = ctx;

	if (is_trusted)
		tell_others_gone(t, flow, error);
	tell_gone(t, flow, error);
}

/* Who sent it knows only now that the connection had ended. */
static void send_for_another(struct transport *t, const struct flow *flow, struct str bytes)
{
	if (stream_send(&t->stream, flow, bytes) == -ENOTCONN)
		tell_others_gone(t, flow, -ENOTCONN);
}

static bool may_shake(void *ctx, const struct flow *from)
{
	struct transport *t = ctx;

	return t->config.may_shake(t->config.ctx, from);
}

static void on_mail(void *ctx, enum post_kind kind, const struct flow *flow, int error,
		    struct str bytes)
{
	struct transport *t = ctx;

	switch (kind) {
	case POST_MESSAGE:
		t->config.on_message(t->config.ctx, flow, bytes);
		break;
	case POST_SEND:
		send_for_another(t, flow, bytes);
		break;
	case POST_TRUST:
		stream_trust(&t->stream, flow);
		break;
	case POST_GONE:
		tell_gone(t, flow, error);
		break;
	case POST_PASSED:
		t->config.on_passed(t->config.ctx, flow, bytes);
		break;
	case POST_NOTE:
		t->config.on_note(t->config.ctx, bytes);
		break;
	}
}

bool transport_pass(struct transport *t, int worker, const struct flow *from, struct str raw)
{
	if (post_push(t->post, worker, POST_PASSED, from, 0, raw)) {
		stat_add(&t->stats.handed_over, 1);
		return true;
	}
	stat_add(&t->stats.dropped_full, 1);
	return false;
}

bool transport_note(struct transport *t, int worker, struct str bytes)
{
	static const struct flow none;

	return post_push(t->post, worker, POST_NOTE, &none, 0, bytes);
}

/* ---- out ---- */

static bool is_zero_net(const struct addr *a)
{
	return !addr_is_v6(a) && ntohl(a->in.sin_addr.s_addr) >> 24 == 0;
}

/* F7: what a forged source or a bad configuration must never make us do. */
static bool is_forbidden(struct transport *t, const struct flow *to)
{
	struct addr self;

	if (addr_port(&to->peer) == 0 || addr_is_any(&to->peer) || is_zero_net(&to->peer) ||
	    addr_is_multicast(&to->peer))
		return true;
	if (addr_port(&to->peer) != addr_port(&t->listener[to->listener].addr))
		return false;
	transport_own(t, to, &self);
	return addr_eq(&self, &to->peer) || outside_has(t->config.outside, &to->peer);
}

static bool is_known(const struct transport *t, const struct flow *f)
{
	return f->listener < t->count && t->listener[f->listener].proto == f->proto &&
	       (!proto_is_stream((enum proto)f->proto) || f->worker < t->config.workers);
}

static int send_elsewhere(struct transport *t, const struct flow *to, struct str bytes)
{
	if (post_push(t->post, to->worker, POST_SEND, to, 0, bytes))
		return 0;
	stat_add(&t->stats.dropped_full, 1);
	return -ENOBUFS;
}

static int send_it(struct transport *t, const struct flow *to, struct str bytes)
{
	if (!is_known(t, to))
		return -ENOTCONN;
	if (bytes.n > FRAME_MAX)
		return -EMSGSIZE;
	if (is_forbidden(t, to)) {
		stat_add(&t->stats.dropped_bad, 1);
		return -EACCES;
	}
	if (!proto_is_stream((enum proto)to->proto))
		return udp_send(&t->udp[to->listener], &to->peer, bytes);
	/* A connection is opened by who wants it; one that exists is its owner's. */
	if (to->conn && to->worker != t->config.worker)
		return send_elsewhere(t, to, bytes);
	return stream_send(&t->stream, to, bytes);
}

int transport_send(struct transport *t, const struct flow *to, struct str bytes)
{
	int r = send_it(t, to, bytes);

	if (r == 0 && t->config.on_sent &&
	    atomic_load_explicit(t->config.is_tapped, memory_order_relaxed))
		t->config.on_sent(t->config.ctx, to, bytes);
	return r;
}

uint32_t transport_conn(const struct transport *t, const struct flow *f)
{
	if (f->conn || !is_known(t, f) || !proto_is_stream((enum proto)f->proto))
		return f->conn;
	return stream_conn(&t->stream, f);
}

void transport_flush(struct transport *t)
{
	stream_flush(&t->stream);
	for (int i = 0; i < t->count; i++)
		if (t->udp[i].count > t->udp[i].first && !t->udp[i].is_blocked)
			udp_flush(&t->udp[i]);
	post_flush(t->post);
}

int transport_secure(struct transport *t, struct flow *f, const struct tls_policy *p)
{
	if (f->proto != PROTO_TLS)
		return 0;
	f->policy = tls_policy_number(&t->stream.policies, p);
	return f->policy ? 0 : -ENOMEM;
}

const char *transport_error_text(int error)
{
	switch (error) {
	case -EKEYEXPIRED:
		return "its certificate is expired, or not valid yet";
	case -EKEYREVOKED:
		return "its certificate was revoked by who signed it (crl.pem)";
	case -EKEYREJECTED:
		return "its certificate is for another name, or not the one that is pinned";
	case -ENOKEY:
		return "its certificate comes from nobody that is trusted";
	case -EPROTO:
		return "no agreement on TLS, or it refused our certificate";
	default:
		return strerror(error < 0 ? -error : error);
	}
}

void transport_close_by_reset(struct transport *t, bool on)
{
	t->sink.close_by_reset = on;
}

/* ---- addresses ---- */

/* How well a listener suits a peer that sees us at `source`; 0: not at all. */
static int suits(const struct listener *l, const struct addr *peer, const struct addr *source)
{
	if (addr_is_v6(&l->addr) != addr_is_v6(peer))
		return 0;
	if (source && addr_eq_host(&l->addr, source))
		return 4;
	if (addr_is_any(&l->addr))
		return 3;
	if (addr_is_loopback(&l->addr) != addr_is_loopback(peer))
		return addr_is_loopback(peer) ? 1 : 0;
	return 2;
}

int transport_flow(struct transport *t, enum proto proto, const struct addr *peer, struct flow *ret)
{
	struct addr source;
	bool has_route = local_find(&t->local, peer, t->config.loop->now_ms, &source) == 0;
	int best = -1, best_score = 0;

	for (int i = 0; i < t->count; i++) {
		const struct listener *l = &t->listener[i];
		int score = l->proto == proto ? suits(l, peer, has_route ? &source : NULL) : 0;

		if (score > best_score) {
			best = i;
			best_score = score;
		}
	}
	if (best < 0)
		return -EAFNOSUPPORT;
	*ret = (struct flow){ .proto = (uint8_t)proto,
			      .worker = (uint8_t)t->config.worker,
			      .listener = (uint16_t)best,
			      .peer = *peer };
	return 0;
}

void transport_local(struct transport *t, const struct flow *f, struct addr *ret)
{
	transport_own(t, f, ret);
	outside_show(t->config.outside, &f->peer, ret);
}

void transport_own(struct transport *t, const struct flow *f, struct addr *ret)
{
	struct addr source;

	*ret = t->listener[f->listener].addr;
	if (!addr_is_any(ret) ||
	    local_find(&t->local, &f->peer, t->config.loop->now_ms, &source) < 0)
		return;
	addr_set_port(&source, addr_port(ret));
	*ret = source;
}

void transport_socket(struct transport *t, const struct flow *f, struct addr *ret)
{
	const struct addr *own = NULL;

	if (is_known(t, f) && proto_is_stream((enum proto)f->proto) &&
	    (!f->conn || f->worker == t->config.worker))
		own = stream_local(&t->stream, f);
	if (own)
		*ret = *own;
	else
		transport_own(t, f, ret);
}

void transport_trust(struct transport *t, const struct flow *f)
{
	if (!f->conn || !is_known(t, f))
		return;
	if (f->worker == t->config.worker)
		stream_trust(&t->stream, f);
	else
		(void)post_push(t->post, f->worker, POST_TRUST, f, 0, STR(""));
}

const struct transport_stats *transport_stats(const struct transport *t)
{
	return &t->stats;
}

/* ---- creation ---- */

static int has_means(const struct transport_config *c, const struct listen_spec *s, struct err *err)
{
	if (s->proto != PROTO_TLS || c->tls)
		return 0;
	return err_set(err, ERR_BAD_VALUE, "listen", STR("tls"), "udp or tcp",
		       "there are no certificates for TLS");
}

static int open_listeners(struct transport *t, struct err *err)
{
	const struct transport_config *c = &t->config;

	for (; t->count < c->listen_count; t->count++) {
		struct listener *l = &t->listener[t->count];
		int r = has_means(c, &c->listen[t->count], err);

		if (r == 0)
			r = listener_open(l, &c->listen[t->count], c->worker == 0, err);
		if (r < 0)
			return r;

		uint64_t least = t->stats.buffer_bytes;

		if (l->proto == PROTO_UDP && (least == 0 || (uint64_t)l->buffer_bytes < least))
			t->stats.buffer_bytes = (uint64_t)l->buffer_bytes;
	}
	return 0;
}

static int open_all(struct transport *t, struct err *err)
{
	const struct transport_config *c = &t->config;
	int r = open_listeners(t, err);

	if (r == 0)
		r = post_create(&t->post, c->loop, c->to, c->from, c->workers, on_mail, t);
	if (r == 0)
		r = udp_batch_create(&t->batch);
	for (int i = 0; i < t->count && r == 0; i++)
		if (t->listener[i].proto == PROTO_UDP)
			r = udp_init(&t->udp[i], &t->sink, t->batch, t->listener[i].fd, (uint16_t)i,
				     c->worker);
	if (r == 0)
		r = stream_init(&t->stream, &t->sink, c->worker, t->listener, t->count);
	return r;
}

int transport_create(struct transport **ret, const struct transport_config *c, struct err *err)
{
	CLEANUP(transport_free) struct transport *t = calloc(1, sizeof(*t));
	size_t n = (size_t)c->listen_count;

	assert(c->worker < c->workers && c->workers <= 256 && c->listen_count <= UINT16_MAX);
	if (!t)
		return -ENOMEM;
	t->config = *c;
	t->sink = (struct sink){ .loop = c->loop,
				 .stats = &t->stats,
				 .on_message = on_message,
				 .on_gone = on_gone,
				 .may_shake = c->may_shake ? may_shake : NULL,
				 .tls = c->tls,
				 .ctx = t };
	t->listener = calloc(n + 1, sizeof(*t->listener));
	t->udp = calloc(n + 1, sizeof(*t->udp));
	if (!t->listener || !t->udp)
		return -ENOMEM;

	int r = open_all(t, err);

	if (r < 0)
		return r;
	*ret = TAKE(t);
	return 0;
}

struct transport *transport_free(struct transport *t)
{
	if (!t)
		return NULL;
	stream_done(&t->stream);
	for (int i = 0; i < t->count; i++) {
		udp_done(&t->udp[i]);
		listener_close(&t->listener[i]);
	}
	(void)udp_batch_free(t->batch);
	(void)post_free(t->post);
	free(t->udp);
	free(t->listener);
	free(t);
	return NULL;
}
