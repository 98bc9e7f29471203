#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "control/upload.h"
#include "ops/clerk.h"
#include "ops/inner.h"
#include "ops/sheet_doc.h"
#include "ops/sheet_task.h"
#include "sheet/effect.h"
#include "sheet/load.h"
#include "sheet/store.h"
#include "store/rows.h"

/*
 * Rate sheets. All that takes long is done by the clerk, on a connection of its own: the file is read and checked whole; then, if it
 * is to be put in place, switch.db is locked for everybody else (change_begin, parked.c), one transaction makes the change, and the
 * tariff is compiled from what is stored before it is committed. The main thread publishes it. Calls are rated all the time, by the
 * world they see; each by one version, since a rate is looked up once a call and party.
 *
 * A sheet without a moment of its own takes effect a little later, when it is in place for certain, so that what the rates say is what was
 * charged; and it is answered then, however long that is, so that who was told that it is applied may rely on it. How much later is
 * learnt from the machine as it is now: to put a sheet in place takes some seven times as long as to read it, and seventeen times where each
 * line ends another rate. An undo has such a moment, too; it is learnt from how long its group takes to read. One that turns out to be slower gets the time it took and as much again, with everything undone and
 * done again.
 */

enum {
	READS_NEW = 9, /* in place within so many times what reading took */
	READS_AGAIN =
		10, /* ... and so many more if there is a rate for each row, twice that if there are two */
	ROWS_A_MS = 200, /* ... or at this pace, of the rows that are there, too */
	SCANS_UNDO = 20, /* to take one back, in times of what reading its group took */
	LEAST_MS = 20,
	WAIT_MS = 2000, /* a moment that was asked for is waited for, if it is as near as that */
	SLICE_MS =
		100, /* who waits on a thread of the clerk lets others have it as often as that */
	TRIES = 3,
};

static void unlock(struct sheet_task *t);

static void task_free(void *task)
{
	struct sheet_task *t = task;

	unlock(t);

	spool_done(&t->spool);
	buf_done(&t->group);
	buf_done(&t->columns);
	buf_done(&t->who);
	buf_done(&t->decimal);
	buf_done(&t->dates);
	buf_done(&t->zone_name);
	buf_done(&t->route_prefix);
	zone_free(t->zone);
	origin_list_done(&t->origins);
	sheet_done(&t->sheet);
	tariff_free(t->tariff);
	free(t);
}

static struct sheet_task *task_create(struct ops *o, const struct request *r)
{
	struct sheet_task *t = calloc(1, sizeof(*t));

	if (!t)
		return NULL;
	t->ops = o;
	t->data_dir = o->c.data_dir;
	t->spool.fd = -1;
	buf_putz(&t->who, r->actor);
	return t;
}

/* ---- on the clerk's thread ---- */

static int answer(struct sheet_task *t, const char *state, const struct delta *p,
		  const struct effect *effect, ms_t moment, int64_t id, json_t **ret)
{
	const struct sheet_doc d = { .state = state,
				     .group = buf_str(&t->group),
				     .mode = t->mode,
				     .moment = moment,
				     .sheet = id,
				     .limit = t->limit,
				     .read = &t->sheet,
				     .delta = p,
				     .effect = effect };

	t->has_answer = true;
	return sheet_doc(&d, ret);
}

/* What it would change, of the rates as they are now. */
static int preview(struct sheet_task *t, const atomic_bool *stop, json_t **ret, struct err *err)
{
	CLEANUP(db_close) struct db *d = NULL;
	CLEANUP(delta_done) struct delta p = { 0 };
	ms_t now = clock_wall_ms();
	struct delta_ask ask = { .group = buf_str(&t->group),
				 .mode = t->mode,
				 .now = now,
				 .moment = t->moment != FIELD_ABSENT ? t->moment : now,
				 .is_preview = true };
	int r = spool_open_config(t->data_dir, DB_READ, stop, &d, err);

	if (r == 0)
		r = delta_make(&p, d, &t->sheet, &ask);
	struct effect_ask week = { t->data_dir, &ask, &t->rules, buf_str(&t->route_prefix), stop };
	struct effect effect;
	if (r == 0)
		r = effect_find(&effect, d, &t->sheet, &p, &week, err);
	return r < 0 ? r : answer(t, "checked", &p, &effect, t->moment, 0, ret);
}

