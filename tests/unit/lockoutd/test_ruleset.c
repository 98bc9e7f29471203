#include "rig.h"

#include <netinet/in.h>
#include <string.h>

#include "lockoutd/ruleset.h"

/* A packet as the rules see it. */
struct packet {
	enum family family;
	enum who who; /* ANYONE: a stranger */
	enum state state;
	uint8_t proto;
	uint16_t port;
	bool is_fast;    /* over its own rate */
	bool is_crowded; /* all together are over theirs */
	const struct addr *host;
};

static bool is_from(const struct rule *r, const struct packet *p)
{
	if (r->who == WHO_HOST)
		return p->host && addr_eq_host(&r->host, p->host);
	return r->who == WHO_ANYONE || r->who == p->who ||
	       (r->who == WHO_STRANGER && p->who != WHO_EXEMPT);
}

static bool matches(const struct rule *r, const struct packet *p)
{
	if (r->family != FAMILY_ANY && r->family != p->family)
		return false;
	if (r->state != STATE_ANY && r->state != p->state)
		return false;
	if (r->proto && r->proto != p->proto)
		return false;
	if (r->first && (p->port < r->first || p->port > r->last))
		return false;
	if (r->rate && (r->rate->set ? p->is_fast : p->is_crowded) == r->rate->is_under)
		return false;
	return is_from(r, p);
}

/* What a chain of this ruleset says to the packet; what no rule decides gets the policy. */
static enum verdict ask(const struct ruleset *s, enum chain_id chain, const struct packet *p,
			enum verdict policy)
{
	for (int i = 0; i < s->count; i++) {
		const struct rule *r = &s->rule[i];

		if (r->chain == chain && r->verdict != VERDICT_NOTRACK && matches(r, p))
			return r->verdict;
	}
	return policy;
}

static bool is_let_in(const struct ruleset *s, const struct packet *p)
{
	return ask(s, CHAIN_DOOR, p, VERDICT_ACCEPT) == VERDICT_ACCEPT &&
	       ask(s, CHAIN_INPUT, p, VERDICT_DROP) == VERDICT_ACCEPT;
}

static bool is_tracked(const struct ruleset *s, const struct packet *p)
{
	for (int i = 0; i < s->count; i++) {
		if (s->rule[i].chain == CHAIN_DOOR && s->rule[i].verdict == VERDICT_NOTRACK &&
		    matches(&s->rule[i], p))
			return false;
	}
	return true;
}

static const struct openings standard = { .sip = 5060,
					  .sip_tls = 5061,
					  .api = 8080,
					  .ssh = 2222,
					  .media_first = 10000,
					  .media_last = 20000 };

static void only_what_is_open_is_let_in(void **state)
{
	static const struct {
		uint8_t proto;
		uint16_t first, last;
	} open[] = {
		{ IPPROTO_UDP, 5060, 5060 }, { IPPROTO_UDP, 10000, 20000 },
		{ IPPROTO_TCP, 5060, 5061 }, { IPPROTO_TCP, 8080, 8080 },
		{ IPPROTO_TCP, 2222, 2222 },
	};
	static const uint8_t protos[] = { IPPROTO_UDP, IPPROTO_TCP };
	struct ruleset s;

	(void)state;
	ruleset_make(&s, &standard, 0);
	for (uint32_t port = 1; port <= UINT16_MAX; port++) {
		for (size_t i = 0; i < COUNT_OF(protos); i++) {
			struct packet p = { .family = port % 2 ? FAMILY_V4 : FAMILY_V6,
					    .proto = protos[i],
					    .port = (uint16_t)port };
			bool is_open = false;

			for (size_t k = 0; k < COUNT_OF(open); k++)
				is_open |= open[k].proto == p.proto && port >= open[k].first &&
					   port <= open[k].last;
			assert_int_equal(is_let_in(&s, &p), is_open);
		}
	}
}

