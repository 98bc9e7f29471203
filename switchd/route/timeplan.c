#include "route/timeplan.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { DAY_S = 86400, WEEK = 7, ALL_DAYS = (1 << WEEK) - 1, EPOCH_WEEKDAY = 3 };

struct timeplan {
	const struct route_plan_row *row;
	struct zone *zone;
	unsigned days;          /* a bit each, Monday first */
	int64_t from_ms, to_ms; /* of the day; to is beyond a day's end if it passes midnight */
	int64_t first, last;    /* days since 1970, both included */
};

/* ---- fields ---- */

static int day_of(struct str s)
{
	static const char *const names[WEEK] = { "mon", "tue", "wed", "thu", "fri", "sat", "sun" };

	for (int i = 0; i < WEEK; i++)
		if (str_ieq(s, str_of(names[i])))
			return i;
	return -1;
}

/* "mon" or "fri-mon"; bits of the days. 0: neither. */
static unsigned read_days(struct str item)
{
	struct str first = { NULL, 0 };
	int from, to;
	unsigned days;

	bool is_range = str_find(item, STR("-")) >= 0;

	(void)str_split(&item, '-', &first);
	from = day_of(str_trim(first));
	to = is_range ? day_of(str_trim(item)) : from;
	if (from < 0 || to < 0)
		return 0;
	for (days = 1U << from; from != to; days |= 1U << from)
		from = (from + 1) % WEEK;
	return days;
}

static int take_days(struct timeplan *p, struct err *err)
{
	struct str list = str_of(p->row->days), item;

	while (str_split(&list, ',', &item)) {
		unsigned days = read_days(str_trim(item));

		if (!days)
			return err_set(
				err, ERR_BAD_VALUE, "days", item,
				"mon, tue, wed, thu, fri, sat, sun, or a range such as mon-fri",
				"not a day of the week");
		p->days |= days;
	}
	if (!p->days)
		p->days = ALL_DAYS;
	return 0;
}

static bool is_digits(struct str s, size_t n)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] < '0' || s.p[i] > '9')
			return false;
	return s.n == n;
}

static int take_time(const char *text, const char *field, int64_t *ret_ms, struct err *err)
{
	struct str rest = str_of(text), hours = { NULL, 0 };
	uint32_t h = 0, m = 0;

	*ret_ms = 0;
	if (str_is_empty(rest))
		return 0;
	(void)str_split(&rest, ':', &hours);
	if (!is_digits(hours, 2) || !is_digits(rest, 2) || str_to_u32(hours, 24, &h) < 0 ||
	    str_to_u32(rest, 59, &m) < 0 || (h == 24 && m > 0))
		return err_set(err, ERR_BAD_VALUE, field, str_of(text),
			       "hh:mm, from 00:00 to 24:00", "not a time of the day");
	*ret_ms = (int64_t)(h * 60 + m) * 60 * 1000;
	return 0;
}

static int take_date(const char *text, const char *field, int64_t absent, int64_t *ret,
		     struct err *err)
{
	struct str s = str_of(text);
	ms_t at;

	*ret = absent;
	if (str_is_empty(s))
		return 0;
	if (s.n != sizeof("yyyy-mm-dd") - 1 || clock_parse(s, &at) < 0)
		return err_set(err, ERR_BAD_VALUE, field, s, "yyyy-mm-dd", "not a date");
	*ret = at / DAY_MS;
	return 0;
}

int timeplan_zone(struct zone **ret, const char *name, const char *field, struct err *err)
{
	struct str s = name && name[0] ? str_of(name) : STR("UTC");
	int r = zone_create(ret, s);

	if (r == 0 || r == -ENOMEM)
		return r;
	return err_set(err, ERR_BAD_VALUE, field, s,
		       "UTC, an offset such as +05:30, or a name such as Europe/Berlin",
		       "not a zone that is known here");
}

