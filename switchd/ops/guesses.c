#include <stdio.h>

#include "call/guessed.h"
#include "ops/inner.h"
#include "ops/spend_book.h"

/*
 * Wrong passwords of one user from all sources (security.md A5). Nobody is locked for it: the user stays usable from anywhere with the
 * right one. From GUESSED_HOUR in an hour on it is an alarm, and each source is heard once a second (identify.c, by guessed.c).
 */

enum { INFO = 120 };

static int64_t guesses_of(const struct gate *g)
{
	struct spent_sum sum;

	spent_sum(&g->wrong, SPENT_HOUR, &sum);
	return sum.calls;
}

static void look_at(struct gate *g)
{
	(void)spent_look(&g->wrong, spend_clock_s());
	atomic_store(&g->wrong.is_stopped, guesses_of(g) >= GUESSED_HOUR);
}

static void raise_one(struct ops *o, const struct source *s)
{
	char info[INFO];

	if (!atomic_load(&s->gate->wrong.is_stopped))
		return;
	(void)snprintf(info, sizeof(info),
		       "%lld wrong passwords within an hour, from all sources together",
		       (long long)guesses_of(s->gate));
	alarm_raise(o->alarms, "password_guessing", 2, s->row->name, guesses_of(s->gate), info);
}

void guesses_look(struct ops *o)
{
	const struct world *w = catalog_world(o->catalog);

	guessed_look(o->hub->guessed, spend_clock_s());
	for (size_t i = 0; i < w->sources; i++)
		look_at(w->source[i].gate);
	for (size_t i = 0; i < w->phones; i++)
		look_at(w->phone[i].source.gate);
}

void look_at_guesses(struct ops *o)
{
	const struct world *w = catalog_world(o->catalog);

	for (size_t i = 0; i < w->sources; i++)
		raise_one(o, &w->source[i]);
	for (size_t i = 0; i < w->phones; i++)
		raise_one(o, &w->phone[i].source);
}
