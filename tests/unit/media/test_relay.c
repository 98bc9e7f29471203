/* A relay between real sockets on loopback, with a media thread. */
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

static int open_end(const char *host, struct addr *ret)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	socklen_t n = sizeof(*ret);

	assert_int_equal(addr_parse(str_of(host), 0, ret), 0);
	assert_int_equal(bind(fd, &ret->sa, addr_len(ret)), 0);
	assert_int_equal(getsockname(fd, &ret->sa, &n), 0);
	return fd;
}

static bool start_media(struct rig *g)
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

static struct relay_peer peer_of(const struct rig *g, enum side s)
{
	return (struct relay_peer){ .rtp = g->end[s].at[0],
				    .rtcp = g->end[s].at[1],
				    .signalling = g->end[s].at[0],
				    .may_send = true,
				    .source = MEDIA_SDP };
}

static void tell_peer(struct rig *g, enum side s, const struct relay_peer *p)
{
	assert_int_equal(relay_set_peer(g->relay, s, p), 0);
	assert_int_equal(relay_listen(g->relay, s), 0);
	desk_flush(g->desk);
}

static int set_up(void **state)
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

static int tear_down(void **state)
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

static struct addr ours(const struct rig *g, enum side s, bool is_rtcp)
{
	struct addr a = *relay_local(g->relay, s);

	addr_set_port(&a, addr_port(&a) + is_rtcp);
	return a;
}

static void send_bytes(int fd, const struct addr *to, const void *bytes, size_t n)
{
	assert_int_equal(sendto(fd, bytes, n, 0, &to->sa, addr_len(to)), n);
}

enum { AUDIO_BYTES = 20 };

static void send_audio(struct rig *g, int fd, enum side s, uint8_t payload_type)
{
	struct addr to = ours(g, s, false);
	uint16_t q = g->sequence++;
	uint8_t p[AUDIO_BYTES] = { 0x80, payload_type, (uint8_t)(q >> 8), (uint8_t)q };

	send_bytes(fd, &to, p, sizeof(p));
}

/* Bytes received, or -1 after so long. */
static ssize_t hear(int fd, char *ret, size_t size, int wait_ms, struct addr *ret_from)
{
	struct pollfd ready = { .fd = fd, .events = POLLIN };
	socklen_t n = sizeof(*ret_from);

	if (poll(&ready, 1, wait_ms) <= 0)
		return -1;
	return recvfrom(fd, ret, size, 0, &ret_from->sa, &n);
}

static void hears_audio(const struct rig *g, int fd, enum side s)
{
	char bytes[100];
	struct addr from, local = ours(g, s, false);

	assert_int_equal(hear(fd, bytes, sizeof(bytes), LONG_MS, &from), AUDIO_BYTES);
	assert_true(addr_eq(&from, &local));
}

/* Nothing is there: what is sent afterwards the other way has come, so this would have come too. */
static void hears_nothing(int fd)
{
	char bytes[100];
	struct addr from;

	assert_int_equal(hear(fd, bytes, sizeof(bytes), 0, &from), -1);
}

static struct relay_stats stats(const struct rig *g, enum side s)
{
	struct relay_stats st;

	relay_stats(g->relay, s, &st);
	return st;
}

/* Waits until the media thread refused so many. */
static void wait_refused(const struct rig *g, enum side s, uint64_t n)
{
	ms_t end = clock_mono_ms() + LONG_MS;

	while (stats(g, s).refused < n && clock_mono_ms() < end)
		(void)poll(NULL, 0, 1);
	assert_int_equal(stats(g, s).refused, n);
}

/* Orders are done before the packets that come after this. */
static void wait_orders(struct rig *g)
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

/* ---- tests ---- */

