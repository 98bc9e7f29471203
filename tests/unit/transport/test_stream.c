#include "rig.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include "transport/frame.h"
#include "transport/quota.h"

#define INVITE "INVITE sip:x SIP/2.0\r\nCall-ID: a\r\nContent-Length: 4\r\n\r\nbody"
#define BYE    "BYE sip:x SIP/2.0\r\ni: a\r\n\r\n"

static struct rig rig;

/* A rig and one connection to it; false if memory is short. */
static bool begin(int *ret_fd)
{
	if (rig_init(&rig, 0, 1, 0, 0, NULL, NULL) < 0)
		return false;
	*ret_fd = peer_open(SOCK_STREAM, &rig.tcp, 1);
	return true;
}

static void end(int fd)
{
	close(fd);
	rig_done(&rig);
}

static uint64_t open_now(void)
{
	return transport_stats(rig.transport)->connections;
}

/* ---- framing ---- */

static void a_connection_carries_messages_both_ways(void **state)
{
	int fd;

	(void)state;
	if (!begin(&fd))
		return;
	peer_send(fd, STR(INVITE));
	rig_wait(&rig, 1);
	assert_message(&rig, 0, STR(INVITE));
	assert_int_equal(rig.flow[0].proto, PROTO_TCP);
	assert_true(rig.flow[0].conn != 0);
	assert_int_equal(transport_conn(rig.transport, &rig.flow[0]), rig.flow[0].conn);
	assert_int_equal(transport_send(rig.transport, &rig.flow[0], STR("one")), 0);
	assert_int_equal(transport_send(rig.transport, &rig.flow[0], STR("two")), 0);
	peer_expect(&rig, fd, STR("onetwo"));
	assert_int_equal(open_now(), 1);
	end(fd);
}

static void segments_have_no_meaning(void **state)
{
	static const struct str all = { INVITE BYE "\r\n" INVITE,
					sizeof(INVITE BYE "\r\n" INVITE) - 1 };
	int fd, one = 1;

	(void)state;
	if (!begin(&fd))
		return;
	assert_int_equal(setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one)), 0);
	for (size_t i = 0; i < all.n; i++) {
		peer_send(fd, str_n(all.p + i, 1));
		assert_int_equal(loop_turn(&rig.loop, 1), 0);
	}
	rig_wait(&rig, 3);
	peer_send(fd, all);
	peer_send(fd, all);
	rig_wait(&rig, 9);
	for (size_t i = 0; i < 9; i++)
		assert_message(&rig, i, i % 3 == 1 ? STR(BYE) : STR(INVITE));
	end(fd);
}

static void a_ping_is_answered_and_line_ends_are_not(void **state)
{
	int fd;

	(void)state;
	if (!begin(&fd))
		return;
	peer_send(fd, STR("\r\n" BYE "\r\n\r\n" BYE "\r\n"));
	rig_wait(&rig, 2);
	peer_expect(&rig, fd, STR("\r\n"));
	rig_turns(&rig);
	assert_false(peer_has_data(fd));
	end(fd);
}

static void a_message_without_a_clear_length_is_handed_up_and_ends_the_connection(void **state)
{
	int fd;

	(void)state;
	if (!begin(&fd))
		return;
	rig.echoes = true;
	peer_send(fd, STR("A\r\nl: 1\r\nContent-Length: 2\r\n\r\n" BYE));
	rig_wait(&rig, 1);
	assert_message(&rig, 0, STR("A\r\nl: 1\r\nContent-Length: 2\r\n\r\n"));
	peer_expect(&rig, fd, STR("A\r\nl: 1\r\nContent-Length: 2\r\n\r\n"));
	rig_later(&rig, 1001);
	rig_wait_gone(&rig, 1);
	assert_int_equal(rig.gone_error, -EBADMSG);
	assert_int_equal(rig.count, 1);
	assert_false(peer_is_open(fd));
	end(fd);
}

static void headers_without_an_end_close_the_connection(void **state)
{
	static char big[FRAME_HEAD_MAX + 1];
	int fd;

	(void)state;
	if (!begin(&fd))
		return;
	memset(big, 'x', sizeof(big));
	peer_send(fd, str_n(big, sizeof(big)));
	rig_wait(&rig, 1); /* so that who it came from may be told */
	rig_later(&rig, 1001);
	rig_wait_gone(&rig, 1);
	assert_int_equal(rig.gone_error, -EBADMSG);
	assert_int_equal(rig.count, 1);
	assert_int_equal(transport_stats(rig.transport)->dropped_bad, 1);
	end(fd);
}

