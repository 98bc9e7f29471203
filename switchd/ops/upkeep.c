#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>

#include "base/clock.h"
#include "base/log.h"
#include "ops/clerk.h"
#include "ops/inner.h"
#include "report/nightly.h"
#include "store/month.h"

/*
 * What keeps the disk from filling up. What is kept for a time goes when that is over: records by whole months, which costs nothing
 * and can be seen in the folder, reports by nights; lines of the log and alarms some at a time. Payments stay for ever. Before the disk is full no new call is
 * taken, so that those that are up can still be booked; when half of what is kept for them is used up, refused calls leave no
 * record either (call/finish.c), however many there are.
 */

enum { LOG_LINES = 1000, PERIOD_MS = 3600000, MEGABYTE = 1 << 20, SMALL_DISK = 20 };

/* ---- records ---- */

struct clearing {
	const char *data_dir;
	struct month oldest; /* that stays */
};

static int remove_months(const struct clearing *c, const char *dir, int64_t *ret_removed)
{
	CLEANUP(free) struct month *list = NULL;
	size_t n = 0;
	int r = month_list(dir, &list, &n);

	for (size_t i = 0; r == 0 && i < n; i++) {
		if (month_cmp(list[i], c->oldest) >= 0)
			continue;
		r = month_remove(dir, list[i]);
		log_at(r < 0 ? LOG_ERR : LOG_NOTICE, NULL, "the records of %04d-%02d %s: %s",
		       list[i].year, list[i].month, r < 0 ? "cannot be removed" : "are removed",
		       r < 0 ? strerror(-r) : "their time is over (CDR_KEEP_MONTHS)");
		*ret_removed += r == 0;
	}
	return r;
}

static int work_clearing(void *task, const atomic_bool *stop, json_t **ret, struct err *err)
{
	CLEANUP(buf_done) struct buf dir = BUF_INIT;
	const struct clearing *c = task;
	int64_t removed = 0;

	(void)stop;
	(void)err;
	buf_printf(&dir, "%s/cdr", c->data_dir);
	int r = buf_cstr(&dir) ? remove_months(c, dir.p, &removed) : -ENOMEM;
	*ret = json_integer(removed);
	return r;
}

/* The month that it is, and so many before it, stay. */
static struct month months_ago(struct month m, int64_t n)
{
	int64_t months = (int64_t)m.year * 12 + m.month - 1 - n;

	return (struct month){ (int)(months / 12), (int)(months % 12) + 1 };
}

static void clear_records(struct ops *o, int64_t months)
{
	struct clearing *c = malloc(sizeof(*c));

	if (!c)
		return;
	*c = (struct clearing){ o->c.data_dir,
				months_ago(month_of(cdr_id_at(clock_wall_ms())), months) };
	(void)clerk_take(o->clerk, NULL, work_clearing, c, free);
}

/* ---- files of reports ---- */

struct stale {
	const char *data_dir;
	char first_day[11]; /* that stays */
};

static int work_reports(void *task, const atomic_bool *stop, json_t **ret, struct err *err)
{
	const struct stale *x = task;
	int removed = nightly_clear(x->data_dir, x->first_day, stop);

	(void)err;
	if (removed > 0)
		log_at(LOG_NOTICE, NULL, "the reports of %d nights are removed (REPORT_KEEP_DAYS)",
		       removed);
	*ret = json_integer(removed);
	return removed < 0 ? removed : 0;
}

static void clear_reports(struct ops *o, int64_t days)
{
	struct stale *x = malloc(sizeof(*x));
	char text[CLOCK_TEXT];

	if (!x)
		return;
	x->data_dir = o->c.data_dir;
	(void)str_copy(x->first_day, sizeof(x->first_day),
		       str_head(str_of(clock_text(clock_wall_ms() - (days + 1) * DAY_MS, text)),
				10)); /* folders are of local days, which may be behind */
	(void)clerk_take(o->clerk, NULL, work_reports, x, free);
}

/* ---- the log, and alarms that are over ---- */

/* Some rows of before; how many, or negative errno. */
static int clear_rows(struct ops *o, const char *sql, ms_t before)
{
	CLEANUP(stmt_free) struct stmt *s = NULL;
	int r = stmt_prepare(&s, o->db, sql);

	if (r < 0)
		return r;
	stmt_bind_int(s, 1, before);
	stmt_bind_int(s, 2, LOG_LINES);
	r = stmt_run(s);
	return r < 0 ? r : db_changes(o->db);
}

/* True: there may be more. */
static bool clear_old(struct ops *o, const char *sql, int64_t days, const char *what)
{
	int n = days > 0 ? clear_rows(o, sql, clock_wall_ms() - days * DAY_MS) : 0;

	if (n > 0)
		log_at(LOG_NOTICE, NULL, "%d %s", n, what);
	return n == LOG_LINES;
}

