#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "ops/clerk.h"
#include "ops/inner.h"
#include "report/backup.h"
#include "report/restore.h"

enum { PAGE = 4 << 20 };

/* ---- on a thread of the clerk ---- */

struct task {
	struct ops *ops; /* only what never changes while it runs: the ledger and the folder */
	char name[64];
	bool is_nightly;
	int keep;
};

static void hold(void *ctx)
{
	ledger_hold(ctx);
}

static void release(void *ctx)
{
	ledger_release(ctx);
}

static int work_make(void *task, const atomic_bool *stop, json_t **ret, struct err *err)
{
	const struct task *t = task;
	const char *dir = t->ops->c.data_dir;
	const struct backup_hold h = { hold, release, t->ops->hub->ledger };
	int r = backup_make(dir, clock_wall_ms(), &h, stop, ret, err);

	atomic_store(&t->ops->backup_runs, false);
	if (r < 0) {
		atomic_store(&t->ops->backup_failed, true);
		log_at(LOG_ERR, NULL, "%s", err_is_set(err) ? err->message : "no backup was made");
		return r;
	}
	atomic_store(&t->ops->backup_failed, false);
	if (t->is_nightly)
		(void)backup_prune(dir, t->keep);
	return 0;
}

static int work_verify(void *task, const atomic_bool *stop, json_t **ret, struct err *err)
{
	const struct task *t = task;
	CLEANUP(buf_done) struct buf path = BUF_INIT;

	buf_printf(&path, "%s/backup/%s", t->ops->c.data_dir, t->name);
	int r = buf_cstr(&path) ? restore_verify(t->ops->c.data_dir, path.p, stop, ret, err)
				: -ENOMEM;
	atomic_store(&t->ops->backup_runs, false);
	return r;
}

/* One at a time: each needs room on the disk for the largest file. */
static int begin(struct ops *o, struct request *r, clerk_fn *work, const struct task *t,
		 struct err *err)
{
	struct task *mine = malloc(sizeof(*mine));

	if (!mine)
		return -ENOMEM;
	if (atomic_exchange(&o->backup_runs, true)) {
		free(mine);
		return err_set(err, ERR_CONFLICT, "", STR(""), "try again when it is done",
			       "a backup is being made or verified");
	}
	*mine = *t;
	int e = clerk_take(o->clerk, r, work, mine, free);
	if (e < 0)
		atomic_store(&o->backup_runs, false);
	return e;
}

/* ---- what is asked ---- */

static int read_name(struct ops *o, const struct request *r, struct task *t, struct buf *path,
		     struct err *err)
{
	CLEANUP(buf_done) struct buf name = BUF_INIT;
	int error = arg_need(r, "name", &name, err);

	if (error < 0)
		return error;
	if (backup_is_name(buf_str(&name))) {
		buf_printf(path, "%s/backup/%.*s", o->c.data_dir, STR_ARG(buf_str(&name)));
		if (!buf_cstr(path))
			return -ENOMEM;
	}
	if (path->n == 0 || access(path->p, F_OK) < 0) {
		(void)err_set(err, ERR_NOT_FOUND, "name", buf_str(&name),
			      "a name that `backup list` shows", "there is no such backup");
		return -EINVAL;
	}
	return str_copy(t->name, sizeof(t->name), buf_str(&name));
}

int backup_make_op(struct ops *o, struct request *r, json_t **ret, struct err *err)
{
	const struct task t = { .ops = o };

	(void)ret;
	return begin(o, r, work_make, &t, err);
}

int backup_verify_op(struct ops *o, struct request *r, json_t **ret, struct err *err)
{
	CLEANUP(buf_done) struct buf path = BUF_INIT;
	struct task t = { .ops = o };
	int error = read_name(o, r, &t, &path, err);

	(void)ret;
	return error < 0 ? error : begin(o, r, work_verify, &t, err);
}

