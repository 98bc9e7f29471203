/* Every row of behaviour.md's media_source, told as what happens at one port. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "media/latch.h"

#define SIG  "198.51.100.1:5060"  /* where the peer's SIP comes from */
#define SDP  "198.51.100.1:4000"  /* a description that says the same host */
#define GATE "203.0.113.9:4000"   /* one that says another host */
#define PRIV "10.1.2.3:4000"      /* a private one */
#define CGN  "100.64.1.2:4000"    /* carrier-grade NAT */
#define NET  "192.0.2.0/24"       /* the listed network */
#define HOST "198.51.100.1"       /* the signalling host, for ports of its own */
#define EVIL "198.51.100.66:4000" /* anybody else */

enum { STEPS = 10 };

/*
 * o: our description is sent. d: the peer describes itself anew as `who`. p: a packet of `ssrc` from `who`, accepted
 * or not. After each step ours go to `to` ("" = nowhere).
 */
struct step {
	char what;
	ms_t at;
	const char *who;
	uint32_t ssrc;
	bool is_accepted;
	const char *to;
};

struct story {
	const char *name;
	enum media_source source;
	bool is_public;
	const char *described, *first; /* and where ours go before anything was heard */
	struct step step[STEPS];
};

static const struct story stories[] = {
	{ "sdp: any port of the address, at any time; ours go to the port of the SDP",
	  MEDIA_SDP,
	  false,
	  SDP,
	  SDP,
	  { { 'p', 0, HOST ":4000", 1, true, SDP },
	    { 'p', 0, HOST ":9", 2, true, SDP },
	    { 'p', 0, EVIL, 1, false, SDP },
	    { 'o', 1, NULL, 0, false, SDP },
	    { 'p', 2, HOST ":4444", 3, true, SDP },
	    { 'p', 2, EVIL, 3, false, SDP },
	    { 'p', 9000, EVIL, 3, false, SDP } } },
	{ "sdp: the signalling address is nobody",
	  MEDIA_SDP,
	  false,
	  GATE,
	  GATE,
	  { { 'o', 0, NULL, 0, false, GATE },
	    { 'p', 0, HOST ":4000", 1, false, GATE },
	    { 'p', 0, "203.0.113.9:77", 1, true, GATE } } },
	{ "sdp: a private address that is believed is used as it is",
	  MEDIA_SDP,
	  false,
	  PRIV,
	  PRIV,
	  { { 'p', 0, "10.1.2.3:1", 1, true, PRIV }, { 'p', 0, SDP, 1, false, PRIV } } },
	{ "sdp: a public peer's private address is ignored",
	  MEDIA_SDP,
	  true,
	  PRIV,
	  "",
	  { { 'o', 0, NULL, 0, false, "" },
	    { 'p', 0, PRIV, 1, false, "" },
	    { 'p', 0, SDP, 1, false, "" } } },
	{ "sdp: a new description is followed at once",
	  MEDIA_SDP,
	  false,
	  SDP,
	  SDP,
	  { { 'p', 0, SDP, 1, true, SDP },
	    { 'd', 1, GATE, 0, false, GATE },
	    { 'p', 1, SDP, 1, false, GATE },
	    { 'p', 1, GATE, 1, true, GATE } } },
	{ "sdp: hold by no address sends nothing; back again",
	  MEDIA_SDP,
	  false,
	  SDP,
	  SDP,
	  { { 'd', 1, "", 0, false, "" },
	    { 'p', 1, SDP, 1, false, "" },
	    { 'd', 2, SDP, 0, false, SDP } } },
	{ "sdp: port 0 is nowhere",
	  MEDIA_SDP,
	  false,
	  HOST ":0",
	  "",
	  { { 'o', 0, NULL, 0, false, "" } } },

	{ "auto: a description that agrees with the signalling is believed as sdp",
	  MEDIA_AUTO,
	  false,
	  SDP,
	  SDP,
	  { { 'p', 0, HOST ":9", 1, true, SDP },
	    { 'p', 0, SDP, 2, true, SDP },
	    { 'p', 0, EVIL, 2, false, SDP },
	    { 'p', 5000, EVIL, 2, false, SDP } } },
	{ "auto: another host is latched on, or the signalling's, after our SDP only",
	  MEDIA_AUTO,
	  false,
	  GATE,
	  GATE,
	  { { 'p', 0, "203.0.113.9:77", 1, false, GATE },
	    { 'o', 1, NULL, 0, false, GATE },
	    { 'p', 2, EVIL, 1, false, GATE },
	    { 'p', 3, "203.0.113.9:77", 1, true, "203.0.113.9:77" },
	    { 'p', 4, HOST ":4000", 1, false, "203.0.113.9:77" },
	    { 'p', 5, GATE, 1, false, "203.0.113.9:77" } } },
	{ "auto: another host, heard from the signalling address",
	  MEDIA_AUTO,
	  false,
	  GATE,
	  GATE,
	  { { 'o', 0, NULL, 0, false, GATE },
	    { 'p', 0, HOST ":8", 1, true, HOST ":8" },
	    { 'p', 5000, GATE, 1, false, HOST ":8" } } },
	{ "auto: private, from the signalling address",
	  MEDIA_AUTO,
	  false,
	  PRIV,
	  PRIV,
	  { { 'p', 0, HOST ":8", 1, false, PRIV },
	    { 'o', 0, NULL, 0, false, PRIV },
	    { 'p', 0, "10.1.2.4:4000", 1, false, PRIV },
	    { 'p', 0, HOST ":8", 1, true, HOST ":8" } } },
	{ "auto: private, from the private address itself (a peer of our own network)",
	  MEDIA_AUTO,
	  false,
	  PRIV,
	  PRIV,
	  { { 'o', 0, NULL, 0, false, PRIV }, { 'p', 0, PRIV, 1, true, PRIV } } },
	{ "auto: CGNAT is private too",
	  MEDIA_AUTO,
	  false,
	  CGN,
	  CGN,
	  { { 'p', 0, HOST ":8", 1, false, CGN },
	    { 'o', 0, NULL, 0, false, CGN },
	    { 'p', 0, HOST ":8", 1, true, HOST ":8" } } },
	{ "auto: a public peer's private address: nothing is sent, nor taken from there",
	  MEDIA_AUTO,
	  true,
	  PRIV,
	  "",
	  { { 'o', 0, NULL, 0, false, "" },
	    { 'p', 0, PRIV, 1, false, "" },
	    { 'p', 0, HOST ":8", 1, true, HOST ":8" } } },
	{ "auto: a public peer's public address is used",
	  MEDIA_AUTO,
	  true,
	  SDP,
	  SDP,
	  { { 'p', 0, SDP, 1, true, SDP } } },
	{ "auto: no address at all is latched on the signalling's",
	  MEDIA_AUTO,
	  false,
	  "",
	  "",
	  { { 'o', 0, NULL, 0, false, "" },
	    { 'p', 0, EVIL, 1, false, "" },
	    { 'p', 0, HOST ":8", 1, true, HOST ":8" } } },

	{ "nat: only the signalling address, only after our SDP, then only its port",
	  MEDIA_NAT,
	  false,
	  GATE,
	  "",
	  { { 'p', 0, HOST ":8", 1, false, "" },
	    { 'o', 1, NULL, 0, false, "" },
	    { 'p', 1, GATE, 1, false, "" },
	    { 'p', 1, EVIL, 1, false, "" },
	    { 'p', 1, HOST ":8", 1, true, HOST ":8" },
	    { 'p', 2, HOST ":9", 2, false, HOST ":8" },
	    { 'p', 3, HOST ":8", 2, true, HOST ":8" } } },
	{ "nat: a late talker is waited for as long as it takes",
	  MEDIA_NAT,
	  false,
	  PRIV,
	  "",
	  { { 'o', 0, NULL, 0, false, "" }, { 'p', 50000, HOST ":8", 1, true, HOST ":8" } } },
	{ "nat: rebind: the same stream on a new port after 2 s of silence",
	  MEDIA_NAT,
	  false,
	  PRIV,
	  "",
	  { { 'o', 0, NULL, 0, false, "" },
	    { 'p', 1000, HOST ":8", 7, true, HOST ":8" },
	    { 'p', 2999, HOST ":9", 7, false, HOST ":8" },
	    { 'p', 3000, HOST ":9", 8, false, HOST ":8" },
	    { 'p', 3000, "198.51.100.2:9", 7, false, HOST ":8" },
	    { 'p', 3000, HOST ":9", 7, true, HOST ":9" },
	    { 'p', 3001, HOST ":8", 7, false, HOST ":9" } } },
	{ "nat: packets from elsewhere do not end the silence, nor make any",
	  MEDIA_NAT,
	  false,
	  PRIV,
	  "",
	  { { 'o', 0, NULL, 0, false, "" },
	    { 'p', 0, HOST ":8", 7, true, HOST ":8" },
	    { 'p', 1500, HOST ":9", 7, false, HOST ":8" },
	    { 'p', 1999, HOST ":8", 7, true, HOST ":8" },
	    { 'p', 3998, HOST ":9", 7, false, HOST ":8" },
	    { 'p', 3999, HOST ":9", 7, true, HOST ":9" } } },
	{ "nat: the SSRC that counts is the last one of the right source",
	  MEDIA_NAT,
	  false,
	  PRIV,
	  "",
	  { { 'o', 0, NULL, 0, false, "" },
	    { 'p', 0, HOST ":8", 7, true, HOST ":8" },
	    { 'p', 1, HOST ":8", 8, true, HOST ":8" },
	    { 'p', 5000, HOST ":9", 7, false, HOST ":8" },
	    { 'p', 5000, HOST ":9", 8, true, HOST ":9" } } },
	{ "nat: the same description again changes nothing",
	  MEDIA_NAT,
	  false,
	  PRIV,
	  "",
	  { { 'o', 0, NULL, 0, false, "" },
	    { 'p', 0, HOST ":8", 7, true, HOST ":8" },
	    { 'd', 1, PRIV, 0, false, HOST ":8" },
	    { 'o', 2, NULL, 0, false, HOST ":8" },
	    { 'p', 3, HOST ":9", 8, false, HOST ":8" } } },
	{ "nat: a new description: the old stream's last packets do not shut the new one out",
	  MEDIA_NAT,
	  false,
	  PRIV,
	  "",
	  { { 'o', 0, NULL, 0, false, "" },
	    { 'p', 0, HOST ":8", 7, true, HOST ":8" },
	    { 'd', 9000, "10.1.2.3:5000", 0, false, HOST ":8" },
	    { 'o', 9001, NULL, 0, false, HOST ":8" },
	    { 'p', 9002, HOST ":8", 7, true, HOST ":8" },
	    { 'p', 9003, HOST ":9", 8, true, HOST ":9" },
	    { 'p', 9004, HOST ":8", 7, false, HOST ":9" },
	    { 'p', 9005, EVIL, 8, false, HOST ":9" } } },
	{ "nat: a new description and the old source goes on: it is the right one",
	  MEDIA_NAT,
	  false,
	  PRIV,
	  "",
	  { { 'o', 0, NULL, 0, false, "" },
	    { 'p', 0, HOST ":8", 7, true, HOST ":8" },
	    { 'd', 9000, "10.1.2.3:5000", 0, false, HOST ":8" },
	    { 'o', 9001, NULL, 0, false, HOST ":8" },
	    { 'p', 11001, HOST ":8", 7, true, HOST ":8" },
	    { 'p', 11002, HOST ":9", 8, false, HOST ":8" } } },
	{ "auto: a new description is sent to at once, and its source takes over",
	  MEDIA_AUTO,
	  false,
	  GATE,
	  GATE,
	  { { 'o', 0, NULL, 0, false, GATE },
	    { 'p', 0, "203.0.113.9:77", 7, true, "203.0.113.9:77" },
	    { 'd', 9000, "203.0.113.9:5000", 0, false, "203.0.113.9:5000" },
	    { 'o', 9001, NULL, 0, false, "203.0.113.9:5000" },
	    { 'p', 9002, "203.0.113.9:77", 7, true, "203.0.113.9:5000" },
	    { 'p', 9003, "203.0.113.9:5000", 9, true, "203.0.113.9:5000" },
	    { 'p', 9004, "203.0.113.9:77", 7, false, "203.0.113.9:5000" } } },
	{ "auto: a source that the new description does not allow is out at once",
	  MEDIA_AUTO,
	  false,
	  GATE,
	  GATE,
	  { { 'o', 0, NULL, 0, false, GATE },
	    { 'p', 0, GATE, 7, true, GATE },
	    { 'd', 1, SDP, 0, false, SDP },
	    { 'p', 2, GATE, 7, false, SDP } } },

	{ "nets: confined to the list, whatever SDP and signalling say",
	  MEDIA_NETS,
	  false,
	  GATE,
	  "",
	  { { 'p', 0, "192.0.2.7:5", 1, false, "" },
	    { 'o', 0, NULL, 0, false, "" },
	    { 'p', 0, GATE, 1, false, "" },
	    { 'p', 0, HOST ":4000", 1, false, "" },
	    { 'p', 0, "192.0.2.7:5", 1, true, "192.0.2.7:5" },
	    { 'p', 1, "192.0.2.8:5", 1, false, "192.0.2.7:5" },
	    { 'p', 2001, "192.0.2.8:5", 1, false, "192.0.2.7:5" },
	    { 'p', 2001, "192.0.2.7:6", 1, true, "192.0.2.7:6" } } },
	{ "nets: a description inside the list is sent to first",
	  MEDIA_NETS,
	  false,
	  "192.0.2.9:4000",
	  "192.0.2.9:4000",
	  { { 'o', 0, NULL, 0, false, "192.0.2.9:4000" },
	    { 'p', 0, "192.0.2.7:5", 1, true, "192.0.2.7:5" } } },
};

