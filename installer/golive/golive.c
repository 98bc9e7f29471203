#include "golive/golive.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "golive/inner.h"

enum { ASK_MS = 20000, IDLE_MS = 100, FILES = 2048 };

/* The list: name, title, why, and where to look first. */
static const struct golive_test tests[CHECK_COUNT] = {
	[CHECK_switch] = { "switch", "The switch runs and has no serious alarm",
			   "A switch that cannot write its ledger refuses calls or loses money.",
			   "See `switchctl alarm list` and the journal of switchd; a full or "
			   "failed disk is the usual cause." },
	[CHECK_licence] = { "licence", "The licence is valid and large enough",
			    "More calls than licensed lines are refused.",
			    "Activate a licence for this machine: `switchctl license activate "
			    "FILE`." },
	[CHECK_basic_call] = { "basic-call", "A customer's call reaches a vendor and ends",
			       "Without it nothing else matters.",
			       "See `switchctl status` and `switchctl cdr list limit=5`; is the "
			       "address tested the one that switchd listens at?" },
	[CHECK_audio] = { "two-way-audio", "A tone is heard in both directions",
			  "One-way audio is the most frequent complaint about VoIP.",
			  "Check --media (address and port range), the firewall for UDP in that "
			  "range, and NAT settings (public_address)." },
	[CHECK_pcma] = { "codec-pcma", "G.711 A-law is agreed and passes",
			 "The codec of most of the world's carriers.",
			 "Codec lists of the gateways; `switchctl cdr show ID`." },
	[CHECK_pcmu] = { "codec-pcmu", "G.711 µ-law is agreed and passes",
			 "The codec of North America and Japan.",
			 "Codec lists of the gateways; `switchctl cdr show ID`." },
	[CHECK_g729] = { "codec-g729", "G.729 is agreed by name and passes unchanged",
			 "Narrow links use it; the switch must not touch it.",
			 "Codec lists of the gateways; `switchctl cdr show ID`." },
	[CHECK_codec_choice] = { "codec-choice", "The vendor's choice of codec reaches the caller",
				 "If the two sides think of different codecs, there is noise.",
				 "Codec lists of the gateways; `switchctl cdr show ID`." },
	[CHECK_caller_id] = { "caller-id", "The caller's number arrives unchanged",
			      "Wrong numbers are refused by carriers and break call-backs.",
			      "Caller rules of the gateways (caller_rules, caller_from)." },
	[CHECK_caller_bye] = { "hangup-caller", "Hang-up by the caller: side and duration",
			       "Duration is what is billed, the side is what disputes are about.",
			       "Compare the clocks; see the decisions in `switchctl cdr explain "
			       "ID`." },
	[CHECK_callee_bye] = { "hangup-callee", "Hang-up by the called side: side and duration",
			       "Duration is what is billed, the side is what disputes are about.",
			       "Compare the clocks; see the decisions in `switchctl cdr explain "
			       "ID`." },
	[CHECK_busy] = { "busy", "A busy number is busy for the caller, and free of charge",
			 "Callers who hear an error instead of busy call again and again.",
			 "Stop codes of the routing gateway (switch_preset, stop_codes)." },
	[CHECK_cancel] = { "cancel", "No answer: the caller gives up, the vendor is told",
			   "Phones that ring on, and calls answered by nobody, cost money.",
			   "Does the vendor answer the CANCEL? See `switchctl cdr explain ID`." },
	[CHECK_per_second] = { "billing-per-second", "Charge by the second, to the last digit",
			       "The invoice must equal the rate table.",
			       "SERVER_BILLING_* parameters: precision, free time, fee unit." },
	[CHECK_increments] = { "billing-per-minute", "Charge by whole minutes, to the last digit",
			       "The invoice must equal the rate table.",
			       "SERVER_BILLING_* parameters: precision, free time, fee unit." },
	[CHECK_setup_fee] = { "billing-setup-and-tax", "30/6 increments, set-up fee and tax",
			      "The invoice must equal the rate table.",
			      "SERVER_BILLING_* parameters: precision, free time, fee unit." },
	[CHECK_sections] = { "billing-sections", "A price that changes during the call",
			     "The invoice must equal the rate table.",
			     "SERVER_BILLING_* parameters: precision, free time, fee unit." },
	[CHECK_record] = { "cdr-complete", "Every field of a call's record is filled and right",
			   "What is not recorded cannot be billed, proved or found.",
			   "`switchctl cdr show ID`; is the disk full?" },
	[CHECK_failover] = { "failover", "The first vendor is down: the second gets the call",
			     "Vendors fail; callers should not notice.",
			     "Priorities and prefixes of the routing gateways, timeout_invite, "
			     "switch_until_connect." },
	[CHECK_no_route] = { "no-route", "A number without a route is refused at once",
			     "Calls that hang in nowhere keep lines busy.",
			     "Prefixes of the routing gateways." },
	[CHECK_no_rate] = { "no-rate", "A number without a price is refused",
			    "A call without a price is a call for nothing.",
			    "Rates of the customer's rate group." },
	[CHECK_stranger] = { "unknown-source", "A call from an unknown address gets nothing",
			     "Whoever finds a switch that answers tries to call through it.",
			     "SS_REPLY_UNAUTHORIZED should be Off; is a mapping gateway wider than "
			     "meant (address=0.0.0.0/0)?" },
	[CHECK_rate_limit] = { "rate-limit", "A limit of ten calls a second is exact",
			       "A customer's dialler must not take the others' share.",
			       "rate_limit of the gateway; SS_MAX_CALL_PER_SECOND below 30 refuses "
			       "the burst earlier." },
	[CHECK_overdraft] = { "anti-overdraft", "An account locks at its limit, a payment unlocks",
			      "Without it one stolen password costs a month's profit.",
			      "anti_overdraft and limit_money of the accounts; "
			      "SERVER_BILLING_PREVENT_OVERDRAFT_ADVANCE_TIME." },
	[CHECK_registration] = { "registration", "Gateways and phones that register are online",
				 "Who is not registered cannot be called.",
				 "User and password on both sides." },
	[CHECK_own_customers] = { "customers", "Every customer has an open account and rates",
				  "Calls of a customer without rates are refused.",
				  "`switchctl rate list group=NAME`, `switchctl account show "
				  "ID`." },
	[CHECK_own_routes] = { "routes", "Every prefix that is sold has a vendor",
			       "A prefix without a vendor is refused with 503.",
			       "Prefixes and status of the routing gateways; rates of their "
			       "clearing "
			       "accounts; `switchctl route explain gateway=... callee=...`." },
	[CHECK_own_call] = { "real-call", "A call over the operator's own customer and vendor",
			     "Only a real call shows that a real vendor takes it.",
			     "`switchctl cdr explain ID`; does the vendor know this machine's "
			     "address? Is the firewall in between open for SIP and media?" },
	[CHECK_own_billing] = { "real-call-billing", "The real call's charge equals the rate table",
				"The invoice must equal the rate table, and exceed the cost.",
				"Rates of the customer's group and of the vendor's clearing "
				"account." },
	[CHECK_own_vendors] = { "vendors", "Every vendor's address answers",
				"A vendor that is not there costs seconds on every call.",
				"Address and port of the routing gateway; a vendor that ignores "
				"OPTIONS is proved by a test number that goes over it." },
	[CHECK_firewall] = { "firewall", "From outside only the switch's own ports answer",
			     "Every open port is a door.",
			     "`switchctl ban list`, state of switch-lockoutd, ports in "
			     "/etc/tandem/tandem.conf." },
	[CHECK_load] = { "load", "All lines at once, each with audio and the right charge",
			 "What works for one call may not for two hundred.",
			 "SS_MAX_CONCURRENT_CALL and SS_MAX_CALL_PER_SECOND, --media-ports (four a "
			 "call), the machine's processors." },
	[CHECK_books] = { "books", "Every balance and every charge can be worked out again",
			  "The last word on all of the above.",
			  "`switchctl ledger verify`, `switchctl cdr verify` name what differs." },
};

