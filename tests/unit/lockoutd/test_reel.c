#include "rig.h"

#include <arpa/inet.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_log.h>
#include <string.h>

#include "lockoutd/reel.h"

enum { IP_HEAD = 20, PCAP_HEAD = 24, PCAP_PACKET = 16, ROOM = 8192 };

/* A message of nflog, as the kernel makes it; its octets. */
static size_t put_message(void *room, const uint8_t *packet, size_t n)
{
	struct nlmsghdr *h = mnl_nlmsg_put_header(room);
	struct nfgenmsg *m;

	h->nlmsg_type = NFNL_SUBSYS_ULOG << 8 | NFULNL_MSG_PACKET;
	m = mnl_nlmsg_put_extra_header(h, sizeof(*m));
	m->nfgen_family = AF_INET;
	mnl_attr_put(h, NFULA_PAYLOAD, n, packet);
	return h->nlmsg_len;
}

/* A packet of that host's, with one octet of its own. */
static void send_from(struct reel *r, const char *host, uint8_t mark, size_t n)
{
	static uint64_t room[ROOM / sizeof(uint64_t)];
	uint8_t packet[4096] = { 0x45, 0, (uint8_t)(n >> 8), (uint8_t)n };

	assert_int_equal(inet_pton(AF_INET, host, packet + 12), 1);
	packet[IP_HEAD] = mark;
	reel_take(r, room, put_message(room, packet, n));
}

static struct reel *fresh(void)
{
	struct reel *r = NULL;

	assert_int_equal(reel_create(&r), 0);
	return r;
}

static uint8_t mark_of(const struct buf *file, size_t i)
{
	return (uint8_t)
		file->p[PCAP_HEAD + i * (PCAP_PACKET + IP_HEAD + 1) + PCAP_PACKET + IP_HEAD];
}

static void the_last_packets_of_a_source_come_out_oldest_first(void **state)
{
	CLEANUP(reel_free) struct reel *r = fresh();
	CLEANUP(buf_done) struct buf file = BUF_INIT;
	struct cidr net = banned("192.0.2.7");

	(void)state;
	for (int i = 0; i < 40; i++) {
		send_from(r, "192.0.2.7", (uint8_t)i, IP_HEAD + 1);
		send_from(r, "192.0.2.8", 99, IP_HEAD + 1);
	}
	assert_int_equal(reel_put(r, &net, &file), REEL_OF_SOURCE);
	assert_int_equal(reel_count(buf_str(&file)), REEL_OF_SOURCE);
	for (size_t i = 0; i < REEL_OF_SOURCE; i++)
		assert_int_equal(mark_of(&file, i), 8 + i);
	net = banned("192.0.2.9");
	buf_clear(&file);
	assert_int_equal(reel_put(r, &net, &file), 0);
	assert_int_equal(file.n, 0);
}

static void a_long_packet_is_cut_and_its_length_kept(void **state)
{
	CLEANUP(reel_free) struct reel *r = fresh();
	CLEANUP(buf_done) struct buf file = BUF_INIT;
	struct cidr net = banned("192.0.2.7");
	uint32_t captured, length;

	(void)state;
	send_from(r, "192.0.2.7", 1, 1500);
	assert_int_equal(reel_put(r, &net, &file), 1);
	assert_true(file.n == PCAP_HEAD + PCAP_PACKET + REEL_SNAP);
	memcpy(&captured, file.p + PCAP_HEAD + 8, sizeof(captured));
	memcpy(&length, file.p + PCAP_HEAD + 12, sizeof(length));
	assert_int_equal(captured, REEL_SNAP);
	assert_int_equal(length, 1500);
	file.n--; /* what is cut short holds one less */
	assert_int_equal(reel_count(buf_str(&file)), 0);
}

static void what_is_no_packet_is_passed_over(void **state)
{
	static const uint8_t four[IP_HEAD + 1] = { 0x45 }, strange[IP_HEAD] = { 0x95 };
	CLEANUP(reel_free) struct reel *r = fresh();
	CLEANUP(buf_done) struct buf file = BUF_INIT;
	uint64_t room[ROOM / sizeof(uint64_t)] = { 0 };
	struct nlmsghdr *h = (void *)room;
	struct cidr all = network("0.0.0.0/0");
	size_t n;

	(void)state;
	reel_take(r, room, put_message(room, four, IP_HEAD - 1));
	reel_take(r, room, put_message(room, strange, IP_HEAD));
	n = put_message(room, four, sizeof(four));
	reel_take(r, room, n - 8); /* longer than what came */
	h->nlmsg_type = NLMSG_ERROR;
	reel_take(r, room, n);
	assert_int_equal(reel_put(r, &all, &file), 0);
	(void)put_message(room, four, sizeof(four));
	reel_take(r, room, n);
	assert_int_equal(reel_put(r, &all, &file), 1);
}

/* Found by tests/fuzz: mnl_cb_run takes such a length for a negative one and goes there. */
static void a_length_of_two_gib_ends_the_messages(void **state)
{
	static const uint8_t four[IP_HEAD + 1] = { 0x45 };
	CLEANUP(reel_free) struct reel *r = fresh();
	CLEANUP(buf_done) struct buf file = BUF_INIT;
	uint64_t room[ROOM / sizeof(uint64_t)] = { 0 };
	struct cidr all = network("0.0.0.0/0");
	size_t n = MNL_ALIGN(put_message(room, four, sizeof(four)));
	struct nlmsghdr *next = (void *)((char *)room + n);

	(void)state;
	next->nlmsg_len = 0xcbcbcbcb;
	reel_take(r, room, n + sizeof(*next) + 64);
	assert_int_equal(reel_put(r, &all, &file), 1);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_last_packets_of_a_source_come_out_oldest_first),
		cmocka_unit_test(a_long_packet_is_cut_and_its_length_kept),
		cmocka_unit_test(what_is_no_packet_is_passed_over),
		cmocka_unit_test(a_length_of_two_gib_ends_the_messages),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
