#include "rating/period.h"

#include <time.h>

static ms_t offset_of(const struct zone *zone, ms_t at)
{
	return zone ? zone_offset(zone, at) : 0;
}

/* The moment at which the wall begins the day `t` (its fields may be beyond their ranges). */
static ms_t moment_of(const struct zone *zone, struct tm *t)
{
	ms_t local = (ms_t)timegm(t) * 1000;

	return zone ? zone_utc(zone, local) : local;
}

static void begin_of(enum period_unit unit, struct tm *t, int further)
{
	*t = (struct tm){ .tm_year = t->tm_year, .tm_mon = t->tm_mon, .tm_mday = t->tm_mday };
	if (unit == PERIOD_YEAR) {
		t->tm_year += further;
		t->tm_mon = 0;
		t->tm_mday = 1;
	} else if (unit == PERIOD_MONTH) {
		t->tm_mon += further;
		t->tm_mday = 1;
	} else {
		t->tm_mday += further;
	}
}

void period_at(const struct zone *zone, enum period_unit unit, ms_t at, struct period *ret)
{
	ms_t local = at + offset_of(zone, at);
	time_t day = (time_t)(local / DAY_MS * (DAY_MS / 1000));
	struct tm now, t;

	*ret = (struct period){ 0, INT64_MAX };
	if (unit == PERIOD_ONCE || local < 0 || !gmtime_r(&day, &now))
		return;
	t = now;
	begin_of(unit, &t, 0);
	ret->begins = moment_of(zone, &t);
	t = now;
	begin_of(unit, &t, 1);
	ret->ends = moment_of(zone, &t);
	/* An hour that comes twice around midnight shows the old day again: it belongs to the new one. */
	if (at >= ret->ends) {
		ret->begins = ret->ends;
		t = now;
		begin_of(unit, &t, 2);
		ret->ends = moment_of(zone, &t);
	}
}
