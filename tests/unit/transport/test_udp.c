#include "rig.h"

#include <errno.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "transport/flow.h"

/* Ours stands before libc's: how many messages a call takes at most; -1: the socket is full. */
static int takes = 1024;

int sendmmsg(int fd, struct mmsghdr *head, unsigned n, int flags)
{
	if (takes < 0) {
		errno = EAGAIN;
		return -1;
	}
	return (int)syscall(SYS_sendmmsg, fd, head, n < (unsigned)takes ? n : (unsigned)takes,
			    flags);
}

static struct flow flow_to(struct rig *r, int fd)
{
	struct flow f;
	struct sockaddr_in a;
	socklen_t n = sizeof(a);
	struct addr peer;

	assert_int_equal(getsockname(fd, (struct sockaddr *)&a, &n), 0);
	assert_int_equal(addr_from_sa((struct sockaddr *)&a, n, &peer), 0);
	assert_int_equal(transport_flow(r->transport, PROTO_UDP, &peer, &f), 0);
	return f;
}

static void a_datagram_comes_with_its_source_and_goes_back_there(void **state)
{
	struct rig r;

	(void)state;
	takes = 1024;
	if (rig_init(&r, 0, 1, 0, 0, NULL, NULL) < 0)
		return;

	int fd = peer_open(SOCK_DGRAM, &r.udp, 7);

	peer_send(fd, STR("OPTIONS sip:x SIP/2.0\r\n\r\nand more"));
	rig_wait(&r, 1);
	assert_message(&r, 0, STR("OPTIONS sip:x SIP/2.0\r\n\r\nand more"));

	struct flow f = flow_to(&r, fd);

	assert_true(addr_eq(&f.peer, &r.flow[0].peer));
	assert_int_equal(r.flow[0].proto, PROTO_UDP);
	assert_int_equal(r.flow[0].conn, 0);
	assert_int_equal(transport_send(r.transport, &r.flow[0], STR("answer")), 0);
	assert_false(peer_has_data(fd)); /* it leaves at the end of the turn */
	peer_expect(&r, fd, STR("answer"));
	assert_int_equal(transport_stats(r.transport)->received, 1);
	assert_int_equal(transport_stats(r.transport)->sent, 1);
	assert_true(transport_stats(r.transport)->buffer_bytes > 0);
	close(fd);
	rig_done(&r);
}

static void keep_alives_are_no_messages(void **state)
{
	struct rig r;

	(void)state;
	if (rig_init(&r, 0, 1, 0, 0, NULL, NULL) < 0)
		return;

	int fd = peer_open(SOCK_DGRAM, &r.udp, 1);

	peer_send(fd, STR("\r\n\r\n"));
	peer_send(fd, STR("\r\n"));
	peer_send(fd, STR("\0\0\0\0"));
	peer_send(fd, STR(""));
	peer_send(fd, STR("jaK\0"));
	rig_wait(&r, 1);
	rig_turns(&r);
	assert_int_equal(r.count, 1);
	assert_message(&r, 0, STR("jaK\0"));
	assert_false(peer_has_data(fd));
	close(fd);
	rig_done(&r);
}

static void a_burst_longer_than_a_batch_comes_whole_and_in_order(void **state)
{
	enum { BURST = 200 };
	struct rig r;

	(void)state;
	if (rig_init(&r, 0, 1, 0, 0, NULL, NULL) < 0)
		return;

	int fd = peer_open(SOCK_DGRAM, &r.udp, 1);

	r.echoes = true;
	for (unsigned i = 0; i < BURST; i++) {
		char text[5] = { 'm', (char)('A' + i / 16), (char)('A' + i % 16), '.', '.' };

		peer_send(fd, str_n(text, sizeof(text)));
	}
	rig_wait(&r, BURST);
	for (unsigned i = 0; i < BURST; i++) {
		char text[5] = { 'm', (char)('A' + i / 16), (char)('A' + i % 16), '.', '.' };

		assert_message(&r, i, str_n(text, sizeof(text)));
		peer_expect(&r, fd, str_n(text, sizeof(text)));
	}
	close(fd);
	rig_done(&r);
}

