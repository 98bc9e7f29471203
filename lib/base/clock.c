/*
 * Calendar arithmetic is our own: gmtime_r takes a lock of the C library, and it is a dozen lines.
 * It is Howard Hinnant's: years start in March, so that the leap day is the last of a year.
 */
#include "base/clock.h"

#include <errno.h>
#include <time.h>

struct date {
	int64_t year;
	int month; /* 1 to 12 */
	int day;
};

static struct timespec read_clock(clockid_t id)
{
	struct timespec t = { 0 };

	(void)clock_gettime(id, &t); /* these clocks are always there */
	return t;
}

ms_t clock_mono_ms(void)
{
	return clock_mono_us() / 1000;
}

int64_t clock_mono_us(void)
{
	struct timespec t = read_clock(CLOCK_BOOTTIME);

	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

ms_t clock_wall_ms(void)
{
	return clock_wall_us() / 1000;
}

int64_t clock_wall_us(void)
{
	struct timespec t = read_clock(CLOCK_REALTIME);

	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static int64_t floor_div(int64_t a, int64_t b)
{
	return a / b - (a % b < 0);
}

/* Days since 1970-01-01 of a date, and back. An era is the 400 years after which all repeats. */
static int64_t days_of(struct date d)
{
	int64_t year = d.year - (d.month <= 2);
	int64_t era = floor_div(year, 400);
	int64_t in_era = year - era * 400;
	int64_t in_year = (153 * ((d.month + 9) % 12) + 2) / 5 + d.day - 1;

	return era * 146097 + in_era * 365 + in_era / 4 - in_era / 100 + in_year - 719468;
}

static struct date date_of(int64_t days)
{
	int64_t since_0000 = days + 719468;
	int64_t era = floor_div(since_0000, 146097);
	int64_t in_era = since_0000 - era * 146097;
	int64_t year = (in_era - in_era / 1460 + in_era / 36524 - in_era / 146096) / 365;
	int64_t in_year = in_era - (365 * year + year / 4 - year / 100);
	int64_t from_march = (5 * in_year + 2) / 153;

	return (struct date){
		.year = era * 400 + year + (from_march >= 10),
		.month = (int)(from_march < 10 ? from_march + 3 : from_march - 9),
		.day = (int)(in_year - (153 * from_march + 2) / 5 + 1),
	};
}

void buf_put_time(struct buf *b, ms_t wall_ms)
{
	int64_t days = floor_div(wall_ms, DAY_MS);
	int ms = (int)((wall_ms % DAY_MS + DAY_MS) % DAY_MS);
	struct date d = date_of(days);

	buf_printf(b, "%04lld-%02d-%02dT%02d:%02d:%02d.%03dZ", (long long)d.year, d.month, d.day,
		   ms / 3600000, ms / 60000 % 60, ms / 1000 % 60, ms % 1000);
}

const char *clock_text(ms_t wall_ms, char out[CLOCK_TEXT])
{
	struct buf b = buf_fixed(out, CLOCK_TEXT);

	buf_put_time(&b, wall_ms);
	return buf_cstr(&b);
}

int64_t clock_days(int year, int month, int day)
{
	return days_of((struct date){ year, month, day });
}

void clock_date(int64_t days, int *ret_year, int *ret_month, int *ret_day)
{
	struct date d = date_of(days);

	*ret_year = (int)d.year;
	*ret_month = d.month;
	*ret_day = d.day;
}

void clock_month(ms_t wall_ms, int *ret_year, int *ret_month)
{
	struct date d = date_of(floor_div(wall_ms, DAY_MS));

	*ret_year = (int)d.year;
	*ret_month = d.month;
}

/* What a text says, before it is looked at whether there is such a moment. */
struct stamp {
	struct date date;
	int hour, minute, second, ms;
	int offset_sign, offset_hour, offset_minute;
};

static bool take_char(struct str *s, char c)
{
	if (s->n == 0 || s->p[0] != c)
		return false;
	*s = str_skip(*s, 1);
	return true;
}

static bool take_number(struct str *s, size_t digits, int *ret)
{
	uint32_t v;

	if (s->n < digits || str_to_u32(str_head(*s, digits), UINT32_MAX, &v) < 0)
		return false;
	*s = str_skip(*s, digits);
	*ret = (int)v;
	return true;
}

static bool take_date(struct str *s, struct stamp *t)
{
	int year;

	if (!take_number(s, 4, &year))
		return false;
	t->date.year = year;
	return take_char(s, '-') && take_number(s, 2, &t->date.month) && take_char(s, '-') &&
	       take_number(s, 2, &t->date.day);
}

/* One digit or more; what is finer than a millisecond is cut. */
static bool take_fraction(struct str *s, struct stamp *t)
{
	int digit, unit = 100;

	if (!take_number(s, 1, &digit))
		return false;
	do {
		t->ms += digit * unit;
		unit /= 10;
	} while (take_number(s, 1, &digit));
	return true;
}

static bool take_time(struct str *s, struct stamp *t)
{
	if (!take_number(s, 2, &t->hour) || !take_char(s, ':') || !take_number(s, 2, &t->minute))
		return false;
	if (!take_char(s, ':'))
		return true;
	return take_number(s, 2, &t->second) && (!take_char(s, '.') || take_fraction(s, t));
}

static bool take_offset(struct str *s, struct stamp *t)
{
	if (take_char(s, 'Z'))
		return true;
	t->offset_sign = take_char(s, '+') ? 1 : take_char(s, '-') ? -1 : 0;
	return t->offset_sign && take_number(s, 2, &t->offset_hour) && take_char(s, ':') &&
	       take_number(s, 2, &t->offset_minute);
}

static bool exists(const struct stamp *t)
{
	/* The day after the 28th of a month is that day, or it is the first of the next. */
	struct date back = date_of(days_of(t->date));

	return t->date.year >= 1970 && t->date.month >= 1 && t->date.month <= 12 &&
	       t->date.day >= 1 && back.month == t->date.month && back.day == t->date.day &&
	       t->hour < 24 && t->minute < 60 && t->second < 60 && t->offset_hour < 24 &&
	       t->offset_minute < 60;
}

int clock_parse(struct str s, ms_t *ret_wall_ms)
{
	struct stamp t = { 0 };

	if (!take_date(&s, &t))
		return -EINVAL;
	if (s.n && (!take_char(&s, 'T') || !take_time(&s, &t) || !take_offset(&s, &t) || s.n))
		return -EINVAL;
	if (!exists(&t))
		return -ERANGE;

	int64_t minutes = t.hour * 60 + t.minute;
	minutes -= t.offset_sign * (t.offset_hour * 60 + t.offset_minute);
	int64_t ms = days_of(t.date) * DAY_MS + minutes * MINUTE_MS + t.second * 1000 + t.ms;
	if (ms < 0 || ms >= days_of((struct date){ 10000, 1, 1 }) * DAY_MS)
		return -ERANGE;
	*ret_wall_ms = ms;
	return 0;
}