static bool is_let_out(const struct ruleset *s, uint32_t uid, uint8_t proto, uint16_t port)
{
	for (int i = 0; i < s->count; i++) {
		const struct rule *r = &s->rule[i];

		if (r->chain == CHAIN_LEAVE && r->state == STATE_ANY && r->who != WHO_ITSELF &&
		    (r->who == WHO_PROGRAM || r->uid == uid) && (!r->proto || r->proto == proto) &&
		    (!r->first || (port >= r->first && port <= r->last)))
			return r->verdict == VERDICT_ACCEPT;
	}
	return true;
}

static void programs_get_out_by_what_they_are_there_for(void **state)
{
	static const struct {
		uint32_t uid;
		uint8_t proto;
		uint16_t port;
		bool is_let_out;
	} cases[] = {
		{ 922, IPPROTO_UDP, 5060, true },  { 922, IPPROTO_TCP, 25, true },
		{ 0, IPPROTO_TCP, 80, true },      { 911, IPPROTO_UDP, 53, true },
		{ 911, IPPROTO_TCP, 853, true },   { 911, IPPROTO_TCP, 80, false },
		{ 914, IPPROTO_UDP, 123, true },   { 914, IPPROTO_TCP, 123, false },
		{ 914, IPPROTO_UDP, 53, true },    { 914, IPPROTO_TCP, 53, true },
		{ 910, IPPROTO_UDP, 67, true },    { 910, IPPROTO_ICMPV6, 133, true },
		{ 910, IPPROTO_UDP, 53, false },   { 923, IPPROTO_UDP, 53, false },
		{ 1000, IPPROTO_TCP, 443, false }, { 65534, IPPROTO_UDP, 5060, false },
	};
	struct openings o = standard;
	struct ruleset s;

	(void)state;
	o.uid[USER_SWITCH] = 922;
	o.uid[USER_RESOLVE] = 911;
	o.uid[USER_TIME] = 914;
	o.uid[USER_NETWORK] = 910;
	ruleset_make(&s, &o, 0);
	for (size_t i = 0; i < COUNT_OF(cases); i++)
		assert_int_equal(is_let_out(&s, cases[i].uid, cases[i].proto, cases[i].port),
				 cases[i].is_let_out);
}

static void a_guest_keeps_nobody_of_the_house_in(void **state)
{
	struct openings o = standard;
	struct ruleset s;

	(void)state;
	o.is_guest = true;
	ruleset_make(&s, &o, 0);
	for (int i = 0; i < s.count; i++)
		assert_true(s.rule[i].chain != CHAIN_LEAVE || s.rule[i].verdict != VERDICT_DROP);
}

static void a_closed_port_has_no_rule(void **state)
{
	static const struct openings none = { 0 };
	struct ruleset s;

	(void)state;
	ruleset_make(&s, &none, 0);
	for (int i = 0; i < s.count; i++)
		assert_true(s.rule[i].proto != IPPROTO_UDP && s.rule[i].proto != IPPROTO_TCP);
}

static void the_exempt_come_before_the_banned(void **state)
{
	struct ruleset s;
	struct packet p = { .family = FAMILY_V4, .proto = IPPROTO_UDP, .port = 5060 };

	(void)state;
	ruleset_make(&s, &standard, 0);
	p.who = WHO_BANNED;
	assert_false(is_let_in(&s, &p));
	/* not even a connection that is up: the door is before the tracking */
	p.state = STATE_KNOWN;
	assert_false(is_let_in(&s, &p));
	p.state = STATE_ANY;
	p.who = WHO_EXEMPT;
	p.is_fast = true;
	assert_true(is_let_in(&s, &p));
	p.who = WHO_ANYONE;
	assert_false(is_let_in(&s, &p));
	p.is_fast = false;
	assert_true(is_let_in(&s, &p));
}

