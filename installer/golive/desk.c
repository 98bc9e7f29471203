#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "golive/inner.h"

/*
 * What the test calls need in the switch. Every name begins with golive-, the numbers with 99077,
 * which no country has; the vendors end the search for routes, so that no test call ever goes out
 * by one of the operator's.
 */

enum { ROUNDS = 50 };

/* ---- asking ---- */

json_t *ask(struct golive *g, const char *method, json_t *params)
{
	json_t *result = NULL;
	int r = -ENOMEM;

	g->err = ERR_INIT;
	if (params)
		r = g->is_lost ? -ENOTCONN
			       : client_call(g->client, method, params, &result, &g->err);
	json_decref(params);
	if (r == 0)
		return result;
	if (r != -EINVAL && r != -ENOMEM)
		g->is_lost = true;
	(void)err_set(&g->err, ERR_STORE, "", STR(""), "a running switch",
		      "the switch does not answer %s: %s", method, strerror(-r));
	return NULL;
}

bool tell(struct golive *g, const char *method, json_t *params)
{
	CLEANUP(json_decref) json_t *result = ask(g, method, params);

	return result != NULL;
}

const char *text_in(const json_t *o, const char *name)
{
	const char *s = json_string_value(json_object_get(o, name));

	return s ? s : "";
}

int64_t int_in(const json_t *o, const char *name)
{
	return json_integer_value(json_object_get(o, name));
}

money_t money_in(const json_t *o, const char *name)
{
	money_t m = 0;

	(void)money_parse(str_of(text_in(o, name)), &m);
	return m;
}

bool is_ours(const char *name)
{
	return strncmp(name, "golive-", 7) == 0;
}

money_t balance_of(struct golive *g, const char *account)
{
	CLEANUP(json_decref)
	json_t *row = ask(g, "account.show", json_pack("{s:s}", "id", account));

	if (!row)
		fail(g, "account %s cannot be read: %s", account, g->err.message);
	return money_in(row, "balance");
}

bool pay(struct golive *g, const char *account, const char *amount)
{
	bool is_back = amount[0] == '-';

	return tell(g, "account.recharge",
		    json_pack("{s:s s:s s:s s:s}", "id", account, "amount", amount, "kind",
			      is_back ? "deduction" : "recharge", "memo", "go-live test"));
}

/* ---- making ---- */

static const struct {
	const char *group, *prefix, *price;
	int unit, first, step;
	const char *setup_fee, *tax_percent, *section;
} rates[] = {
	{ "golive-sell", "990770", "0.0123", 60, 1, 1, "0", "0", NULL },
	{ "golive-sell", "990771", "0.05", 60, 60, 60, "0", "0", NULL },
	{ "golive-sell", "990772", "0.031", 60, 30, 6, "0.002", "5", NULL },
	{ "golive-sell", "990773", "0.6", 60, 1, 1, "0", "0", "2:1.23" },
	{ "golive-sell", "990775", "0.02", 60, 1, 1, "0", "0", NULL },
	{ "golive-sell", "990776", "1", 86400, 86400, 86400, "0", "0", NULL },
	{ "golive-sell", "990779", "0.02", 60, 1, 1, "0", "0", NULL },
	{ "golive-buy", "99077", "0.0071", 60, 6, 6, "0", "0", NULL },
};

static bool make_rates(struct golive *g)
{
	bool is_good = tell(g, "rate-group.add", json_pack("{s:s}", "name", "golive-sell")) &&
		       tell(g, "rate-group.add", json_pack("{s:s}", "name", "golive-buy"));

	for (size_t i = 0; is_good && i < sizeof(rates) / sizeof(rates[0]); i++) {
		json_t *p = json_pack("{s:s s:s s:s s:i s:i s:i s:s s:s}", "group", rates[i].group,
				      "prefix", rates[i].prefix, "price", rates[i].price, "unit",
				      rates[i].unit, "first", rates[i].first, "step", rates[i].step,
				      "setup_fee", rates[i].setup_fee, "tax_percent",
				      rates[i].tax_percent);

		if (p && rates[i].section)
			(void)json_object_set_new(p, "sections",
						  json_pack("[s]", rates[i].section));
		is_good = tell(g, "rate.add", p);
	}
	return is_good;
}

static bool make_account(struct golive *g, const char *id, const char *kind, const char *group)
{
	return tell(g, "account.add",
		    json_pack("{s:s s:s s:s s:s s:s s:s}", "id", id, "name", "Go-live test", "kind",
			      kind, "limit_money", "0", "rate_group", group, "memo",
			      "made by the go-live test, which takes it away again"));
}

static bool make_customer(struct golive *g, const char *name, const char *account, enum end end,
			  int rate_limit)
{
	char host[ADDR_TEXT];

	addr_host_text(&g->stage.address[end], host);
	return tell(g, "mapping-gateway.add",
		    json_pack("{s:s s:s s:[s] s:i}", "name", name, "account", account, "address",
			      host, "rate_limit", rate_limit));
}

static bool make_vendor(struct golive *g, const char *name, const struct addr *at, json_t *prefixes,
			int priority, int timeout_s)
{
	char text[ADDR_TEXT];

	addr_text(at, text);
	return tell(g, "routing-gateway.add",
		    json_pack("{s:s s:s s:[s] s:o s:i s:s s:i}", "name", name, "account",
			      "golive-vendor", "address", text, "prefix", prefixes, "priority",
			      priority, "prefix_mode", "terminating", "timeout_invite", timeout_s));
}

