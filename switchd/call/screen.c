#include "call/screen.h"

#include "call/inquiry.h"

static const struct {
	const char *black, *white, *allow, *deny, *lengths, *what;
} names[SCREEN_SIDES] = {
	[SCREEN_CALLEE] = { "callee_black", "callee_white", "callee_allow", "callee_deny",
			    "callee_lengths", "callee" },
	[SCREEN_CALLER] = { "caller_black", "caller_white", "caller_allow", "caller_deny",
			    "caller_lengths", "caller" },
};

/* NULL: the entity has no such field, or the row nothing in it. */
static const char *text_of(const struct entity *e, const void *row, const char *field)
{
	int i = entity_field(e, str_of(field));

	return i < 0 ? NULL : row_text(&e->field[i], row);
}

int screen_compile(struct screen *s, const struct entity *e, const void *row, struct err *err)
{
	for (int i = 0; i < SCREEN_SIDES; i++) {
		struct err found = ERR_INIT;
		int r = ranges_create(&s->ranges[i], str_of(text_of(e, row, names[i].allow)),
				      str_of(text_of(e, row, names[i].deny)), &found);

		if (r < 0 && err_is_set(&found))
			return err_set(err, found.code, names[i].deny, str_of(found.given),
				       found.accepted, "%s", found.message);
		if (r == 0)
			r = lengths_parse(str_of(text_of(e, row, names[i].lengths)),
					  names[i].lengths, &s->lengths[i], err);
		if (r < 0)
			return r;
	}
	return 0;
}

static struct screen_list list_of(const struct world_input *in, const char *name)
{
	struct screen_list l = { .list = name ? in->find_list(in->ctx, name) : NULL, .name = name };

	return l;
}

void screen_link(struct screen *s, const struct entity *e, const void *row,
		 const struct world_input *in)
{
	for (int i = 0; i < SCREEN_SIDES; i++) {
		s->black[i] = list_of(in, text_of(e, row, names[i].black));
		s->white[i] = list_of(in, text_of(e, row, names[i].white));
	}
}

void screen_done(struct screen *s)
{
	for (int i = 0; i < SCREEN_SIDES; i++)
		s->ranges[i] = ranges_free(s->ranges[i]);
}

static enum reason check_side(const struct screen *s, enum screen_side side, struct inquiry *q,
			      const char *who, const char *verdict)
{
	struct str number = str_of(side == SCREEN_CALLEE ? q->callee.digits : q->caller.digits);
	const struct screen_list *black = &s->black[side], *white = &s->white[side];
	size_t prefix;

	if (black->list && numlist_has(black->list, number)) {
		trail_add(&q->trail, who, verdict, "%s: %s %s is on the black list %s",
			  reason_name(REASON_BLACKLISTED), names[side].what, number.p, black->name);
		return REASON_BLACKLISTED;
	}
	if (white->list && !numlist_has(white->list, number)) {
		trail_add(&q->trail, who, verdict, "%s: %s %s is not on the white list %s",
			  reason_name(REASON_BLACKLISTED), names[side].what, number.p, white->name);
		return REASON_BLACKLISTED;
	}
	if (!lengths_allow(s->lengths[side], number.n)) {
		trail_add(&q->trail, who, verdict, "%s: %s %s has %zu digits, which %s forbids",
			  reason_name(REASON_NUMBER_INVALID), names[side].what, number.p, number.n,
			  names[side].lengths);
		return REASON_NUMBER_INVALID;
	}
	if (ranges_allows(s->ranges[side], number, &prefix))
		return REASON_NONE;
	trail_add(&q->trail, who, verdict, "%s: %s %s, %s %.*s",
		  reason_name(REASON_DESTINATION_FORBIDDEN), names[side].what, number.p,
		  prefix ? names[side].deny : "no prefix of its own in",
		  prefix ? (int)prefix : (int)strlen(names[side].allow),
		  prefix ? number.p : names[side].allow);
	return REASON_DESTINATION_FORBIDDEN;
}

enum reason screen_check(const struct screen *s, struct inquiry *q, const char *who,
			 const char *verdict)
{
	enum reason r = REASON_NONE;

	if (!q->callee_is_white)
		r = check_side(s, SCREEN_CALLEE, q, who, verdict);
	if (r == REASON_NONE && !q->caller_is_white)
		r = check_side(s, SCREEN_CALLER, q, who, verdict);
	return r;
}
