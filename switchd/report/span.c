#include "report/span.h"

#include <errno.h>

#include "store/rollup.h"

enum { PARTS_MAX = 20000 };

/* ---- zones ---- */

/* As systemd and CentOS name it: by where /etc/localtime leads. */
static void local_name(char *out, size_t size)
{
	char link[256];
	const char *tz = getenv("TZ");
	ssize_t n = tz ? 0 : readlink("/etc/localtime", link, sizeof(link));
	struct str name = tz ? str_of(tz) : str_n(link, n > 0 ? (size_t)n : 0);
	ptrdiff_t at = str_find(name, STR("/zoneinfo/"));

	if (at >= 0)
		name = str_skip(name, (size_t)at + 10);
	if (name.n == 0 || str_copy(out, size, name) < 0)
		(void)str_copy(out, size, STR("UTC"));
}

static int read_zone(struct span *s, struct str name, struct err *err)
{
	bool is_ours = name.n == 0;

	if (is_ours)
		local_name(s->zone_name, sizeof(s->zone_name));
	else if (str_copy(s->zone_name, sizeof(s->zone_name), name) < 0)
		s->zone_name[0] = '\0';
	int r = zone_create(&s->zone, str_of(s->zone_name));
	if (r < 0 && r != -ENOMEM && is_ours) {
		(void)str_copy(s->zone_name, sizeof(s->zone_name), STR("UTC"));
		r = zone_create(&s->zone, STR("UTC"));
	}
	if (r == 0 || r == -ENOMEM)
		return r;
	return err_set(err, ERR_BAD_VALUE, "zone", name,
		       "UTC, +05:30 or a name such as Europe/Berlin", "there is no such zone");
}

/* ---- moments ---- */

static ms_t floor_to(ms_t v, ms_t unit)
{
	return v - ((v % unit) + unit) % unit;
}

static ms_t local(const struct span *s, ms_t at)
{
	return at + zone_offset(s->zone, at);
}

void span_put_time(const struct span *s, ms_t at, struct buf *out)
{
	ms_t wall = local(s, at), day = floor_to(wall, DAY_MS);
	int y, m, d;

	clock_date(day / DAY_MS, &y, &m, &d);
	buf_printf(out, "%04d-%02d-%02d %02d:%02d", y, m, d, (int)((wall - day) / HOUR_MS),
		   (int)((wall - day) / 60000 % 60));
}

static int read_moment(const struct span *s, const char *name, struct str text, ms_t *ret,
		       struct err *err)
{
	int r = clock_parse(text, ret);

	if (r < 0)
		return err_set(err, ERR_BAD_VALUE, name, text,
			       "a date such as 2026-12-01, or a time such as 2026-12-01T00:00:00Z",
			       "%s is not a time", name);
	if (text.n == 10)
		*ret = zone_utc(s->zone, *ret);
	if (*ret % ROLLUP_MS)
		return err_set(
			err, ERR_BAD_VALUE, name, text,
			"a time on a quarter of an hour, such as 13:15:00Z",
			"the sums that reports are made of are kept by the quarter of an hour");
	return 0;
}

static int read_by(struct str text, enum by *ret, struct err *err)
{
	static const char *const names[] = { "", "hour", "day", "month" };

	for (int i = 0; i < 4; i++) {
		if (str_eq(text, str_of(names[i]))) {
			*ret = (enum by)i;
			return 0;
		}
	}
	return err_set(err, ERR_BAD_VALUE, "by", text, "hour, day or month", "not a unit of time");
}

static ms_t month_begin(const struct span *s, ms_t at)
{
	int y, m;

	clock_month(local(s, at), &y, &m);
	return zone_utc(s->zone, clock_days(y, m, 1) * DAY_MS);
}

static int check_span(const struct span *s, struct err *err)
{
	int64_t unit = s->by == BY_HOUR ? HOUR_MS : DAY_MS;

	if (s->to <= s->from)
		return err_set(err, ERR_BAD_VALUE, "to", STR(""), "a time after from",
			       "the time ends before it begins");
	if (s->by != BY_ALL && (s->to - s->from) / unit > PARTS_MAX)
		return err_set(err, ERR_BAD_VALUE, "by", STR(""), "a shorter time, or day or month",
			       "that would be more than %d parts", PARTS_MAX);
	return 0;
}

int span_read(struct span *ret, const struct span_ask *ask, ms_t now, struct err *err)
{
	*ret = (struct span){ 0 };
	int r = read_zone(ret, ask->zone, err);
	if (r == 0)
		r = read_by(ask->by, &ret->by, err);
	if (r < 0)
		return r;
	ret->to = floor_to(now, ROLLUP_MS) + ROLLUP_MS;
	ret->from = month_begin(ret, now);
	if (ask->to.n)
		r = read_moment(ret, "to", ask->to, &ret->to, err);
	if (r == 0 && ask->from.n)
		r = read_moment(ret, "from", ask->from, &ret->from, err);
	else if (r == 0)
		ret->from = month_begin(ret, ret->to - 1);
	return r < 0 ? r : check_span(ret, err);
}

int span_read_day(struct span *ret, struct str day, ms_t now, struct err *err)
{
	struct span_ask none = { .from = STR("") };
	int r = span_read(ret, &none, now, err);

	if (r < 0)
		return r;
	ms_t wall = floor_to(local(ret, now), DAY_MS) - DAY_MS;
	if (day.n && (day.n != 10 || clock_parse(day, &wall) < 0))
		return err_set(err, ERR_BAD_VALUE, "day", day, "a date such as 2026-11-25",
			       "not a day");
	ret->from = zone_utc(ret->zone, wall);
	ret->to = zone_utc(ret->zone, wall + DAY_MS);
	return 0;
}

void span_done(struct span *s)
{
	s->zone = zone_free(s->zone);
}

/* ---- parts ---- */

/* Hours are counted in UTC from the first on, so that the one which comes twice is two. */
static ms_t part_begin(const struct span *s, int n)
{
	ms_t first = local(s, s->from);
	int y, m;

	if (n == 0)
		return s->from;
	switch (s->by) {
	case BY_HOUR:
		return s->from + (ms_t)n * HOUR_MS - (first - floor_to(first, HOUR_MS));
	case BY_DAY:
		return zone_utc(s->zone, floor_to(first, DAY_MS) + (ms_t)n * DAY_MS);
	case BY_MONTH:
		clock_month(first, &y, &m);
		return zone_utc(s->zone,
				clock_days(y + (m - 1 + n) / 12, (m - 1 + n) % 12 + 1, 1) * DAY_MS);
	default:
		return s->to;
	}
}

bool span_part(const struct span *s, int n, ms_t *ret_begin, struct buf *label)
{
	static const size_t length[] = { 0, 16, 10, 7 };
	ms_t begin = part_begin(s, n);

	if (begin >= s->to)
		return false;
	*ret_begin = begin;
	buf_clear(label);
	span_put_time(s, begin, label);
	if (buf_error(label) == 0)
		label->n = length[s->by];
	return true;
}
