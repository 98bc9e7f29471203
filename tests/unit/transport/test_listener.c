#include "rig.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "transport/listener.h"
#include "transport/local.h"
#include "transport/transport.h"

static void an_address_to_listen_on_is_read(void **state)
{
	static const struct {
		const char *text;
		enum proto proto;
		const char *addr;
	} cases[] = {
		{ "udp:192.0.2.1:5070", PROTO_UDP, "192.0.2.1:5070" },
		{ "udp:192.0.2.1", PROTO_UDP, "192.0.2.1:5060" },
		{ "tcp:0.0.0.0:0", PROTO_TCP, "0.0.0.0:0" },
		{ "tcp:[2001:db8::1]:5062", PROTO_TCP, "[2001:db8::1]:5062" },
		{ "udp:::1", PROTO_UDP, "[::1]:5060" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct listen_spec s;
		char text[ADDR_TEXT];

		assert_int_equal(listen_spec_parse(str_of(cases[i].text), &s, NULL), 0);
		assert_int_equal(s.proto, cases[i].proto);
		assert_string_equal(addr_text(&s.addr, text), cases[i].addr);
	}
}

static void what_is_no_address_is_refused_with_what_would_be(void **state)
{
	static const struct {
		const char *text, *says;
	} cases[] = {
		{ "", "protocol" },
		{ "192.0.2.1:5060", "protocol" },
		{ "sctp:192.0.2.1:5060", "protocol" },
		{ "UDP:192.0.2.1:5060", "protocol" },
		{ "tls:localhost:5061", "address" },
		{ "udp:", "address" },
		{ "udp:localhost:5060", "address" },
		{ "udp:192.0.2.1:65536", "address" },
		{ "udp:239.1.1.1:5060", "address" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct listen_spec s;
		struct err err = ERR_INIT;

		assert_int_equal(listen_spec_parse(str_of(cases[i].text), &s, &err), -EINVAL);
		assert_int_equal(err.code, ERR_BAD_VALUE);
		assert_string_equal(err.given, cases[i].text);
		assert_non_null(strstr(err.message, cases[i].says));
		assert_non_null(strstr(err.accepted, "udp:192.0.2.1:5060"));
	}
}

static void an_address_in_use_is_noticed_by_the_first_worker(void **state)
{
	static const char *const texts[] = { "udp:127.0.0.1:0", "tcp:127.0.0.1:0", "udp:[::1]:0",
					     "tcp:[::1]:0" };

	(void)state;
	for (size_t i = 0; i < COUNT_OF(texts); i++) {
		struct listen_spec s;
		struct listener first, second, other;
		struct err err = ERR_INIT;

		assert_int_equal(listen_spec_parse(str_of(texts[i]), &s, NULL), 0);
		if (listener_open(&first, &s, true, &err) == -EADDRNOTAVAIL)
			continue; /* a machine without IPv6 */
		assert_true(addr_port(&first.addr) != 0);
		s.addr = first.addr;
		assert_int_equal(listener_open(&second, &s, false, &err), 0);
		assert_int_equal(listener_open(&other, &s, true, &err), -EADDRINUSE);
		assert_int_equal(other.fd, -1);
		assert_non_null(strstr(err.message, "in use"));
		listener_close(&first);
		listener_close(&second);
	}
}

static void a_peer_sees_the_address_of_the_route(void **state)
{
	static struct local l;
	struct addr peer, source;

	(void)state;
	assert_int_equal(addr_parse(STR("127.0.0.9:5060"), 0, &peer), 0);
	for (int64_t now = 1; now < 100000; now += 7000) {
		assert_int_equal(local_find(&l, &peer, now, &source), 0);
		assert_true(addr_is_loopback(&source));
		assert_int_equal(addr_port(&source), 0);
	}
}

static void ignore(void *ctx, const struct flow *from, struct str raw)
{
	(void)ctx;
	(void)from;
	(void)raw;
}

static void the_listener_nearest_to_a_peer_is_chosen(void **state)
{
	static const char *const texts[] = { "udp:0.0.0.0:0", "udp:127.0.0.1:0",
					     "tcp:127.0.0.1:0" };
	struct listen_spec specs[COUNT_OF(texts)];
	struct loop loop;
	CLEANUP(transport_free) struct transport *t = NULL;
	struct addr near, far, sixth, local;
	struct flow f;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(texts); i++)
		assert_int_equal(listen_spec_parse(str_of(texts[i]), &specs[i], NULL), 0);
	if (loop_init(&loop) < 0)
		return;

	struct transport_config c = { .loop = &loop,
				      .listen = specs,
				      .listen_count = COUNT_OF(texts),
				      .workers = 1,
				      .on_message = ignore };

	if (transport_create(&t, &c, NULL) == 0) {
		assert_int_equal(addr_parse(STR("127.0.0.1:5060"), 0, &near), 0);
		assert_int_equal(addr_parse(STR("192.0.2.1:5060"), 0, &far), 0);
		assert_int_equal(addr_parse(STR("[::1]:5060"), 0, &sixth), 0);
		assert_int_equal(transport_flow(t, PROTO_UDP, &near, &f), 0);
		assert_int_equal(f.listener, 1);
		assert_int_equal(transport_flow(t, PROTO_UDP, &far, &f), 0);
		assert_int_equal(f.listener, 0);
		assert_int_equal(transport_flow(t, PROTO_TCP, &near, &f), 0);
		assert_int_equal(f.listener, 2);
		assert_int_equal(transport_flow(t, PROTO_TCP, &far, &f), -EAFNOSUPPORT);
		assert_int_equal(transport_flow(t, PROTO_TLS, &near, &f), -EAFNOSUPPORT);
		assert_int_equal(transport_flow(t, PROTO_UDP, &sixth, &f), -EAFNOSUPPORT);

		f = (struct flow){ .proto = PROTO_UDP, .listener = 0, .peer = near };
		transport_local(t, &f, &local);
		assert_true(addr_is_loopback(&local));
		assert_true(addr_port(&local) != 0);
		t = transport_free(t);
	}
	loop_done(&loop);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_address_to_listen_on_is_read),
		cmocka_unit_test(what_is_no_address_is_refused_with_what_would_be),
		cmocka_unit_test(an_address_in_use_is_noticed_by_the_first_worker),
		cmocka_unit_test(a_peer_sees_the_address_of_the_route),
		cmocka_unit_test(the_listener_nearest_to_a_peer_is_chosen),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
