#include "call/identify.h"

#include <string.h>

/* ---- by address ---- */

struct search {
	const struct msg *msg;
	struct number callee_to, callee_uri; /* "" if there is none */
	struct addr local;
	const struct source *best;
	int best_tech, best_bits;
	bool may_ask; /* a gateway that is known by its password may call from here */
};

static bool number_of(const struct uri *u, struct number *ret)
{
	char room[NUMBER_MAX + 1];
	struct buf b = buf_fixed(room, sizeof(room));

	return uri_number(u, &b) == 0 && number_set(ret, buf_str(&b)) == 0;
}

static const struct number *callee_as_set(const struct source *s, const struct search *f)
{
	return s->row->callee_from == MAPPING_GATEWAY_CALLEE_FROM_REQUEST_URI ? &f->callee_uri
									      : &f->callee_to;
}

/* Length of the longest tech prefix of the gateway that the callee begins with; -1: it has some and none fits. */
static int tech_fits(const struct source *s, const struct number *callee)
{
	int best = s->tech_count ? -1 : 0;

	for (int i = 0; i < s->tech_count; i++) {
		if (str_has_prefix(str_of(callee->digits), s->tech[i]) && (int)s->tech[i].n > best)
			best = (int)s->tech[i].n;
	}
	return best;
}

static bool transport_fits(const struct source *s, const struct flow *f)
{
	switch (s->row->transport) {
	case MAPPING_GATEWAY_TRANSPORT_ANY:
		return true;
	case MAPPING_GATEWAY_TRANSPORT_UDP:
		return f->proto == PROTO_UDP;
	case MAPPING_GATEWAY_TRANSPORT_TCP:
		return f->proto == PROTO_TCP;
	default:
		return f->proto == PROTO_TLS;
	}
}

/* How narrow the network is that holds the address: one host beats a /24. */
static int bits_of(const struct source *s, const struct addr *a)
{
	int best = 0;

	for (int i = 0; i < s->net_count; i++) {
		if (cidr_has(&s->net[i], a) && s->net[i].bits > best)
			best = s->net[i].bits;
	}
	return best;
}

/* Tech prefix, then an asked-for port, then the narrower network. */
static bool is_better(const struct search *f, const struct source *s, int tech, int bits)
{
	bool port = s->row->auth == MAPPING_GATEWAY_AUTH_IP_PORT;
	bool best_port;

	if (!f->best || tech != f->best_tech)
		return !f->best || tech > f->best_tech;
	best_port = f->best->row->auth == MAPPING_GATEWAY_AUTH_IP_PORT;
	return port != best_port ? port : bits > f->best_bits;
}

/* Of the gateways that may call from here, the one that says most about the call. */
static void try_source(void *ctx, const struct source *s)
{
	struct search *f = ctx;
	int tech = tech_fits(s, callee_as_set(s, f));

	if (s->row->auth == MAPPING_GATEWAY_AUTH_PASSWORD) {
		f->may_ask = true;
		return;
	}
	if (tech < 0 || !transport_fits(s, &f->msg->flow))
		return;
	if (addr_is_set(&s->local) && !addr_eq_host(&s->local, &f->local))
		return;
	int bits = bits_of(s, &f->msg->flow.peer);

	if (!is_better(f, s, tech, bits))
		return;
	f->best = s;
	f->best_tech = tech;
	f->best_bits = bits;
}

static const struct source *by_address(struct worker *w, const struct msg *m, bool *ret_may_ask)
{
	struct search f = { .msg = m, .may_ask = w->world->is_open };

	(void)number_of(&m->to, &f.callee_to);
	(void)number_of(&m->uri, &f.callee_uri);
	transport_local(w->transport, &m->flow, &f.local);
	world_sources_at(w->world, &m->flow.peer, try_source, &f);
	*ret_may_ask = f.may_ask;
	return f.best;
}

/* ---- by digest ---- */

static const struct source *source_by_user(const struct world *w, struct str user)
{
	for (size_t i = 0; i < w->sources; i++) {
		const struct mapping_gateway_row *row = w->source[i].row;

		if (row->auth == MAPPING_GATEWAY_AUTH_PASSWORD &&
		    str_eq(str_of(row->user ? row->user : row->name), user))
			return &w->source[i];
	}
	return NULL;
}

static bool nets_fit(const struct source *s, const struct addr *a)
{
	for (int i = 0; i < s->net_count; i++) {
		if (cidr_has(&s->net[i], a))
			return true;
	}
	return s->net_count == 0;
}

static void challenge(struct worker *w, struct server_txn *t, const struct msg *m, struct str realm,
		      bool stale)
{
	struct str set = param_str(w->world->params, PARAM_SS_SIP_AUTHENTICATION_CODE);
	int code = str_eq(set, STR("407")) ? 407 : 401;
	CLEANUP(buf_done) struct buf extra = BUF_INIT;

	digest_put_challenge(w->digest, code, realm, &m->flow.peer, stale, w->loop.now_ms, &extra);
	(void)server_reply(t, &(struct reply){ .code = code, .extra = buf_str(&extra) });
	server_detach(t);
}

static void refuse(struct server_txn *t)
{
	reply_simple(t, reason_sip_code(REASON_AUTHENTICATION_FAILED), STR(""));
}

