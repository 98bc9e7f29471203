/* Relays are opened, joined and closed; their ports. */
#include "rig.h"

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

int main(void)
{
	const struct CMUnitTest tests[] = {
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
