#include "rig.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/ring.h"
#include "transport/steer.h"

enum { WORKERS = 2, SOCKETS = 24 };

/* Two workers at the same ports, and the rings between them: ring[a][b] leads from a to b. */
static struct rig worker[WORKERS];
static struct ring *ring[WORKERS][WORKERS];

static void end(void)
{
	for (int a = 0; a < WORKERS; a++) {
		if (worker[a].transport)
			rig_done(&worker[a]);
		for (int b = 0; b < WORKERS; b++)
			ring[a][b] = ring_free(ring[a][b]);
	}
}

static int begin_worker(int w)
{
	struct ring *to[WORKERS] = { ring[w][0], ring[w][1] };
	struct ring *from[WORKERS] = { ring[0][w], ring[1][w] };
	uint16_t udp = w ? addr_port(&worker[0].udp) : 0, tcp = w ? addr_port(&worker[0].tcp) : 0;

	return rig_init(&worker[w], w, WORKERS, udp, tcp, to, from);
}

/* False if memory is short. */
static bool begin(size_t ring_bytes)
{
	memset(worker, 0, sizeof(worker));
	memset(ring, 0, sizeof(ring));
	if (ring_create(&ring[0][1], ring_bytes) == 0 &&
	    ring_create(&ring[1][0], ring_bytes) == 0 && begin_worker(0) == 0 &&
	    begin_worker(1) == 0)
		return true;
	end();
	return false;
}

static void turn_both(int times)
{
	for (int i = 0; i < times; i++)
		for (int w = 0; w < WORKERS; w++)
			assert_int_equal(loop_turn(&worker[w].loop, 1), 0);
}

static void wait_both(size_t messages)
{
	for (int i = 0; i < 500 && worker[0].count + worker[1].count < messages; i++)
		turn_both(1);
	assert_int_equal(worker[0].count + worker[1].count, messages);
}

/* A request inside a dialog of worker w, with so many bytes of ballast. */
static struct str request_of(int w, unsigned number, int ballast, char out[static 1200])
{
	int n = snprintf(out, 1200,
			 "INFO sip:x SIP/2.0\r\nTo: <sip:a@b>;tag=t%02x0011223344556677\r\n"
			 "Subject: %u %*s\r\n\r\n",
			 (unsigned)w, number, ballast, "x");

	return str_n(out, (size_t)n);
}

/* A connection that worker w has accepted; it may take a few, which are closed again. */
static int connection_of(int w)
{
	for (int i = 0; i < 100; i++) {
		uint64_t before = transport_stats(worker[w].transport)->connections;
		int fd = peer_open(SOCK_STREAM, &worker[w].tcp, 1);

		for (int wait = 0; wait < 10; wait++) {
			turn_both(1);
			if (transport_stats(worker[w].transport)->connections > before)
				return fd;
		}
		close(fd);
		for (int wait = 0; wait < 100 && worker[!w].gone <= i; wait++)
			turn_both(1);
	}
	fail_msg("worker %d never accepts", w);
	return -1;
}

static void a_datagram_reaches_its_worker_wherever_it_came_in(void **state)
{
	char text[1200];
	uint64_t moved = 0;

	(void)state;
	if (!begin(1 << 20))
		return;
	worker[1].echoes = true;
	for (unsigned i = 0; i < SOCKETS; i++) {
		int fd = peer_open(SOCK_DGRAM, &worker[0].udp, 1);
		struct str m = request_of(1, i, 1, text);

		peer_send(fd, m);
		wait_both(i + 1);
		assert_int_equal(worker[0].count, 0);
		assert_message(&worker[1], i, m);
		peer_expect(&worker[1], fd, m); /* from the second worker's own socket */
		close(fd);
	}
	moved = transport_stats(worker[0].transport)->handed_over;
	assert_in_range(moved, 1, SOCKETS - 1);
	end();
}

static void an_answer_goes_back_through_the_owner_of_the_connection(void **state)
{
	char text[1200];

	(void)state;
	if (!begin(1 << 20))
		return;

	int fd = connection_of(0);
	struct str m = request_of(1, 1, 1, text);
	struct rig *owner = &worker[0], *reader = &worker[1];

	peer_send(fd, m);
	wait_both(1);
	assert_message(reader, 0, m);
	assert_int_equal(reader->flow[0].worker, 0);
	assert_int_equal(transport_send(reader->transport, &reader->flow[0], STR("answer")), 0);
	turn_both(2);
	peer_expect(owner, fd, STR("answer"));

	/* known: it may be silent, and both workers hear of its end */
	transport_trust(reader->transport, &reader->flow[0]);
	turn_both(2);
	rig_later(owner, 20000);
	assert_true(peer_is_open(fd));
	owner->gone = reader->gone = 0; /* of the connections that were only tried */
	close(fd);
	for (int i = 0; i < 100 && (!owner->gone || !reader->gone); i++)
		turn_both(1);
	assert_int_equal(owner->gone, 1);
	assert_int_equal(reader->gone, 1);
	assert_int_equal(reader->gone_flow.conn, reader->flow[0].conn);
	assert_int_equal(reader->gone_flow.worker, 0);
	assert_int_equal(reader->gone_error, -ECONNRESET);
	end();
}

