#include "call/identify.h"
#include "call/world_gateway.h"

#include <string.h>

#include "call/doorbell.h"
#include "call/guessed.h"
#include "call/knocks.h"
#include "call/suspend.h"
#include "sip/party.h"

/* ---- by address ---- */

struct search {
	const struct msg *msg;
	struct number callee_to, callee_uri, callee_diverted; /* "" if there is none */
	struct addr local, own; /* ours, as the peer sees it and as it is */
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

/* The number in the first element of a header such as P-Asserted-Identity. */
static bool header_number(const struct msg *m, const char *name, struct number *ret)
{
	struct party p;

	return party_read(m, name, 0, &p) && number_of(&p.uri, ret);
}

static void read_callees(struct search *f)
{
	(void)number_of(&f->msg->to, &f->callee_to);
	(void)number_of(&f->msg->uri, &f->callee_uri);
	(void)header_number(f->msg, "Diversion", &f->callee_diverted);
}

/* Without a Diversion it is To. */
static const struct number *callee_as_set(const struct source *s, const struct search *f,
					  const char **ret_from)
{
	if (s->row->callee_from == MAPPING_GATEWAY_CALLEE_FROM_REQUEST_URI) {
		*ret_from = "the Request-URI";
		return &f->callee_uri;
	}
	if (s->row->callee_from == MAPPING_GATEWAY_CALLEE_FROM_DIVERSION &&
	    f->callee_diverted.digits[0]) {
		*ret_from = "Diversion";
		return &f->callee_diverted;
	}
	*ret_from = "To";
	return &f->callee_to;
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

/* Is it the holder of one of the keys that this gateway is known by, if it is? */
static bool cert_fits(const struct source *s, const struct flow *f)
{
	for (size_t i = 0; i < s->cert_count; i++) {
		if (f->cert && s->cert[i] == f->cert)
			return true;
	}
	return s->cert_count == 0;
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

/* Tech prefix, then a certificate, then an asked-for port, then the narrower network. */
static bool is_better(const struct search *f, const struct source *s, int tech, int bits)
{
	bool port = s->row->auth == MAPPING_GATEWAY_AUTH_IP_PORT;
	bool best_port;

	if (!f->best || tech != f->best_tech)
		return !f->best || tech > f->best_tech;
	if ((s->cert_count > 0) != (f->best->cert_count > 0))
		return s->cert_count > 0;
	best_port = f->best->row->auth == MAPPING_GATEWAY_AUTH_IP_PORT;
	return port != best_port ? port : bits > f->best_bits;
}

/* Of the gateways that may call from here, the one that says most about the call. */
static void try_source(void *ctx, const struct source *s)
{
	struct search *f = ctx;
	const char *from;
	int tech = tech_fits(s, callee_as_set(s, f, &from));

	if (s->row->auth == MAPPING_GATEWAY_AUTH_PASSWORD) {
		f->may_ask = true;
		return;
	}
	if (tech < 0 || !transport_fits(s, &f->msg->flow) || !cert_fits(s, &f->msg->flow))
		return;
	if (addr_is_set(&s->local) && !addr_eq_host(&s->local, &f->local) &&
	    !addr_eq_host(&s->local, &f->own))
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

	read_callees(&f);
	transport_local(w->transport, &m->flow, &f.local);
	transport_own(w->transport, &m->flow, &f.own);
	world_sources_at(w->world, &m->flow.peer, try_source, &f);
	*ret_may_ask = f.may_ask;
	return f.best;
}

/* ---- by the Contact that we registered ---- */

struct contact_search {
	struct str user;
	const struct vendor *found;
};

static void try_vendor(void *ctx, const struct vendor *v)
{
	struct contact_search *f = ctx;

	if (v->row->registration && str_eq(vendor_contact_user(v->row), f->user) &&
	    (!f->found || !f->found->row->inbound))
		f->found = v;
}

/* A vendor whose INVITE is for the very Contact that stands there; NULL: none, or not from its address. */
static const struct vendor *by_contact(const struct worker *w, const struct msg *m)
{
	struct contact_search f = { .user = m->uri.user };

	if (f.user.n > 0)
		world_vendors_at(w->world, &m->flow.peer, try_vendor, &f);
	return f.found;
}

/* ---- by digest ---- */

static bool nets_fit(const struct source *s, const struct addr *a)
{
	for (int i = 0; i < s->net_count; i++) {
		if (cidr_has(&s->net[i], a))
			return true;
	}
	return s->net_count == 0;
}

/* May it register and call at all? A gateway's lock is told to its callers, a phone's is not (security.md A4). */
const char *identify_hindrance(const struct source *s, const struct flow *f)
{
	const struct phone_row *p = s->phone ? s->phone->row : NULL;

	if (p && p->status == PHONE_STATUS_LOCKED)
		return "its status is locked";
	if (p && p->valid_until != FIELD_ABSENT && clock_wall_ms() >= p->valid_until)
		return "its valid_until has passed";
	if (!nets_fit(s, &f->peer))
		return "that is none of the addresses that it may come from";
	if (!transport_fits(s, f))
		return "that is not the transport that it may come by";
	if (!cert_fits(s, f))
		return "it has to show a certificate of its tls_pin";
	return NULL;
}

struct str source_user(const struct source *s)
{
	return str_of(s->row->user ? s->row->user : s->row->name);
}

struct asked {
	const struct addr *peer;
	const struct source *best;
	int bits;
};

static void try_asked(void *ctx, const struct source *s)
{
	struct asked *a = ctx;
	int bits = bits_of(s, a->peer);

	if (s->row->auth != MAPPING_GATEWAY_AUTH_PASSWORD || (a->best && bits <= a->bits))
		return;
	a->best = s;
	a->bits = bits;
}

/*
 * Whose settings a challenge goes by: that of the name that the request gives itself, or of the narrowest network, and none but of who
 * has this address among its own, so that a stranger is told of nobody (security.md A4).
 */
static const struct source *who_is_asked(const struct worker *w, const struct msg *m,
					 const struct source *s)
{
	struct asked a = { .peer = &m->flow.peer };

	if (!s)
		s = world_digest_user(w->world,
				      m->method == METHOD_REGISTER ? m->to.user : m->from.user);
	if (s && s->net_count > 0 && nets_fit(s, a.peer))
		return s;
	world_sources_at(w->world, a.peer, try_asked, &a);
	return a.best;
}

static enum digest_offer offer_of(const struct worker *w, const struct source *s)
{
	static const enum digest_offer offers[] = {
		[MAPPING_GATEWAY_DIGEST_SHA256_MD5] = OFFER_SHA256_MD5,
		[MAPPING_GATEWAY_DIGEST_MD5_SHA256] = OFFER_MD5_SHA256,
		[MAPPING_GATEWAY_DIGEST_SHA256] = OFFER_SHA256,
		[MAPPING_GATEWAY_DIGEST_MD5] = OFFER_MD5,
	};

	if (s && s->row->digest != MAPPING_GATEWAY_DIGEST_SYSTEM)
		return offers[s->row->digest];
	return param_bool(w->world->params, PARAM_SS_SIP_AUTHENTICATION_SHA256) ? OFFER_SHA256_MD5
										: OFFER_MD5;
}

/* is_proven: it answered a nonce of ours, so its address is no forgery. */
static void challenge(struct worker *w, struct server_txn *t, const struct msg *m,
		      const struct digest_ask *ask, bool stale, bool is_proven)
{
	struct str set = param_str(w->world->params, PARAM_SS_SIP_AUTHENTICATION_CODE);
	struct reply r = { .code = str_eq(set, STR("407")) ? 407 : 401 };
	CLEANUP(buf_done) struct buf extra = BUF_INIT;

	if (worker_knows(w, &m->flow.peer)) {
		digest_put_challenge(w->digest, r.code, ask, stale, &extra);
		r.extra = buf_str(&extra);
		server_detach(t);
		(void)server_reply(t, &r);
	} else if (is_proven ||
		   doorbell_may_answer(w->hub->doorbell, &m->flow.peer, w->loop.now_ms)) {
		digest_put_challenge(w->digest, r.code, ask, stale, &extra);
		r.extra = buf_str(&extra);
		(void)server_refuse(t, &r); /* no state for strangers (security.md F3) */
	} else {
		atomic_fetch_add_explicit(&w->stats->unknown_source, 1, memory_order_relaxed);
		report_stranger(w->report, &m->flow, w->loop.now_ms);
		knocks_message(w->knocks, m, w->loop.now_ms);
		server_drop(t);
	}
}

static void refuse(struct server_txn *t)
{
	reply_simple(t, reason_sip_code(REASON_AUTHENTICATION_FAILED), STR(""));
}

/*
 * Of a name at which very many guess each source is heard once a second (security.md A5): after a wrong one it is suspended for so long,
 * under another name, beside what SS_AUTHENTICATION_MAX_RETRY makes of it. Whether somebody has that name makes no difference (A4).
 */
enum { GUESSED_PAUSE_MS = 1000 };

static struct str guessed_name(struct str user, struct buf *room)
{
	buf_printf(room, "%.*s\n", STR_ARG(user));
	return buf_str(room);
}

static bool must_pause(const struct worker *w, const struct msg *m, struct str user)
{
	CLEANUP(buf_done) struct buf room = BUF_INIT;

	return guessed_is_many(w->hub->guessed, user) &&
	       suspend_is_on(w->hub->suspend, guessed_name(user, &room), &m->flow.peer,
			     w->loop.now_ms);
}

/* s: who is called that, for the alarm. */
static void count_guess(struct worker *w, const struct msg *m, struct str user,
			const struct source *s)
{
	CLEANUP(buf_done) struct buf room = BUF_INIT;

	guessed_wrong(w->hub->guessed, user);
	if (s)
		spent_tell(&s->gate->wrong, 0, 1);
	if (guessed_is_many(w->hub->guessed, user))
		suspend_wrong(w->hub->suspend, guessed_name(user, &room), &m->flow.peer, 1,
			      GUESSED_PAUSE_MS, w->loop.now_ms);
}

/* Told to lockoutd: what the source wanted, and what it called itself. s: whose name it used; NULL: nobody's. */
static void failed(struct worker *w, const struct msg *m, struct str user, const struct source *s)
{
	const struct params *p = w->world->params;
	CLEANUP(buf_done) struct buf detail = BUF_INIT;
	struct str wanted = m->method == METHOD_REGISTER ? m->to.user : m->uri.user;

	atomic_fetch_add_explicit(&w->stats->auth_failures, 1, memory_order_relaxed);
	count_guess(w, m, user, s);
	suspend_wrong(w->hub->suspend, user, &m->flow.peer,
		      param_int(p, PARAM_SS_AUTHENTICATION_MAX_RETRY),
		      param_int(p, PARAM_SS_AUTHENTICATION_FAILED_SUSPEND) * 1000, w->loop.now_ms);
	buf_printf(&detail, "%s %.*s", method_name(m->method), STR_ARG(wanted));
	report_auth_failed(w->report, &m->flow, user, buf_str(&detail), w->loop.now_ms);
}

/* Refused; one that calls from an address of its own finds it among its records. */
static const struct source *refuse_or_record(struct server_txn *t, const struct msg *m,
					     const struct source *s, bool is_its_own,
					     enum reason *ret_why)
{
	*ret_why = REASON_AUTHENTICATION_FAILED;
	if (m->method == METHOD_INVITE && is_its_own && s->net_count > 0)
		return s;
	refuse(t);
	return NULL;
}

/*
 * Unknown user, wrong password, wrong address and a suspended user take the same path and get the same answer (security.md
 * A4). A wrong one is asked again SS_SIP_AUTHENTICATION_RETRY times: the nonce carries how often that was done.
 */
static const struct source *by_digest(struct worker *w, struct server_txn *t, const struct msg *m,
				      enum reason *ret_why)
{
	const struct params *p = w->world->params;
	struct digest_ask ask = { .realm = param_str(p, PARAM_SS_SIP_AUTHENTICATION_REALM),
				  .source = &m->flow.peer,
				  .now_ms = w->loop.now_ms,
				  .life_ms = param_int(p, PARAM_SS_SIP_AUTHENTICATION_TIMEOUT) };
	struct str user = STR("");
	const struct source *s =
		digest_user(m, ask.realm, &user) ? world_digest_user(w->world, user) : NULL;
	bool is_suspended = suspend_is_on(w->hub->suspend, user, &m->flow.peer, w->loop.now_ms) ||
			    must_pause(w, m, user);

	ask.life_ms = ask.life_ms > 0 ? ask.life_ms * 1000 : 0;
	bool may = s && !identify_hindrance(s, &m->flow);

	if (may)
		ask.password = str_of(s->row->password);
	ask.offer = offer_of(w, who_is_asked(w, m, s));
	ask.is_md5_refused = s && s->row->digest == MAPPING_GATEWAY_DIGEST_SHA256;
	ask.is_legacy = s && s->phone && s->phone->row->legacy_digest;
	switch (digest_verify(w->digest, m, &ask, &ask.tries)) {
	case DIGEST_OK:
		if (is_suspended)
			return refuse_or_record(t, m, s, may, ret_why);
		suspend_right(w->hub->suspend, user, &m->flow.peer);
		report_auth_ok(w->report, &m->flow, user, w->loop.now_ms);
		return s;
	case DIGEST_NONE:
		ask.tries = 0;
		challenge(w, t, m, &ask, false, false);
		return NULL;
	case DIGEST_STALE:
		ask.tries = 0;
		challenge(w, t, m, &ask, true, false);
		return NULL;
	case DIGEST_WRONG:
		failed(w, m, user, s);
		if (is_suspended || ask.tries >= param_int(p, PARAM_SS_SIP_AUTHENTICATION_RETRY))
			return refuse_or_record(t, m, s, may, ret_why);
		ask.tries++;
		challenge(w, t, m, &ask, false, true);
		break;
	}
	return NULL;
}

const struct source *identify_by_digest(struct worker *w, struct server_txn *t, const struct msg *m)
{
	enum reason why = REASON_NONE;

	return by_digest(w, t, m, &why);
}

const struct source *identify(struct worker *w, struct server_txn *t, const struct msg *m,
			      enum reason *ret_why)
{
	bool may_ask;
	const struct vendor *v = by_contact(w, m);
	const struct source *s = v ? world_source(w->world, v->row->inbound) : NULL;

	*ret_why = REASON_NONE;
	if (!s)
		s = by_address(w, m, &may_ask);
	if (s)
		return s;
	if (may_ask)
		return by_digest(w, t, m, ret_why);
	if (v) {
		reply_simple(t, reason_sip_code(REASON_DESTINATION_FORBIDDEN), STR(""));
		return NULL;
	}
	*ret_why = REASON_UNKNOWN_SOURCE;
	return NULL;
}

/* ---- numbers ---- */

/* A From that names nobody, of a gateway that is believed: its P-Asserted-Identity says who it is (RFC 3325 §6). */
static bool caller_is_asserted(const struct source *s, const struct msg *m)
{
	return s->row->caller_from == MAPPING_GATEWAY_CALLER_FROM_FROM && s->row->trust_identity &&
	       party_is_anonymous(&m->from);
}

/* A display name counts if it is a number; blanks between its digits do not. */
static bool display_number(const struct msg *m, struct number *ret)
{
	char room[2 * NUMBER_MAX];
	struct buf digits = buf_fixed(room, sizeof(room));
	struct uri u = { .scheme = URI_TEL };

	for (size_t i = 0; i < m->from_display.n; i++) {
		if (m->from_display.p[i] != ' ')
			buf_putc(&digits, m->from_display.p[i]);
	}
	u.user = buf_str(&digits);
	return buf_error(&digits) == 0 && digits.n > 0 && number_of(&u, ret) &&
	       strspn(ret->digits, "0123456789*#") == strlen(ret->digits);
}

/* Where it was found, for the record; a caller who is nobody is let on without a number. */
static const char *caller_of(const struct source *s, const struct msg *m, struct number *ret)
{
	static const char *const headers[] = {
		[MAPPING_GATEWAY_CALLER_FROM_RPID] = "Remote-Party-ID",
		[MAPPING_GATEWAY_CALLER_FROM_PAI] = "P-Asserted-Identity",
		[MAPPING_GATEWAY_CALLER_FROM_PPI] = "P-Preferred-Identity",
	};
	int64_t from =
		caller_is_asserted(s, m) ? MAPPING_GATEWAY_CALLER_FROM_PAI : s->row->caller_from;
	const char *header = from >= 0 && from < (int64_t)(sizeof(headers) / sizeof(headers[0]))
				     ? headers[from]
				     : NULL;

	if (from == MAPPING_GATEWAY_CALLER_FROM_DISPLAY && display_number(m, ret))
		return "the display name";
	if (header && header_number(m, header, ret))
		return header;
	if (!number_of(&m->from, ret))
		ret->digits[0] = '\0';
	return "From";
}

enum reason identify_numbers(struct worker *w, const struct source *s, const struct msg *m,
			     struct inquiry *q)
{
	struct search f = { .msg = m };
	const struct number *callee = &f.callee_to;
	const char *from = "To";

	read_callees(&f);
	if (f.callee_to.digits[0] && f.callee_uri.digits[0] &&
	    strcmp(f.callee_to.digits, f.callee_uri.digits) != 0)
		atomic_fetch_add_explicit(&w->stats->to_differs, 1, memory_order_relaxed);
	callee = callee_as_set(s, &f, &from);
	q->callee_in = *callee;

	const char *caller_from = caller_of(s, m, &q->caller_in);

	if (strcmp(from, "To") != 0 || strcmp(caller_from, "From") != 0)
		trail_add(&q->trail, "numbers", "read", "%s from %s, caller %s from %s",
			  q->callee_in.digits, from, q->caller_in.digits, caller_from);
	return callee->digits[0] ? REASON_NONE : REASON_NUMBER_INVALID;
}
