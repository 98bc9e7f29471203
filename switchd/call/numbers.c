#include "call/numbers.h"

#include <string.h>

#include "number/areas.h"
#include "number/chain.h"
#include "number/pairs.h"

/* One step of a number's way; what is missing (NULL) leaves it as it is. */
typedef int step_fn(const void *rules, struct str number, struct buf *out);

static int by_transform(const void *rules, struct str number, struct buf *out)
{
	return transform_apply(rules, number, out);
}

static int by_chain(const void *rules, struct str number, struct buf *out)
{
	return chain_apply(rules, number, out);
}

static int by_pairs(const void *pairs, struct str number, struct buf *out)
{
	struct str becomes = pairs_find(pairs, number);

	buf_put(out, becomes.n ? becomes : number);
	return buf_error(out);
}

static int step(step_fn *apply, const void *rules, struct number *n)
{
	char room[NUMBER_MAX];
	struct buf out = buf_fixed(room, sizeof(room));

	if (!rules)
		return 0;
	if (apply(rules, str_of(n->digits), &out) < 0)
		return -1;
	return number_set(n, buf_str(&out));
}

static bool go_in(struct number *n, const struct transform *rules, const struct transform *named,
		  const struct chain *all)
{
	return step(by_transform, rules, n) == 0 && step(by_transform, named, n) == 0 &&
	       step(by_chain, all, n) == 0;
}

static bool go_out(struct number *n, const struct transform *rules, const struct transform *named,
		   const struct chain *all)
{
	return step(by_chain, all, n) == 0 && step(by_transform, named, n) == 0 &&
	       step(by_transform, rules, n) == 0;
}

/* The tech prefix has done its work when the gateway was found by it: the longest, as there. */
static struct str without_tech(const struct source *s, struct str callee)
{
	size_t n = 0;

	for (int i = 0; i < s->tech_count; i++) {
		if (s->tech[i].n > n && str_has_prefix(callee, s->tech[i]))
			n = s->tech[i].n;
	}
	return str_skip(callee, n);
}

static enum reason invalid(struct inquiry *q, const char *which)
{
	trail_add(&q->trail, "numbers", "refuse", "%s: %s leaves no number of 1 to %d characters",
		  reason_name(REASON_NUMBER_INVALID), which, NUMBER_MAX);
	return REASON_NUMBER_INVALID;
}

/* The caller's number: none stays none; a phone is who it proved to be, whatever its From says. */
static bool caller_in(struct inquiry *q)
{
	const struct source *s = q->shown_by ? q->shown_by : q->source;
	const struct phone_row *p = s->phone ? s->phone->row : NULL;

	q->caller = q->caller_in;
	if (p)
		return number_set(&q->caller,
				  str_of(p->display_number ? p->display_number : p->number)) == 0;
	return !q->caller.digits[0] || (go_in(&q->caller, s->caller_rules, s->caller_transform,
					      q->world->chain[CHAIN_CALLER_IN]) &&
					step(by_pairs, q->world->callers_in, &q->caller) == 0);
}

/* What the lists of the whole switch say of the billed numbers. */
static void look_up(struct inquiry *q)
{
	const struct world *w = q->world;
	struct str callee = str_of(q->callee.digits), caller = str_of(q->caller.digits);

	q->is_free = numlist_has(w->free_numbers, callee);
	q->is_hidden = numlist_has(w->hidden_numbers, callee);
	q->callee_is_white = w->whitelist && numlist_has(w->whitelist, callee);
	q->caller_is_white = w->whitelist && numlist_has(w->whitelist, caller);
	q->callee_area = areas_find(w->areas, callee);
	q->caller_area = areas_find(w->areas, caller);
}

enum reason numbers_in(struct inquiry *q)
{
	const struct source *s = q->source;

	if (number_set(&q->callee, without_tech(s, str_of(q->callee_in.digits))) < 0 ||
	    !q->callee.digits[0] ||
	    !go_in(&q->callee, s->callee_rules, s->callee_transform,
		   q->world->chain[CHAIN_CALLEE_IN]))
		return invalid(q, "what is done to the callee");
	if (!caller_in(q))
		return invalid(q, "what is done to the caller");
	look_up(q);
	trail_add(&q->trail, "numbers", "ok", "%s -> %s%s%s, %s%s%s%s", q->callee_in.digits,
		  q->callee.digits, q->callee_area ? ", " : "",
		  q->callee_area ? q->callee_area : "",
		  q->caller.digits[0] ? "caller " : "no caller", q->caller.digits,
		  q->caller_area ? ", " : "", q->caller_area ? q->caller_area : "");
	if (q->callee_is_white || q->caller_is_white)
		trail_add(&q->trail, "numbers", "white", "%s is on the system white list",
			  q->callee_is_white ? q->callee.digits : q->caller.digits);
	return REASON_NONE;
}