static void each_side_hears_the_other_and_the_counts_are_exact(void **state)
{
	struct rig *g = *state;

	GIVE_UP_WITHOUT_MEMORY(g);
	wait_orders(g);
	for (int i = 0; i < 50; i++) {
		send_audio(g, g->end[SIDE_CALLER].fd[0], SIDE_CALLER, 8);
		hears_audio(g, g->end[SIDE_CALLEE].fd[0], SIDE_CALLEE);
	}
	g->sequence = 7;
	for (int i = 0; i < 30; i++) {
		send_audio(g, g->end[SIDE_CALLEE].fd[0], SIDE_CALLEE, 8);
		hears_audio(g, g->end[SIDE_CALLER].fd[0], SIDE_CALLER);
		if (i == 10)
			g->sequence = 23; /* five are missing */
	}

	/* counted after it was sent: the last one's own count may still be on its way */
	ms_t end = clock_mono_ms() + LONG_MS;
	while (stats(g, SIDE_CALLER).packets_out < 30 && clock_mono_ms() < end)
		(void)poll(NULL, 0, 1);

	struct relay_stats a = stats(g, SIDE_CALLER), b = stats(g, SIDE_CALLEE);
	assert_int_equal(a.packets_in, 50);
	assert_int_equal(a.bytes_in, 50 * AUDIO_BYTES);
	assert_int_equal(a.packets_out, 30);
	assert_int_equal(a.bytes_out, 30 * AUDIO_BYTES);
	assert_int_equal(a.lost, 0);
	assert_int_equal(b.packets_in, 30);
	assert_int_equal(b.packets_out, 50);
	assert_int_equal(b.lost, 5);
	assert_int_equal(b.refused, 0);
	assert_in_range(a.mos_100, 400, 450);
	assert_true(b.mos_100 < a.mos_100);
}

static const char report[] = "\x80\xc9\0\1\1\2\3\4";

static void reports_pass_by_their_own_ports(void **state)
{
	struct rig *g = *state;
	char bytes[100];
	struct addr from, to, local;

	GIVE_UP_WITHOUT_MEMORY(g);
	wait_orders(g);
	to = ours(g, SIDE_CALLEE, true);
	local = ours(g, SIDE_CALLER, true);
	send_bytes(g->end[SIDE_CALLEE].fd[1], &to, report, 8);
	assert_int_equal(hear(g->end[SIDE_CALLER].fd[1], bytes, sizeof(bytes), LONG_MS, &from), 8);
	assert_memory_equal(bytes, report, 8);
	assert_true(addr_eq(&from, &local));
	assert_int_equal(stats(g, SIDE_CALLEE).packets_in, 0);
	assert_int_equal(stats(g, SIDE_CALLER).packets_out, 0);
}

static void a_packet_that_is_none_or_from_elsewhere_changes_nothing(void **state)
{
	struct rig *g = *state;
	struct addr at, to;
	char bytes[100];
	static char big[3000] = { (char)0x80, 8 };

	GIVE_UP_WITHOUT_MEMORY(g);
	wait_orders(g);
	to = ours(g, SIDE_CALLEE, false);

	CLEANUP(close) int enemy = open_end("127.0.0.66", &at);
	send_audio(g, enemy, SIDE_CALLEE, 8);
	send_bytes(g->end[SIDE_CALLEE].fd[0], &to, "\x80\x08", 2);
	send_bytes(g->end[SIDE_CALLEE].fd[0], &to, report, 8);
	send_bytes(g->end[SIDE_CALLEE].fd[0], &to, big, sizeof(big));
	wait_refused(g, SIDE_CALLEE, 4);
	send_audio(g, g->end[SIDE_CALLER].fd[0], SIDE_CALLER, 8);
	hears_audio(g, g->end[SIDE_CALLEE].fd[0], SIDE_CALLEE);
	hears_nothing(g->end[SIDE_CALLER].fd[0]);
	assert_int_equal(hear(enemy, bytes, sizeof(bytes), 0, &at), -1);
	assert_int_equal(stats(g, SIDE_CALLEE).packets_in, 0);
}

