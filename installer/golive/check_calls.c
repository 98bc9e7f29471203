#include <stdio.h>
#include <string.h>

#include "golive/inner.h"

/* Tests of calls: signalling, audio, codecs, both ends' view of a call and the record of it. */

enum { TALK_MS = 1200, FRAMES = 25 };

void check_basic_call(struct golive *g)
{
	CLEANUP(trial_done) struct trial t = { 0 };

	if (!trial_whole(g, &t, "990770", TALK_MS, true))
		return;
	note(g, "ringing after %lld ms, answered after %lld ms",
	     (long long)(t.caller->ringing_ms - t.caller->invited_ms),
	     (long long)(t.caller->answered_ms - t.caller->invited_ms));
	if (t.caller->ringing_ms == 0)
		fail(g, "the caller never heard that it rings (no 180)");
	else if (t.callee->acked_ms == 0)
		fail(g, "the vendor's answer was never acknowledged");
	else
		(void)trial_heard(g, &t, 1);
}

/* A call with one offer; what the vendor chose must come back, and the tone pass both ways. */
static void call_with(struct golive *g, const int *offer, int preferred, int expected,
		      const char *name)
{
	CLEANUP(trial_done) struct trial t = { 0 };
	char number[STAGE_NUMBER];
	struct dial d = {
		.end = END_CUSTOMER, .caller = "12025550143", .callee = number, .every_ms = 20
	};

	memcpy(d.payload, offer, sizeof(d.payload));
	g->stage.plan[END_FIRST].payload = preferred;
	number_make(g, "990770", number);
	if (!trial_dial_as(g, &t, &d) || !trial_up(g, &t))
		return;
	trial_listen(g, &t, FRAMES);
	if (!trial_hang_up(g, &t, true) || !trial_record(g, &t))
		return;
	note(g, "offered to the vendor: %s; answered: %d; record: %s", t.callee->offered,
	     t.caller->payload, text_in(t.cdr, "codec"));
	if (t.caller->payload != expected || t.callee->payload != expected)
		fail(g, "payload type %d was agreed, the caller was told %d", t.callee->payload,
		     t.caller->payload);
	else if (strcmp(text_in(t.cdr, "codec"), name) != 0)
		fail(g, "the record names codec \"%s\" instead of %s", text_in(t.cdr, "codec"),
		     name);
	else
		(void)trial_heard(g, &t, FRAMES);
}

void check_audio(struct golive *g)
{
	CLEANUP(trial_done) struct trial t = { 0 };

	if (!trial_dial(g, &t, END_CUSTOMER, "990770") || !trial_up(g, &t))
		return;
	trial_listen(g, &t, 4 * FRAMES);
	if (!trial_hang_up(g, &t, true) || !trial_heard(g, &t, 4 * FRAMES))
		return;
	uint64_t lost = rtp_lost(&t.caller->talk.count) + rtp_lost(&t.callee->talk.count);
	uint64_t foreign = t.caller->talk.foreign + t.callee->talk.foreign;

	note(g, "lost %llu, jitter %u us and %u us", (unsigned long long)lost,
	     rtp_jitter_us(&t.caller->talk.count, TONE_RATE),
	     rtp_jitter_us(&t.callee->talk.count, TONE_RATE));
	if (addr_eq_host(&t.caller->talk.remote, &t.callee->talk.local))
		fail(g, "the audio does not pass through the switch: vendor and customer see each "
			"other's addresses");
	else if (foreign > 0)
		fail(g, "%llu packets came that do not belong to the call",
		     (unsigned long long)foreign);
	else if (lost * 100 > t.caller->talk.received + t.callee->talk.received)
		fail(g, "more than one packet in a hundred was lost on the way: %llu",
		     (unsigned long long)lost);
}

void check_pcma(struct golive *g)
{
	call_with(g, (int[]){ TALK_PCMA, -1, -1, -1 }, -1, TALK_PCMA, "PCMA");
}

void check_pcmu(struct golive *g)
{
	call_with(g, (int[]){ TALK_PCMU, -1, -1, -1 }, -1, TALK_PCMU, "PCMU");
}

void check_g729(struct golive *g)
{
	call_with(g, (int[]){ TALK_G729, -1, -1, -1 }, -1, TALK_G729, "G729");
}

void check_codec_choice(struct golive *g)
{
	call_with(g, (int[]){ TALK_G729, TALK_PCMA, TALK_PCMU, -1 }, TALK_PCMU, TALK_PCMU, "PCMU");
}

