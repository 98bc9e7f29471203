#include "vendor/enrol.h"

#include <errno.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/rand.h"
#include "sip/digest.h"
#include "sip/lex.h"

enum { INTERVALS_MAX = 2, DEFAULT_EXPIRES_S = 3600, RETRY_AFTER_MAX_S = 600 };

struct enrol {
	const struct sender *sender;
	struct reach *reach;
	struct enrol_user user;
	struct enrol_terms terms;
	struct means by;
	struct addr peer;
	struct buf text; /* of what the slices below are */
	struct str digest_user, password, realm, name, domain, contact_user;
	enum redirect_rule rule;
	struct addr *own;
	int own_count;

	struct dialog dialog; /* Call-ID and CSeq of all its requests */
	struct addr local;
	char *contact; /* "sip:user@host:port" */
	struct client_txn *asking;
	struct timer timer;  /* the next request, or the end of the wait for an answer */
	struct timer expiry; /* what stands ends */
	ms_t until_ms, until_wall_ms;
	int64_t least_s; /* a Min-Expires that was heard */
	bool is_bound, is_leaving;
	/* of the attempt under way */
	struct redirect way;
	int challenges, intervals;
};

static void send_request(struct enrol *e, struct str credentials);

static ms_t now_of(const struct enrol *e)
{
	return e->sender->loop->now_ms;
}

static void wait(struct enrol *e, ms_t ms)
{
	timer_start(&e->sender->loop->wheel, &e->timer, now_of(e) + ms);
}

static void no_longer_asking(struct enrol *e)
{
	if (e->asking)
		client_detach(e->asking);
	e->asking = NULL;
}

static void unbind(struct enrol *e)
{
	e->is_bound = false;
	e->until_wall_ms = 0;
	timer_stop(&e->expiry);
}

/* ---- the end of an attempt ---- */

static ms_t retry_pause(const struct enrol *e, int64_t retry_after_s)
{
	ms_t pause = e->terms.retry_ms;

	if (retry_after_s * SECOND_MS > pause)
		pause = retry_after_s * SECOND_MS;
	/* What stands should not end for one lost answer. */
	if (e->is_bound && (e->until_ms - now_of(e)) / 2 < pause)
		pause = (e->until_ms - now_of(e)) / 2;
	return pause < SECOND_MS ? SECOND_MS : pause;
}

static bool is_refusal(int error)
{
	return error >= 300 && error < 500 && error != 408;
}

static void fail(struct enrol *e, int error, int64_t retry_after_s)
{
	no_longer_asking(e);
	if (e->is_leaving) {
		e->user.on_gone(e->user.ctx, e);
		return;
	}
	if (is_refusal(error))
		unbind(e);
	reach_set_place(e->reach, e->is_bound ? REACH_REGISTERED : REACH_REFUSED, error,
			clock_wall_ms());
	wait(e, retry_pause(e, retry_after_s));
}

static void on_expiry(struct timer *t, int64_t now_ms)
{
	struct enrol *e = CONTAINER(t, struct enrol, expiry);
	int error = atomic_load(&e->reach->place_error);

	(void)now_ms;
	unbind(e);
	reach_set_place(e->reach, error ? REACH_REFUSED : REACH_ASKING, error, clock_wall_ms());
}

/* ---- 2xx ---- */

static bool read_seconds(struct str text, int64_t *ret)
{
	uint32_t n;

	if (str_to_u32(str_trim(text), UINT32_MAX, &n) < 0)
		return false;
	*ret = n < ENROL_EXPIRES_MAX_S ? n : ENROL_EXPIRES_MAX_S;
	return true;
}

static bool header_seconds(const struct msg *m, const char *name, int64_t *ret)
{
	struct str value;

	return msg_header(m, name, 0, &value) && read_seconds(value, ret);
}

/* Is it ours? A registrar behind NAT may write another host; the user is what we chose. */
static bool is_our_contact(const struct enrol *e, struct str contact, struct name_addr *a)
{
	struct uri u;

	return lex_name_addr(contact, a) == 0 && uri_parse(a->uri, &u) == 0 &&
	       str_eq(u.user, e->contact_user);
}

