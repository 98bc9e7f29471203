#include "call/session.h"

#include "call/inner.h"

/* RFC 4028 §4: no interval is shorter. */
enum { SHORTEST_S = 90, RAISES_MAX = 3 };

/* ---- what we want ---- */

static int64_t our_min_s(const struct leg *l)
{
	int64_t s = param_int(l->call->worker->world->params, PARAM_SS_SIP_SESSION_MIN_SE);

	return s > SHORTEST_S ? s : SHORTEST_S;
}

static int64_t shortest_s(const struct leg *l)
{
	int64_t ours = our_min_s(l);

	return l->session.min_s > ours ? l->session.min_s : ours;
}

static int64_t wanted_s(const struct leg *l)
{
	int64_t s = param_int(l->call->worker->world->params, PARAM_SS_SIP_SESSION_TTL);

	return s > shortest_s(l) ? s : shortest_s(l);
}

bool session_may(const struct leg *l)
{
	if (l->side == SIDE_CALLER) {
		const struct source *s = call_peer(l->call);

		return s && s->row->session_timer;
	}
	const struct vendor *v = leg_vendor(l);

	return v && v->row->session_timer;
}

/* ---- writing ---- */

static void put_seconds(const char *name, int64_t s, struct buf *out)
{
	buf_putz(out, name);
	buf_put(out, STR(": "));
	buf_put_u64(out, (uint64_t)s);
}

static void put_min(int64_t s, struct buf *out)
{
	if (s <= SHORTEST_S)
		return;
	put_seconds("Min-SE", s, out);
	buf_put(out, STR("\r\n"));
}

/* Inside a dialog the roles stay as they are, and a peer without session timers is offered none (behaviour.md). */
void session_put_request(struct leg *l, struct buf *out)
{
	const struct session *s = &l->session;

	if (!session_may(l))
		return;
	buf_put(out, STR("Supported: timer\r\n"));
	if (!l->is_answered) {
		put_seconds("Session-Expires", wanted_s(l), out);
		buf_put(out, STR("\r\n"));
		put_min(shortest_s(l), out);
	} else if (s->interval_s > 0) {
		put_seconds("Session-Expires", s->interval_s, out);
		buf_putz(out, s->is_ours ? ";refresher=uac\r\n" : ";refresher=uas\r\n");
		put_min(shortest_s(l), out);
	}
}

enum reason session_read_request(struct leg *l, const struct msg *m, struct buf *refusal)
{
	struct session *s = &l->session;
	int64_t min = ext_min_se(m);

	s->knows_timer =
		msg_lists(m, "Supported", STR("timer")) || msg_lists(m, "Require", STR("timer"));
	s->asked_s = ext_session_expires(m, &s->asked_role);
	if (min > s->min_s)
		s->min_s = min;
	if (!session_may(l) || s->asked_s == 0 || s->asked_s >= our_min_s(l))
		return REASON_NONE;
	if (!s->knows_timer) { /* RFC 4028 §9: it could do nothing with a 422 */
		if (s->asked_s < SHORTEST_S)
			s->asked_s = 0;
		return REASON_NONE;
	}
	put_seconds("Min-SE", our_min_s(l), refusal);
	buf_put(refusal, STR("\r\n"));
	return REASON_SESSION_INTERVAL_TOO_SMALL;
}

/* RFC 4028 §9: made shorter as we like, but never longer than it was asked for. */
static int64_t agreed_s(const struct leg *l)
{
	const struct session *s = &l->session;
	int64_t wanted = wanted_s(l);

	return s->asked_s > 0 && s->asked_s < wanted ? s->asked_s : wanted;
}

void session_put_answer(struct leg *l, struct buf *out)
{
	struct session *s = &l->session;
	bool may = session_may(l);

	s->interval_s = 0;
	if (may)
		buf_put(out, STR("Supported: timer\r\n"));
	if (!may || (!s->knows_timer && s->asked_s == 0))
		return;
	s->interval_s = agreed_s(l);
	if (s->asked_role != REFRESHER_ANY || !s->knows_timer)
		s->is_ours = s->asked_role != REFRESHER_UAC || !s->knows_timer;
	put_seconds("Session-Expires", s->interval_s, out);
	buf_putz(out, s->is_ours ? ";refresher=uas\r\n" : ";refresher=uac\r\nRequire: timer\r\n");
}

void session_read_answer(struct leg *l, const struct msg *m)
{
	struct session *s = &l->session;
	enum refresher role;
	int64_t expires = ext_session_expires(m, &role);

	s->interval_s = 0;
	if (!session_may(l) || expires == 0)
		return;
	s->interval_s = expires > SHORTEST_S ? expires : SHORTEST_S;
	s->is_ours = role != REFRESHER_UAS;
}

bool session_raise(struct leg *l, const struct msg *m)
{
	int64_t min = ext_min_se(m);

	if (min <= shortest_s(l) || l->session.raises++ >= RAISES_MAX)
		return false;
	l->session.min_s = min;
	if (l->session.interval_s > 0 && l->session.interval_s < min)
		l->session.interval_s = min;
	return true;
}