void check_caller_id(struct golive *g)
{
	CLEANUP(trial_done) struct trial t = { 0 };
	char number[STAGE_NUMBER];
	struct dial d = { .end = END_CUSTOMER,
			  .caller = "4930901820",
			  .callee = number,
			  .payload = { TALK_PCMA, -1 } };

	number_make(g, "990770", number);
	if (!trial_dial_as(g, &t, &d) || !trial_up(g, &t) || !trial_hang_up(g, &t, true) ||
	    !trial_record(g, &t))
		return;
	note(g, "sent %s, vendor saw %s, record: %s in, %s out", d.caller, t.callee->caller,
	     text_in(t.cdr, "caller_in"), text_in(t.cdr, "caller_out"));
	if (strcmp(t.callee->caller, d.caller) != 0)
		fail(g, "the vendor was shown caller %s instead of %s", t.callee->caller, d.caller);
	else if (strcmp(text_in(t.cdr, "caller_in"), d.caller) != 0 ||
		 strcmp(text_in(t.cdr, "caller_out"), d.caller) != 0)
		fail(g, "the record has caller %s in and %s out, the call had %s",
		     text_in(t.cdr, "caller_in"), text_in(t.cdr, "caller_out"), d.caller);
}

/*
 * The switch measures from the vendor's 200 to the first BYE, as they reach it. So its time is not
 * shorter than from the answer at the caller to the BYE's leaving, nor longer than from the answer's
 * leaving to the end of the BYE. A millisecond each for what the clocks cut off.
 */
static void hang_up(struct golive *g, bool by_caller, const char *reason, const char *side)
{
	CLEANUP(trial_done) struct trial t = { 0 };

	if (!trial_whole(g, &t, "990770", 2 * TALK_MS, by_caller))
		return;
	const struct party *from = by_caller ? t.caller : t.callee;
	int64_t least = from->bye_ms - t.caller->answered_ms - 1;
	int64_t most = from->over_ms - t.callee->answered_ms + 1;
	int64_t hold = int_in(t.cdr, "hold_ms");

	note(g, "%s, %s, %lld ms; between %lld and %lld by our clock", text_in(t.cdr, "reason"),
	     text_in(t.cdr, "hangup_side"), (long long)hold, (long long)least, (long long)most);
	if (strcmp(text_in(t.cdr, "reason"), reason) != 0 ||
	    strcmp(text_in(t.cdr, "hangup_side"), side) != 0)
		fail(g, "the record says %s by %s, the %s hung up", text_in(t.cdr, "reason"),
		     text_in(t.cdr, "hangup_side"), side);
	else if (hold < least || hold > most)
		fail(g, "the record has a talk of %lld ms, it was between %lld and %lld",
		     (long long)hold, (long long)least, (long long)most);
}

void check_caller_bye(struct golive *g)
{
	hang_up(g, true, "CallerHangup", "caller");
}

void check_callee_bye(struct golive *g)
{
	hang_up(g, false, "CalleeHangup", "callee");
}

void check_busy(struct golive *g)
{
	CLEANUP(trial_done) struct trial t = { 0 };

	g->stage.plan[END_FIRST].code = 486;
	if (trial_dial(g, &t, END_CUSTOMER, "990770"))
		(void)trial_refused(g, &t, 486, "UserBusy");
}

static bool is_ringing(void *ctx)
{
	const struct party *p = ctx;

	return p->state != PARTY_TRYING;
}

static bool is_cancelled(void *ctx)
{
	const struct party *p = ctx;

	return p->state == PARTY_OVER;
}

void check_cancel(struct golive *g)
{
	CLEANUP(trial_done) struct trial t = { 0 };

	g->stage.plan[END_FIRST].code = 0;
	if (!trial_dial(g, &t, END_CUSTOMER, "990770"))
		return;
	if (!await(g, is_ringing, t.caller, TRIAL_WAIT_MS) || t.caller->state != PARTY_RINGING) {
		fail(g, "the call did not ring (%d)", t.caller->code);
		return;
	}
	t.callee = stage_callee(&g->stage, t.number);
	party_cancel(t.caller);
	if (!trial_refused(g, &t, 487, "CallerCancel") || !t.callee)
		return;
	if (!await(g, is_cancelled, t.callee, TRIAL_WAIT_MS) || !t.callee->was_cancelled)
		fail(g, "the vendor was not told that the caller gave up: its phone rings on");
}

/* ---- the record ---- */

static const struct {
	const char *field, *value; /* value NULL: anything, as long as it is there */
} expected[] = {
	{ "id", NULL },
	{ "call_id", NULL },
	{ "call_id_out", NULL },
	{ "account", "golive-customer" },
	{ "vendor_account", "golive-vendor" },
	{ "caller", "12025550143" },
	{ "caller_in", "12025550143" },
	{ "caller_out", "12025550143" },
	{ "callee", NULL },
	{ "callee_in", NULL },
	{ "callee_out", NULL },
	{ "mapping_gateway", "golive-in" },
	{ "routing_gateway", "golive-first" },
	{ "caller_ip", NULL },
	{ "callee_ip", NULL },
	{ "start", NULL },
	{ "ring", NULL },
	{ "answer", NULL },
	{ "end", NULL },
	{ "pdd_ms", NULL },
	{ "hold_ms", NULL },
	{ "billed_s", NULL },
	{ "fee", NULL },
	{ "cost", NULL },
	{ "reason", "CallerHangup" },
	{ "sip_code", NULL },
	{ "vendor_code", NULL },
	{ "hangup_side", "caller" },
	{ "rate_prefix", "990770" },
	{ "rate_terms", NULL },
	{ "cost_prefix", "99077" },
	{ "cost_terms", NULL },
	{ "codec", "PCMA" },
	{ "caller_packets_in", NULL },
	{ "caller_packets_out", NULL },
	{ "callee_packets_in", NULL },
	{ "callee_packets_out", NULL },
};