static void a_full_ring_drops_datagrams_and_counts_them(void **state)
{
	enum { SENT = 40 };
	char text[1200];
	int fd;

	(void)state;
	if (!begin(8192))
		return;
	/* A socket whose datagrams come in at worker 0. */
	for (;;) {
		uint64_t before = transport_stats(worker[0].transport)->received;

		fd = peer_open(SOCK_DGRAM, &worker[0].udp, 1);
		peer_send(fd, request_of(0, 0, 1, text));
		for (int i = 0; i < 5; i++)
			turn_both(1);
		if (transport_stats(worker[0].transport)->received > before)
			break;
		close(fd);
	}
	for (unsigned i = 0; i < SENT; i++)
		peer_send(fd, request_of(1, i, 700, text));
	rig_turns(&worker[0]);

	uint64_t dropped = transport_stats(worker[0].transport)->dropped_full;

	assert_in_range(dropped, SENT - 12, SENT - 1);
	turn_both(3);
	assert_int_equal(worker[1].count, SENT - dropped);
	for (unsigned i = 0; i < SENT - dropped; i++)
		assert_message(&worker[1], i, request_of(1, i, 700, text));
	close(fd);
	end();
}

static void a_full_ring_stops_a_connection_and_loses_nothing(void **state)
{
	enum { SENT = 60 };
	char text[1200];

	(void)state;
	if (!begin(8192))
		return;

	int fd = connection_of(0);

	for (unsigned i = 0; i < SENT; i++)
		peer_send(fd, request_of(1, i, 700, text));
	rig_turns(&worker[0]);
	assert_int_equal(transport_stats(worker[0].transport)->dropped_full, 0);
	assert_in_range(transport_stats(worker[0].transport)->received, 1, 12);
	wait_both(SENT);
	for (unsigned i = 0; i < SENT; i++)
		assert_message(&worker[1], i, request_of(1, i, 700, text));
	close(fd);
	end();
}

/* ---- threads ---- */

static void *work(void *w)
{
	return (void *)(intptr_t)loop_run(&((struct rig *)w)->loop);
}

/* Reads an echo; blocks for a while at most. */
static bool echo_comes(int fd, struct str expected)
{
	char got[1200];
	size_t n = 0;
	struct pollfd p = { .fd = fd, .events = POLLIN };

	while (n < expected.n && poll(&p, 1, RIG_PATIENCE_MS) == 1) {
		ssize_t r = recv(fd, got + n, sizeof(got) - n, 0);

		if (r <= 0)
			return false;
		n += (size_t)r;
	}
	return n == expected.n && memcmp(got, expected.p, n) == 0;
}

static void two_workers_hand_over_to_each_other(void **state)
{
	enum { ROUNDS = 104, PEERS = 4 };
	pthread_t thread[WORKERS];
	char text[1200];
	int fd[PEERS];
	size_t echoes = 0;

	(void)state;
	if (!begin(1 << 20))
		return;
	for (int w = 0; w < WORKERS; w++) {
		worker[w].echoes = true;
		assert_int_equal(pthread_create(&thread[w], NULL, work, &worker[w]), 0);
	}
	for (int i = 0; i < PEERS; i++)
		fd[i] = i % 2 ? peer_open(SOCK_STREAM, &worker[0].tcp, i + 1)
			      : peer_open(SOCK_DGRAM, &worker[0].udp, i + 1);
	for (unsigned round = 0; round < ROUNDS; round++) {
		struct str m = request_of((int)(round / PEERS % 2), round, 1, text);

		peer_send(fd[round % PEERS], m);
		echoes += echo_comes(fd[round % PEERS], m);
	}
	for (int i = 0; i < PEERS; i++)
		close(fd[i]);
	for (int w = 0; w < WORKERS; w++) {
		loop_stop(&worker[w].loop);
		assert_int_equal(pthread_join(thread[w], NULL), 0);
	}
	assert_int_equal(echoes, ROUNDS);
	assert_int_equal(worker[0].count, ROUNDS / 2);
	assert_int_equal(worker[1].count, ROUNDS / 2);
	assert_true(transport_stats(worker[0].transport)->handed_over +
			    transport_stats(worker[1].transport)->handed_over >
		    0);
	end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_datagram_reaches_its_worker_wherever_it_came_in),
		cmocka_unit_test(an_answer_goes_back_through_the_owner_of_the_connection),
		cmocka_unit_test(a_full_ring_drops_datagrams_and_counts_them),
		cmocka_unit_test(a_full_ring_stops_a_connection_and_loses_nothing),
		cmocka_unit_test(two_workers_hand_over_to_each_other),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
