#include "base/zone.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>

#include "base/file.h"

enum { FILE_MAX = 256 << 10, HEADER = 44, DAY_S = 86400, TYPES_MAX = 256 };

/* One of the two days a year: month, week and weekday (0 = Sunday), or the day of the year. */
struct turn {
	char kind; /* 'M', 'J' (1 to 365, no 29 February) or 'n' (0 to 365) */
	int month, week, day;
	int at_s; /* of the wall's day; may be negative or above 24 h */
};

/* Behind the table: TZ of POSIX. */
struct rule {
	bool has_summer;
	int winter_s, summer_s;
	struct turn begin, end;
};

struct zone {
	int64_t *at; /* UTC seconds from which on */
	int *offset; /* that is added */
	size_t count;
	int first_s; /* before the first */
	struct rule rule;
	bool has_rule;
};

/* ---- the rule ---- */

static bool take(struct str *s, char c)
{
	if (s->n == 0 || s->p[0] != c)
		return false;
	*s = str_skip(*s, 1);
	return true;
}

static bool take_int(struct str *s, int max, int *ret)
{
	int v = 0;
	size_t n = 0;

	while (n < s->n && n < 4 && isdigit((unsigned char)s->p[n]))
		v = v * 10 + (s->p[n++] - '0');
	*s = str_skip(*s, n);
	*ret = v;
	return n > 0 && v <= max;
}

/* [+-]hh[:mm[:ss]] */
static bool take_time(struct str *s, int *ret)
{
	int sign = take(s, '-') ? -1 : 1, h, m = 0, sec = 0;

	if (sign > 0)
		(void)take(s, '+');
	if (!take_int(s, 167, &h))
		return false;
	if (take(s, ':') && (!take_int(s, 59, &m) || (take(s, ':') && !take_int(s, 59, &sec))))
		return false;
	*ret = sign * (h * 3600 + m * 60 + sec);
	return true;
}

static bool take_name(struct str *s)
{
	bool is_quoted = take(s, '<');
	size_t n = 0;

	while (n < s->n && (is_quoted ? s->p[n] != '>' : isalpha((unsigned char)s->p[n])))
		n++;
	*s = str_skip(*s, n);
	return n > 0 && (!is_quoted || take(s, '>'));
}

static bool take_turn(struct str *s, struct turn *t)
{
	bool is_right;

	*t = (struct turn){ .kind = 'n', .at_s = 7200 };
	if (!take(s, ','))
		return false;
	if (take(s, 'M')) {
		t->kind = 'M';
		is_right = take_int(s, 12, &t->month) && t->month && take(s, '.') &&
			   take_int(s, 5, &t->week) && t->week && take(s, '.') &&
			   take_int(s, 6, &t->day);
	} else {
		t->kind = take(s, 'J') ? 'J' : 'n';
		is_right = take_int(s, 365, &t->day) && (t->kind == 'n' || t->day);
	}
	return is_right && (!take(s, '/') || take_time(s, &t->at_s));
}

static bool read_rule(struct str s, struct rule *r)
{
	int west;

	*r = (struct rule){ 0 };
	if (!take_name(&s) || !take_time(&s, &west))
		return false;
	r->winter_s = -west;
	if (s.n == 0)
		return true;
	r->has_summer = true;
	r->summer_s = r->winter_s + 3600;
	if (!take_name(&s))
		return false;
	if (s.n && s.p[0] != ',') {
		if (!take_time(&s, &west))
			return false;
		r->summer_s = -west;
	}
	return take_turn(&s, &r->begin) && take_turn(&s, &r->end) && s.n == 0;
}