/* Seconds until the end of our binding by this answer, 0 if there is none. */
static int64_t granted(const struct enrol *e, const struct msg *m)
{
	struct str value, contact, seconds;
	struct name_addr a;
	bool has_contacts = false;
	int64_t s, by_header = e->terms.expire_s > e->least_s ? e->terms.expire_s : e->least_s;

	if (by_header == 0)
		by_header = DEFAULT_EXPIRES_S;
	(void)header_seconds(m, "Expires", &by_header);
	for (int n = 0; msg_header(m, "Contact", n, &value); n++) {
		while (lex_split(&value, ',', &contact)) {
			has_contacts = true;
			if (!is_our_contact(e, contact, &a))
				continue;
			return lex_param(a.params, STR("expires"), &seconds) &&
					       read_seconds(seconds, &s)
				       ? s
				       : by_header;
		}
	}
	return has_contacts ? 0 : by_header;
}

static void accepted(struct enrol *e, const struct msg *m)
{
	int64_t s = granted(e, m);

	if (e->is_leaving || s == 0) {
		fail(e, -EADDRNOTAVAIL, 0);
		return;
	}
	no_longer_asking(e);
	e->is_bound = true;
	e->until_ms = now_of(e) + s * SECOND_MS;
	e->until_wall_ms = clock_wall_ms() + s * SECOND_MS;
	timer_start(&e->sender->loop->wheel, &e->expiry, e->until_ms);
	reach_set_place(e->reach, REACH_REGISTERED, 0, clock_wall_ms());
	/* Somewhere between 80 and 90 % of its life, so that many do not come together. */
	wait(e, s * SECOND_MS * 4 / 5 + rand_below((uint32_t)s * 100));
}

/* ---- other answers ---- */

static bool is_stale(const struct msg *m)
{
	struct str value;

	for (int n = 0;
	     msg_header(m, m->status == 407 ? "Proxy-Authenticate" : "WWW-Authenticate", n, &value);
	     n++) {
		if (str_ifind(value, STR("stale=true")) >= 0)
			return true;
	}
	return false;
}

/*
 * Once an attempt, and once more if the nonce was too old. At an address that is not the gateway's own only for a realm that an
 * operator named (security.md A7).
 */
static bool answer_challenge(struct enrol *e, const struct msg *m)
{
	CLEANUP(buf_done) struct buf credentials = BUF_INIT;
	struct str realm;

	if (e->challenges > 1 || (e->challenges == 1 && !is_stale(m)) ||
	    (e->way.count > 1 && e->rule == REDIRECT_ANY && e->realm.n == 0) ||
	    digest_answer(m, METHOD_REGISTER, str_of(e->dialog.target), e->digest_user, e->password,
			  e->realm, &credentials, &realm) < 0)
		return false;
	e->challenges++;
	e->user.on_realm(e->user.ctx, realm);
	no_longer_asking(e);
	send_request(e, buf_str(&credentials));
	return true;
}

static bool ask_for_longer(struct enrol *e, const struct msg *m)
{
	int64_t least;

	if (e->is_leaving || ++e->intervals > INTERVALS_MAX ||
	    !header_seconds(m, "Min-Expires", &least) || least == 0)
		return false;
	e->least_s = least;
	e->challenges = 0; /* a new request, which may be challenged anew */
	no_longer_asking(e);
	send_request(e, STR(""));
	return true;
}

static int aim(struct enrol *e, const struct addr *peer);

static bool follow(struct enrol *e, const struct msg *m)
{
	struct addr to;

	if (redirect_next(&e->way, m, e->rule, e->own, e->own_count, STR(""), &to) < 0 ||
	    aim(e, &to) < 0)
		return false;
	e->challenges = 0;
	no_longer_asking(e);
	send_request(e, STR(""));
	return true;
}

