#include "call/identity.h"

#include <errno.h>

#include "call/forward.h"
#include "sip/party.h"

enum { PASS_DIVERSION = 1, PASS_HISTORY = 2, PASS_IDENTITY = 4 };
/* A sip and a tel URI at most (RFC 3325 §9.1); of Remote-Party-ID one is the caller's. */
enum { IDENTITIES = 2, DIVERSIONS = 5 };

int identity_compile(struct str list, unsigned *ret, struct err *err)
{
	static const struct {
		struct str name;
		unsigned bit;
	} known[] = {
		{ STR_INIT("Diversion"), PASS_DIVERSION },
		{ STR_INIT("History-Info"), PASS_HISTORY },
		{ STR_INIT("Identity"), PASS_IDENTITY },
	};
	unsigned set = 0;
	struct str item;

	while (str_split(&list, ',', &item)) {
		unsigned before = set;

		for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
			if (str_ieq(item, known[i].name))
				set |= known[i].bit;
		}
		if (set == before && item.n > 0)
			return err_set(err, ERR_BAD_VALUE, "pass_headers", item,
				       "Diversion, History-Info, Identity, each once",
				       "not a header that can be passed on");
	}
	*ret = set;
	return 0;
}

/* ---- what may be said ---- */

/* One try, with the caller's INVITE and both gateways as they are now. */
struct view {
	const struct leg *leg;
	const struct vendor *vendor;
	const struct msg *invite; /* NULL: it is gone */
	unsigned privacy;
	bool is_believed; /* what the caller asserts */
	bool is_hidden;   /* From does not say who calls */
	bool may_know;    /* the other headers may */
};

static bool is_nobody(const struct number *n)
{
	return n->digits[0] == '\0' || str_ieq(str_of(n->digits), STR("anonymous"));
}

/* What Remote-Party-ID had for Privacy. */
static bool rpid_asks_for_privacy(const struct msg *m)
{
	struct party p;
	struct str value;

	return party_read(m, "Remote-Party-ID", 0, &p) &&
	       lex_param(p.addr.params, STR("privacy"), &value) &&
	       (str_ieq(value, STR("full")) || str_ieq(value, STR("uri")));
}

/* A From that hides the caller is a wish for privacy too, unless Privacy says "none". */
static struct view look(const struct leg *l, const struct vendor *v)
{
	const struct call *c = l->call;
	const struct source *s = call_peer(c);
	struct view w = { .leg = l, .vendor = v };

	if (c->caller.invited)
		w.invite = server_request(c->caller.invited);
	if (w.invite) {
		w.privacy = party_privacy(w.invite);
		if (party_is_anonymous(&w.invite->from) || rpid_asks_for_privacy(w.invite))
			w.privacy |= PRIVACY_ID;
	}
	w.is_believed = s && s->row->trust_identity;
	w.is_hidden = (!s || s->row->honour_privacy) && !(w.privacy & PRIVACY_NONE) &&
		      w.privacy & (PRIVACY_ID | PRIVACY_USER | PRIVACY_HEADER);
	w.may_know = !w.is_hidden || v->row->trust_identity;
	return w;
}

/* ---- From and To ---- */

static int64_t display_mode(const struct view *w)
{
	static const struct {
		struct str value;
		int64_t mode;
	} values[] = {
		{ STR_INIT("Caller"), ROUTING_GATEWAY_DISPLAY_NAME_CALLER },
		{ STR_INIT("Pass"), ROUTING_GATEWAY_DISPLAY_NAME_PASS },
	};
	struct str set =
		param_str(w->leg->call->worker->world->params, PARAM_SS_SIP_E164_DISPLAY_FROM);

	if (w->vendor->row->display_name != ROUTING_GATEWAY_DISPLAY_NAME_SYSTEM)
		return w->vendor->row->display_name;
	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		if (str_ieq(set, values[i].value))
			return values[i].mode;
	}
	return ROUTING_GATEWAY_DISPLAY_NAME_NONE;
}

static void put_display(const struct view *w, struct buf *out)
{
	enum { LONGEST = 128 };
	int64_t mode = display_mode(w);
	struct str name = STR("");

	if (mode == ROUTING_GATEWAY_DISPLAY_NAME_CALLER)
		name = str_of(w->leg->caller_out.digits);
	else if (mode == ROUTING_GATEWAY_DISPLAY_NAME_PASS && w->invite)
		name = w->invite->from_display;
	if (name.n == 0 || name.n > LONGEST)
		return;
	msg_put_display(name, out);
	buf_putc(out, ' ');
}

static void put_uri(bool is_secure, const char *number, const char *host, struct buf *out)
{
	buf_putz(out, is_secure ? "<sips:" : "<sip:");
	party_put_user(str_of(number), out);
	buf_putc(out, '@');
	buf_putz(out, host);
	buf_putc(out, '>');
}

void identity_put_from(struct leg *l, const struct vendor *v, const char *here, struct buf *out)
{
	struct view w = look(l, v);

	l->is_anonymous = w.is_hidden || is_nobody(&l->caller_out);
	if (l->is_anonymous) {
		buf_put(out, STR("\"Anonymous\" <sip:anonymous@anonymous.invalid>"));
		return;
	}
	put_display(&w, out);
	put_uri(l->call->q.is_secure, l->caller_out.digits, here, out);
}

void identity_put_to(const struct leg *l, const char *there, struct buf *out)
{
	const struct call *c = l->call;
	bool as_dialled = param_bool(c->worker->world->params,
				     PARAM_SS_SIP_ROUTING_GATEWAY_INVITE_USE_CONTACT);

	put_uri(c->q.is_secure, as_dialled ? c->q.callee_in.digits : l->callee_out.digits, there,
		out);
}