static bool make_vendors(struct golive *g)
{
	struct addr down = g->stage.address[END_FIRST];
	uint32_t net = ntohl(down.in.sin_addr.s_addr) & 0xffffff00u;

	down.in.sin_addr.s_addr = htonl(net | STAGE_DEAD_OCTET);
	return make_vendor(
		       g, "golive-first", &g->stage.address[END_FIRST],
		       json_pack("[s s s s s]", "990770", "990771", "990772", "990773", "990776"),
		       1, 0) &&
	       make_vendor(g, "golive-down", &down, json_pack("[s]", "990775"), 1, 2) &&
	       make_vendor(g, "golive-second", &g->stage.address[END_SECOND],
			   json_pack("[s]", "990775"), 2, 0);
}

static bool make_all(struct golive *g)
{
	return make_rates(g) && make_account(g, "golive-customer", "customer", "golive-sell") &&
	       make_account(g, "golive-poor", "customer", "golive-sell") &&
	       make_account(g, "golive-vendor", "clearing", "golive-buy") &&
	       pay(g, "golive-customer", "1000") && pay(g, "golive-vendor", "1000") &&
	       make_customer(g, "golive-in", "golive-customer", END_CUSTOMER, 0) &&
	       make_customer(g, "golive-limited", "golive-customer", END_LIMITED, 10) &&
	       make_customer(g, "golive-poor", "golive-poor", END_POOR, 0) && make_vendors(g);
}

static int64_t parameter(struct golive *g, const char *name)
{
	CLEANUP(json_decref)
	json_t *p = ask(g, "parameter.show", json_pack("{s:s}", "name", name));
	int64_t n = 0;

	(void)str_to_i64(str_of(text_in(p, "value")), 0, INT32_MAX, &n);
	return n;
}

static void read_rules(struct golive *g)
{
	CLEANUP(json_decref)
	json_t *unit =
		ask(g, "parameter.show", json_pack("{s:s}", "name", "SERVER_BILLING_FEE_UNIT"));

	g->rules = (struct price_rules){ .precision_ms =
						 parameter(g, "SERVER_BILLING_HOLD_TIME_PRECISION"),
					 .free_s = parameter(g, "SERVER_BILLING_FREE_TIME"),
					 .digits = parameter(g, "SERVER_BILLING_FEE_PRECISION"),
					 .unit = money_in(unit, "value") };
}

int desk_make(struct golive *g, struct err *err)
{
	read_rules(g);
	g->is_made = true;
	if (make_all(g))
		return 0;
	*err = g->err;
	return -EINVAL;
}

/* ---- taking away ---- */

/* Calls of ours that an interrupted run left up. False while there are some. */
static bool end_calls(struct golive *g)
{
	CLEANUP(json_decref)
	json_t *calls = ask(g, "call.list", json_pack("{s:i}", "limit", 100000));
	bool is_idle = true;

	for (size_t i = 0; i < json_array_size(calls); i++) {
		const json_t *c = json_array_get(calls, i);

		if (!is_ours(text_in(c, "mapping_gateway")))
			continue;
		is_idle = false;
		(void)tell(g, "call.hangup", json_pack("{s:s}", "id", text_in(c, "id")));
	}
	return is_idle;
}

/* Brings the balance to 0, so that the account may go. */
static void empty_account(struct golive *g, const json_t *account)
{
	money_t balance = money_in(account, "balance");
	char back[MONEY_TEXT];

	if (balance != 0)
		(void)pay(g, text_in(account, "id"), money_text(-balance, back));
}

static const struct {
	const char *entity, *key;
} kinds[] = {
	{ "mapping-gateway", "name" },
	{ "routing-gateway", "name" },
	{ "account", "id" },
	{ "rate-group", "name" },
};

/* Those of one kind that are ours: how many went, and how many are still there. */
static int take_away(struct golive *g, const char *entity, const char *key, int *left)
{
	char method[64];
	int gone = 0;

	(void)snprintf(method, sizeof(method), "%s.list", entity);
	CLEANUP(json_decref) json_t *rows = ask(g, method, json_object());
	(void)snprintf(method, sizeof(method), "%s.del", entity);
	for (size_t i = 0; i < json_array_size(rows); i++) {
		const json_t *row = json_array_get(rows, i);
		const char *name = text_in(row, key);

		if (!is_ours(name))
			continue;
		if (strcmp(entity, "account") == 0)
			empty_account(g, row);
		if (tell(g, method, json_pack("{s:s}", key, name)))
			gone++;
		else
			(*left)++;
	}
	return gone;
}

/*
 * What still has a call or a hold cannot go yet: its end is on the way to the ledger. So again,
 * until nothing of ours is left.
 */
int desk_clean(struct golive *g, struct err *err)
{
	int gone = 0, left = 1;

	for (int i = 0; i < ROUNDS && left > 0 && !g->is_lost; i++) {
		left = 0;
		if (!end_calls(g)) {
			left = 1;
		} else {
			for (size_t k = 0; k < sizeof(kinds) / sizeof(kinds[0]); k++)
				gone += take_away(g, kinds[k].entity, kinds[k].key, &left);
		}
		if (left > 0)
			(void)stage_turn(&g->stage, 100);
	}
	if (left == 0 && !g->is_lost) {
		g->is_made = false;
		return gone;
	}
	*err = g->err;
	return err_set(err, ERR_IN_USE, "", STR(""), "switch-golive --clean",
		       "something of the go-live test could not be taken away");
}