int timeplan_create(struct timeplan **ret, const struct route_plan_row *row, struct err *err)
{
	CLEANUP(timeplan_free) struct timeplan *p = calloc(1, sizeof(*p));

	if (!p)
		return -ENOMEM;
	p->row = row;
	int r = take_days(p, err);
	if (r == 0)
		r = take_time(row->from, "from", &p->from_ms, err);
	if (r == 0)
		r = take_time(row->to, "to", &p->to_ms, err);
	if (r == 0)
		r = take_date(row->first, "first", INT64_MIN, &p->first, err);
	if (r == 0)
		r = take_date(row->last, "last", INT64_MAX, &p->last, err);
	if (r == 0 && p->last < p->first)
		r = err_set(err, ERR_BAD_VALUE, "last", str_of(row->last),
			    "a date not before first", "it would never be in force");
	if (r == 0)
		r = timeplan_zone(&p->zone, row->zone, "zone", err);
	if (r < 0)
		return r;
	if (p->to_ms <= p->from_ms)
		p->to_ms += DAY_MS;
	*ret = TAKE(p);
	return 0;
}

struct timeplan *timeplan_free(struct timeplan *p)
{
	if (p) {
		zone_free(p->zone);
		free(p);
	}
	return NULL;
}

const struct route_plan_row *timeplan_row(const struct timeplan *p)
{
	return p->row;
}

/* ---- at a call ---- */

/* Does what began on that day hold at ms after its midnight? */
static bool holds(const struct timeplan *p, int64_t day, int64_t ms)
{
	int64_t weekday = (day + EPOCH_WEEKDAY) % WEEK;

	return day >= p->first && day <= p->last && (p->days >> weekday & 1) && ms >= p->from_ms &&
	       ms < p->to_ms;
}

bool timeplan_is_in_force(const struct timeplan *p, ms_t wall_ms)
{
	int64_t local = wall_ms + zone_offset(p->zone, wall_ms);
	int64_t day = local / DAY_MS, ms = local % DAY_MS;

	return holds(p, day, ms) || holds(p, day - 1, ms + DAY_MS);
}

/* The moment between the two at which the wall clock changes. */
static ms_t leap_between(const struct timeplan *p, ms_t low, ms_t high)
{
	int64_t before = zone_offset(p->zone, low);

	while (high - low > 1) {
		ms_t middle = low + (high - low) / 2;

		if (zone_offset(p->zone, middle) == before)
			low = middle;
		else
			high = middle;
	}
	return high;
}

struct search {
	const struct timeplan *plan;
	ms_t after, found;
};

static void look(struct search *s, ms_t at)
{
	if (at > s->after && at < s->found &&
	    timeplan_is_in_force(s->plan, at) != timeplan_is_in_force(s->plan, at - 1))
		s->found = at;
}

/*
 * It changes only where the wall shows one of its two times, by the clock before or after a change of that, or at the change itself.
 */
ms_t timeplan_next(const struct timeplan *p, ms_t at, ms_t until)
{
	int64_t before = zone_offset(p->zone, at), after = zone_offset(p->zone, until);
	struct search s = { p, at, until };
	int64_t last = (until + after) / DAY_MS + 1;

	for (int64_t day = (at + before) / DAY_MS - 2; day <= last; day++) {
		int64_t begins = day * DAY_MS + p->from_ms, ends = day * DAY_MS + p->to_ms;

		look(&s, begins - before);
		look(&s, begins - after);
		look(&s, ends - before);
		look(&s, ends - after);
	}
	if (before != after)
		look(&s, leap_between(p, at, until));
	return s.found;
}

bool timeplan_is_about(const struct timeplan *p, struct str caller, struct str callee)
{
	return str_has_listed_prefix(callee, str_of(p->row->callee)) &&
	       str_has_listed_prefix(caller, str_of(p->row->caller));
}

void timeplan_decide(struct timeplan *const *plans, int n, ms_t wall_ms, struct str caller,
		     struct str callee, struct timeplan_verdict *ret)
{
	bool allows = false;

	*ret = (struct timeplan_verdict){ .priority = FIELD_ABSENT, .line_limit = FIELD_ABSENT };
	for (int i = 0; i < n; i++) {
		const struct route_plan_row *row = plans[i]->row;

		if (!timeplan_is_about(plans[i], caller, callee))
			continue;
		allows |= row->action == ROUTE_PLAN_ACTION_ALLOW;
		if (!timeplan_is_in_force(plans[i], wall_ms))
			continue;
		ret->plan = row->name;
		ret->is_denied = row->action == ROUTE_PLAN_ACTION_DENY;
		ret->priority = row->priority;
		ret->line_limit = row->line_limit;
		return;
	}
	ret->is_denied = allows;
}