/* Seconds since 1970 of the turn in that year, as the wall before it counts. */
static int64_t turn_at(const struct turn *t, int year)
{
	int64_t first = clock_days(year, 1, 1), day = first + t->day;

	if (t->kind == 'J') {
		bool is_leap = clock_days(year, 3, 1) - first == 60;

		day = first + t->day - 1 + (is_leap && t->day >= 60);
	} else if (t->kind == 'M') {
		int64_t month = clock_days(year, t->month, 1);
		int64_t next = t->month == 12 ? clock_days(year + 1, 1, 1)
					      : clock_days(year, t->month + 1, 1);
		int64_t weekday = (month % 7 + 7 + 4) % 7; /* 1970-01-01 was a Thursday */

		day = month + (t->day - weekday + 7) % 7 + (t->week - 1) * 7;
		while (day >= next)
			day -= 7;
	}
	return day * DAY_S + t->at_s;
}

static int rule_offset(const struct rule *r, int64_t utc_s)
{
	int year, month;

	if (!r->has_summer)
		return r->winter_s;
	clock_month((utc_s + r->winter_s) * 1000, &year, &month);
	int64_t begin = turn_at(&r->begin, year) - r->winter_s;
	int64_t end = turn_at(&r->end, year) - r->summer_s;
	bool is_summer =
		begin < end ? utc_s >= begin && utc_s < end : utc_s >= begin || utc_s < end;

	return is_summer ? r->summer_s : r->winter_s;
}

/* ---- the file ---- */

static int64_t number(const char *p, size_t bytes)
{
	uint64_t v = (unsigned char)p[0] & 0x80 ? UINT64_MAX : 0;

	for (size_t i = 0; i < bytes; i++)
		v = v << 8 | (unsigned char)p[i];
	return (int64_t)v;
}

struct counts {
	size_t utc, standard, leap, time, type, chars;
};

static bool read_header(struct str s, struct counts *c)
{
	size_t *const at[] = { &c->utc, &c->standard, &c->leap, &c->time, &c->type, &c->chars };

	if (s.n < HEADER || !str_has_prefix(s, STR("TZif")))
		return false;
	for (size_t i = 0; i < 6; i++) {
		int64_t v = number(s.p + 20 + i * 4, 4);

		if (v < 0 || v > FILE_MAX)
			return false;
		*at[i] = (size_t)v;
	}
	return c->type > 0 && c->type <= TYPES_MAX;
}

static size_t body_size(const struct counts *c, size_t time_bytes)
{
	return c->time * (time_bytes + 1) + c->type * 6 + c->chars + c->leap * (time_bytes + 4) +
	       c->standard + c->utc;
}

static int fill(struct zone *z, struct str body, const struct counts *c)
{
	const char *index = body.p + c->time * 8, *types = index + c->time;

	z->first_s = (int)number(types, 4);
	for (size_t i = 0; i < c->time; i++) {
		size_t type = (unsigned char)index[i];

		z->at[i] = number(body.p + i * 8, 8);
		if (type >= c->type || (i > 0 && z->at[i] <= z->at[i - 1]))
			return -EBADMSG;
		z->offset[i] = (int)number(types + type * 6, 4);
		if (z->offset[i] < -2 * DAY_S || z->offset[i] > 2 * DAY_S)
			return -EBADMSG;
	}
	return z->first_s < -2 * DAY_S || z->first_s > 2 * DAY_S ? -EBADMSG : 0;
}

static struct zone *make(size_t count)
{
	CLEANUP(zone_free) struct zone *z = calloc(1, sizeof(*z));

	if (!z)
		return NULL;
	z->at = calloc(count + 1, sizeof(*z->at));
	z->offset = calloc(count + 1, sizeof(*z->offset));
	z->count = count;
	return z->at && z->offset ? TAKE(z) : NULL;
}

