#include "call/profiled.h"

#include "call/world_profile.h"

/* 0: no limit. */
static int64_t lower(int64_t a, int64_t b)
{
	return a == 0 || (b != 0 && b < a) ? b : a;
}

static enum reason check(struct inquiry *q, const struct profile *f)
{
	enum reason r = screen_check(&f->screen, q, "security profile", "look");

	if (r == REASON_NONE)
		return r;
	if (f->plan)
		r = REASON_TIME_FORBIDDEN;
	trail_add(&q->trail, "security profile", "refuse", "%s: %s%s%s", reason_name(r),
		  f->row->name, f->plan ? ", in force by time plan " : "",
		  f->plan ? f->row->plan : "");
	return r;
}

enum reason admit_profile(struct inquiry *q)
{
	const struct payer *p = q->source->payer;
	enum reason r = REASON_NONE;

	q->most_lines = q->most_s = 0;
	for (int i = 0; r == REASON_NONE && i < p->profiles; i++) {
		const struct profile *f = p->profile[i];

		if (!profile_is_in_force(f, q->wall_ms))
			continue;
		q->most_lines = lower(q->most_lines, f->row->line_limit);
		q->most_s = lower(q->most_s, f->row->call_limit);
		r = check(q, f);
	}
	q->most_lines = lower(q->most_lines, p->row->line_limit);
	return r;
}
