#include "call/guessed.h"

#include <errno.h>
#include <stdlib.h>

#include "base/htab.h"
#include "rating/spent.h"

struct guessed {
	struct spent place[GUESSED_PLACES]; /* wrong ones, as calls */
};

int guessed_create(struct guessed **ret)
{
	struct guessed *g = calloc(1, sizeof(*g));

	if (!g)
		return -ENOMEM;
	for (size_t i = 0; i < GUESSED_PLACES; i++)
		spent_init(&g->place[i]);
	*ret = g;
	return 0;
}

struct guessed *guessed_free(struct guessed *g)
{
	for (size_t i = 0; g && i < GUESSED_PLACES; i++)
		spent_done(&g->place[i]);
	free(g);
	return NULL;
}

static size_t place_of(struct str name)
{
	return htab_hash(name) % GUESSED_PLACES;
}

void guessed_wrong(struct guessed *g, struct str name)
{
	spent_tell(&g->place[place_of(name)], 0, 1);
}

bool guessed_is_many(const struct guessed *g, struct str name)
{
	return atomic_load(&g->place[place_of(name)].is_stopped);
}

void guessed_look(struct guessed *g, int64_t now_s)
{
	for (size_t i = 0; i < GUESSED_PLACES; i++) {
		struct spent *s = &g->place[i];
		struct spent_sum sum;

		(void)spent_look(s, now_s);
		spent_sum(s, SPENT_HOUR, &sum);
		atomic_store(&s->is_stopped, sum.calls >= GUESSED_HOUR);
	}
}
