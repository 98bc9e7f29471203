/*
 * clock: the only caller of clock_gettime.
 *
 * Durations and timers use the monotonic clock (CLOCK_BOOTTIME, which goes on while the machine is
 * suspended, as the peers' clocks do); wall time is only for stamps, UTC milliseconds since 1970.
 */
#pragma once

#include <stdint.h>

#include "base/buf.h"
#include "base/str.h"

typedef int64_t ms_t;

enum {
	SECOND_MS = 1000,
	MINUTE_MS = 60 * SECOND_MS,
	HOUR_MS = 60 * MINUTE_MS,
	DAY_MS = 24 * HOUR_MS,
};

ms_t clock_mono_ms(void);
int64_t clock_mono_us(void);
ms_t clock_wall_ms(void);
int64_t clock_wall_us(void);

/* ISO 8601, UTC, milliseconds: 2026-11-22T23:34:05.123Z */
enum { CLOCK_TEXT = 32 };
const char *clock_text(ms_t wall_ms, char out[CLOCK_TEXT]);
void buf_put_time(struct buf *b, ms_t wall_ms);
/*
 * ISO 8601 with offset ('Z' or ±hh:mm), seconds and fraction optional, or a date alone (midnight
 * UTC). What is finer than a millisecond is cut. Years 1970 to 9999. 0, -EINVAL (not such a text)
 * or -ERANGE (no such day or hour).
 */
int clock_parse(struct str s, ms_t *ret_wall_ms);
/* Days since 1970-01-01 of a date, and back. */
int64_t clock_days(int year, int month, int day);
void clock_date(int64_t days, int *ret_year, int *ret_month, int *ret_day);
/* Year and month of a moment in UTC, for monthly files. */
void clock_month(ms_t wall_ms, int *ret_year, int *ret_month);