static void strangers_have_their_share_of_connections(void **state)
{
	static const uint16_t ports[] = { 5060, 5061, 8080, 2222 };
	struct ruleset s;

	(void)state;
	ruleset_make(&s, &standard, 0);
	for (size_t i = 0; i < COUNT_OF(ports); i++) {
		struct packet p = {
			.family = FAMILY_V6, .proto = IPPROTO_TCP, .port = ports[i], .is_fast = true
		};

		assert_false(is_let_in(&s, &p));
		p.who = WHO_EXEMPT;
		assert_true(is_let_in(&s, &p));
		p.who = WHO_ANYONE;
		p.state = STATE_KNOWN;
		assert_true(is_let_in(&s, &p));
	}
}

static void ssh_may_be_for_administrators_hosts_alone(void **state)
{
	struct openings o = standard;
	struct ruleset s;
	struct addr other;
	struct packet p = { .family = FAMILY_V4, .proto = IPPROTO_TCP, .port = 2222 };

	(void)state;
	assert_int_equal(addr_parse(STR("192.0.2.7"), 0, &o.ssh_host[0]), 0);
	assert_int_equal(addr_parse(STR("2001:db8::7"), 0, &o.ssh_host[1]), 0);
	assert_int_equal(addr_parse(STR("192.0.2.8"), 0, &other), 0);
	o.ssh_hosts = 2;
	assert_false(openings_eq(&o, &standard));
	ruleset_make(&s, &o, 0);
	assert_false(is_let_in(&s, &p));
	p.who = WHO_EXEMPT; /* a gateway is no administrator */
	assert_false(is_let_in(&s, &p));
	p.host = &other;
	assert_false(is_let_in(&s, &p));
	p.host = &o.ssh_host[0];
	assert_true(is_let_in(&s, &p));
	p.family = FAMILY_V6;
	p.host = &o.ssh_host[1];
	assert_true(is_let_in(&s, &p));
	p.port = 2223;
	assert_false(is_let_in(&s, &p));
}

static void a_crowd_keeps_out_newcomers_alone(void **state)
{
	static const enum family both[] = { FAMILY_V4, FAMILY_V6 };
	struct ruleset s;

	(void)state;
	ruleset_make(&s, &standard, 0);
	for (size_t i = 0; i < COUNT_OF(both); i++) {
		struct packet p = {
			.family = both[i], .proto = IPPROTO_UDP, .port = 5060, .is_crowded = true
		};

		assert_false(is_let_in(&s, &p));
		p.who = WHO_CUSTOMER;
		assert_true(is_let_in(&s, &p));
		p.who = WHO_EXEMPT;
		assert_true(is_let_in(&s, &p));
		p.who = WHO_CUSTOMER; /* he has his share, too */
		p.is_fast = true;
		assert_false(is_let_in(&s, &p));
		p = (struct packet){ .family = both[i], .proto = IPPROTO_UDP, .port = 12345 };
		p.is_crowded = true; /* media are no matter of it */
		assert_true(is_let_in(&s, &p));
	}
}

static void sip_and_media_are_not_tracked(void **state)
{
	struct ruleset s;
	struct packet p = { .family = FAMILY_V4, .proto = IPPROTO_UDP, .port = 5060 };

	(void)state;
	ruleset_make(&s, &standard, 0);
	assert_false(is_tracked(&s, &p));
	p.port = 12345;
	assert_false(is_tracked(&s, &p));
	p.port = 53;
	assert_true(is_tracked(&s, &p));
	p = (struct packet){ .family = FAMILY_V4, .proto = IPPROTO_TCP, .port = 5060 };
	assert_true(is_tracked(&s, &p));
}