static void a_stranger_may_not_make_us_keep_more_than_64_kb(void **state)
{
	static char body[32 * 1024];
	int fd;

	(void)state;
	if (!begin(&fd))
		return;
	peer_send(fd, STR("A\r\nl: 65536\r\n\r\nx"));
	rig_wait_gone(&rig, 1);
	assert_int_equal(rig.gone_error, -EMSGSIZE);
	close(fd);

	fd = peer_open(SOCK_STREAM, &rig.tcp, 1);
	peer_send(fd, STR(BYE));
	rig_wait(&rig, 1);
	transport_trust(rig.transport, &rig.flow[0]);
	peer_send(fd, STR("A\r\nl: 65536\r\n\r\n"));
	for (int i = 0; i < 2; i++) {
		rig_turns(&rig);
		peer_send(fd, str_n(body, sizeof(body)));
	}
	rig_wait(&rig, 2);
	assert_int_equal(rig.message[1].n, 15 + 65536);
	end(fd);
}

/* ---- deadlines ---- */

static void a_silent_stranger_is_closed_after_10_s(void **state)
{
	int fd;

	(void)state;
	if (!begin(&fd))
		return;
	rig_turns(&rig);
	peer_send(fd, STR("\r\n\r\n"));
	peer_expect(&rig, fd, STR("\r\n"));
	rig_later(&rig, 9500);
	assert_true(peer_is_open(fd));
	rig_later(&rig, 600); /* the ping did not count */
	rig_later(&rig, 0);
	assert_int_equal(rig.gone, 1);
	assert_int_equal(rig.gone_error, -ETIMEDOUT);
	assert_false(peer_is_open(fd));
	assert_int_equal(open_now(), 0);
	end(fd);
}

static void a_known_peer_may_be_silent_for_600_s(void **state)
{
	int fd;

	(void)state;
	if (!begin(&fd))
		return;
	peer_send(fd, STR(BYE));
	rig_wait(&rig, 1);
	transport_trust(rig.transport, &rig.flow[0]);
	rig_later(&rig, 599000);
	assert_true(peer_is_open(fd));
	rig_later(&rig, 2000);
	rig_later(&rig, 0);
	assert_int_equal(rig.gone, 1);
	end(fd);
}

static void a_message_that_drips_in_is_cut_off(void **state)
{
	int fd;

	(void)state;
	if (!begin(&fd))
		return;
	peer_send(fd, STR("INVITE sip:x"));
	rig_turns(&rig);
	rig_later(&rig, 27000);
	assert_true(peer_is_open(fd));
	peer_send(fd, STR(" SIP"));
	rig_later(&rig, 1100);
	rig_later(&rig, 0);
	assert_int_equal(rig.gone, 1);
	assert_false(peer_is_open(fd));
	end(fd);
}

static void a_peer_that_does_not_read_is_closed(void **state)
{
	static char big[60000];
	int fd, error = 0, small = 4096;

	(void)state;
	if (!begin(&fd))
		return;
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small));
	peer_send(fd, STR(BYE));
	rig_wait(&rig, 1);
	memset(big, 'x', sizeof(big));
	for (int i = 0; i < 1000 && error == 0; i++) {
		error = transport_send(rig.transport, &rig.flow[0], str_n(big, sizeof(big)));
		transport_flush(rig.transport);
	}
	assert_int_equal(error, -ENOBUFS);
	assert_int_equal(rig.gone, 0); /* not inside transport_send */
	assert_int_equal(transport_send(rig.transport, &rig.flow[0], STR("x")), -ENOTCONN);
	rig_wait_gone(&rig, 1);
	assert_int_equal(rig.gone_error, -ENOBUFS);
	assert_int_equal(rig.gone_flow.conn, rig.flow[0].conn);
	end(fd);
}

static void answers_leave_although_the_peer_has_said_goodbye(void **state)
{
	int fd;

	(void)state;
	if (!begin(&fd))
		return;
	rig.echoes = true;
	peer_send(fd, STR(BYE));
	assert_int_equal(shutdown(fd, SHUT_WR), 0);
	rig_wait(&rig, 1);
	peer_expect(&rig, fd, STR(BYE));
	peer_expect_end(&rig, fd);
	rig_wait_gone(&rig, 1);
	end(fd);
}

/* ---- how many ---- */