#define CHECK_ENTRY(name) [CHECK_##name] = check_##name,
static check_fn *const functions[CHECK_COUNT] = { CHECKS(CHECK_ENTRY) };
#undef CHECK_ENTRY

int golive_count(void)
{
	return CHECK_COUNT;
}

const struct golive_test *golive_test(int index)
{
	return &tests[index];
}

const char *golive_result_text(enum golive_result r)
{
	static const char *const texts[GOLIVE_RESULT_COUNT] = {
		"waiting", "running", "passed", "FAILED", "not configured", "not run",
	};

	return texts[r];
}

const struct golive_outcome *golive_outcome(const struct golive *g, int index)
{
	return &g->outcome[index];
}

bool golive_is_passed(const struct golive *g)
{
	for (int i = 0; i < CHECK_COUNT; i++) {
		enum golive_result r = g->outcome[i].result;

		if (r != GOLIVE_PASSED && r != GOLIVE_NOT_CONFIGURED)
			return false;
	}
	return true;
}

/* ---- verdicts ---- */

bool is_failed(const struct golive *g)
{
	return g->now->result == GOLIVE_FAILED;
}

__attribute__((format(printf, 3, 0))) static void put(char *to, size_t size, const char *fmt,
						      va_list ap)
{
	(void)vsnprintf(to, size, fmt, ap);
}

