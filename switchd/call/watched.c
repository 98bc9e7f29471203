#include "call/watched.h"

#include "base/trie.h"
#include "number/blacklist.h"

/* Without a limit or a time nothing is watched. */
static int64_t set(const struct inquiry *q, enum param id)
{
	int64_t v = param_int(q->world->params, id);

	return v > 0 ? v : 0;
}

static int64_t now_s(void)
{
	return clock_mono_ms() / 1000;
}

static bool has_caller(const struct inquiry *q)
{
	struct str caller = str_of(q->caller.digits);

	return caller.n > 0 && trie_is_key(caller) && !q->caller_is_white;
}

static enum reason refuse(struct inquiry *q, enum blacklist_side side, const char *number,
			  int64_t left)
{
	if (!q->is_dry)
		blacklist_hit(q->hub->blacklist, side, str_of(number), now_s());
	trail_add(&q->trail, "dynamic blacklist", "refuse", "%s: %s %s for %lld s more",
		  reason_name(REASON_BLACKLISTED), side == BLACKLIST_CALLER ? "caller" : "callee",
		  number, (long long)left);
	return REASON_BLACKLISTED;
}

static void put(struct inquiry *q, enum blacklist_side side, const char *type, const char *number,
		int64_t for_s)
{
	struct blacklist *b = q->hub->blacklist;

	blacklist_add(b, side, str_of(number), for_s, now_s());
	blacklist_tell(b, side, type, str_of(number), for_s);
	trail_add(&q->trail, "dynamic blacklist", "listed", "%s, %s, for %lld s", number, type,
		  (long long)for_s);
}

static void count_caller(struct inquiry *q)
{
	struct blacklist *b = q->hub->blacklist;
	struct str caller = str_of(q->caller.digits);
	int64_t most = set(q, PARAM_SS_BLACK_LIST_CALLER_CONCURRENT);
	int64_t window = set(q, PARAM_SS_BLACK_LIST_CALLER_MALICIOUS_CALL_CHECK_INTERVAL);

	q->is_watched = true;
	q->watched = q->caller;
	if (blacklist_begin(b, caller, now_s()) > most && most > 0)
		put(q, BLACKLIST_CALLER, "concurrent", q->caller.digits,
		    set(q, PARAM_SS_BLACK_LIST_CALLER_CONCURRENT_EXPIRE));
	if (window > 0 && blacklist_count(b, COUNT_CALLS, caller,
					  set(q, PARAM_SS_BLACK_LIST_CALLER_MALICIOUS_CALL_LIMIT),
					  window, now_s()))
		put(q, BLACKLIST_CALLER, "malicious", q->caller.digits,
		    set(q, PARAM_SS_BLACK_LIST_CALLER_MALICIOUS_CALL_EXPIRE));
}

enum reason watched_begin(struct inquiry *q)
{
	struct blacklist *b = q->hub->blacklist;
	int64_t left;

	if (!b || !q->source->row->blacklist)
		return REASON_NONE;
	q->counts_answers = !q->is_dry;
	if (has_caller(q) && !q->is_dry)
		count_caller(q);
	if (has_caller(q)) {
		left = blacklist_left(b, BLACKLIST_CALLER, str_of(q->caller.digits), now_s());
		if (left > 0)
			return refuse(q, BLACKLIST_CALLER, q->caller.digits, left);
	}
	left = q->callee_is_white
		       ? 0
		       : blacklist_left(b, BLACKLIST_CALLEE, str_of(q->callee.digits), now_s());
	return left > 0 ? refuse(q, BLACKLIST_CALLEE, q->callee.digits, left) : REASON_NONE;
}

/* Rang, or was given up before it answered; a busy or refused call says nothing of the kind. */
static void count_unanswered(struct inquiry *q, bool was_answered, enum reason why)
{
	struct blacklist *b = q->hub->blacklist;
	bool is_caller = param_int(q->world->params, PARAM_SS_BLACK_LIST_NO_ANSWER_BLOCK) == 1;
	const char *number = is_caller ? q->caller.digits : q->callee.digits;
	int64_t window = set(q, PARAM_SS_BLACK_LIST_NO_ANSWER_PERIODS);

	if (window == 0 || (is_caller ? !has_caller(q) : q->callee_is_white))
		return;
	if (was_answered)
		blacklist_forget(b, COUNT_UNANSWERED, str_of(number));
	else if ((why == REASON_NO_ANSWER || why == REASON_CALLER_CANCEL) &&
		 blacklist_count(b, COUNT_UNANSWERED, str_of(number),
				 set(q, PARAM_SS_BLACK_LIST_NO_ANSWER_LIMIT), window, now_s()))
		put(q, is_caller ? BLACKLIST_CALLER : BLACKLIST_CALLEE, "no_answer", number,
		    set(q, PARAM_SS_BLACK_LIST_NO_ANSWER_EXPIRE));
}

void watched_end(struct inquiry *q, bool was_sent, bool was_answered, enum reason why)
{
	if (!q->is_watched && !q->counts_answers)
		return;
	if (q->is_watched)
		blacklist_end(q->hub->blacklist, str_of(q->watched.digits));
	if (q->counts_answers && was_sent && q->world)
		count_unanswered(q, was_answered, why);
	q->is_watched = q->counts_answers = false;
}