/* Told to lockoutd: what the source wanted, and what it called itself. */
static void failed(struct worker *w, struct server_txn *t, const struct msg *m, struct str user)
{
	const struct params *p = w->world->params;
	CLEANUP(buf_done) struct buf detail = BUF_INIT;

	atomic_fetch_add_explicit(&w->stats->auth_failures, 1, memory_order_relaxed);
	suspend_wrong(w->suspend, user, &m->flow.peer,
		      param_int(p, PARAM_SS_AUTHENTICATION_MAX_RETRY),
		      param_int(p, PARAM_SS_AUTHENTICATION_FAILED_SUSPEND) * 1000, w->loop.now_ms);
	buf_printf(&detail, "%s %.*s", method_name(m->method), STR_ARG(m->uri.user));
	report_auth_failed(w->report, &m->flow, user, buf_str(&detail), w->loop.now_ms);
	refuse(t);
}

/*
 * Unknown user, wrong password, wrong address and a suspended user take the same path and get the same answer (security.md
 * A4).
 */
static const struct source *by_digest(struct worker *w, struct server_txn *t, const struct msg *m)
{
	struct str realm = param_str(w->world->params, PARAM_SS_SIP_AUTHENTICATION_REALM);
	struct str user = STR("");
	const struct source *s =
		digest_user(m, realm, &user) ? source_by_user(w->world, user) : NULL;
	bool may = s && nets_fit(s, &m->flow.peer) && transport_fits(s, &m->flow);
	bool is_suspended = suspend_is_on(w->suspend, user, &m->flow.peer, w->loop.now_ms);
	struct str password = may ? str_of(s->row->password) : (struct str){ NULL, 0 };

	switch (digest_verify(w->digest, m, realm, password, &m->flow.peer, w->loop.now_ms)) {
	case DIGEST_OK:
		if (is_suspended) {
			refuse(t);
			return NULL;
		}
		suspend_right(w->suspend, user, &m->flow.peer);
		report_auth_ok(w->report, &m->flow, user, w->loop.now_ms);
		return s;
	case DIGEST_NONE:
		challenge(w, t, m, realm, false);
		return NULL;
	case DIGEST_STALE:
		challenge(w, t, m, realm, true);
		return NULL;
	case DIGEST_WRONG:
		failed(w, t, m, user);
		break;
	}
	return NULL;
}

const struct source *identify(struct worker *w, struct server_txn *t, const struct msg *m,
			      enum reason *ret_why)
{
	bool may_ask;
	const struct source *s = by_address(w, m, &may_ask);

	*ret_why = REASON_NONE;
	if (s)
		return s;
	if (may_ask)
		return by_digest(w, t, m);
	*ret_why = REASON_UNKNOWN_SOURCE;
	return NULL;
}

/* ---- numbers ---- */

/* The number in the first name-addr of a header such as P-Asserted-Identity. */
static bool header_number(const struct msg *m, const char *name, struct number *ret)
{
	struct str v;
	struct uri u;

	if (!msg_header(m, name, 0, &v))
		return false;

	ptrdiff_t open = str_chr(v, '<');
	struct str inside = open >= 0 ? str_skip(v, (size_t)open + 1) : v;
	ptrdiff_t close = str_chr(inside, open >= 0 ? '>' : ';');

	if (close >= 0)
		inside = str_head(inside, (size_t)close);
	return uri_parse(str_trim(inside), &u) == 0 && number_of(&u, ret);
}

static void caller_of(const struct source *s, const struct msg *m, struct number *ret)
{
	static const char *const headers[] = {
		[MAPPING_GATEWAY_CALLER_FROM_RPID] = "Remote-Party-ID",
		[MAPPING_GATEWAY_CALLER_FROM_PAI] = "P-Asserted-Identity",
		[MAPPING_GATEWAY_CALLER_FROM_PPI] = "P-Preferred-Identity",
	};
	int64_t from = s->row->caller_from;

	if (from == MAPPING_GATEWAY_CALLER_FROM_DISPLAY) {
		struct uri u = { .scheme = URI_TEL, .user = m->from_display };

		if (number_of(&u, ret))
			return;
	} else if (from >= 0 && from < (int64_t)(sizeof(headers) / sizeof(headers[0])) &&
		   headers[from] && header_number(m, headers[from], ret)) {
		return;
	}
	if (!number_of(&m->from, ret))
		ret->digits[0] =
			'\0'; /* anonymous or not a number: the call goes on without a caller */
}

enum reason identify_numbers(struct worker *w, const struct source *s, const struct msg *m,
			     struct number *ret_caller, struct number *ret_callee)
{
	struct number to = { "" }, uri = { "" };
	bool has_to = number_of(&m->to, &to), has_uri = number_of(&m->uri, &uri);

	if (has_to && has_uri && strcmp(to.digits, uri.digits) != 0)
		atomic_fetch_add_explicit(&w->stats->to_differs, 1, memory_order_relaxed);
	caller_of(s, m, ret_caller);
	switch (s->row->callee_from) {
	case MAPPING_GATEWAY_CALLEE_FROM_REQUEST_URI:
		*ret_callee = uri;
		return has_uri ? REASON_NONE : REASON_NUMBER_INVALID;
	case MAPPING_GATEWAY_CALLEE_FROM_DIVERSION:
		if (header_number(m, "Diversion", ret_callee))
			return REASON_NONE;
		break;
	default:
		break;
	}
	*ret_callee = to;
	return has_to ? REASON_NONE : REASON_NUMBER_INVALID;
}