static void only_payload_types_that_were_named_pass(void **state)
{
	struct rig *g = *state;
	struct relay_peer caller = peer_of(g, SIDE_CALLER), callee = peer_of(g, SIDE_CALLEE);

	GIVE_UP_WITHOUT_MEMORY(g);
	caller.payloads = (struct payloads){ { 1u << 8, UINT64_C(1) << (101 - 64) } };
	callee.payloads = (struct payloads){ { 1u << 0 | 1u << 8, UINT64_C(1) << (96 - 64) } };
	tell_peer(g, SIDE_CALLER, &caller);
	tell_peer(g, SIDE_CALLEE, &callee);
	wait_orders(g);

	static const uint8_t good[] = { 8, 0, 101, 96, 13, 0x80 | 8 }, bad[] = { 18, 3, 97, 127 };
	for (size_t i = 0; i < sizeof(good); i++) {
		send_audio(g, g->end[SIDE_CALLEE].fd[0], SIDE_CALLEE, good[i]);
		hears_audio(g, g->end[SIDE_CALLER].fd[0], SIDE_CALLER);
	}
	for (size_t i = 0; i < sizeof(bad); i++)
		send_audio(g, g->end[SIDE_CALLEE].fd[0], SIDE_CALLEE, bad[i]);
	wait_refused(g, SIDE_CALLEE, sizeof(bad));
	hears_nothing(g->end[SIDE_CALLER].fd[0]);
}

static void a_side_that_moves_is_followed(void **state)
{
	struct rig *g = *state;
	struct relay_peer p = peer_of(g, SIDE_CALLER);

	GIVE_UP_WITHOUT_MEMORY(g);

	CLEANUP(close) int moved = open_end("127.0.0.1", &p.rtp);
	tell_peer(g, SIDE_CALLER, &p);
	wait_orders(g);
	send_audio(g, g->end[SIDE_CALLEE].fd[0], SIDE_CALLEE, 8);
	hears_audio(g, moved, SIDE_CALLER);
	hears_nothing(g->end[SIDE_CALLER].fd[0]);
}

static void a_side_behind_nat_is_sent_to_once_it_was_heard(void **state)
{
	struct rig *g = *state;
	struct relay_peer p = peer_of(g, SIDE_CALLER);

	GIVE_UP_WITHOUT_MEMORY(g);
	p.source = MEDIA_NAT;
	assert_int_equal(addr_parse(str_of("10.9.8.7:4000"), 0, &p.rtp), 0);
	tell_peer(g, SIDE_CALLER, &p);
	wait_orders(g);
	send_audio(g, g->end[SIDE_CALLEE].fd[0], SIDE_CALLEE, 8);
	send_audio(g, g->end[SIDE_CALLER].fd[0], SIDE_CALLER, 8);
	hears_audio(g, g->end[SIDE_CALLEE].fd[0], SIDE_CALLEE);
	hears_nothing(g->end[SIDE_CALLER].fd[0]);
	send_audio(g, g->end[SIDE_CALLEE].fd[0], SIDE_CALLEE, 8);
	hears_audio(g, g->end[SIDE_CALLER].fd[0], SIDE_CALLER);
}

static void networks_come_with_their_order(void **state)
{
	struct rig *g = *state;
	struct relay_peer p = peer_of(g, SIDE_CALLER);
	struct cidr nets[2];
	struct addr at;

	GIVE_UP_WITHOUT_MEMORY(g);
	assert_int_equal(cidr_parse(STR("192.0.2.0/24"), &nets[0]), 0);
	assert_int_equal(cidr_parse(STR("127.0.0.64/30"), &nets[1]), 0);
	p.source = MEDIA_NETS;
	p.nets = nets;
	p.net_count = 2;
	tell_peer(g, SIDE_CALLER, &p);
	wait_orders(g);

	uint64_t before = stats(g, SIDE_CALLER).refused;
	CLEANUP(close) int inside = open_end("127.0.0.66", &at);
	send_audio(g, g->end[SIDE_CALLER].fd[0], SIDE_CALLER, 8);
	wait_refused(g, SIDE_CALLER, before + 1);
	send_audio(g, inside, SIDE_CALLER, 8);
	hears_audio(g, g->end[SIDE_CALLEE].fd[0], SIDE_CALLEE);
	send_audio(g, g->end[SIDE_CALLEE].fd[0], SIDE_CALLEE, 8);
	hears_audio(g, inside, SIDE_CALLER);
}