const char *identity_caller_sent(const struct leg *l)
{
	return l->is_anonymous && l->caller_out.digits[0] ? "anonymous" : l->caller_out.digits;
}

/* ---- the other headers ---- */

static void put_number(const struct view *w, const char *name, const char *here, const char *more,
		       struct buf *out)
{
	buf_putz(out, name);
	buf_put(out, STR(": "));
	put_uri(false, w->leg->caller_out.digits, here, out);
	buf_putz(out, more);
	buf_put(out, STR("\r\n"));
}

/* The three fields have the same values. True if the vendor is told a name by it. */
static bool put_identity(const struct view *w, const char *name, int64_t mode, bool is_believed,
			 const char *params, const char *more, const char *here, struct buf *out)
{
	if (!w->may_know)
		return false;
	if (mode == ROUTING_GATEWAY_PAI_PASS && w->invite && is_believed)
		return party_pass(w->invite, name, params, here, IDENTITIES, out) > 0;
	if (mode != ROUTING_GATEWAY_PAI_CALLER || is_nobody(&w->leg->caller_out))
		return false;
	put_number(w, name, here, more, out);
	return true;
}

static bool put_identities(const struct view *w, const char *here, struct buf *out)
{
	const struct routing_gateway_row *row = w->vendor->row;
	const char *more =
		w->is_hidden ? ";party=calling;privacy=full" : ";party=calling;privacy=off";
	bool told = false;

	told |= put_identity(w, "P-Asserted-Identity", row->pai, w->is_believed, "", "", here, out);
	told |= put_identity(w, "P-Preferred-Identity", row->ppi, true, "", "", here, out);
	told |= put_identity(w, "Remote-Party-ID", row->rpid, w->is_believed,
			     "party,id-type,screen,privacy", more, here, out);
	return told;
}

static unsigned privacy_by_system(const struct view *w)
{
	struct str set =
		param_str(w->leg->call->worker->world->params, PARAM_SS_SIP_USER_AGENT_PRIVACY);

	if (!w->vendor->row->user)
		return 0;
	return str_ieq(set, STR("Id")) ? PRIVACY_ID : str_ieq(set, STR("None")) ? PRIVACY_NONE : 0;
}

/* An identity that is told in confidence says so (RFC 3325 §7). */
static unsigned privacy_to_send(const struct view *w, bool told)
{
	unsigned set = 0;

	switch (w->vendor->row->privacy) {
	case ROUTING_GATEWAY_PRIVACY_SYSTEM:
		set = privacy_by_system(w);
		break;
	case ROUTING_GATEWAY_PRIVACY_PASS:
		set = w->invite ? party_privacy(w->invite) : 0;
		break;
	case ROUTING_GATEWAY_PRIVACY_ID:
		set = PRIVACY_ID;
		break;
	case ROUTING_GATEWAY_PRIVACY_NONE:
		set = PRIVACY_NONE;
		break;
	default:
		break;
	}
	if (w->is_hidden)
		set = (set & ~(unsigned)PRIVACY_NONE) | (told ? PRIVACY_ID : 0);
	return set;
}

/* RFC 8224 signs the caller's number, RFC 7044 and 5806 name who was called before. */
static void put_passed(const struct view *w, const char *here, struct buf *out)
{
	unsigned set = w->vendor->passes;
	bool is_secret = w->is_hidden && !w->vendor->row->trust_identity;

	if (!w->invite)
		return;
	if (set & PASS_DIVERSION && !(is_secret && w->privacy & PRIVACY_HEADER)) {
		forward_put_diversion(w->leg->call, here, out);
		(void)party_pass(w->invite, "Diversion", "reason,counter,limit,privacy,screen",
				 here, DIVERSIONS, out);
	}
	if (set & PASS_HISTORY && !(is_secret && w->privacy & (PRIVACY_HEADER | PRIVACY_HISTORY)))
		(void)party_pass(w->invite, "History-Info", "index,rc,mp,np", here, PARTY_MAX, out);
	/* A signature in compact form is over Date, too (RFC 8224 §4). */
	if (set & PASS_IDENTITY && !is_secret &&
	    party_pass_raw(w->invite, "Identity", PARTY_MAX, out) > 0)
		(void)party_pass_raw(w->invite, "Date", 1, out);
}

void identity_put_headers(const struct leg *l, const struct vendor *v, struct buf *out)
{
	struct view w = look(l, v);
	char here[ADDR_TEXT];

	(void)addr_text(&l->local, here);
	bool told = put_identities(&w, here, out);
	party_put_privacy(privacy_to_send(&w, told), out);
	put_passed(&w, here, out);
}

/* ---- what comes back ---- */

void identity_answered(const struct leg *l, const struct msg *m)
{
	static const char *const headers[] = {
		[ROUTING_GATEWAY_PEER_NUMBER_PAI] = "P-Asserted-Identity",
		[ROUTING_GATEWAY_PEER_NUMBER_RPID] = "Remote-Party-ID",
	};
	struct call *c = l->call;
	const struct vendor *v = leg_vendor(l);
	char room[NUMBER_MAX + 1];
	struct buf number = buf_fixed(room, sizeof(room));
	struct party p;

	if (!v || v->row->peer_number == ROUTING_GATEWAY_PEER_NUMBER_NONE)
		return;

	const char *header = headers[v->row->peer_number];

	if (party_read(m, header, 0, &p) && uri_number(&p.uri, &number) == 0)
		trail_add(&c->q.trail, l->gateway, "reached", "%.*s, by its %s",
			  STR_ARG(buf_str(&number)), header);
}