static int work_read(void *task, const atomic_bool *stop, json_t **ret, struct err *err)
{
	struct sheet_task *t = task;
	int r = spool_map(&t->spool, err);
	ms_t begun = clock_mono_ms();

	t->format.stop = stop;
	if (r == 0)
		r = sheet_read(&t->sheet, &t->format, spool_text(&t->spool), err);
	t->read_ms = clock_mono_ms() - begun;
	if (r == 0 && t->sheet.problems)
		return answer(t, "refused", NULL, NULL, t->moment, 0, ret);
	return r == 0 && t->is_dry ? preview(t, stop, ret, err) : r;
}

static int log_sheet(struct db *d, const struct sheet_task *t, enum op op, int64_t sheet, ms_t now)
{
	CLEANUP(stmt_free) struct stmt *s = NULL;
	CLEANUP(buf_done) struct buf after = BUF_INIT;
	int r = stmt_prepare(&s, d,
			     "INSERT INTO system_log (at, who, operation, key, after)"
			     " VALUES (?,?,?,?,?)");

	if (r < 0)
		return r;
	buf_printf(&after, "{\"sheet\":%lld}", (long long)sheet);
	stmt_bind_int(s, 1, now);
	stmt_bind_text(s, 2, buf_str(&t->who));
	stmt_bind_text(s, 3, str_of(op_infos[op].name));
	stmt_bind_text(s, 4, buf_str(&t->group));
	stmt_bind_text(s, 5, buf_str(&after));
	return stmt_run(s);
}

static int no_store(struct db *d, int r, struct err *err)
{
	(void)err_set(err, ERR_STORE, "", STR(""),
		      r == -ENOSPC ? "room on the disk; nothing was changed" : "try again",
		      r == -ENOSPC ? "the disk is full" : "the sheet was not stored: %s",
		      db_error(d));
	db_rollback(d);
	if (r == -ENOSPC)
		spool_give_back(d);
	return r;
}

/* A change is written twice, beside the database and then into it, some 120 bytes each time. */
static int has_room(const struct sheet_task *t, const struct delta *p, struct err *err)
{
	enum { BYTES = 300, LEAST = 1 << 20 };
	uint64_t changes = p->adds + p->ends + p->drops;

	return spool_has_room(t->data_dir, changes * BYTES + LEAST, t->reserve, err);
}

/* Will the tariff be published before the sheet's moment, as far as one can say? */
static bool is_in_time(const struct sheet_task *t, ms_t begun)
{
	ms_t now = clock_wall_ms();

	return t->moment != FIELD_ABSENT || now + (now - begun) / 8 < t->in_force;
}

static int put_in_place(struct sheet_task *t, struct db *d, ms_t now, json_t **ret, struct err *err)
{
	CLEANUP(delta_done) struct delta p = { 0 };
	struct store_ask ask = {
		.delta = { .group = buf_str(&t->group), .mode = t->mode, .now = now },
		.who = buf_str(&t->who),
		.sha256 = str_of(t->spool.sha256),
		.columns = buf_str(&t->columns),
		.decimal = buf_str(&t->decimal),
		.dates = buf_str(&t->dates),
		.zone = buf_str(&t->zone_name),
	};
	ms_t soon = now + LEAST_MS + t->takes;
	int64_t id = 0;

	t->is_soon = t->moment == FIELD_ABSENT || t->moment <= soon;
	t->in_force = t->is_soon ? soon : t->moment;
	ask.delta.moment = t->in_force;
	int r = delta_make(&p, d, &t->sheet, &ask.delta);
	if (r == 0)
		r = has_room(t, &p, err);
	if (r == 0)
		r = store_sheet(d, &t->sheet, &p, &ask, &id, err);
	if (r == 0)
		r = answer(t, "applied", &p, NULL, ask.delta.moment, id, ret);
	if (r == 0)
		r = log_sheet(d, t, OP_RATE_IMPORT, id, now);
	sheet_done(&t->sheet); /* its memory is needed for the tariff */
	if (r == 0)
		r = load_tariff(&t->tariff, d, buf_str(&t->group), &t->rules, now, err);
	return r;
}