void fail(struct golive *g, const char *fmt, ...)
{
	va_list ap;

	if (g->now->result != GOLIVE_PASSED)
		return;
	va_start(ap, fmt);
	put(g->now->reason, sizeof(g->now->reason), fmt, ap);
	va_end(ap);
	g->now->result = GOLIVE_FAILED;
}

void leave(struct golive *g, enum golive_result result, const char *fmt, ...)
{
	va_list ap;

	if (g->now->result != GOLIVE_PASSED)
		return;
	va_start(ap, fmt);
	put(g->now->reason, sizeof(g->now->reason), fmt, ap);
	va_end(ap);
	g->now->result = result;
}

void advise(struct golive *g, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	put(g->now->remedy, sizeof(g->now->remedy), fmt, ap);
	va_end(ap);
}

void note(struct golive *g, const char *fmt, ...)
{
	size_t n = strlen(g->now->evidence), room = sizeof(g->now->evidence) - n;
	va_list ap;

	if (n > 0 && room > 3) {
		(void)snprintf(g->now->evidence + n, room, "; ");
		n += 2;
		room -= 2;
	}
	va_start(ap, fmt);
	put(g->now->evidence + n, room, fmt, ap);
	va_end(ap);
}

/* ---- waiting ---- */

bool await(struct golive *g, is_so_fn *is_so, void *ctx, int64_t ms)
{
	int64_t end = clock_mono_ms() + ms, next_idle = 0;

	while (!is_so(ctx)) {
		int64_t now = clock_mono_ms();

		if (now >= end || g->is_stopped)
			return false;
		if (now >= next_idle && g->c.on_idle && !g->c.on_idle(g->c.ctx))
			g->is_stopped = true;
		if (now >= next_idle)
			next_idle = now + IDLE_MS;
		if (stage_turn(&g->stage, end - now < IDLE_MS ? end - now : IDLE_MS) < 0)
			return false;
	}
	return true;
}

static bool never(void *ctx)
{
	(void)ctx;
	return false;
}

void pass(struct golive *g, int64_t ms)
{
	(void)await(g, never, NULL, ms);
}

/* ---- a run ---- */

static void raise_limits(void)
{
	struct rlimit l;

	if (getrlimit(RLIMIT_NOFILE, &l) < 0 || l.rlim_cur >= FILES)
		return;
	l.rlim_cur = l.rlim_max < FILES ? l.rlim_max : FILES;
	(void)setrlimit(RLIMIT_NOFILE, &l);
}

static int connect_to(struct golive *g, struct err *err)
{
	int r = client_open(&g->client, g->c.control);

	if (r < 0)
		return err_set(err, ERR_STORE, "control", str_of(g->c.control),
			       "the control socket of a running switchd",
			       "the switch cannot be reached: %s", strerror(-r));
	return client_set_timeout(g->client, ASK_MS);
}

static void defaults(struct golive_config *c)
{
	if (!addr_is_set(&c->sip))
		(void)addr_parse(STR("127.0.0.1:5060"), 5060, &c->sip);
	if (addr_is_any(&c->sip) && !addr_is_v6(&c->sip))
		c->sip.in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (!addr_is_set(&c->base))
		(void)addr_parse(addr_is_loopback(&c->sip) ? STR("127.77.0.0") : STR("198.18.77.0"),
				 0, &c->base);
}

