#include "ops.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/base64.h"
#include "control/args.h"
#include "guard.h"
#include "model/json.h"

enum { LIST_DEFAULT = 100, LIST_MAX = 10000, SECONDS_DEFAULT = 3600 };

typedef int op_fn(struct guard *g, const struct request *r, json_t **ret, struct err *err);

static json_t *time_json(ms_t wall)
{
	char text[CLOCK_TEXT];

	return json_string(clock_text(wall, text));
}

static const char *state_of(const struct ban *b)
{
	return b->is_active ? "banned" : "over";
}

static json_t *ban_json(const struct ban *b)
{
	const struct terms *t = &b->terms;
	char text[ADDR_TEXT];
	ms_t left = b->is_active ? b->until - clock_mono_ms() : 0;

	return json_pack("{s:s s:s s:I s:I s:o s:s s:o s:o s:i s:o s:I}", "address",
			 ban_text(&t->net, text), "state", state_of(b), "left_s",
			 (json_int_t)(left > 0 ? (left + 999) / 1000 : 0), "seconds",
			 (json_int_t)t->seconds, "since", time_json(t->since), "cause",
			 cause_name(t->cause), "reason", json_of_text(str_of(t->reason)), "by",
			 json_of_text(str_of(t->by)), "times", t->level + 1, "evidence",
			 json_of_text(str_of(t->evidence)), "packets", (json_int_t)b->packets);
}

/* ---- which address ---- */

static int need_net(const struct request *r, struct cidr *ret, struct err *err)
{
	CLEANUP(buf_done) struct buf text = BUF_INIT;
	int error = arg_need(r, "address", &text, err);
	struct cidr given;

	if (error < 0)
		return error;
	if (cidr_parse(buf_str(&text), &given) < 0 || addr_port(&given.net) != 0 ||
	    ban_of(&given, ret) < 0)
		return err_set(err, ERR_BAD_VALUE, "address", buf_str(&text),
			       "an address or a network, such as 192.0.2.7, 2001:db8::7 or "
			       "192.0.2.0/24, up to a /8 or an IPv6 /32",
			       "this is neither an address nor a network");
	return 0;
}

static int find_ban(struct guard *g, const struct request *r, struct cidr *ret_net,
		    struct ban **ret, struct err *err)
{
	int error = need_net(r, ret_net, err);

	if (error < 0)
		return error;
	*ret = bans_find(g->bans, ret_net);
	return 0;
}

/* ---- bans ---- */

/* Of a network the kernel tells where it begins: no other one that is banned begins there. */
static void on_hit(void *ctx, const struct addr *first, bool is_of_net, uint64_t packets,
		   uint64_t left_ms)
{
	struct guard *g = ctx;
	struct cidr net = ban_net(first);
	struct ban *b = is_of_net ? NULL : bans_find(g->bans, &net);

	(void)left_ms;
	while (is_of_net && !(b && b->is_active) && ban_widen(&net))
		b = addr_eq_host(&net.net, first) ? bans_find(g->bans, &net) : NULL;
	if (b)
		b->packets = packets;
}

static void read_hits(struct guard *g)
{
	(void)kernel_hits(g->kernel, on_hit, g);
}

static bool matches(const struct ban *b, struct str text)
{
	char address[ADDR_TEXT];

	return str_is_empty(text) ||
	       str_find(str_of(ban_text(&b->terms.net, address)), text) >= 0 ||
	       str_ifind(str_of(b->terms.reason), text) >= 0 ||
	       str_ifind(str_of(b->terms.evidence), text) >= 0;
}

static int list_from(struct guard *g, const struct ban *from, struct str text, int64_t limit,
		     json_t **ret)
{
	json_t *list = json_array();

	if (!list)
		return -ENOMEM;
	for (const struct ban *b = from; b && limit > 0; b = bans_prev(g->bans, b)) {
		if (!matches(b, text))
			continue;
		limit--;
		if (json_array_append_new(list, ban_json(b)) < 0) {
			json_decref(list);
			return -ENOMEM;
		}
	}
	*ret = list;
	return 0;
}

static int ban_list(struct guard *g, const struct request *r, json_t **ret, struct err *err)
{
	CLEANUP(buf_done) struct buf text = BUF_INIT;
	CLEANUP(buf_done) struct buf after = BUF_INIT;
	const struct ban *from = bans_prev(g->bans, NULL);
	int64_t limit;
	int error = arg_int(r, "limit", 1, LIST_MAX, LIST_DEFAULT, &limit, err);

	if (error < 0)
		return error;
	if (arg_text(r, "after", &after)) {
		struct cidr net;
		const struct ban *last =
			cidr_parse(buf_str(&after), &net) == 0 ? bans_find(g->bans, &net) : NULL;

		if (!last || !last->is_active)
			return err_set(err, ERR_NOT_FOUND, "after", buf_str(&after),
				       "the address of a ban", "it is not banned any more");
		from = bans_prev(g->bans, last);
	}
	(void)arg_text(r, "text", &text);
	read_hits(g);
	return list_from(g, from, buf_str(&text), limit, ret);
}

