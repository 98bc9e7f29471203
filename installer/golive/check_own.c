#include <stdio.h>
#include <string.h>

#include "golive/inner.h"
#include "model/reason.h"

/* Tests of what the operator has set up: customers, rates, routes, vendors, and a real call. */

enum { EXPLAIN_MAX = 200, VENDORS_MAX = 32, DIGITS = 12, PROBE_MS = 3000, OWN_TALK_MS = 3000 };

static json_t *rows_of(struct golive *g, const char *method, json_t *params)
{
	json_t *rows = ask(g, method, params);

	if (!rows)
		fail(g, "%s could not be done: %s", method, g->err.message);
	return rows;
}

/* ---- customers ---- */

static json_t *account_of(struct golive *g, const json_t *gateway)
{
	return ask(g, "account.show", json_pack("{s:s}", "id", text_in(gateway, "account")));
}

static json_t *rates_of(struct golive *g, const char *group)
{
	return ask(g, "rate.list", json_pack("{s:s s:i}", "group", group, "limit", 100000));
}

static ms_t time_in(const json_t *o, const char *name, ms_t absent)
{
	ms_t t = absent;

	(void)clock_parse(str_of(text_in(o, name)), &t);
	return t;
}

/* Of the versions of a rate, the one that may be used now. */
static bool is_in_force(const json_t *rate)
{
	ms_t now = clock_wall_ms();

	return strcmp(text_in(rate, "status"), "locked") != 0 &&
	       time_in(rate, "effective", 0) <= now && time_in(rate, "end", INT64_MAX) > now;
}

static void look_at_rates(struct golive *g, const char *customer, const char *group)
{
	CLEANUP(json_decref) json_t *rates = rates_of(g, group);
	size_t open = 0;

	for (size_t i = 0; i < json_array_size(rates); i++) {
		const json_t *r = json_array_get(rates, i);
		bool is_open = is_in_force(r);

		open += is_open;
		if (is_open && money_in(r, "price") == 0 && money_in(r, "setup_fee") == 0)
			fail(g, "customer %s: the rate of %s in group %s is 0: calls would be free",
			     customer, text_in(r, "prefix"), group);
	}
	if (open == 0)
		fail(g, "customer %s: rate group %s has no rate that may be used", customer, group);
	note(g, "%s: group %s, %zu rates", customer, group, open);
}

static void look_at_customer(struct golive *g, const json_t *gateway)
{
	CLEANUP(json_decref) json_t *account = account_of(g, gateway);
	const char *name = text_in(gateway, "name"), *group = text_in(account, "rate_group");

	if (strcmp(text_in(gateway, "status"), "locked") == 0)
		note(g, "%s is locked and takes no calls", name);
	else if (json_is_true(json_object_get(account, "lock_manual")) ||
		 json_is_true(json_object_get(account, "lock_auto")))
		fail(g, "customer %s: account %s is locked (balance %s)", name,
		     text_in(account, "id"), text_in(account, "balance"));
	else if (group[0] == 0)
		fail(g, "customer %s: account %s has no rate group: every call is refused (NoRate)",
		     name, text_in(account, "id"));
	else
		look_at_rates(g, name, group);
}

void check_own_customers(struct golive *g)
{
	CLEANUP(json_decref) json_t *list = rows_of(g, "mapping-gateway.list", json_object());
	int own = 0;

	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *gateway = json_array_get(list, i);

		if (is_ours(text_in(gateway, "name")))
			continue;
		own++;
		look_at_customer(g, gateway);
	}
	if (own == 0 && !is_failed(g))
		leave(g, GOLIVE_NOT_CONFIGURED, "there is no customer (mapping gateway) yet");
}

/* ---- routes ---- */

/* A number to dial for a prefix: the customer's own tech prefix, then digits up to a usual length. */
static void number_for(const json_t *gateway, const char *prefix, char ret[STAGE_NUMBER])
{
	const json_t *tech = json_object_get(gateway, "tech_prefix");
	const char *first = json_string_value(json_array_get(tech, 0));
	struct buf out = buf_fixed(ret, STAGE_NUMBER - 1);
	size_t digits = strlen(prefix);

	buf_printf(&out, "%.16s%.40s", first ? first : "", prefix);
	for (; digits < DIGITS; digits++)
		buf_putc(&out, '0');
	ret[out.n] = 0;
}