static bool is_filled(const json_t *v)
{
	return json_is_integer(v) || (json_is_string(v) && json_string_length(v) > 0);
}

static void compare_fields(struct golive *g, const json_t *cdr)
{
	size_t n = sizeof(expected) / sizeof(expected[0]);

	for (size_t i = 0; i < n; i++) {
		const char *field = expected[i].field;

		if (!is_filled(json_object_get(cdr, field)))
			fail(g, "the record's %s is empty", field);
		else if (expected[i].value && strcmp(text_in(cdr, field), expected[i].value) != 0)
			fail(g, "the record's %s is \"%s\" instead of \"%s\"", field,
			     text_in(cdr, field), expected[i].value);
	}
	note(g, "%zu fields filled, start %s", n, text_in(cdr, "start"));
}

static void compare_numbers(struct golive *g, const struct trial *t)
{
	static const char *const names[] = { "callee", "callee_in", "callee_out" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (strcmp(text_in(t->cdr, names[i]), t->number) != 0)
			fail(g, "the record's %s is %s instead of %s", names[i],
			     text_in(t->cdr, names[i]), t->number);
	}
}

void check_record(struct golive *g)
{
	CLEANUP(trial_done) struct trial t = { 0 };
	char host[ADDR_TEXT];

	if (!trial_whole(g, &t, "990770", TALK_MS, true))
		return;
	compare_fields(g, t.cdr);
	compare_numbers(g, &t);
	addr_host_text(&t.caller->stage->address[END_CUSTOMER], host);
	if (strncmp(text_in(t.cdr, "caller_ip"), host, strlen(host)) != 0)
		fail(g, "the record has the caller at %s instead of %s",
		     text_in(t.cdr, "caller_ip"), host);
	if (int_in(t.cdr, "sip_code") != 200 || int_in(t.cdr, "vendor_code") != 200)
		fail(g, "an answered call is recorded with codes %lld and %lld",
		     (long long)int_in(t.cdr, "sip_code"), (long long)int_in(t.cdr, "vendor_code"));
	if (int_in(t.cdr, "caller_packets_in") <= 0 || int_in(t.cdr, "callee_packets_in") <= 0)
		fail(g, "the record has no packets of one side");
}

/* ---- routes ---- */

void check_failover(struct golive *g)
{
	CLEANUP(trial_done) struct trial t = { 0 };

	if (!trial_whole(g, &t, "990775", TALK_MS, true))
		return;
	note(g, "answered by %s after %lld ms, %lld vendors tried",
	     text_in(t.cdr, "routing_gateway"),
	     (long long)(t.caller->answered_ms - t.caller->invited_ms),
	     (long long)int_in(t.cdr, "tries"));
	if (strcmp(text_in(t.cdr, "routing_gateway"), "golive-second") != 0)
		fail(g, "the record names vendor %s, the call went by golive-second",
		     text_in(t.cdr, "routing_gateway"));
	else if (int_in(t.cdr, "tries") != 2)
		fail(g, "%lld vendors were tried; the first is down and the second answers",
		     (long long)int_in(t.cdr, "tries"));
	else
		(void)trial_heard(g, &t, 1);
}

/* What a call to that number would be told, without placing it. */
static json_t *explain(struct golive *g, const char *gateway, const char *callee)
{
	return ask(g, "route.explain",
		   json_pack("{s:s s:s s:s}", "gateway", gateway, "callee", callee, "caller",
			     "12025550143"));
}

void check_no_route(struct golive *g)
{
	CLEANUP(trial_done) struct trial t = { 0 };
	CLEANUP(json_decref) json_t *verdict = explain(g, "golive-in", "990779000000");

	if (verdict && strcmp(text_in(verdict, "verdict"), "ok") == 0) {
		leave(g, GOLIVE_NOT_CONFIGURED,
		      "a vendor takes every number, so that none is without a route");
		advise(g, "If that is not meant: give each routing gateway the prefixes it sells.");
		return;
	}
	if (trial_dial(g, &t, END_CUSTOMER, "990779"))
		(void)trial_refused(g, &t, 503, "NoAvailableRouter");
}

void check_no_rate(struct golive *g)
{
	CLEANUP(trial_done) struct trial t = { 0 };

	if (trial_dial(g, &t, END_CUSTOMER, "990778"))
		(void)trial_refused(g, &t, 403, "NoRate");
}