enum reason numbers_callee_out(const struct inquiry *q, const struct vendor *v, struct number *ret)
{
	const struct world *w = q->world;

	*ret = q->callee;
	return step(by_pairs, w->callees_out, ret) == 0 &&
			       go_out(ret, v->callee_rules, v->callee_transform,
				      w->chain[CHAIN_CALLEE_OUT])
		       ? REASON_NONE
		       : REASON_NUMBER_INVALID;
}

static size_t reach_of_transform(const void *rules, struct str number, size_t n)
{
	return transform_reach(rules, number, n);
}

static size_t reach_of_chain(const void *rules, struct str number, size_t n)
{
	return chain_reach(rules, number, n);
}

static size_t reach_of_pairs(const void *pairs, struct str number, size_t n)
{
	return pairs_reach(pairs, number, n);
}

/* Forward for what each step gets, then back for what it has to look at. */
size_t numbers_callee_reach(const struct inquiry *q, const struct vendor *v, size_t n)
{
	enum { STEPS = 4 };
	const struct chain *all = q->world->chain[CHAIN_CALLEE_OUT];
	const struct {
		step_fn *apply;
		size_t (*reach)(const void *rules, struct str number, size_t n);
		const void *rules;
	} way[STEPS] = { { by_pairs, reach_of_pairs, q->world->callees_out },
			 { by_chain, reach_of_chain, all },
			 { by_transform, reach_of_transform, v->callee_transform },
			 { by_transform, reach_of_transform, v->callee_rules } };
	struct number at[STEPS + 1] = { q->callee };
	size_t i = 0, longest = NUMBERS_BY_PREFIX + chain_growth(all) +
				transform_growth(v->callee_transform) +
				transform_growth(v->callee_rules);

	if (longest > NUMBER_MAX)
		return strlen(q->callee.digits) + 1;
	for (; i < STEPS; i++) {
		at[i + 1] = at[i];
		if (step(way[i].apply, way[i].rules, &at[i + 1]) < 0) {
			n = strlen(at[i].digits) + 1;
			break;
		}
	}
	for (; i > 0; i--)
		n = way[i - 1].reach(way[i - 1].rules, str_of(at[i - 1].digits), n);
	return n;
}

const char *numbers_shown(const struct inquiry *q, const struct phone *p, struct number *ret_callee,
			  struct number *ret_caller)
{
	const struct vendor *v = &p->vendor;
	bool has_rules = str_of(p->row->called_rules).n > 0 || v->callee_transform;

	*ret_caller = q->caller;
	*ret_callee = q->callee;
	if (!has_rules && number_set(ret_callee, str_of(p->row->number)) < 0)
		return "its number is too long";
	if (has_rules && !go_out(ret_callee, v->callee_rules, v->callee_transform, NULL))
		return "its called_rules leave no number";
	if (q->caller.digits[0] && !go_out(ret_caller, v->caller_rules, v->caller_transform, NULL))
		return "its caller_rules leave no number";
	return NULL;
}

enum reason numbers_out(const struct inquiry *q, const struct vendor *v, struct number *ret_callee,
			struct number *ret_caller)
{
	const struct world *w = q->world;

	*ret_caller = q->caller;
	if (numbers_callee_out(q, v, ret_callee) != REASON_NONE)
		return REASON_NUMBER_INVALID;
	if (q->caller.digits[0] &&
	    !go_out(ret_caller, v->caller_rules, v->caller_transform, w->chain[CHAIN_CALLER_OUT]))
		return REASON_NUMBER_INVALID;
	return REASON_NONE;
}

enum reason numbers_screen(struct inquiry *q)
{
	const struct source *s = q->source;
	enum reason r =
		screen_check(&s->screen, q, s->phone ? "phone" : "mapping gateway", "refuse");

	return r == REASON_NONE ? screen_check(&s->payer->screen, q, "account", "refuse") : r;
}