static void clear_log(struct ops *o, int64_t days, int64_t alarm_days)
{
	bool has_lines = clear_old(o,
				   "DELETE FROM system_log WHERE id IN (SELECT id FROM system_log"
				   " WHERE at < ?1 ORDER BY at LIMIT ?2)",
				   days, "lines of the system log are removed (LOG_KEEP_DAYS)");
	bool has_alarms =
		clear_old(o,
			  "DELETE FROM alarm WHERE id IN (SELECT id FROM alarm"
			  " WHERE cleared < ?1 LIMIT ?2)",
			  alarm_days, "alarms that are over are removed (ALARM_KEEP_DAYS)");

	o->upkeep.has_more = has_lines || has_alarms;
}

/* At the start, every hour, and when it was said anew; a long log over some seconds. */
static void clear_what_is_old(struct ops *o)
{
	struct upkeep *u = &o->upkeep;
	const struct params *p = catalog_world(o->catalog)->params;
	int64_t months = param_int(p, PARAM_CDR_KEEP_MONTHS);
	int64_t days = param_int(p, PARAM_LOG_KEEP_DAYS);
	int64_t alarm_days = param_int(p, PARAM_ALARM_KEEP_DAYS);
	int64_t report_days = param_int(p, PARAM_REPORT_KEEP_DAYS);
	bool is_time = clock_mono_ms() >= u->next_ms;

	if (o->is_locked)
		return;

	if ((is_time || months != u->months) && months > 0)
		clear_records(o, months);
	if ((is_time || report_days != u->report_days) && report_days > 0)
		clear_reports(o, report_days);
	if (is_time || days != u->days || alarm_days != u->alarm_days || u->has_more)
		clear_log(o, days, alarm_days);
	u->months = months;
	u->report_days = report_days;
	u->days = days;
	u->alarm_days = alarm_days;
	if (is_time)
		u->next_ms = clock_mono_ms() + PERIOD_MS;
}

/* ---- room ---- */

/* A small disk has a small reserve. */
static uint64_t reserve_of(struct ops *o, uint64_t total)
{
	uint64_t mb = (uint64_t)param_int(catalog_world(o->catalog)->params, PARAM_DISK_RESERVE_MB);
	uint64_t part = total / SMALL_DISK;

	return mb * MEGABYTE < part ? mb * MEGABYTE : part;
}

static void warn_of_disk(struct ops *o, uint64_t used, uint64_t total, bool is_tight)
{
	int64_t percent = total ? (int64_t)(used * 100 / total) : 0;
	char text[120];

	if (percent < 80 && !is_tight)
		return;
	(void)snprintf(text, sizeof(text), "%lld %% of the disk is in use%s", (long long)percent,
		       is_tight ? "; no new calls, so that those that are up can be booked" : "");
	alarm_raise(o->alarms, "disk",
		    is_tight || percent >= 95 ? 3
		    : percent >= 90           ? 2
					      : 1,
		    o->c.data_dir, percent, text);
}

void look_at_disk(struct ops *o)
{
	struct statvfs s;

	if (statvfs(o->c.data_dir, &s) < 0)
		return;

	uint64_t room = (uint64_t)s.f_bavail * s.f_frsize;
	uint64_t used = (uint64_t)(s.f_blocks - s.f_bfree) * s.f_frsize;
	uint64_t reserve = reserve_of(o, used + room);
	/* Once tight, a quarter more is asked for, or calls would come and go with every file. */
	bool was_tight = ledger_is_tight(o->hub->ledger);
	bool is_tight = room < (was_tight ? reserve + reserve / 4 : reserve);
	bool is_low = room < reserve / 2;

	if (is_tight != was_tight)
		log_at(is_tight ? LOG_ERR : LOG_NOTICE, NULL, "the disk %s: new calls are %s",
		       is_tight ? "is all but full" : "has room again",
		       is_tight ? "refused" : "taken");
	ledger_set_room(o->hub->ledger, is_low     ? LEDGER_LOW
					: is_tight ? LEDGER_TIGHT
						   : LEDGER_ROOM);
	warn_of_disk(o, used, used + room, is_tight);
}

uint64_t upkeep_reserve(struct ops *o)
{
	struct statvfs s;

	if (statvfs(o->c.data_dir, &s) < 0)
		return 0;
	uint64_t used = (uint64_t)(s.f_blocks - s.f_bfree) * s.f_frsize;
	uint64_t reserve = reserve_of(o, used + (uint64_t)s.f_bavail * s.f_frsize);
	return reserve + reserve / 4;
}

void upkeep_look(struct ops *o)
{
	clear_what_is_old(o);
}