/* When the address last did something that only a customer can, or null. */
static json_t *last_good(const struct guard *g, const struct cidr *net)
{
	int64_t ago = judge_last_good(g->judge, net, clock_mono_ms());

	return ago < 0 ? json_null() : time_json(clock_wall_ms() - ago);
}

static json_t *packets_kept(const struct guard *g, const struct cidr *net)
{
	CLEANUP(buf_done) struct buf file = BUF_INIT;
	size_t n = 0;

	(void)tape_read(g->tape, net, &file, &n);
	return json_integer((json_int_t)n);
}

static int ban_show(struct guard *g, const struct request *r, json_t **ret, struct err *err)
{
	char text[ADDR_TEXT];
	struct cidr net;
	struct ban *own = NULL;
	const struct ban *b;
	int error = find_ban(g, r, &net, &own, err);

	if (error < 0)
		return error;
	b = own && own->is_active ? own : bans_covering(g->bans, &net);
	if (!b)
		b = own;
	if (b) {
		read_hits(g);
		*ret = ban_json(b);
	} else {
		const char *why = exempt_why(g->exempt, &net);

		*ret = json_pack("{s:s s:s s:s}", "address", ban_text(&net, text), "state",
				 why ? "exempt" : "free", "reason", why ? why : "");
	}
	if (b)
		net = b->terms.net;
	return *ret && json_object_set_new(*ret, "last_good", last_good(g, &net)) == 0 &&
			       json_object_set_new(*ret, "packets_kept", packets_kept(g, &net)) == 0
		       ? 0
		       : -ENOMEM;
}

/* A capture file, for tshark: what is kept of a ban, or what the last packets of the address were. */
static int ban_packets(struct guard *g, const struct request *r, json_t **ret, struct err *err)
{
	CLEANUP(buf_done) struct buf file = BUF_INIT;
	CLEANUP(buf_done) struct buf text = BUF_INIT;
	char address[ADDR_TEXT];
	struct cidr net;
	size_t n = 0;
	int error = need_net(r, &net, err);

	if (error == 0)
		error = tape_read(g->tape, &net, &file, &n);
	if (error == 0 && n == 0)
		error = err_set(err, ERR_NOT_FOUND, "address", str_of(ban_text(&net, address)),
				"an address whose `ban show` says packets_kept",
				"no packet of it is kept");
	if (error < 0)
		return error;
	buf_put_base64(&text, buf_str(&file), true);
	if (buf_error(&text) < 0)
		return -ENOMEM;
	*ret = json_pack("{s:o s:n}", "content", json_stringn(text.p, text.n), "next");
	return *ret ? 0 : -ENOMEM;
}

static int ban_add(struct guard *g, const struct request *r, json_t **ret, struct err *err)
{
	CLEANUP(buf_done) struct buf reason = BUF_INIT;
	struct wish w = { .cause = CAUSE_OPERATOR, .by = str_of(r->actor) };
	struct ban *b;
	int error = need_net(r, &w.net, err);

	if (error == 0)
		error = arg_int(r, "seconds", 1, BAN_SECONDS_MAX, SECONDS_DEFAULT, &w.seconds, err);
	if (error < 0)
		return error;
	(void)arg_text(r, "reason", &reason);
	w.reason = reason.n ? buf_str(&reason) : STR("no reason given");
	error = guard_ban(g, &w, &b, err);
	if (error == 0)
		*ret = ban_json(b);
	return error;
}

static int ban_del(struct guard *g, const struct request *r, json_t **ret, struct err *err)
{
	char text[ADDR_TEXT];
	struct cidr net;
	struct ban *b;
	int error = find_ban(g, r, &net, &b, err);

	if (error < 0)
		return error;
	if (!b || !b->is_active)
		return err_set(err, ERR_NOT_FOUND, "address", str_of(ban_text(&net, text)),
			       "an address that `ban list` shows", "it is not banned");
	*ret = ban_json(b);
	return guard_lift(g, b, r->actor, err);
}

/* ---- the firewall ---- */