/* The first block has times of 32 bits; what we read is the second. */
int zone_parse(struct zone **ret, struct str file)
{
	struct counts c;

	if (!read_header(file, &c) || file.p[4] < '2' || HEADER + body_size(&c, 4) > file.n)
		return -EBADMSG;
	file = str_skip(file, HEADER + body_size(&c, 4));
	if (!read_header(file, &c) || HEADER + body_size(&c, 8) > file.n)
		return -EBADMSG;

	CLEANUP(zone_free) struct zone *z = make(c.time);
	if (!z)
		return -ENOMEM;
	int r = fill(z, str_skip(file, HEADER), &c);
	if (r < 0)
		return r;

	struct str rest = str_skip(file, HEADER + body_size(&c, 8)), line;
	if (take(&rest, '\n') && str_line(&rest, &line) && line.n) {
		z->has_rule = read_rule(line, &z->rule);
		if (!z->has_rule)
			return -EBADMSG;
	}
	*ret = TAKE(z);
	return 0;
}

/* ---- names ---- */

static bool is_fixed(struct str name, int *ret)
{
	struct str rest = name;
	bool is_west = take(&rest, '-');
	int h, m = 0;

	*ret = 0;
	if (str_eq(name, STR("UTC")) || str_eq(name, STR("Z")))
		return true;
	if ((!is_west && !take(&rest, '+')) || !take_int(&rest, 18, &h))
		return false;
	if (rest.n && (!take(&rest, ':') || !take_int(&rest, 59, &m)))
		return false;
	*ret = (is_west ? -1 : 1) * (h * 3600 + m * 60);
	return rest.n == 0;
}

static bool is_name(struct str name)
{
	if (name.n == 0 || name.n > 64 || name.p[0] == '/' || str_find(name, STR("..")) >= 0)
		return false;
	for (size_t i = 0; i < name.n; i++) {
		if (!isalnum((unsigned char)name.p[i]) && !strchr("_+-/", name.p[i]))
			return false;
	}
	return true;
}

static int read_zone(struct zone **ret, struct str name)
{
	CLEANUP(buf_done) struct buf path = BUF_INIT, file = BUF_INIT;

	buf_printf(&path, "/usr/share/zoneinfo/%.*s", STR_ARG(name));
	const char *text = buf_cstr(&path);
	int r = text ? file_read(text, FILE_MAX, &file, NULL) : -ENOMEM;
	if (r < 0)
		return r == -ENOMEM ? r : -ENOENT;
	return zone_parse(ret, buf_str(&file));
}

int zone_create(struct zone **ret, struct str name)
{
	int fixed;

	if (!is_fixed(name, &fixed))
		return is_name(name) ? read_zone(ret, name) : -EINVAL;

	struct zone *z = make(0);
	if (!z)
		return -ENOMEM;
	z->first_s = fixed;
	*ret = z;
	return 0;
}

struct zone *zone_free(struct zone *z)
{
	if (z) {
		free(z->at);
		free(z->offset);
	}
	free(z);
	return NULL;
}

/* ---- moments ---- */

static int offset_s(const struct zone *z, int64_t utc_s)
{
	size_t low = 0, high = z->count; /* the first that is later lies in low..high */

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (z->at[mid] <= utc_s)
			low = mid + 1;
		else
			high = mid;
	}
	if (low == z->count && z->has_rule)
		return rule_offset(&z->rule, utc_s);
	return low == 0 ? z->first_s : z->offset[low - 1];
}

ms_t zone_offset(const struct zone *z, ms_t utc)
{
	return (ms_t)offset_s(z, utc / 1000 - (utc % 1000 < 0)) * 1000;
}

/* No two changes are within a day of each other, and none is of more than a day. */
ms_t zone_utc(const struct zone *z, ms_t local)
{
	ms_t day = (ms_t)DAY_S * 1000;
	ms_t before = zone_offset(z, local - day), after = zone_offset(z, local + day);
	ms_t early = local - before, late = local - after;

	if (before == after || zone_offset(z, early) == before)
		return early;
	if (zone_offset(z, late) == after)
		return late;
	/* Left out: the change lies between the two, and is found by halves. */
	ms_t low = local - day, high = local + day;
	while (high - low > 1) {
		ms_t mid = low + (high - low) / 2;

		if (zone_offset(z, mid) == before)
			low = mid;
		else
			high = mid;
	}
	return high;
}
