/*
 * score: how well calls to some numbers have gone by a vendor of late: what `quality` ranks by (behaviour.md, Choosing and trying
 * vendors). By route prefix, over a window that slides a part at a time.
 *
 * Any worker writes and reads, without locks. A call costs the same however long the window is: each part is added to the sum as it
 * fills and taken from it as it leaves. Two workers that meet at the turn of a part may put one call into the part before.
 */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"

enum { SCORES = 16, SCORE_PARTS = 60, SCORE_SAMPLES = 30, SCORE_HEALTHY_ASR = 30 };

struct score_window {
	ms_t part_ms;
	int parts; /* 1 to SCORE_PARTS */
};

struct score_sum {
	int64_t tries;          /* sent, and over or answered */
	int64_t answered;       /* of these */
	int64_t talks, talk_ms; /* answered ones that have ended, and how long they lasted */
	int64_t rings, pdd_ms;  /* INVITE to the first 18x or 200 */
};

struct score;
struct scores { /* starts as zeros */
	struct score *_Atomic slot[SCORES];
};

void scores_done(struct scores *s);
/* The score of this key (hold_key of a prefix), made if need be; NULL: no room, or no memory. */
struct score *scores_get(struct scores *s, uint64_t key);
/* The same, but never made. */
struct score *scores_find(const struct scores *s, uint64_t key);

/* Below, s may be NULL: nothing is kept, and there is nothing to read. */
void score_rang(struct score *s, struct score_window w, ms_t pdd_ms, ms_t now_ms);
void score_tried(struct score *s, struct score_window w, bool is_answered, ms_t now_ms);
void score_talked(struct score *s, struct score_window w, ms_t talk_ms, ms_t now_ms);
/* What the window holds now. A window of another shape than before begins empty. */
void score_read(struct score *s, struct score_window w, ms_t now_ms, struct score_sum *ret);
/* Counts turns at this prefix, from 0 on; peek: the one that comes next, without taking it. */
uint64_t score_turn(struct score *s, bool peek);

/* Whole percent, seconds, milliseconds; 0 of nothing. */
int64_t score_asr(const struct score_sum *s);
int64_t score_acd_s(const struct score_sum *s);
ms_t score_pdd_ms(const struct score_sum *s);
/*
 * Better ones have less: ASR in whole percent, then ACD in steps of 10 s, then PDD in steps of 100 ms. Below SCORE_SAMPLES there is
 * no rank: such a vendor stands behind those with an ASR of SCORE_HEALTHY_ASR or more, and before the others.
 */
int64_t score_rank(const struct score_sum *s);