/* Takes the sheet back from a moment on that lies ahead, so that what the rates say then is what was charged until then, too. */
static int take_back(struct sheet_task *t, struct db *d, ms_t now, json_t **ret, struct err *err)
{
	struct str group = buf_str(&t->group);
	struct store_undone u = { 0 };
	int64_t rates;
	int r = store_undo_begin(d, group, t->undo, &rates, err);
	ms_t learnt = (clock_wall_ms() - now) * SCANS_UNDO;

	if (learnt > t->takes)
		t->takes = learnt;
	t->is_soon = true;
	t->in_force = now + LEAST_MS + t->takes;
	if (r == 0)
		r = store_undo(d, group, t->undo, buf_str(&t->who), t->in_force, &u, err);
	if (r == 0)
		r = log_sheet(d, t, OP_RATE_UNDO, u.sheet, now);
	if (r == 0)
		r = load_tariff(&t->tariff, d, group, &t->rules, now, err);
	if (r < 0)
		return r;

	char moment[CLOCK_TEXT];
	*ret = json_pack("{s:I s:s% s:s s:s s:I s:I s:I}", "sheet", (json_int_t)u.sheet, "group",
			 group.p, group.n, "state", "undone", "undone_at",
			 clock_text(t->in_force, moment), "ended", (json_int_t)u.ended, "restored",
			 (json_int_t)u.restored, "kept", (json_int_t)u.kept);
	return *ret ? 0 : -ENOMEM;
}

/* One transaction. 1: it took too long for its moment, and everything is as it was. */
static int attempt(struct sheet_task *t, struct db *d, json_t **ret, struct err *err)
{
	ms_t now = clock_wall_ms();
	int r = db_begin(d);

	if (r == 0)
		r = t->is_undo ? take_back(t, d, now, ret, err) : put_in_place(t, d, now, ret, err);
	if (r == 0 && !is_in_time(t, now) && ++t->tries < TRIES) {
		db_rollback(d);
		t->takes = 2 * (clock_wall_ms() - now);
		t->tariff = tariff_free(t->tariff);
		json_decref(*ret);
		*ret = NULL;
		return 1;
	}
	if (r == 0)
		r = db_commit(d);
	return r == 0 ? 0 : no_store(d, r, err);
}

static int work_write(void *task, const atomic_bool *stop, json_t **ret, struct err *err)
{
	struct sheet_task *t = task;
	CLEANUP(db_close) struct db *d = NULL;
	int r = spool_open_config(t->data_dir, DB_WRITE, stop, &d, err);

	if (r == 0)
		r = store_fast(d);
	while (r == 0) {
		r = attempt(t, d, ret, err);
		if (r != 1)
			break;
		r = t->is_undo ? 0 : sheet_read(&t->sheet, &t->format, spool_text(&t->spool), err);
	}
	if (r < 0) {
		json_decref(*ret);
		*ret = NULL;
	}
	return r;
}

/* Until the moment or the end of the slice; after_write asks for the next one. */
static int work_wait(void *task, const atomic_bool *stop, json_t **ret, struct err *err)
{
	const struct sheet_task *t = task;
	ms_t left = t->in_force - clock_wall_ms();
	ms_t slice = left < SLICE_MS ? left : SLICE_MS;
	const struct timespec time = { .tv_nsec = (slice > 0 ? slice : 0) * 1000000 };

	(void)ret;
	(void)err;
	(void)nanosleep(&time, NULL);
	return atomic_load(stop) ? -ECANCELED : 0;
}

/* ---- on the main thread ---- */

static void unlock(struct sheet_task *t)
{
	struct ops *o = t->ops;

	if (!t->holds_lock)
		return;
	t->holds_lock = false;
	o->is_locked = o->has_sheet = false;
	parked_run(o);
}

/* How long it will take to put it in place. */
static ms_t expected(struct sheet_task *t)
{
	const struct tariff *tariff = catalog_tariff(t->ops->catalog, buf_cstr(&t->group));
	int64_t there = tariff ? (int64_t)tariff_count(tariff) : 0;
	int64_t rows = t->sheet.rows ? (int64_t)t->sheet.rows : 1;
	ms_t by_reading = t->read_ms * READS_NEW +
			  t->read_ms * READS_AGAIN * (there < 2 * rows ? there : 2 * rows) / rows;
	ms_t by_pace = (rows + there) / ROWS_A_MS;

	return by_reading > by_pace ? by_reading : by_pace;
}

