#include "vendor/score.h"

#include <stdlib.h>

/* In the order of struct score_sum. */
enum count { TRIES, ANSWERED, TALKS, TALK_MS, RINGS, PDD_MS, COUNTS };

/* One more than a window has: what fills is not yet emptied by a worker that is late. */
enum { KEPT = SCORE_PARTS + 1 };

struct score {
	uint64_t key;
	_Atomic uint64_t turns;
	_Atomic int64_t shape; /* part_ms and parts that the numbers below were kept by */
	_Atomic int64_t head;  /* the part that fills now: time in parts */
	_Atomic int64_t sum[COUNTS];
	_Atomic int64_t part[KEPT][COUNTS];
};

void scores_done(struct scores *s)
{
	for (int i = 0; i < SCORES; i++)
		free(atomic_load(&s->slot[i]));
}

struct score *scores_find(const struct scores *s, uint64_t key)
{
	for (int i = 0; i < SCORES; i++) {
		struct score *x = atomic_load(&s->slot[i]);

		if (!x)
			return NULL;
		if (x->key == key)
			return x;
	}
	return NULL;
}

/* Slots are filled in their order and never given up, so the first empty one ends the search. */
struct score *scores_get(struct scores *s, uint64_t key)
{
	struct score *x = scores_find(s, key);

	if (x || atomic_load(&s->slot[SCORES - 1]))
		return x;
	x = calloc(1, sizeof(*x));
	if (!x)
		return NULL;
	x->key = key;
	for (int i = 0; i < SCORES; i++) {
		struct score *before = NULL;

		if (atomic_compare_exchange_strong(&s->slot[i], &before, x))
			return x;
		if (before->key == key) {
			free(x);
			return before;
		}
	}
	free(x);
	return NULL;
}

static void empty_part(struct score *s, int64_t part)
{
	_Atomic int64_t *p = s->part[part % KEPT];

	for (int i = 0; i < COUNTS; i++)
		atomic_fetch_sub(&s->sum[i], atomic_exchange(&p[i], 0));
}

static void begin_anew(struct score *s, int64_t shape, int64_t now)
{
	int64_t before = atomic_load(&s->shape);

	if (before == shape || !atomic_compare_exchange_strong(&s->shape, &before, shape))
		return;
	for (int i = 0; i < KEPT; i++)
		empty_part(s, i);
	atomic_store(&s->head, now);
}

/* What has left the window leaves the sum. Returns the part that fills now. */
static int64_t slide(struct score *s, struct score_window w, ms_t now_ms)
{
	if (!s) /* nothing is measured, and w may be nothing either */
		return 0;

	int64_t now = now_ms / w.part_ms;

	begin_anew(s, w.part_ms * KEPT + w.parts, now);

	int64_t head = atomic_load(&s->head);

	if (now <= head || !atomic_compare_exchange_strong(&s->head, &head, now))
		return head > now ? head : now;

	int64_t out = head - w.parts + 1, last = now - w.parts;

	if (last - out >= KEPT)
		out = last - KEPT + 1;
	for (; out <= last; out++)
		if (out >= 0)
			empty_part(s, out);
	return now;
}

static void add(struct score *s, int64_t part, enum count what, int64_t n)
{
	if (!s)
		return;
	atomic_fetch_add(&s->part[part % KEPT][what], n);
	atomic_fetch_add(&s->sum[what], n);
}

void score_rang(struct score *s, struct score_window w, ms_t pdd_ms, ms_t now_ms)
{
	int64_t part = slide(s, w, now_ms);

	add(s, part, RINGS, 1);
	add(s, part, PDD_MS, pdd_ms);
}

void score_tried(struct score *s, struct score_window w, bool is_answered, ms_t now_ms)
{
	int64_t part = slide(s, w, now_ms);

	add(s, part, TRIES, 1);
	add(s, part, ANSWERED, is_answered);
}

void score_talked(struct score *s, struct score_window w, ms_t talk_ms, ms_t now_ms)
{
	int64_t part = slide(s, w, now_ms);

	add(s, part, TALKS, 1);
	add(s, part, TALK_MS, talk_ms);
}

void score_read(struct score *s, struct score_window w, ms_t now_ms, struct score_sum *ret)
{
	*ret = (struct score_sum){ 0 };
	(void)slide(s, w, now_ms);
	if (!s)
		return;
	ret->tries = atomic_load(&s->sum[TRIES]);
	ret->answered = atomic_load(&s->sum[ANSWERED]);
	ret->talks = atomic_load(&s->sum[TALKS]);
	ret->talk_ms = atomic_load(&s->sum[TALK_MS]);
	ret->rings = atomic_load(&s->sum[RINGS]);
	ret->pdd_ms = atomic_load(&s->sum[PDD_MS]);
}

uint64_t score_turn(struct score *s, bool peek)
{
	if (!s)
		return 0;
	return peek ? atomic_load(&s->turns) : atomic_fetch_add(&s->turns, 1);
}

static int64_t ratio(int64_t a, int64_t b)
{
	return b > 0 && a > 0 ? a / b : 0;
}

int64_t score_asr(const struct score_sum *s)
{
	return ratio(s->answered * 100, s->tries);
}

int64_t score_acd_s(const struct score_sum *s)
{
	return ratio(s->talk_ms / 1000, s->talks);
}

ms_t score_pdd_ms(const struct score_sum *s)
{
	return ratio(s->pdd_ms, s->rings);
}

static int64_t at_most(int64_t n, int64_t most)
{
	return n < most ? n : most;
}

int64_t score_rank(const struct score_sum *s)
{
	enum { RANK_HEALTHY, RANK_UNKNOWN, RANK_POOR };
	enum { ASR_BIT = 32, ACD_BIT = 16, CLASS_BIT = 40, MOST = 0xffff };
	int64_t asr = at_most(score_asr(s), 100);

	if (s->tries < SCORE_SAMPLES)
		return (int64_t)RANK_UNKNOWN << CLASS_BIT;
	return (int64_t)(asr >= SCORE_HEALTHY_ASR ? RANK_HEALTHY : RANK_POOR) << CLASS_BIT |
	       (100 - asr) << ASR_BIT | (MOST - at_most(score_acd_s(s) / 10, MOST)) << ACD_BIT |
	       at_most(score_pdd_ms(s) / 100, MOST);
}