static bool has_rules(const json_t *gateway)
{
	return json_array_size(json_object_get(gateway, "callee_rules")) > 0;
}

static json_t *explained(struct golive *g, const json_t *gateway, const char *number)
{
	return ask(g, "route.explain",
		   json_pack("{s:s s:s}", "gateway", text_in(gateway, "name"), "callee", number));
}

/* A phone whose number has that prefix, NULL if there is none. */
static const char *phone_with(const json_t *phones, const char *prefix)
{
	for (size_t i = 0; i < json_array_size(phones); i++) {
		const json_t *phone = json_array_get(phones, i);
		const json_t *more = json_object_get(phone, "numbers");

		if (str_has_prefix(str_of(text_in(phone, "number")), str_of(prefix)))
			return text_in(phone, "number");
		for (size_t k = 0; k < json_array_size(more); k++) {
			const char *number = json_string_value(json_array_get(more, k));

			if (number && str_has_prefix(str_of(number), str_of(prefix)))
				return number;
		}
	}
	return NULL;
}

/* Numbers of our own phones are sold as well, and no vendor takes those; that one is offline now is no fault. */
static bool is_for_phones(struct golive *g, const json_t *gateway, const json_t *phones,
			  const char *prefix)
{
	const json_t *tech = json_object_get(gateway, "tech_prefix");
	const char *first = json_string_value(json_array_get(tech, 0));
	const char *phone = phone_with(phones, prefix);
	char number[2 * STAGE_NUMBER];

	if (!phone)
		return false;
	(void)snprintf(number, sizeof(number), "%s%s", first ? first : "", phone);
	CLEANUP(json_decref) json_t *v = explained(g, gateway, number);
	const char *verdict = text_in(v, "verdict");

	return strcmp(verdict, "ok") == 0 ||
	       strcmp(verdict, reason_name(REASON_PHONE_OFFLINE)) == 0;
}

/* Every prefix that the customer may call needs somebody who takes it. */
static int look_at_routes(struct golive *g, const json_t *gateway, const json_t *phones, int left)
{
	CLEANUP(json_decref) json_t *account = account_of(g, gateway);
	CLEANUP(json_decref) json_t *rates = rates_of(g, text_in(account, "rate_group"));
	const char *name = text_in(gateway, "name");
	int asked = 0, bad = 0;

	for (size_t i = 0; i < json_array_size(rates) && asked < left; i++) {
		const char *prefix = text_in(json_array_get(rates, i), "prefix");
		char number[STAGE_NUMBER];

		if (!is_in_force(json_array_get(rates, i)))
			continue;
		number_for(gateway, prefix, number);
		CLEANUP(json_decref) json_t *v = explained(g, gateway, number);
		const char *verdict = text_in(v, "verdict");
		asked++;
		if (strcmp(verdict, "ok") == 0 || is_for_phones(g, gateway, phones, prefix))
			continue;
		bad++;
		fail(g, "customer %s may call %s, but a call to %s would be refused: %s", name,
		     prefix, number, v ? verdict : g->err.message);
	}
	note(g, "%s: %d prefixes asked, %d without a way", name, asked, bad);
	return asked;
}

void check_own_routes(struct golive *g)
{
	CLEANUP(json_decref) json_t *list = rows_of(g, "mapping-gateway.list", json_object());
	CLEANUP(json_decref)
	json_t *phones = rows_of(g, "phone.list", json_pack("{s:i}", "limit", 100000));
	int asked = 0, own = 0;

	for (size_t i = 0; i < json_array_size(list) && asked < EXPLAIN_MAX; i++) {
		const json_t *gateway = json_array_get(list, i);
		const char *name = text_in(gateway, "name");

		if (is_ours(name) || strcmp(text_in(gateway, "status"), "locked") == 0)
			continue;
		own++;
		if (has_rules(gateway))
			note(g, "%s changes numbers by rules of its own: not asked", name);
		else
			asked += look_at_routes(g, gateway, phones, EXPLAIN_MAX - asked);
	}
	if (own == 0 && !is_failed(g))
		leave(g, GOLIVE_NOT_CONFIGURED, "there is no customer (mapping gateway) yet");
}

