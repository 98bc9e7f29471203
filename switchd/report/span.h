/* span: the time that a report is about, in somebody's zone, and the parts that it is cut into. */
#pragma once

#include "base/err.h"
#include "base/zone.h"

enum by { BY_ALL, BY_HOUR, BY_DAY, BY_MONTH };

struct span {
	struct zone *zone;
	char zone_name[66];
	ms_t from, to;
	enum by by;
};

/* What was asked for; empty texts were not. */
struct span_ask {
	struct str from, to, zone, by;
};

/*
 * from and to: times, or dates, which begin at midnight of the zone; absent: the month so far. No zone: the machine's. The sums are kept by the quarter of
 * an hour, so times lie on one. 0; -EINVAL with *err; -ENOMEM. span_done in every case.
 */
int span_read(struct span *ret, const struct span_ask *ask, ms_t now, struct err *err);
void span_done(struct span *s);
static inline void span_done_cleanup(struct span *s)
{
	span_done(s);
}
/* One whole day of the machine's zone: "2026-11-25"; empty = the one before today. */
int span_read_day(struct span *ret, struct str day, ms_t now, struct err *err);

/* Part n (from 0): its begin, and what it is called ("2026-11-25 13:00"). False behind the last. */
bool span_part(const struct span *s, int n, ms_t *ret_begin, struct buf *label);
/* A moment as the zone's wall shows it, "2026-11-25 13:00". */
void span_put_time(const struct span *s, ms_t at, struct buf *out);