static void on_response(void *ctx, struct client_txn *t, const struct msg *m)
{
	struct enrol *e = ctx;
	int64_t after = 0;

	(void)t;
	if (m->status < 200)
		return;
	if (m->status < 300) {
		accepted(e, m);
		return;
	}
	if ((m->status == 401 || m->status == 407) && answer_challenge(e, m))
		return;
	if (m->status == 423 && ask_for_longer(e, m))
		return;
	if (m->status < 400 && follow(e, m))
		return;
	(void)header_seconds(m, "Retry-After", &after);
	fail(e, m->status, after < RETRY_AFTER_MAX_S ? after : RETRY_AFTER_MAX_S);
}

static void on_fail(void *ctx, struct client_txn *t, int error)
{
	(void)t;
	fail(ctx, error, 0);
}

static const struct client_owner owner = { on_response, on_fail, NULL };

/* ---- asking ---- */

/* Turns to an address: the flow there, and the Request-URI, which a domain of its own does not change. */
static int aim(struct enrol *e, const struct addr *peer)
{
	char there[ADDR_TEXT], here[ADDR_TEXT];
	CLEANUP(buf_done) struct buf aor = BUF_INIT, target = BUF_INIT, contact = BUF_INIT;
	struct flow flow;
	int r = sender_find(e->sender, e->by, peer, &flow, &e->local);

	if (r < 0)
		return r;
	(void)addr_text(peer, there);
	buf_printf(&target, "sip:%.*s", STR_ARG(e->domain.n ? e->domain : str_of(there)));
	buf_printf(&contact, "sip:%.*s@%s%s", STR_ARG(e->contact_user), addr_text(&e->local, here),
		   e->by.proto == PROTO_TCP   ? ";transport=tcp"
		   : e->by.proto == PROTO_TLS ? ";transport=tls"
					      : "");
	if (!e->dialog.call_id) {
		(void)addr_host_text(peer, there);
		buf_printf(&aor,
			   addr_is_v6(peer) && !e->domain.n ? "<sip:%.*s@[%.*s]>"
							    : "<sip:%.*s@%.*s>",
			   STR_ARG(e->name), STR_ARG(e->domain.n ? e->domain : str_of(there)));
		r = buf_error(&aor) ? buf_error(&aor)
				    : sender_begin(e->sender, &e->dialog, buf_str(&aor),
						   buf_str(&aor), buf_str(&target), &flow);
	}
	if (r == 0 && (buf_error(&target) || buf_error(&contact)))
		r = -ENOMEM;
	if (r < 0)
		return r;
	e->dialog.flow = flow;
	free(e->dialog.target);
	free(e->contact);
	e->dialog.target = buf_steal(&target);
	e->contact = buf_steal(&contact);
	return e->dialog.target && e->contact ? 0 : -ENOMEM;
}

static void send_request(struct enrol *e, struct str credentials)
{
	CLEANUP(buf_done) struct buf extra = BUF_INIT;
	int64_t s = e->terms.expire_s > e->least_s ? e->terms.expire_s : e->least_s;
	struct draft d = { .method = METHOD_REGISTER, .local = &e->local };

	buf_printf(&extra, "Contact: <%s>\r\n", e->contact);
	if (e->is_leaving)
		buf_put(&extra, STR("Expires: 0\r\n"));
	else if (s > 0)
		buf_printf(&extra, "Expires: %lld\r\n", (long long)s);
	buf_put(&extra, credentials);
	d.extra = buf_str(&extra);

	int r = buf_error(&extra) ? buf_error(&extra)
				  : sender_send(e->sender, &e->dialog, &d, &owner, e, &e->asking);

	if (r < 0) {
		e->asking = NULL;
		fail(e, r, 0);
		return;
	}
	wait(e, e->is_leaving ? ENROL_LEAVE_MS : ENROL_WAIT_MS);
}

static void attempt(struct enrol *e)
{
	e->challenges = e->intervals = 0;
	redirect_begin(&e->way, &e->peer);

	int r = aim(e, &e->peer);

	if (r < 0)
		fail(e, r, 0);
	else
		send_request(e, STR(""));
}