static struct addr at(const char *text)
{
	struct addr a = { 0 };

	if (text && *text)
		assert_int_equal(addr_parse(str_of(text), 0, &a), 0);
	return a;
}

static void describe(struct latch *l, const struct story *s, const char *described, bool is_rtcp,
		     ms_t now_ms)
{
	struct cidr net;
	struct relay_peer p = { .signalling = at(SIG),
				.source = s->source,
				.is_public = s->is_public,
				.nets = &net,
				.net_count = 1 };

	assert_int_equal(cidr_parse(STR(NET), &net), 0);
	*(is_rtcp ? &p.rtcp : &p.rtp) = at(described);
	latch_set(l, &p, is_rtcp, now_ms);
}

static void fail_at(const struct story *s, int step, const char *what)
{
	fail_msg("%s: step %d: %s", s->name, step, what);
}

static void look(const struct story *s, int step, const struct latch *l, const char *to)
{
	struct addr want = at(to);

	if (!addr_eq(&l->to, &want))
		fail_at(s, step, "ours go elsewhere");
}

static void tell(const struct story *s, bool is_rtcp)
{
	struct latch l = { 0 };

	describe(&l, s, s->described, is_rtcp, 0);
	look(s, 0, &l, s->first);
	for (int i = 0; i < STEPS && s->step[i].what; i++) {
		const struct step *t = &s->step[i];
		struct addr who = t->what == 'p' ? at(t->who) : (struct addr){ 0 };

		if (t->what == 'o')
			latch_open(&l, t->at);
		else if (t->what == 'd')
			describe(&l, s, t->who, is_rtcp, t->at);
		else if (latch_accept(&l, &who, t->ssrc, t->at) != t->is_accepted)
			fail_at(s, i + 1, t->is_accepted ? "refused" : "accepted");
		look(s, i + 1, &l, t->to);
	}
}