static void what_the_socket_does_not_take_waits_in_order(void **state)
{
	struct rig r;

	(void)state;
	if (rig_init(&r, 0, 1, 0, 0, NULL, NULL) < 0)
		return;

	int fd = peer_open(SOCK_DGRAM, &r.udp, 1);
	struct flow f = flow_to(&r, fd);

	takes = -1;
	for (char c = 'a'; c <= 'e'; c++) {
		char text[5] = { c, c, c, c, c };

		assert_int_equal(transport_send(r.transport, &f, str_n(text, 5)), 0);
		transport_flush(r.transport);
	}
	rig_turns(&r);
	assert_false(peer_has_data(fd));
	takes = 2;
	for (char c = 'a'; c <= 'e'; c++) {
		char text[5] = { c, c, c, c, c };

		peer_expect(&r, fd, str_n(text, 5));
	}
	assert_int_equal(transport_stats(r.transport)->sent, 5);
	close(fd);
	takes = 1024;
	rig_done(&r);
}

static void a_queue_that_is_full_drops_and_counts(void **state)
{
	struct rig r;
	int error = 0, i = 0;

	(void)state;
	if (rig_init(&r, 0, 1, 0, 0, NULL, NULL) < 0)
		return;

	int fd = peer_open(SOCK_DGRAM, &r.udp, 1);
	struct flow f = flow_to(&r, fd);

	takes = -1;
	for (; error == 0 && i < 100000; i++)
		error = transport_send(r.transport, &f, STR("x"));
	assert_int_equal(error, -ENOBUFS);
	assert_in_range(i, 64, 10000);
	assert_int_equal(transport_stats(r.transport)->dropped_full, 1);
	takes = 1024;
	rig_turns(&r);
	assert_int_equal(transport_stats(r.transport)->sent, i - 1);
	assert_int_equal(transport_send(r.transport, &f, STR("x")), 0);
	close(fd);
	rig_done(&r);
}

static void a_message_too_long_for_a_datagram_is_refused(void **state)
{
	static char big[70000];
	struct rig r;

	(void)state;
	if (rig_init(&r, 0, 1, 0, 0, NULL, NULL) < 0)
		return;

	int fd = peer_open(SOCK_DGRAM, &r.udp, 1);
	struct flow f = flow_to(&r, fd);

	memset(big, 'x', sizeof(big));
	assert_int_equal(transport_send(r.transport, &f, str_n(big, sizeof(big))), -EMSGSIZE);
	assert_int_equal(transport_send(r.transport, &f, str_n(big, 65507)), 0);
	rig_turns(&r);
	peer_expect(&r, fd, str_n(big, 512)); /* the rest of the datagram is lost by reading so */
	close(fd);
	rig_done(&r);
}

static void nothing_is_sent_where_nothing_must_go(void **state)
{
	static const char *const forbidden[] = { "0.0.0.0:5060", "0.1.2.3:5060", "224.0.0.1:5060",
						 "255.255.255.255:5060", "127.0.0.1:0" };
	struct rig r;

	(void)state;
	if (rig_init(&r, 0, 1, 0, 0, NULL, NULL) < 0)
		return;
	for (size_t i = 0; i < COUNT_OF(forbidden); i++) {
		struct flow f = { .proto = PROTO_UDP };

		assert_int_equal(addr_parse(str_of(forbidden[i]), 0, &f.peer), 0);
		assert_int_equal(transport_send(r.transport, &f, STR("x")), -EACCES);
	}

	struct flow ourselves = { .proto = PROTO_UDP, .peer = r.udp };
	struct flow nowhere = { .proto = PROTO_UDP, .listener = 9, .peer = r.udp };

	assert_int_equal(transport_send(r.transport, &ourselves, STR("x")), -EACCES);
	assert_int_equal(transport_send(r.transport, &nowhere, STR("x")), -ENOTCONN);
	assert_int_equal(transport_stats(r.transport)->dropped_bad, COUNT_OF(forbidden) + 1);
	rig_done(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_datagram_comes_with_its_source_and_goes_back_there),
		cmocka_unit_test(keep_alives_are_no_messages),
		cmocka_unit_test(a_burst_longer_than_a_batch_comes_whole_and_in_order),
		cmocka_unit_test(what_the_socket_does_not_take_waits_in_order),
		cmocka_unit_test(a_queue_that_is_full_drops_and_counts),
		cmocka_unit_test(a_message_too_long_for_a_datagram_is_refused),
		cmocka_unit_test(nothing_is_sent_where_nothing_must_go),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