int golive_create(struct golive **ret, const struct golive_config *c, struct err *err)
{
	CLEANUP(golive_free) struct golive *g = calloc(1, sizeof(*g));

	if (!g)
		return -ENOMEM;
	g->c = *c;
	g->now = &g->outcome[0];
	defaults(&g->c);
	raise_limits();
	int r = connect_to(g, err);
	if (r == 0)
		r = stage_open(&g->stage, &g->c.base, &g->c.sip, err);
	if (r < 0)
		return r;
	*ret = TAKE(g);
	return 0;
}

struct golive *golive_free(struct golive *g)
{
	struct err err = ERR_INIT;

	if (!g)
		return NULL;
	if (g->is_made)
		(void)desk_clean(g, &err);
	stage_close(&g->stage);
	client_close(g->client);
	json_decref(g->status);
	json_decref(g->own_record);
	free(g);
	return NULL;
}

static void tell_result(struct golive *g, int i)
{
	if (g->c.on_test)
		g->c.on_test(g->c.ctx, i, &tests[i], &g->outcome[i]);
}

static void leave_out(struct golive *g, const char *why)
{
	*g->now = (struct golive_outcome){ .began = clock_wall_ms(), .result = GOLIVE_PASSED };
	leave(g, GOLIVE_NOT_RUN, "%s", why);
}

static void run_one(struct golive *g, int i)
{
	int64_t began = clock_mono_ms();

	g->now = &g->outcome[i];
	*g->now = (struct golive_outcome){ .result = GOLIVE_RUNNING, .began = clock_wall_ms() };
	tell_result(g, i);
	g->now->result = GOLIVE_PASSED;
	stage_clear(&g->stage);
	functions[i](g);
	if (g->is_stopped)
		leave_out(g, "the run was stopped");
	else if (g->is_lost)
		fail(g, "the switch does not answer any more: %s", g->err.message);
	g->now->took_ms = clock_mono_ms() - began;
	if (g->now->result != GOLIVE_PASSED && g->now->remedy[0] == 0)
		(void)snprintf(g->now->remedy, sizeof(g->now->remedy), "%s", tests[i].remedy);
}

static bool is_wanted(const struct golive *g, int i)
{
	struct str rest = str_of(g->c.only), name;

	if (!g->c.only)
		return true;
	while (str_split(&rest, ',', &name)) {
		if (str_eq(name, str_of(tests[i].name)))
			return true;
	}
	return false;
}

static int run_all(struct golive *g)
{
	int failed = 0;

	for (int i = 0; i < CHECK_COUNT; i++) {
		if (!is_wanted(g, i))
			continue;
		if (g->is_stopped || g->is_lost) {
			g->now = &g->outcome[i];
			leave_out(g, g->is_lost ? "the switch does not answer any more"
						: "the run was stopped");
		} else {
			run_one(g, i);
		}
		failed += g->outcome[i].result == GOLIVE_FAILED;
		tell_result(g, i);
	}
	return failed;
}

int golive_run(struct golive *g, struct err *err)
{
	memset(g->outcome, 0, sizeof(g->outcome));
	g->is_stopped = false;
	g->began = clock_wall_ms();
	json_decref(g->own_record);
	g->own_record = NULL;
	json_decref(g->status);
	g->status = ask(g, "status.show", json_object());
	if (!g->status) {
		*err = g->err;
		return -EINVAL;
	}
	int r = desk_clean(g, err);
	if (r >= 0)
		r = desk_make(g, err);
	if (r < 0)
		return r;
	int failed = run_all(g);
	stage_clear(&g->stage);
	(void)stage_turn(&g->stage, 0);
	g->ended = clock_wall_ms();
	r = desk_clean(g, err);
	return r < 0 && !g->is_lost ? r : failed;
}

int golive_clean(const struct golive_config *c, struct err *err)
{
	CLEANUP(golive_free) struct golive *g = NULL;
	int r = golive_create(&g, c, err);

	return r < 0 ? r : desk_clean(g, err);
}
