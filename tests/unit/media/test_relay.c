/* What a relay lets through, between real sockets on loopback. */
#include "rig.h"

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
		RELAY_TEST(another_worker_takes_it_over),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
