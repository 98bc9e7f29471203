/*
 * rig: a switch's media with one relay, a media thread, and an end with real sockets on loopback at either side of it. Without memory
 * (oom.h) there is no relay.
 */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <poll.h>
#include <string.h>

#include "media/relay.h"
#include "oom.h"

/* Ports below those that the kernel gives to the ends. */
enum { LONG_MS = 5000, LOW = 21000, HIGH = 21099 };

static const bool IP4[SIDE_COUNT];

/* The switch, one call of it, and an end with RTP and RTCP at both sides. */
struct rig {
	struct media *media;
	struct desk *desk;
	struct relay *relay;
	struct end {
		int fd[2]; /* RTP, RTCP */
		struct addr at[2];
	} end[SIDE_COUNT];
	uint16_t sequence;
};

static inline int open_end(const char *host, struct addr *ret)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	socklen_t n = sizeof(*ret);

	assert_int_equal(addr_parse(str_of(host), 0, ret), 0);
	assert_int_equal(bind(fd, &ret->sa, addr_len(ret)), 0);
	assert_int_equal(getsockname(fd, &ret->sa, &n), 0);
	return fd;
}

static inline bool start_media(struct rig *g)
{
	struct addr host;
	struct err err;
	struct media_config c = { .host = &host, .host_count = 1, .threads = 1, .workers = 2 };

	assert_int_equal(addr_parse(str_of("127.0.0.1"), 0, &host), 0);
	if (media_create(&g->media, &c, &err) < 0)
		return false;
	media_set_ports(g->media, LOW, HIGH);
	g->desk = media_desk(g->media, 0);
	return true;
}

static inline struct relay_peer peer_of(const struct rig *g, enum side s)
{
	return (struct relay_peer){ .rtp = g->end[s].at[0],
				    .rtcp = g->end[s].at[1],
				    .signalling = g->end[s].at[0],
				    .may_send = true,
				    .source = MEDIA_SDP };
}

static inline void tell_peer(struct rig *g, enum side s, const struct relay_peer *p)
{
	assert_int_equal(relay_set_peer(g->relay, s, p), 0);
	assert_int_equal(relay_listen(g->relay, s), 0);
	desk_flush(g->desk);
}

static inline int rig_set_up(void **state)
{
	static struct rig g;

	g = (struct rig){ 0 };
	*state = &g;
	for (int s = 0; s < SIDE_COUNT; s++)
		for (int i = 0; i < 2; i++)
			g.end[s].fd[i] = open_end("127.0.0.1", &g.end[s].at[i]);
	if (!start_media(&g) || relay_open(&g.relay, g.desk, IP4) < 0)
		return 0;
	for (int s = 0; s < SIDE_COUNT; s++) {
		struct relay_peer p = peer_of(&g, (enum side)s);

		tell_peer(&g, (enum side)s, &p);
	}
	return 0;
}

static inline int rig_tear_down(void **state)
{
	struct rig *g = *state;

	relay_close(g->relay);
	media_free(g->media);
	for (int s = 0; s < SIDE_COUNT; s++)
		for (int i = 0; i < 2; i++)
			(void)close(g->end[s].fd[i]);
	return 0;
}

/* ---- packets ---- */

static inline struct addr ours(const struct rig *g, enum side s, bool is_rtcp)
{
	struct addr a = *relay_local(g->relay, s);

	addr_set_port(&a, addr_port(&a) + is_rtcp);
	return a;
}

static inline void send_bytes(int fd, const struct addr *to, const void *bytes, size_t n)
{
	assert_int_equal(sendto(fd, bytes, n, 0, &to->sa, addr_len(to)), n);
}

enum { AUDIO_BYTES = 20 };

static inline void send_audio(struct rig *g, int fd, enum side s, uint8_t payload_type)
{
	struct addr to = ours(g, s, false);
	uint16_t q = g->sequence++;
	uint8_t p[AUDIO_BYTES] = { 0x80, payload_type, (uint8_t)(q >> 8), (uint8_t)q };

	send_bytes(fd, &to, p, sizeof(p));
}

/* Bytes received, or -1 after so long. */
static inline ssize_t hear(int fd, char *ret, size_t size, int wait_ms, struct addr *ret_from)
{
	struct pollfd ready = { .fd = fd, .events = POLLIN };
	socklen_t n = sizeof(*ret_from);

	if (poll(&ready, 1, wait_ms) <= 0)
		return -1;
	return recvfrom(fd, ret, size, 0, &ret_from->sa, &n);
}

static inline void hears_audio(const struct rig *g, int fd, enum side s)
{
	char bytes[100];
	struct addr from, local = ours(g, s, false);

	assert_int_equal(hear(fd, bytes, sizeof(bytes), LONG_MS, &from), AUDIO_BYTES);
	assert_true(addr_eq(&from, &local));
}

/* Nothing is there: what is sent afterwards the other way has come, so this would have come too. */
static inline void hears_nothing(int fd)
{
	char bytes[100];
	struct addr from;

	assert_int_equal(hear(fd, bytes, sizeof(bytes), 0, &from), -1);
}

static inline struct relay_stats stats(const struct rig *g, enum side s)
{
	struct relay_stats st;

	relay_stats(g->relay, s, &st);
	return st;
}

/* Waits until the media thread refused so many. */
static inline void wait_refused(const struct rig *g, enum side s, uint64_t n)
{
	ms_t end = clock_mono_ms() + LONG_MS;

	while (stats(g, s).refused < n && clock_mono_ms() < end)
		(void)poll(NULL, 0, 1);
	assert_int_equal(stats(g, s).refused, n);
}

/* Orders are done before the packets that come after this. */
static inline void wait_orders(struct rig *g)
{
	uint64_t n = stats(g, SIDE_CALLER).refused;
	struct addr to = ours(g, SIDE_CALLER, false);

	for (int i = 0; i < 2; i++) { /* the first may be read in the turn that reads the orders */
		send_bytes(g->end[0].fd[0], &to, "", 0);
		wait_refused(g, SIDE_CALLER, ++n);
	}
}

#define GIVE_UP_WITHOUT_MEMORY(g) \
	do {                      \
		if (!(g)->relay)  \
			return;   \
	} while (0)

static inline uint32_t relays(const struct rig *g)
{
	struct media_totals t;

	media_totals(g->media, &t);
	return t.relays;
}

static inline void wait_relays(const struct rig *g, uint32_t n)
{
	ms_t end = clock_mono_ms() + LONG_MS;

	while (relays(g) != n && clock_mono_ms() < end)
		(void)poll(NULL, 0, 1);
	assert_int_equal(relays(g), n);
}

#define RELAY_TEST(f) cmocka_unit_test_setup_teardown(f, rig_set_up, rig_tear_down)