static void a_source_is_believed_by_the_rules_of_its_gateway(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(stories) / sizeof(stories[0]); i++)
		tell(&stories[i], false);
}

static void the_same_rules_hold_for_rtcp_and_its_own_address(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(stories) / sizeof(stories[0]); i++)
		tell(&stories[i], true);
}

static void before_any_description_nobody_is_believed(void **state)
{
	struct latch l = { 0 };
	struct addr who = at(SDP);

	(void)state;
	latch_open(&l, 0);
	assert_false(latch_accept(&l, &who, 1, 1));
	assert_false(addr_is_set(&l.to));
}

static void more_networks_than_there_is_room_for_are_cut(void **state)
{
	struct latch l = { 0 };
	struct cidr nets[LATCH_NETS + 1] = { 0 };
	struct relay_peer p = { .source = MEDIA_NETS, .nets = nets, .net_count = LATCH_NETS + 1 };

	(void)state;
	latch_set(&l, &p, false, 0);
	assert_int_equal(l.net_count, LATCH_NETS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_source_is_believed_by_the_rules_of_its_gateway),
		cmocka_unit_test(the_same_rules_hold_for_rtcp_and_its_own_address),
		cmocka_unit_test(before_any_description_nobody_is_believed),
		cmocka_unit_test(more_networks_than_there_is_room_for_are_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