/* ---- a real call ---- */

/* The mapping gateway that the call is charged like: the one named, or the first. */
static json_t *own_gateway(struct golive *g)
{
	CLEANUP(json_decref) json_t *list = rows_of(g, "mapping-gateway.list", json_object());

	for (size_t i = 0; i < json_array_size(list); i++) {
		json_t *row = json_array_get(list, i);
		const char *name = text_in(row, "name");

		if (g->c.customer ? strcmp(name, g->c.customer) == 0 : !is_ours(name))
			return json_incref(row);
	}
	return NULL;
}

/* The same gateway at an address of ours: same account, prefixes, rules and media. */
static bool make_double(struct golive *g, const json_t *gateway)
{
	static const char *const copied[] = { "account",      "tech_prefix", "callee_rules",
					      "caller_rules", "policy",      "media_relay" };
	char host[ADDR_TEXT];
	json_t *p = json_object();

	addr_host_text(&g->stage.address[END_OWN], host);
	for (size_t i = 0; i < sizeof(copied) / sizeof(copied[0]); i++) {
		json_t *v = json_object_get(gateway, copied[i]);

		if (v && !json_is_null(v))
			(void)json_object_set(p, copied[i], v);
	}
	(void)json_object_set_new(p, "name", json_string("golive-own"));
	(void)json_object_set_new(p, "address", json_pack("[s]", host));
	(void)tell(g, "mapping-gateway.del", json_pack("{s:s}", "name", "golive-own"));
	if (tell(g, "mapping-gateway.add", p))
		return true;
	fail(g, "a gateway like %s could not be made: %s", text_in(gateway, "name"),
	     g->err.message);
	return false;
}

static bool is_answered(void *ctx)
{
	const struct party *p = ctx;

	return p->state == PARTY_UP || p->state == PARTY_OVER;
}

static void say_refused(struct golive *g, struct trial *t)
{
	if (!trial_record(g, t))
		return;
	fail(g, "the call to %s ended with %d: %s, vendor %s answered %lld", t->number,
	     t->caller->code, text_in(t->cdr, "reason"),
	     text_in(t->cdr, "routing_gateway")[0] ? text_in(t->cdr, "routing_gateway") : "(none)",
	     (long long)int_in(t->cdr, "vendor_code"));
}

static void judge_own(struct golive *g, const struct trial *t)
{
	const struct talk *talk = &t->caller->talk;

	note(g,
	     "account %s by vendor %s: %s, fee %s; sent %llu packets, got %llu, of which %llu "
	     "with our tone",
	     text_in(t->cdr, "account"), text_in(t->cdr, "routing_gateway"),
	     text_in(t->cdr, "reason"), text_in(t->cdr, "fee"), (unsigned long long)talk->sent,
	     (unsigned long long)talk->received, (unsigned long long)talk->heard);
	if (is_ours(text_in(t->cdr, "routing_gateway")))
		fail(g, "the test number %s is one of ours, not the operator's", t->number);
	else if (talk->received == 0)
		fail(g, "the call was answered, but no audio came back from vendor %s",
		     text_in(t->cdr, "routing_gateway"));
	else if (int_in(t->cdr, "callee_packets_out") == 0)
		fail(g, "no audio went out to vendor %s", text_in(t->cdr, "routing_gateway"));
}

static void place_own(struct golive *g)
{
	CLEANUP(trial_done) struct trial t = { 0 };
	struct dial d = { .end = END_OWN,
			  .caller = g->c.test_caller ? g->c.test_caller : "1000",
			  .callee = g->c.test_number,
			  .payload = { TALK_PCMA, TALK_PCMU, -1 },
			  .every_ms = 20 };

	if (!trial_dial_as(g, &t, &d))
		return;
	/* An echo sends our own tone back. */
	if (!await(g, is_answered, t.caller, 6 * (int64_t)TRIAL_WAIT_MS) ||
	    t.caller->state != PARTY_UP) {
		party_cancel(t.caller);
		(void)await(g, is_answered, t.caller, TRIAL_WAIT_MS);
		say_refused(g, &t);
		return;
	}
	t.caller->talk.hear_hz = STAGE_CALLER_HZ;
	pass(g, OWN_TALK_MS);
	if (t.caller->state != PARTY_UP)
		fail(g, "the other side hung up within %d s", OWN_TALK_MS / 1000);
	else if (trial_hang_up(g, &t, true) && trial_record(g, &t))
		judge_own(g, &t);
	if (t.cdr && !is_failed(g))
		g->own_record = json_incref(t.cdr);
}

