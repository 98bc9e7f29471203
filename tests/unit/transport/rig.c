#include "rig.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"

static void on_message(void *ctx, const struct flow *from, struct str raw)
{
	struct rig *r = ctx;

	assert_true(r->count < RIG_MESSAGES);
	buf_put(&r->message[r->count], raw);
	r->flow[r->count++] = *from;
	if (r->echoes)
		(void)transport_send(r->transport, from, raw);
}

static void on_gone(void *ctx, const struct flow *flow, int error)
{
	struct rig *r = ctx;

	r->gone++;
	r->gone_flow = *flow;
	r->gone_error = error;
}

static void on_turn(struct loop *l, void *ctx)
{
	struct rig *r = ctx;

	(void)l;
	transport_flush(r->transport);
}

static struct addr local_of(struct rig *r, enum proto proto)
{
	struct addr peer, local = { 0 };
	struct flow f;

	assert_int_equal(addr_parse(STR("127.0.0.1:9"), 0, &peer), 0);
	assert_int_equal(transport_flow(r->transport, proto, &peer, &f), 0);
	transport_local(r->transport, &f, &local);
	return local;
}

int rig_init(struct rig *r, int worker, int workers, uint16_t udp_port, uint16_t tcp_port,
	     struct ring *const *to, struct ring *const *from)
{
	struct listen_spec listen[2] = { { .proto = PROTO_UDP }, { .proto = PROTO_TCP } };
	struct err err = ERR_INIT;

	*r = (struct rig){ 0 };
	assert_int_equal(addr_parse(STR("127.0.0.1"), udp_port, &listen[RIG_UDP].addr), 0);
	assert_int_equal(addr_parse(STR("127.0.0.1"), tcp_port, &listen[RIG_TCP].addr), 0);

	int error = loop_init(&r->loop);

	if (error < 0)
		return error;

	struct transport_config c = { .loop = &r->loop,
				      .listen = listen,
				      .listen_count = 2,
				      .worker = worker,
				      .workers = workers,
				      .to = to,
				      .from = from,
				      .on_message = on_message,
				      .on_gone = on_gone,
				      .ctx = r };

	error = transport_create(&r->transport, &c, &err);
	if (error < 0) {
		loop_done(&r->loop);
		return error;
	}
	r->loop.now_ms = clock_mono_ms();
	r->loop.on_turn = on_turn;
	r->loop.ctx = r;
	r->udp = local_of(r, PROTO_UDP);
	r->tcp = local_of(r, PROTO_TCP);
	return 0;
}

void rig_done(struct rig *r)
{
	r->transport = transport_free(r->transport);
	for (size_t i = 0; i < r->count; i++)
		buf_done(&r->message[i]);
	loop_done(&r->loop);
}

/* With allocations refused, much never comes. */
static bool is_late(int64_t start_ms)
{
	return clock_mono_ms() - start_ms > (getenv("OOM") ? 50 : RIG_PATIENCE_MS);
}

void rig_wait(struct rig *r, size_t messages)
{
	for (int64_t start = clock_mono_ms(); r->count < messages && !is_late(start);)
		assert_int_equal(loop_turn(&r->loop, 10), 0);
	assert_int_equal(r->count, messages);
}

void rig_wait_gone(struct rig *r, int gone)
{
	for (int64_t start = clock_mono_ms(); r->gone < gone && !is_late(start);)
		assert_int_equal(loop_turn(&r->loop, 10), 0);
	assert_int_equal(r->gone, gone);
}

void rig_turns(struct rig *r)
{
	for (int i = 0; i < 3; i++)
		assert_int_equal(loop_turn(&r->loop, 2), 0);
}

void rig_later(struct rig *r, int64_t ms)
{
	r->loop.now_ms += ms;
	wheel_advance(&r->loop.wheel, r->loop.now_ms);
	transport_flush(r->transport);
}

void assert_message(const struct rig *r, size_t i, struct str expected)
{
	assert_true(i < r->count);
	assert_int_equal(r->message[i].n, expected.n);
	assert_memory_equal(r->message[i].p, expected.p, expected.n);
}

int peer_open(int type, const struct addr *to, int host)
{
	struct addr from = { .in = { .sin_family = AF_INET } };
	int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);

	from.in.sin_addr.s_addr = htonl(0x7f000000U + (uint32_t)host);
	assert_true(fd >= 0);
	assert_int_equal(bind(fd, &from.sa, addr_len(&from)), 0);
	assert_int_equal(connect(fd, &to->sa, addr_len(to)), 0);
	return fd;
}

void peer_send(int fd, struct str bytes)
{
	assert_int_equal(send(fd, bytes.p, bytes.n, MSG_NOSIGNAL), bytes.n);
}

/* Up to n bytes, with turns in between; 0: the end, or nothing came in time. */
static size_t receive(struct rig *r, int fd, char *out, size_t n, bool *ret_ended)
{
	int64_t start = clock_mono_ms();

	*ret_ended = false;
	while (!is_late(start)) {
		ssize_t got = recv(fd, out, n, MSG_DONTWAIT);

		if (got > 0)
			return (size_t)got;
		*ret_ended = got == 0 || (errno != EAGAIN && errno != EWOULDBLOCK);
		if (*ret_ended)
			return 0;
		assert_int_equal(loop_turn(&r->loop, 2), 0);
	}
	return 0;
}

void peer_expect(struct rig *r, int fd, struct str expected)
{
	char got[512];
	bool ended;

	while (expected.n > 0) {
		size_t want = expected.n < sizeof(got) ? expected.n : sizeof(got);
		size_t n = receive(r, fd, got, want, &ended);

		assert_true(n > 0);
		assert_memory_equal(got, expected.p, n);
		expected = str_skip(expected, n);
	}
}

bool peer_has_data(int fd)
{
	char c;

	return recv(fd, &c, 1, MSG_DONTWAIT | MSG_PEEK) > 0;
}

void peer_expect_end(struct rig *r, int fd)
{
	char c;
	bool ended;

	assert_int_equal(receive(r, fd, &c, 1, &ended), 0);
	assert_true(ended);
}

bool peer_is_open(int fd)
{
	char c;

	return recv(fd, &c, 1, MSG_DONTWAIT | MSG_PEEK) < 0 && errno == EAGAIN;
}