static void an_older_kernel_gets_the_rules_that_it_knows(void **state)
{
	struct openings o = standard;
	struct ruleset s, whole;
	struct packet p = { .family = FAMILY_V4, .proto = IPPROTO_TCP, .port = 2222 };

	(void)state;
	o.is_taped = true;
	ruleset_make(&whole, &o, 0);
	ruleset_make(&s, &o, ABILITY_ALL);
	assert_true(s.count < whole.count && s.lacks == ABILITY_ALL);
	for (int i = 0; i < s.count; i++)
		assert_true(s.rule[i].verdict <= VERDICT_DROP &&
			    (!s.rule[i].rate || !s.rule[i].rate->set));
	assert_true(is_let_in(&s, &p));
	p.who = WHO_BANNED;
	assert_false(is_let_in(&s, &p));
	p = (struct packet){ .family = FAMILY_V4, .proto = IPPROTO_TCP, .port = 23 };
	assert_false(is_let_in(&s, &p));
	p = (struct packet){ .family = FAMILY_V4, .proto = IPPROTO_UDP, .port = 5060 };
	assert_true(is_let_in(&s, &p) && is_tracked(&s, &p));
	p.is_crowded = true;
	assert_false(is_let_in(&s, &p));
}

static void a_honeypot_is_open_and_tells_nothing(void **state)
{
	struct openings o = standard;
	struct ruleset s;
	struct packet p = { .family = FAMILY_V6, .proto = IPPROTO_UDP, .port = 5160 };

	(void)state;
	o.udp_traps = (struct honeypots){ .port = { 4569, 5160 }, .n = 2 };
	o.tcp_traps = (struct honeypots){ .port = { 3389 }, .n = 1 };
	assert_false(openings_eq(&o, &standard));
	ruleset_make(&s, &o, 0);
	assert_true(is_let_in(&s, &p));
	assert_false(is_tracked(&s, &p));
	p.is_crowded = true; /* a flood there is nothing but a flood */
	assert_false(is_let_in(&s, &p));
	p = (struct packet){ .family = FAMILY_V4, .proto = IPPROTO_TCP, .port = 5160 };
	assert_false(is_let_in(&s, &p));
	p.port = 3389;
	assert_true(is_let_in(&s, &p));
	p.proto = IPPROTO_UDP;
	assert_false(is_let_in(&s, &p));
}

static void the_whole_room_is_enough(void **state)
{
	struct openings o = standard;
	struct ruleset s;
	struct packet p = { .family = FAMILY_V4, .proto = IPPROTO_UDP, .port = 68 };

	(void)state;
	o.dhcp4 = o.dhcp6 = true;
	o.ssh_hosts = SSH_HOSTS_MAX;
	o.is_taped = true;
	o.tcp_traps.n = o.udp_traps.n = HONEYPOTS_MAX;
	for (int i = 0; i < HONEYPOTS_MAX; i++)
		o.tcp_traps.port[i] = o.udp_traps.port[i] = (uint16_t)(2000 + i);
	for (int i = 0; i < SSH_HOSTS_MAX; i++)
		assert_int_equal(addr_parse(STR("192.0.2.7"), 0, &o.ssh_host[i]), 0);
	assert_false(openings_eq(&o, &standard));
	assert_true(openings_eq(&o, &o));
	ruleset_make(&s, &o, 0);
	assert_true(is_let_in(&s, &p));
	for (int i = 0; i < s.count; i++) {
		CLEANUP(buf_done) struct buf what = BUF_INIT;

		rule_what(&s.rule[i], &what);
		assert_int_equal(buf_error(&what), 0);
		assert_true(strlen(s.rule[i].why) > 0 && strlen(s.rule[i].why) < 120);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_what_is_open_is_let_in),
		cmocka_unit_test(programs_get_out_by_what_they_are_there_for),
		cmocka_unit_test(a_guest_keeps_nobody_of_the_house_in),
		cmocka_unit_test(a_closed_port_has_no_rule),
		cmocka_unit_test(the_exempt_come_before_the_banned),
		cmocka_unit_test(strangers_have_their_share_of_connections),
		cmocka_unit_test(ssh_may_be_for_administrators_hosts_alone),
		cmocka_unit_test(a_crowd_keeps_out_newcomers_alone),
		cmocka_unit_test(sip_and_media_are_not_tracked),
		cmocka_unit_test(an_older_kernel_gets_the_rules_that_it_knows),
		cmocka_unit_test(a_honeypot_is_open_and_tells_nothing),
		cmocka_unit_test(the_whole_room_is_enough),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