static json_t *rule_json(const struct rule *r, uint64_t packets)
{
	static const char *const families[] = {
		[FAMILY_ANY] = "",
		[FAMILY_V4] = "IPv4",
		[FAMILY_V6] = "IPv6",
	};
	static const char *const states[] = {
		[STATE_ANY] = "",
		[STATE_KNOWN] = "known connections",
		[STATE_INVALID] = "invalid",
	};
	CLEANUP(buf_done) struct buf what = BUF_INIT;
	CLEANUP(buf_done) struct buf rate = BUF_INIT;
	char host[ADDR_TEXT];
	const char *who = r->who == WHO_HOST   ? addr_host_text(&r->host, host)
			  : r->who == WHO_USER ? r->user
					       : rule_who(r->who);

	rule_what(r, &what);
	buf_putz(&what, states[r->state]);
	if (r->rate)
		buf_printf(&rate, "%s %u in %u s%s", r->rate->is_under ? "up to" : "over",
			   r->rate->packets, r->rate->unit_s, r->rate->set ? " each" : "");
	return json_pack("{s:s s:s s:s s:s s:s s:s s:s s:I}", "chain", chain_name(r->chain),
			 "verdict", rule_verdict(r->verdict), "what", what.n ? buf_cstr(&what) : "",
			 "family", families[r->family], "from", who, "rate",
			 rate.n ? buf_cstr(&rate) : "", "why", r->why, "packets",
			 (json_int_t)packets);
}

/* Rules of one chain come from the kernel in the order in which they were loaded. */
static int add_chain(struct guard *g, enum chain_id chain, json_t *list)
{
	uint64_t packets[RULES_MAX] = { 0 };
	int n = 0, r = kernel_counts(g->kernel, chain, packets, RULES_MAX);

	for (int i = 0; r >= 0 && i < g->rules.count; i++) {
		const struct rule *rule = &g->rules.rule[i];

		if (rule->chain == chain &&
		    json_array_append_new(list, rule_json(rule, packets[n++])) < 0)
			return -ENOMEM;
	}
	return r < 0 ? r : 0;
}

static int firewall_show(struct guard *g, const struct request *r, json_t **ret, struct err *err)
{
	CLEANUP(json_decref) json_t *list = json_array();
	int error = list ? 0 : -ENOMEM;

	(void)r;
	(void)err;
	for (int c = 0; error == 0 && c < CHAIN_COUNT; c++)
		error = add_chain(g, (enum chain_id)c, list);
	if (error == 0)
		*ret = TAKE(list);
	return error;
}

static json_t *exempt_json(const struct cidr *net, enum origin from, const char *why)
{
	static const char *const origins[] = {
		[ORIGIN_FIXED] = "always",      [ORIGIN_MACHINE] = "machine",
		[ORIGIN_ADMIN] = "tandem.conf", [ORIGIN_IGNORED] = "ignoreip",
		[ORIGIN_GATEWAY] = "switchd",
	};
	CLEANUP(buf_done) struct buf text = BUF_INIT;
	char host[ADDR_TEXT];

	buf_printf(&text, "%s/%u", addr_host_text(&net->net, host), net->bits);
	return json_pack("{s:s s:s s:o}", "address", buf_cstr(&text), "from", origins[from], "why",
			 json_of_text(str_of(why)));
}

static int firewall_exempt(struct guard *g, const struct request *r, json_t **ret, struct err *err)
{
	CLEANUP(json_decref) json_t *list = json_array();
	const char *why;

	(void)r;
	(void)err;
	if (!list)
		return -ENOMEM;
	for (int from = 0; from < ORIGIN_COUNT; from++) {
		const struct cidr *net;

		for (size_t i = 0; (net = exempt_item(g->exempt, (enum origin)from, i, &why));
		     i++) {
			if (json_array_append_new(list, exempt_json(net, (enum origin)from, why)) <
			    0)
				return -ENOMEM;
		}
	}
	*ret = TAKE(list);
	return 0;
}

static op_fn *const handlers[OP_COUNT] = {
	[OP_BAN_LIST] = ban_list,
	[OP_BAN_SHOW] = ban_show,
	[OP_BAN_ADD] = ban_add,
	[OP_BAN_PACKETS] = ban_packets,
	[OP_BAN_DEL] = ban_del,
	[OP_FIREWALL_SHOW] = firewall_show,
	[OP_FIREWALL_EXEMPT] = firewall_exempt,
};

void ops_request(void *guard, struct request *r)
{
	struct err err = ERR_INIT;
	json_t *result = NULL;
	int error = args_admit(r, handlers[r->op] != NULL, &err);

	if (error == 0)
		error = handlers[r->op](guard, r, &result, &err);
	if (error == 0 && result) {
		request_done(r, result);
		return;
	}
	json_decref(result);
	request_give_up(r, error < 0 ? error : -ENOMEM, &err);
}