/* From here on nobody else writes switch.db. */
static int lock(struct sheet_task *t, struct err *err)
{
	struct ops *o = t->ops;
	void *row = NULL;
	int r = rows_get(o->db, &entities[ENTITY_RATE_GROUP], buf_str(&t->group), clock_wall_ms(),
			 &row, err);

	if (r < 0)
		return r == -ENOMEM ? r : -EINVAL;
	world_rules(catalog_world(o->catalog)->params, row, &t->rules);
	row_free(&entities[ENTITY_RATE_GROUP], row);
	t->reserve = upkeep_reserve(o);
	o->is_locked = true;

	t->takes = expected(t);
	return 0;
}

static int publish(struct sheet_task *t, struct err *err)
{
	const char *group = buf_cstr(&t->group);
	struct tariff *tariff = t->tariff;

	t->tariff = NULL;
	int r = catalog_put_tariff(t->ops->catalog, group, tariff, err);
	if (r < 0)
		(void)err_set(err, ERR_INTERNAL, "", STR(""), "it will with the next change",
			      "the sheet is stored, but could not take effect");
	return r;
}

static clerk_fn *after_write(void *task, int *error, struct err *err)
{
	struct sheet_task *t = task;

	if (!t->is_written) {
		t->is_written = true;
		if (*error == 0)
			*error = publish(t, err);
	}

	ms_t left = t->in_force - clock_wall_ms();
	bool waits = *error == 0 && left > 0 && (t->is_soon || left <= WAIT_MS);

	/* What is changed before a moment that is near would be changed back at it. */
	if (!waits || !t->is_soon)
		unlock(t);
	return waits ? work_wait : NULL;
}

static clerk_fn *after_work(void *task, int *error, struct err *err)
{
	struct sheet_task *t = task;

	if (t->is_written || (t->holds_lock && t->ops->is_locked))
		return after_write(task, error, err);
	if (*error == 0 && !t->has_answer)
		*error = lock(t, err);
	if (*error == 0 && !t->has_answer)
		return work_write;
	unlock(t);
	return NULL;
}

static void begin(struct sheet_task *t)
{
	t->holds_lock = true;
	t->ops->has_sheet = true;
}

int rate_import(struct ops *o, struct request *r, json_t **ret, struct err *err)
{
	bool has_more = false, is_dry = false;
	int fd = -1;
	int e = arg_bool(r, ARG_MORE, false, &has_more, err);

	(void)ret;
	if (e == 0)
		e = arg_bool(r, "dry_run", false, &is_dry, err);
	if (e < 0)
		return e;
	if (!has_more && !is_dry && o->has_sheet)
		return -EAGAIN; /* before the piece is taken */
	e = upload_take(o->uploads, r, &fd, err);
	if (e <= 0)
		return e < 0 ? e : OP_LATER;

	struct sheet_task *t = task_create(o, r);
	if (!t) {
		(void)close(fd);
		return -ENOMEM;
	}
	t->spool.fd = fd;
	t->is_dry = is_dry;
	e = sheet_task_read(o, t, r, err);
	if (e < 0) {
		task_free(t);
		return e;
	}
	if (!is_dry)
		begin(t);
	return clerk_take_steps(o->clerk, r, work_read, after_work, t, task_free);
}

int rate_undo(struct ops *o, struct request *r, json_t **ret, struct err *err)
{
	struct sheet_task *t;
	int e;

	(void)ret;
	if (o->has_sheet)
		return -EAGAIN;
	t = task_create(o, r);
	if (!t)
		return -ENOMEM;
	t->is_undo = true;
	t->moment = FIELD_ABSENT;
	e = arg_need(r, "group", &t->group, err);
	if (e == 0)
		e = arg_int(r, "sheet", 1, INT64_MAX, 0, &t->undo, err);
	if (e == 0) {
		begin(t);
		e = lock(t, err);
	}
	if (e < 0) {
		task_free(t);
		return e;
	}
	return clerk_take_steps(o->clerk, r, work_write, after_write, t, task_free);
}