/* Hold: the stream stops, is counted, and keeps the call alive; reports go on. */
static void a_held_side_is_counted_but_not_passed_on(void **state)
{
	struct rig *g = *state;
	struct relay_peer p = peer_of(g, SIDE_CALLER);
	struct addr to, from;
	char bytes[100];

	GIVE_UP_WITHOUT_MEMORY(g);
	p.may_send = false;
	p.is_deaf = true;
	tell_peer(g, SIDE_CALLER, &p);
	wait_orders(g);
	send_audio(g, g->end[SIDE_CALLER].fd[0], SIDE_CALLER, 8);
	send_audio(g, g->end[SIDE_CALLEE].fd[0], SIDE_CALLEE, 8);
	to = ours(g, SIDE_CALLER, true);
	send_bytes(g->end[SIDE_CALLER].fd[1], &to, report, 8);
	assert_int_equal(hear(g->end[SIDE_CALLEE].fd[1], bytes, sizeof(bytes), LONG_MS, &from), 8);
	wait_orders(g);
	hears_nothing(g->end[SIDE_CALLER].fd[0]);
	hears_nothing(g->end[SIDE_CALLEE].fd[0]);
	assert_int_equal(stats(g, SIDE_CALLER).packets_in, 1);
	assert_int_equal(stats(g, SIDE_CALLEE).packets_in, 1);
	assert_int_equal(stats(g, SIDE_CALLER).packets_out, 0);
}

static void addresses_that_no_peer_can_have_are_refused(void **state)
{
	static const struct {
		const char *rtp;
		int result;
	} cases[] = {
		{ "0.0.0.0:4000", 0 }, /* hold */
		{ "224.0.0.1:4000", -EINVAL },  { "255.255.255.255:4000", -EINVAL },
		{ "127.0.0.1:21000", -EINVAL }, /* our own ports */
		{ "127.0.0.1:21099", -EINVAL }, { "127.0.0.1:20999", 0 },
		{ "127.0.0.2:21000", 0 },       { "10.0.0.1:4000", 0 },
		{ "198.51.100.1:4000", 0 },
	};
	struct rig *g = *state;

	GIVE_UP_WITHOUT_MEMORY(g);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct relay_peer p = { 0 };

		assert_int_equal(addr_parse(str_of(cases[i].rtp), 0, &p.rtp), 0);
		if (relay_set_peer(g->relay, SIDE_CALLER, &p) != cases[i].result)
			fail_msg("%s", cases[i].rtp);
	}
}

static void no_address_is_hold(void **state)
{
	struct rig *g = *state;
	struct relay_peer p = peer_of(g, SIDE_CALLER);

	GIVE_UP_WITHOUT_MEMORY(g);
	p.source = MEDIA_NAT;
	tell_peer(g, SIDE_CALLER, &p);
	wait_orders(g);
	send_audio(g, g->end[SIDE_CALLER].fd[0], SIDE_CALLER, 8);
	hears_audio(g, g->end[SIDE_CALLEE].fd[0], SIDE_CALLEE);
	assert_int_equal(addr_parse(str_of("0.0.0.0:4000"), 0, &p.rtp), 0);
	tell_peer(g, SIDE_CALLER, &p);
	wait_orders(g);
	send_audio(g, g->end[SIDE_CALLEE].fd[0], SIDE_CALLEE, 8);
	wait_orders(g);
	hears_nothing(g->end[SIDE_CALLER].fd[0]);
	assert_int_equal(stats(g, SIDE_CALLEE).packets_in, 1);
}

static uint32_t relays(const struct rig *g)
{
	struct media_totals t;

	media_totals(g->media, &t);
	return t.relays;
}

static void wait_relays(const struct rig *g, uint32_t n)
{
	ms_t end = clock_mono_ms() + LONG_MS;

	while (relays(g) != n && clock_mono_ms() < end)
		(void)poll(NULL, 0, 1);
	assert_int_equal(relays(g), n);
}

