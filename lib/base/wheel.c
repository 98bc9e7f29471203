/*
 * Five levels of 64 slots; a slot of level l spans 64^l ms. A timer is filed by the highest 6-bit
 * digit in which its time differs from now: level 0 holds the rest of the running 64 ms, level 1
 * the rest of the running 4 s, and so on:
 *
 *	now    0 0 2 17 05          at     slot
 *	       0 0 2 17 40   ->  level 0, 40
 *	       0 0 2 21 03   ->  level 1, 21      re-filed when now reaches 0 0 2 21 00
 *	       0 0 3 00 00   ->  level 2, 3
 *
 * So everything on a level is due before anything on the level above, within a level slots are due
 * in the order of their numbers, and all slots behind the current one are empty: the next thing to
 * do is the lowest bit of the lowest level in use. The top level alone goes round, since a time
 * beyond it differs in a digit that no level has: its slots count from the current one, 1 to 64
 * ahead, and what is further still waits in the last of them and is filed again from there.
 *
 * timer_stop knows no wheel, so it leaves the slot's bit set; whoever comes across it clears it.
 */
#include "base/wheel.h"

#include <assert.h>
#include <string.h>

enum { BITS = 6, TOP = WHEEL_LEVELS - 1, TOP_SHIFT = BITS * TOP };

/* A slot and the moment when it is to be emptied. */
struct spot {
	int level;
	unsigned slot;
	int64_t at_ms;
};

void wheel_init(struct wheel *w, int64_t now_ms)
{
	assert(now_ms >= 0);
	memset(w->used, 0, sizeof(w->used));
	w->now_ms = now_ms;
	for (int l = 0; l < WHEEL_LEVELS; l++)
		for (int s = 0; s < WHEEL_SLOTS; s++)
			list_init(&w->slot[l][s]);
}

void timer_init(struct timer *t, timer_fn *on_expire)
{
	list_init(&t->node);
	t->at_ms = 0;
	t->on_expire = on_expire;
}

static unsigned digit(int64_t time, int level)
{
	return (unsigned)(time >> (BITS * level)) % WHEEL_SLOTS;
}

static uint64_t bit(unsigned slot)
{
	return (uint64_t)1 << slot;
}

static void file(struct wheel *w, struct timer *t)
{
	int64_t at = t->at_ms > w->now_ms ? t->at_ms : w->now_ms;
	uint64_t differs = (uint64_t)(at ^ w->now_ms);
	int level = differs ? (63 - __builtin_clzll(differs)) / BITS : 0;
	unsigned slot;

	if (level >= TOP) {
		level = TOP;
		if ((at >> TOP_SHIFT) - (w->now_ms >> TOP_SHIFT) > WHEEL_SLOTS)
			at = w->now_ms; /* 64 ahead is the current slot again */
	}
	slot = digit(at, level);
	list_add_tail(&w->slot[level][slot], &t->node);
	w->used[level] |= bit(slot);
}

void timer_start(struct wheel *w, struct timer *t, int64_t at_ms)
{
	assert(t->on_expire);
	list_del(&t->node);
	t->at_ms = at_ms;
	file(w, t);
}

void timer_stop(struct timer *t)
{
	list_del(&t->node);
}

/* When the slot begins, seen from now: on the top level 1 to 64 slots ahead, else in this round. */
static int64_t begin(const struct wheel *w, int level, unsigned slot)
{
	int64_t unit = (int64_t)1 << (BITS * level);
	int64_t here = w->now_ms & -unit;
	int64_t ahead = (int64_t)slot - digit(w->now_ms, level);

	if (level == TOP && ahead <= 0)
		ahead += WHEEL_SLOTS;
	return here + ahead * unit;
}

/* Of the slots with their bit set the one that begins first. */
static unsigned next_used(const struct wheel *w, int level)
{
	uint64_t used = w->used[level];
	unsigned first = level == TOP ? digit(w->now_ms, TOP) + 1 : 0;
	uint64_t ahead = first < WHEEL_SLOTS ? used & -bit(first) : 0;

	return (unsigned)__builtin_ctzll(ahead ? ahead : used);
}

/* The next slot that holds a timer. Clears the bits that stopped timers left behind. */
static bool next_spot(struct wheel *w, struct spot *ret)
{
	for (int l = 0; l < WHEEL_LEVELS; l++) {
		while (w->used[l]) {
			unsigned slot = next_used(w, l);

			if (!list_is_empty(&w->slot[l][slot])) {
				*ret = (struct spot){ l, slot, begin(w, l, slot) };
				return true;
			}
			w->used[l] &= ~bit(slot);
		}
	}
	return false;
}

/* Hands the timers of a slot of level 0 to `due`; those of a wider slot are filed nearer to now. */
static void empty_slot(struct wheel *w, const struct spot *at, struct list *due)
{
	struct list batch, *node;

	/* Taken out first: what is beyond the wheel is filed into the same slot again. */
	list_init(&batch);
	list_move_all(&batch, &w->slot[at->level][at->slot]);
	w->used[at->level] &= ~bit(at->slot);

	if (at->level == 0) {
		list_move_all(due, &batch);
		return;
	}
	while ((node = list_shift(&batch)))
		file(w, CONTAINER(node, struct timer, node));
}

void wheel_advance(struct wheel *w, int64_t now_ms)
{
	struct list due, *node;
	struct spot at;

	if (now_ms < w->now_ms)
		now_ms = w->now_ms;

	/* All are taken out first: what a callback starts waits for the next time. */
	list_init(&due);
	while (next_spot(w, &at) && at.at_ms <= now_ms) {
		w->now_ms = at.at_ms;
		empty_slot(w, &at, &due);
	}
	w->now_ms = now_ms;

	while ((node = list_shift(&due))) {
		struct timer *t = CONTAINER(node, struct timer, node);

		t->on_expire(t, now_ms);
	}
}

int64_t wheel_wait_ms(struct wheel *w, int64_t now_ms)
{
	struct spot at;

	if (!next_spot(w, &at))
		return -1;
	return at.at_ms > now_ms ? at.at_ms - now_ms : 0;
}