static void on_timer(struct timer *t, int64_t now_ms)
{
	struct enrol *e = CONTAINER(t, struct enrol, timer);

	(void)now_ms;
	if (e->asking)
		fail(e, -ETIMEDOUT, 0);
	else
		attempt(e);
}

/* ---- life ---- */

static struct str keep(struct enrol *e, struct str s)
{
	size_t at = e->text.n;

	buf_put(&e->text, s);
	return str_n(e->text.p + at, s.n);
}

static int keep_config(struct enrol *e, const struct enrol_config *c)
{
	size_t n = c->user.n + c->password.n + c->realm.n + c->name.n + c->domain.n + c->contact.n;

	e->own = calloc((size_t)c->own_count + 1, sizeof(*e->own));
	/* Reserved once: the slices must not move. */
	if (!e->own || buf_reserve(&e->text, n + 1) < 0)
		return -ENOMEM;
	for (int i = 0; i < c->own_count; i++)
		e->own[e->own_count++] = c->own[i];
	e->by = c->by;
	e->peer = c->peer;
	e->rule = c->redirect;
	e->digest_user = keep(e, c->user);
	e->password = keep(e, c->password);
	e->realm = keep(e, c->realm);
	e->name = keep(e, c->name);
	e->domain = keep(e, c->domain);
	e->contact_user = keep(e, c->contact);
	return 0;
}

int enrol_create(struct enrol **ret, const struct sender *s, struct reach *reach,
		 const struct enrol_config *c, const struct enrol_terms *terms,
		 const struct enrol_user *user, ms_t first_in_ms)
{
	CLEANUP(enrol_free) struct enrol *e = calloc(1, sizeof(*e));

	if (!e)
		return -ENOMEM;
	e->sender = s;
	e->reach = reach;
	e->user = *user;
	e->terms = *terms;
	timer_init(&e->timer, on_timer);
	timer_init(&e->expiry, on_expiry);
	if (keep_config(e, c) < 0)
		return -ENOMEM;
	reach_set_place(reach, REACH_ASKING, 0, clock_wall_ms());
	wait(e, first_in_ms);
	*ret = TAKE(e);
	return 0;
}

void enrol_set_terms(struct enrol *e, const struct enrol_terms *terms)
{
	bool is_other = terms->expire_s != e->terms.expire_s;
	ms_t latest = now_of(e) + terms->retry_ms;

	e->terms = *terms;
	if (e->is_leaving || e->asking)
		return;
	/* Not all of them in one moment. */
	if (e->is_bound && is_other)
		wait(e, rand_below(SECOND_MS));
	else if (!e->is_bound && e->timer.at_ms > latest)
		wait(e, rand_below((uint32_t)terms->retry_ms));
}

bool enrol_leave(struct enrol *e)
{
	if (e->is_leaving)
		return true;
	e->is_leaving = true;
	/* An answer that is still under way may be the one that binds us. */
	if (!e->is_bound && !e->asking)
		return false;
	no_longer_asking(e);
	wait(e, 0);
	return true;
}

struct enrol *enrol_free(struct enrol *e)
{
	if (!e)
		return NULL;
	no_longer_asking(e);
	timer_stop(&e->timer);
	timer_stop(&e->expiry);
	reach_set_place(e->reach, REACH_NO_PLACE, 0, clock_wall_ms());
	dialog_done(&e->dialog);
	buf_done(&e->text);
	free(e->contact);
	free(e->own);
	free(e);
	return NULL;
}

const char *enrol_contact(const struct enrol *e)
{
	return e->contact ? e->contact : "";
}

ms_t enrol_until(const struct enrol *e)
{
	return e->until_wall_ms;
}

void enrol_error_text(int error, struct buf *out)
{
	switch (error) {
	case 0:
		break;
	case -ETIMEDOUT:
		buf_putz(out, "no answer");
		break;
	case -EADDRNOTAVAIL:
		buf_putz(out, "accepted, but our Contact does not stand there");
		break;
	default:
		if (error > 0)
			buf_printf(out, "%d %s", error, msg_phrase(error));
		else
			buf_printf(out, "cannot be reached (%s)", strerrorname_np(-error));
		break;
	}
}