static void a_stranger_has_ten_connections(void **state)
{
	int fd[QUOTA_UNKNOWN + 1], other;

	(void)state;
	if (!begin(&fd[0]))
		return;
	for (int i = 1; i < QUOTA_UNKNOWN; i++)
		fd[i] = peer_open(SOCK_STREAM, &rig.tcp, 1);
	rig_turns(&rig);
	assert_int_equal(open_now(), QUOTA_UNKNOWN);
	fd[QUOTA_UNKNOWN] = peer_open(SOCK_STREAM, &rig.tcp, 1);
	other = peer_open(SOCK_STREAM, &rig.tcp, 2);
	peer_expect_end(&rig, fd[QUOTA_UNKNOWN]);
	peer_send(other, STR(BYE));
	rig_wait(&rig, 1);
	assert_int_equal(transport_stats(rig.transport)->refused_connections, 1);

	/* one ends: another one may come */
	close(fd[3]);
	rig_wait_gone(&rig, 1);
	close(fd[QUOTA_UNKNOWN]);
	fd[3] = peer_open(SOCK_STREAM, &rig.tcp, 1);
	peer_send(fd[3], STR(BYE));
	rig_wait(&rig, 2);

	/* known: as many as it likes */
	transport_trust(rig.transport, &rig.flow[1]);
	fd[QUOTA_UNKNOWN] = peer_open(SOCK_STREAM, &rig.tcp, 1);
	peer_send(fd[QUOTA_UNKNOWN], STR(BYE));
	rig_wait(&rig, 3);
	for (int i = 0; i <= QUOTA_UNKNOWN; i++)
		close(fd[i]);
	end(other);
}

static void when_all_is_full_the_longest_silent_stranger_makes_room(void **state)
{
	int first, second, taken = 0;

	(void)state;
	if (!begin(&first))
		return;
	second = peer_open(SOCK_STREAM, &rig.tcp, 2);
	rig_turns(&rig);
	peer_send(first, STR(BYE)); /* now the second one is silent for longer */
	rig_wait(&rig, 1);
	for (uint32_t n = 1; taken < QUOTA_TOTAL - 2; n++) {
		struct addr a = { .in = { .sin_family = AF_INET } };

		a.in.sin_addr.s_addr = htonl(0x0a000000U + n);
		taken += quota_take(&a, false) == QUOTA_OK;
		assert_int_equal(n, taken);
	}

	int third = peer_open(SOCK_STREAM, &rig.tcp, 3);

	peer_send(third, STR(BYE));
	rig_wait(&rig, 2);
	peer_expect_end(&rig, second);
	assert_true(peer_is_open(first));
	assert_int_equal(rig.gone_error, -ECONNABORTED);
	for (uint32_t n = 1; taken > 0; n++, taken--) {
		struct addr a = { .in = { .sin_family = AF_INET } };

		a.in.sin_addr.s_addr = htonl(0x0a000000U + n);
		quota_give(&a, false);
	}
	close(first);
	close(second);
	end(third);
}

static void numbers_do_not_come_again(void **state)
{
	int fd;

	(void)state;
	if (!begin(&fd))
		return;
	peer_send(fd, STR(BYE));
	rig_wait(&rig, 1);
	close(fd);
	rig_wait_gone(&rig, 1);
	fd = peer_open(SOCK_STREAM, &rig.tcp, 1);
	peer_send(fd, STR(BYE));
	rig_wait(&rig, 2);
	assert_int_not_equal(rig.flow[0].conn, rig.flow[1].conn);
	assert_int_equal(transport_send(rig.transport, &rig.flow[0], STR("x")), -ENOTCONN);
	end(fd);
}

/* ---- connections that we open ---- */

static int listen_on(struct addr *ret)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	struct addr a = { .in = { .sin_family = AF_INET } };
	struct sockaddr_in got;
	socklen_t n = sizeof(got);

	a.in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_equal(bind(fd, &a.sa, addr_len(&a)), 0);
	assert_int_equal(listen(fd, 8), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&got, &n), 0);
	assert_int_equal(addr_from_sa((struct sockaddr *)&got, n, ret), 0);
	return fd;
}

static int accept_from(int listener)
{
	for (int i = 0; i < 1000; i++) {
		int fd = accept(listener, NULL, NULL);

		if (fd >= 0)
			return fd;
		assert_int_equal(loop_turn(&rig.loop, 2), 0);
	}
	fail_msg("nobody connects");
	return -1;
}