static void a_close_stops_both_sides_and_frees_the_sockets(void **state)
{
	struct rig *g = *state;
	struct addr local[SIDE_COUNT];

	GIVE_UP_WITHOUT_MEMORY(g);
	for (int s = 0; s < SIDE_COUNT; s++)
		local[s] = ours(g, (enum side)s, false);
	g->relay = relay_close(g->relay);
	desk_flush(g->desk);
	wait_relays(g, 0);
	for (int s = 0; s < SIDE_COUNT; s++) {
		CLEANUP(close) int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

		assert_int_equal(bind(fd, &local[s].sa, addr_len(&local[s])), 0);
	}
	for (int s = 0; s < SIDE_COUNT; s++)
		hears_nothing(g->end[s].fd[0]);
}

static void ports_are_even_and_rest_after_the_call(void **state)
{
	struct rig *g = *state;
	struct relay *other;

	GIVE_UP_WITHOUT_MEMORY(g);
	media_set_ports(g->media, 21100, 21103);
	if (relay_open(&other, g->desk, IP4) < 0)
		return;
	for (int s = 0; s < SIDE_COUNT; s++)
		assert_int_equal(addr_port(relay_local(other, (enum side)s)) % 2, 0);
	relay_close(other);
	desk_flush(g->desk);
	wait_relays(g, 1);
	assert_int_equal(relay_open(&other, g->desk, IP4), -EADDRNOTAVAIL);
	assert_int_equal(relays(g), 1);
}

/* Somebody else has a port of the range: the pair is passed over. */
static void a_port_that_is_taken_is_passed_over(void **state)
{
	struct rig *g = *state;
	struct addr at;
	struct relay *other;

	GIVE_UP_WITHOUT_MEMORY(g);

	CLEANUP(close) int squatter = open_end("127.0.0.1:21111", &at);
	(void)squatter;
	media_set_ports(g->media, 21110, 21115);
	if (relay_open(&other, g->desk, IP4) < 0)
		return;
	for (int s = 0; s < SIDE_COUNT; s++)
		assert_int_not_equal(addr_port(relay_local(other, (enum side)s)), 21110);
	relay_close(other);
}

/* The mail is full: orders are refused, but every relay can still be closed. */
static void a_close_has_its_place_in_full_mail(void **state)
{
	struct rig *g = *state;
	struct relay_peer p = peer_of(g, SIDE_CALLER);
	bool was_full = false;
	struct relay *other[8];
	int n = 0;

	GIVE_UP_WITHOUT_MEMORY(g);
	while (n < 8 && relay_open(&other[n], g->desk, IP4) == 0)
		n++;
	/* not flushed, so nobody wakes the thread to make room */
	for (int i = 0; i < 200000 && !was_full; i++)
		was_full = relay_set_peer(g->relay, SIDE_CALLER, &p) == -ENOBUFS;
	while (n > 0)
		relay_close(other[--n]);
	g->relay = relay_close(g->relay);
	desk_flush(g->desk);
	wait_relays(g, 0);
	assert_true(was_full);
}

/* The side that looks at another relay of ours. */
static void tie(struct rig *g, struct relay *r, enum side s, const struct relay *with,
		enum side looking)
{
	const struct relay_peer p = { .may_send = true, .source = MEDIA_SDP };

	assert_int_equal(relay_join(r, s, with, looking, &p), 0);
	desk_flush(g->desk);
}