int backup_list_op(struct ops *o, struct request *r, json_t **ret, struct err *err)
{
	(void)r;
	(void)err;
	*ret = backup_list(o->c.data_dir);
	return *ret ? 0 : -ENOMEM;
}

int backup_del(struct ops *o, struct request *r, json_t **ret, struct err *err)
{
	CLEANUP(buf_done) struct buf path = BUF_INIT;
	struct task t = { .ops = o };
	int error = read_name(o, r, &t, &path, err);

	if (error < 0)
		return error;
	if (unlink(path.p) < 0)
		return err_set(err, ERR_STORE, "name", str_of(t.name), "",
			       "the backup cannot be removed: %s", strerror(errno));
	log_at(LOG_NOTICE, NULL, "backup %s was removed by %s", t.name, r->actor);
	*ret = json_pack("{s:s}", "name", t.name);
	return *ret ? 0 : -ENOMEM;
}

int backup_restore(struct ops *o, struct request *r, json_t **ret, struct err *err)
{
	CLEANUP(buf_done) struct buf path = BUF_INIT;
	struct task t = { .ops = o };
	int error = read_name(o, r, &t, &path, err);

	if (error == 0)
		error = restore_order(o->c.data_dir, str_of(t.name), err);
	if (error < 0)
		return error;
	log_at(LOG_NOTICE, NULL, "backup %s will be put in place at the next start, as %s asked",
	       t.name, r->actor);
	*ret = json_pack("{s:s s:s}", "name", t.name, "when", "at the next start of switchd");
	return *ret ? 0 : -ENOMEM;
}

/* A page at a time, from where the last one ended: a backup may be larger than memory. */
static int read_page(const char *path, int64_t after, json_t **ret)
{
	CLEANUP(close) int fd = open(path, O_RDONLY | O_CLOEXEC);
	CLEANUP(buf_done) struct buf page = BUF_INIT;
	int r = fd < 0 ? -errno : buf_reserve(&page, PAGE);
	ssize_t n = r == 0 ? pread(fd, page.p, PAGE, after) : 0;

	if (r < 0 || n < 0)
		return r < 0 ? r : -errno;
	page.n = (size_t)n;
	return page_of(buf_str(&page), n == PAGE ? after + n : 0, ret);
}

int backup_fetch(struct ops *o, struct request *r, json_t **ret, struct err *err)
{
	CLEANUP(buf_done) struct buf path = BUF_INIT;
	struct task t = { .ops = o };
	int64_t after = 0;
	int error = read_name(o, r, &t, &path, err);

	if (error == 0)
		error = arg_int(r, "after", 0, INT64_MAX, 0, &after, err);
	return error < 0 ? error : read_page(path.p, after, ret);
}

/* ---- by itself ---- */

/* When the newest is older than that; of a switch that has none, an hour after its start. */
static ms_t due_at(struct ops *o, int64_t hours)
{
	ms_t newest = backup_newest(o->c.data_dir);

	return newest ? newest + hours * HOUR_MS
		      : clock_wall_ms() - (clock_mono_ms() - o->started_mono) + HOUR_MS;
}

void backups_look(struct ops *o)
{
	const struct params *values = catalog_world(o->catalog)->params;
	int64_t hours = param_int(values, PARAM_SERVER_BACKUP_INTERVAL);
	struct task t = { .ops = o, .is_nightly = true };
	struct err err = ERR_INIT;
	ms_t now = clock_wall_ms();

	if (atomic_load(&o->backup_failed))
		alarm_raise(o->alarms, "backup_failed", 2, "", 0,
			    "the last backup was not made; the log says why");
	if (hours == 0 || atomic_load(&o->backup_runs))
		return;
	/* One that failed is tried again after ten minutes. */
	if ((atomic_load(&o->backup_failed) && now < o->backup_look) || now < due_at(o, hours))
		return;
	o->backup_look = now + HOUR_MS / 6;
	t.keep = (int)param_int(values, PARAM_SERVER_BACKUP_KEEP);
	(void)begin(o, NULL, work_make, &t, &err);
}
