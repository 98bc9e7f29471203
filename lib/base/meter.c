/*
 * A slot holds the time of one event and is given to a next one when that time is a second old.
 * Events go round the slots in order, so slot[head % limit] is the one that was taken longest ago:
 * if it is not free, none is.
 *
 * Why never more than the limit, whatever threads do: a slot changes only by a compare-and-swap
 * from a time to one at least a second later, so a second holds at most one time of each slot, and
 * there are `limit` slots. This needs neither the head nor any order between threads.
 *
 * Why it refuses only when full: taking the slot and moving head are two steps. Who comes between
 * them must not take the fresh time in slot[head] for "full". So the lowest bit of a slot tells in
 * which round it was last taken (odd or even): if that is already head's round, head is late, and
 * whoever notices moves it. A thread that slept through a whole round (more than a second) finds
 * that head has moved, and starts over.
 *
 * Threads whose `now` is some ms behind may be refused until their own clock has caught up; they
 * are never admitted too early.
 */
#include "base/meter.h"

#include <errno.h>
#include <stdatomic.h>

enum { WINDOW_MS = 1000, LIMIT_TOP = 1000000 };

#define LONG_AGO (INT64_MIN / 4)

struct meter {
	uint32_t limit;
	atomic_uint_fast64_t head;  /* events so far; the next one takes slot[head % limit] */
	atomic_int_fast64_t slot[]; /* time * 2 + round % 2 */
};

static int64_t time_of(int64_t slot)
{
	return slot >> 1;
}

static int64_t pack(int64_t now_ms, uint64_t round)
{
	return now_ms * 2 + (int64_t)(round & 1);
}

int meter_create(struct meter **ret, uint32_t limit)
{
	if (limit == 0 || limit > LIMIT_TOP)
		return -EINVAL;

	struct meter *m = malloc(sizeof(*m) + limit * sizeof(m->slot[0]));
	if (!m)
		return -ENOMEM;
	m->limit = limit;
	atomic_init(&m->head, 0);
	for (uint32_t i = 0; i < limit; i++)
		atomic_init(&m->slot[i], pack(LONG_AGO, 1)); /* the round before round 0 */
	*ret = m;
	return 0;
}

struct meter *meter_free(struct meter *m)
{
	free(m);
	return NULL;
}

uint32_t meter_limit(const struct meter *m)
{
	return m->limit;
}

bool meter_take(struct meter *m, int64_t now_ms)
{
	for (;;) {
		uint64_t head = atomic_load(&m->head), round = head / m->limit;
		atomic_int_fast64_t *slot = &m->slot[head % m->limit];
		int64_t old = atomic_load(slot);
		bool is_taken = (old & 1) == (int64_t)(round & 1);

		if (head != atomic_load(&m->head))
			continue; /* `old` may be of another round */
		if (!is_taken) {
			if (now_ms - time_of(old) < WINDOW_MS)
				return false;
			if (!atomic_compare_exchange_strong(slot, &old, pack(now_ms, round)))
				continue;
		}
		/* Ours, or for the thread that has taken it and not come to this line yet. */
		(void)atomic_compare_exchange_strong(&m->head, &head, head + 1);
		if (!is_taken)
			return true;
	}
}

uint32_t meter_count(const struct meter *m, int64_t now_ms)
{
	uint64_t head = atomic_load(&m->head);
	uint32_t n = 0;

	while (n < m->limit && n < head) {
		int64_t slot = atomic_load(&m->slot[(head - 1 - n) % m->limit]);

		if (now_ms - time_of(slot) >= WINDOW_MS)
			break;
		n++;
	}
	return n;
}