void check_own_call(struct golive *g)
{
	if (!g->c.test_number) {
		leave(g, GOLIVE_NOT_CONFIGURED, "no test number was given");
		advise(g, "Give a number that answers (best an echo) and run the test again.");
		return;
	}
	CLEANUP(json_decref) json_t *gateway = own_gateway(g);
	if (!gateway) {
		fail(g, "there is no customer (mapping gateway) %s to place the call for",
		     g->c.customer ? g->c.customer : "");
		return;
	}
	if (make_double(g, gateway))
		place_own(g);
}

/* The longest prefix of the number in the group, by our own search. */
static json_t *longest(const json_t *rates, const char *number)
{
	json_t *best = NULL;

	for (size_t i = 0; i < json_array_size(rates); i++) {
		json_t *r = json_array_get(rates, i);
		const char *prefix = text_in(r, "prefix");

		if (is_in_force(r) && strncmp(number, prefix, strlen(prefix)) == 0 &&
		    (!best || strlen(prefix) > strlen(text_in(best, "prefix"))))
			best = r;
	}
	return best;
}

/* A group's own rounding goes before the parameters. */
static struct price_rules rules_of(struct golive *g, const char *group)
{
	CLEANUP(json_decref)
	json_t *row = ask(g, "rate-group.show", json_pack("{s:s}", "name", group));
	struct price_rules r = g->rules;

	if (json_is_integer(json_object_get(row, "fee_precision")))
		r.digits = int_in(row, "fee_precision");
	if (json_is_string(json_object_get(row, "fee_unit")))
		r.unit = money_in(row, "fee_unit");
	if (json_is_integer(json_object_get(row, "hold_time_precision")))
		r.precision_ms = int_in(row, "hold_time_precision");
	if (json_is_integer(json_object_get(row, "free_time")))
		r.free_s = int_in(row, "free_time");
	return r;
}

/* A minute, since a short call may lose by the vendor's longer increments alone. */
static void compare_minute(struct golive *g, const struct price_list *sell,
			   const struct price_rules *rules)
{
	CLEANUP(json_decref)
	json_t *vendor = ask(g, "account.show",
			     json_pack("{s:s}", "id", text_in(g->own_record, "vendor_account")));
	struct price_rules exact = { .precision_ms = 1 };
	char key[128], pays[MONEY_TEXT], costs[MONEY_TEXT];
	struct price_list buy;
	struct price_sum in, out;

	(void)snprintf(key, sizeof(key), "%s/%s", text_in(vendor, "rate_group"),
		       text_in(g->own_record, "cost_prefix"));
	CLEANUP(json_decref) json_t *rate = ask(g, "rate.show", json_pack("{s:s}", "key", key));
	if (!rate) {
		note(g, "the vendor has no clearing account with a rate: no cost is known");
		return;
	}
	if (price_read(&buy, rate) < 0 || price_sum(sell, rules, 60000, &in) < 0 ||
	    price_sum(&buy, &exact, 60000, &out) < 0)
		return;
	note(g, "a minute brings %s and costs %s", money_text(in.fee, pays),
	     money_text(out.fee + out.tax, costs));
	if (out.fee + out.tax > in.fee)
		fail(g, "a minute costs %s at the vendor and the customer pays %s: it loses money",
		     costs, pays);
}