static void one_connection_is_opened_and_used_again(void **state)
{
	struct addr peer;
	struct flow f;

	(void)state;
	if (rig_init(&rig, 0, 1, 0, 0, NULL, NULL) < 0)
		return;

	int listener = listen_on(&peer);

	assert_int_equal(transport_flow(rig.transport, PROTO_TCP, &peer, &f), 0);
	assert_int_equal(f.conn, 0);
	assert_int_equal(transport_conn(rig.transport, &f), 0);
	assert_int_equal(transport_send(rig.transport, &f, STR("one")), 0);
	assert_true(transport_conn(rig.transport, &f) != 0);
	assert_int_equal(transport_send(rig.transport, &f, STR("two")), 0);

	int fd = accept_from(listener);

	peer_expect(&rig, fd, STR("onetwo"));
	assert_int_equal(transport_send(rig.transport, &f, STR("three")), 0);
	peer_expect(&rig, fd, STR("three"));
	peer_send(fd, STR(BYE));
	rig_wait(&rig, 1);
	assert_int_equal(rig.flow[0].conn, transport_conn(rig.transport, &f));
	assert_true(addr_eq(&rig.flow[0].peer, &peer));
	assert_int_equal(open_now(), 1);

	/* it breaks: the flow without a number opens another */
	close(fd);
	rig_wait_gone(&rig, 1);
	assert_int_equal(rig.gone_flow.conn, rig.flow[0].conn);
	assert_int_equal(transport_conn(rig.transport, &f), 0);
	assert_int_equal(transport_send(rig.transport, &f, STR("four")), 0);
	fd = accept_from(listener);
	peer_expect(&rig, fd, STR("four"));
	close(listener);
	end(fd);
}

static void a_peer_that_refuses_is_reported(void **state)
{
	struct addr peer;
	struct flow f;

	(void)state;
	if (rig_init(&rig, 0, 1, 0, 0, NULL, NULL) < 0)
		return;
	close(listen_on(&peer));
	assert_int_equal(transport_flow(rig.transport, PROTO_TCP, &peer, &f), 0);

	int r = transport_send(rig.transport, &f, STR("x"));

	if (r < 0) {
		assert_int_equal(r, -ECONNREFUSED);
	} else {
		rig_wait_gone(&rig, 1);
		assert_int_equal(rig.gone_error, -ECONNREFUSED);
	}
	assert_int_equal(open_now(), 0);
	rig_done(&rig);
}

static void a_peer_that_is_silent_is_given_up(void **state)
{
	struct flow f;
	struct addr peer;
	int fill[4];

	(void)state;
	if (rig_init(&rig, 0, 1, 0, 0, NULL, NULL) < 0)
		return;

	/* A full backlog answers no SYN. */
	int listener = listen_on(&peer);

	assert_int_equal(listen(listener, 0), 0);
	for (size_t i = 0; i < COUNT_OF(fill); i++) {
		fill[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
		(void)connect(fill[i], &peer.sa, addr_len(&peer));
	}
	assert_int_equal(transport_flow(rig.transport, PROTO_TCP, &peer, &f), 0);
	assert_int_equal(transport_send(rig.transport, &f, STR("x")), 0);
	rig_later(&rig, 10100);
	rig_later(&rig, 0);
	assert_int_equal(rig.gone, 1);
	assert_int_equal(rig.gone_error, -ETIMEDOUT);
	for (size_t i = 0; i < COUNT_OF(fill); i++)
		close(fill[i]);
	end(listener);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_connection_carries_messages_both_ways),
		cmocka_unit_test(segments_have_no_meaning),
		cmocka_unit_test(a_ping_is_answered_and_line_ends_are_not),
		cmocka_unit_test(
			a_message_without_a_clear_length_is_handed_up_and_ends_the_connection),
		cmocka_unit_test(headers_without_an_end_close_the_connection),
		cmocka_unit_test(a_stranger_may_not_make_us_keep_more_than_64_kb),
		cmocka_unit_test(a_silent_stranger_is_closed_after_10_s),
		cmocka_unit_test(a_known_peer_may_be_silent_for_600_s),
		cmocka_unit_test(a_message_that_drips_in_is_cut_off),
		cmocka_unit_test(a_peer_that_does_not_read_is_closed),
		cmocka_unit_test(answers_leave_although_the_peer_has_said_goodbye),
		cmocka_unit_test(a_stranger_has_ten_connections),
		cmocka_unit_test(when_all_is_full_the_longest_silent_stranger_makes_room),
		cmocka_unit_test(numbers_do_not_come_again),
		cmocka_unit_test(one_connection_is_opened_and_used_again),
		cmocka_unit_test(a_peer_that_refuses_is_reported),
		cmocka_unit_test(a_peer_that_is_silent_is_given_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