/* The far ends of the two hear each other; nobody else who sends to the sides between them is believed. */
static void relays_that_look_at_each_other_are_one(void **state)
{
	struct rig *g = *state;
	struct relay *second = NULL;
	struct relay *first = g->relay;
	char bytes[100];
	struct addr from;

	GIVE_UP_WITHOUT_MEMORY(g);
	if (oom_refused(relay_open(&second, g->desk, IP4)))
		return;
	struct relay_peer far = peer_of(g, SIDE_CALLEE);

	assert_int_equal(relay_set_peer(second, SIDE_CALLEE, &far), 0);
	tie(g, first, SIDE_CALLEE, second, SIDE_CALLER);
	tie(g, second, SIDE_CALLER, first, SIDE_CALLEE);
	wait_orders(g);
	send_audio(g, g->end[SIDE_CALLER].fd[0], SIDE_CALLER, 8);
	assert_int_equal(hear(g->end[SIDE_CALLEE].fd[0], bytes, sizeof(bytes), LONG_MS, &from),
			 AUDIO_BYTES);
	assert_true(addr_eq(&from, relay_local(second, SIDE_CALLEE)));
	g->relay = second;
	send_audio(g, g->end[SIDE_CALLEE].fd[0], SIDE_CALLEE, 8);
	g->relay = first;
	hears_audio(g, g->end[SIDE_CALLER].fd[0], SIDE_CALLER);
	relay_close(second);
	desk_flush(g->desk);
}

static void relays_come_and_go(void)
{
	struct rig g = { 0 };
	struct relay *r = NULL;

	if (!start_media(&g))
		return;
	if (!oom_refused(relay_open(&r, g.desk, IP4)))
		relay_close(r);
	media_free(g.media); /* with the order in the mail */
}

static void memory_may_run_out(void **state)
{
	(void)state;
	oom_each(relays_come_and_go);
}

/* Its call goes over to another worker (call/move.h): what passes goes on, and is that one's to change. */
static void another_worker_takes_it_over(void **state)
{
	struct rig *g = *state;

	GIVE_UP_WITHOUT_MEMORY(g);

	struct desk *other = media_desk(g->media, 1);
	struct relay_peer held = peer_of(g, SIDE_CALLEE);
	ms_t end = clock_mono_ms() + LONG_MS;

	while (!relay_is_settled(g->relay) && clock_mono_ms() < end)
		(void)poll(NULL, 0, 1);
	assert_true(relay_is_settled(g->relay));
	assert_true(desk_reserve(other));
	relay_leave(g->relay);
	relay_adopt(g->relay, other);
	send_audio(g, g->end[SIDE_CALLER].fd[0], SIDE_CALLER, 8);
	hears_audio(g, g->end[SIDE_CALLEE].fd[0], SIDE_CALLEE);
	held.is_deaf = true;
	assert_int_equal(relay_set_peer(g->relay, SIDE_CALLEE, &held), 0);
	assert_false(relay_is_settled(g->relay));
	desk_flush(other);
	wait_orders(g);
	send_audio(g, g->end[SIDE_CALLER].fd[0], SIDE_CALLER, 8);
	send_audio(g, g->end[SIDE_CALLEE].fd[0], SIDE_CALLEE, 8);
	hears_audio(g, g->end[SIDE_CALLER].fd[0], SIDE_CALLER);
	hears_nothing(g->end[SIDE_CALLEE].fd[0]);
	assert_true(desk_reserve(other));
	desk_unreserve(other);
}

#define RELAY_TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		RELAY_TEST(each_side_hears_the_other_and_the_counts_are_exact),
		RELAY_TEST(reports_pass_by_their_own_ports),
		RELAY_TEST(a_packet_that_is_none_or_from_elsewhere_changes_nothing),
		RELAY_TEST(only_payload_types_that_were_named_pass),
		RELAY_TEST(a_side_that_moves_is_followed),
		RELAY_TEST(a_side_behind_nat_is_sent_to_once_it_was_heard),
		RELAY_TEST(networks_come_with_their_order),
		RELAY_TEST(a_held_side_is_counted_but_not_passed_on),
		RELAY_TEST(addresses_that_no_peer_can_have_are_refused),
		RELAY_TEST(no_address_is_hold),
		RELAY_TEST(a_close_stops_both_sides_and_frees_the_sockets),
		RELAY_TEST(ports_are_even_and_rest_after_the_call),
		RELAY_TEST(a_port_that_is_taken_is_passed_over),
		RELAY_TEST(a_close_has_its_place_in_full_mail),
		RELAY_TEST(relays_that_look_at_each_other_are_one),
		RELAY_TEST(another_worker_takes_it_over),
		cmocka_unit_test(memory_may_run_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