static void compare_charge(struct golive *g, const json_t *rate, const char *group)
{
	struct price_rules rules = rules_of(g, group);
	char fee[MONEY_TEXT], tax[MONEY_TEXT];
	struct price_list list;
	struct price_sum sum;

	if (price_read(&list, rate) < 0 ||
	    price_sum(&list, &rules, int_in(g->own_record, "hold_ms"), &sum) < 0) {
		fail(g, "the rate %s/%s cannot be read", group, text_in(rate, "prefix"));
		return;
	}
	note(g, "%s/%s price %s: %lld ms make %s, tax %s", group, text_in(rate, "prefix"),
	     text_in(rate, "price"), (long long)int_in(g->own_record, "hold_ms"),
	     money_text(sum.fee, fee), money_text(sum.tax, tax));
	if (strcmp(text_in(g->own_record, "rate_prefix"), text_in(rate, "prefix")) != 0)
		fail(g, "rated by prefix %s, the longest that fits is %s",
		     text_in(g->own_record, "rate_prefix"), text_in(rate, "prefix"));
	else if (money_in(g->own_record, "fee") != sum.fee ||
		 money_in(g->own_record, "tax") != sum.tax)
		fail(g, "charged %s + tax %s, the rate makes it %s + %s",
		     text_in(g->own_record, "fee"), text_in(g->own_record, "tax"), fee, tax);
	else if (sum.fee == 0)
		fail(g, "the call cost the customer nothing");
	else
		compare_minute(g, &list, &rules);
}

void check_own_billing(struct golive *g)
{
	if (!g->own_record) {
		leave(g, g->c.test_number ? GOLIVE_NOT_RUN : GOLIVE_NOT_CONFIGURED,
		      "there was no call over the operator's own route to look at");
		return;
	}
	CLEANUP(json_decref)
	json_t *account =
		ask(g, "account.show", json_pack("{s:s}", "id", text_in(g->own_record, "account")));
	const char *group = text_in(account, "rate_group");
	CLEANUP(json_decref) json_t *rates = rates_of(g, group);
	json_t *rate = longest(rates, text_in(g->own_record, "callee"));
	if (rate)
		compare_charge(g, rate, group);
	else
		fail(g, "group %s has no rate for %s, and yet the call was charged", group,
		     text_in(g->own_record, "callee"));
}

/* ---- vendors ---- */

static bool is_probed(void *ctx)
{
	const struct stage *s = ctx;

	return s->probe_status != 0;
}

static bool carried_a_call(const struct golive *g, const char *name)
{
	return g->own_record && strcmp(text_in(g->own_record, "routing_gateway"), name) == 0;
}

/* One address of a vendor answers, or the vendor has just carried a call. */
static void look_at_vendor(struct golive *g, const json_t *v)
{
	const json_t *addresses = json_object_get(v, "address");
	const char *name = text_in(v, "name"), *first = "";
	struct addr peer;

	if (strcmp(text_in(v, "status"), "locked") == 0)
		return;
	for (size_t i = 0; i < json_array_size(addresses); i++) {
		const char *text = json_string_value(json_array_get(addresses, i));

		first = i == 0 ? text : first;
		if (addr_parse(str_of(text), 5060, &peer) < 0 || addr_is_v6(&peer) ||
		    stage_probe(&g->stage, &peer) < 0)
			continue;
		if (await(g, is_probed, &g->stage, PROBE_MS) && g->stage.probe_status > 0) {
			note(g, "%s at %s answers %d", name, text, g->stage.probe_status);
			return;
		}
	}
	if (carried_a_call(g, name))
		note(g, "%s answers no OPTIONS but carried the test call", name);
	else
		fail(g, "vendor %s at %s does not answer", name, first);
}

void check_own_vendors(struct golive *g)
{
	CLEANUP(json_decref) json_t *list = rows_of(g, "routing-gateway.list", json_object());
	int own = 0;

	for (size_t i = 0; i < json_array_size(list) && own < VENDORS_MAX; i++) {
		const json_t *v = json_array_get(list, i);

		if (is_ours(text_in(v, "name")))
			continue;
		own++;
		if (strcmp(text_in(v, "transport"), "udp") == 0)
			look_at_vendor(g, v);
		else
			note(g, "%s is reached by %s: not asked", text_in(v, "name"),
			     text_in(v, "transport"));
	}
	if (own == 0 && !is_failed(g))
		leave(g, GOLIVE_NOT_CONFIGURED, "there is no vendor (routing gateway) yet");
}
