#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "control/upload.h"
#include "migrate/doc.h"
#include "ops/clerk.h"
#include "ops/migration.h"
#include "ops/opening.h"

/*
 * Taking over another system. The clerk reads the file and writes rates, calls are rated beside, all on a connection of its own and in one
 * transaction; accounts, gateways and phones are added to that transaction on the main thread, some at a time, by the checks of their
 * operations. In the end it is committed and published, or, if anything was wrong or it was only to be tried, undone. switch.db is the
 * clerk's to write until then, as with a rate sheet (sheets.c). Balances follow by the ledger (opening.c).
 */

enum { LIMIT = 1000 };

/* ---- the task ---- */

static void let_go(struct migration *m)
{
	struct ops *o = m->ops;

	if (m->db)
		db_rollback(m->db);
	if (m->db && m->is_full)
		spool_give_back(m->db);
	if (m->has_desk)
		atomic_store(&o->rerate_runs, false);
	m->has_desk = false;
	if (!m->holds_lock)
		return;
	m->holds_lock = false;
	o->is_locked = o->has_sheet = false;
	parked_run(o);
}

static void groups_free(struct shadow *s)
{
	for (size_t i = 0; i < s->groups; i++) {
		free(s->group[i].name);
		tariff_free(s->group[i].tariff);
	}
	free(s->group);
	s->group = NULL;
	s->groups = 0;
}

static void migration_free(void *task)
{
	struct migration *m = task;

	let_go(m);
	groups_free(&m->shadow);
	shadow_done(&m->shadow);
	if (m->has_intake)
		intake_done(&m->intake);
	db_close(m->db);
	spool_done(&m->spool);
	buf_done(&m->map);
	buf_done(&m->table);
	buf_done(&m->who);
	zone_free(m->zone);
	free(m);
}

static int read_format(struct migration *m, const struct request *r, struct err *err)
{
	CLEANUP(buf_done) struct buf name = BUF_INIT;
	int64_t digits = 0;
	int e = arg_int(r, "round", 8, 8, 0, &digits, err);

	if (e == 0)
		e = arg_int(r, "limit", 0, 1000000, LIMIT, &m->limit, err);
	if (!arg_text(r, "map", &m->map) && e == 0)
		e = mapping_default(&m->map);
	(void)arg_text(r, "table", &m->table);
	if (!arg_text(r, "zone", &name))
		buf_putz(&name, "UTC");
	if (e == 0 && zone_create(&m->zone, buf_str(&name)) < 0)
		e = err_set(err, ERR_BAD_VALUE, "zone", buf_str(&name),
			    "UTC, +05:30 or a name such as Europe/Berlin", "there is no such zone");
	m->intake.ask.convert = (struct convert){ m->zone, digits == 8 };
	m->shadow.limit = (size_t)m->limit;
	return e;
}

static struct migration *migration_create(struct ops *o, const char *who)
{
	struct migration *m = calloc(1, sizeof(*m));

	if (!m)
		return NULL;
	m->ops = o;
	m->data_dir = o->c.data_dir;
	m->spool.fd = -1;
	m->now = clock_wall_ms();
	m->state = "refused";
	m->desk = ledger_desk(o->hub->ledger, o->hub->workers + 1);
	buf_putz(&m->who, who);
	return m;
}

/* ---- STEP_READ, the clerk's ---- */

static int work_read(void *task, const atomic_bool *stop, json_t **ret, struct err *err)
{
	struct migration *m = task;
	int r = spool_map(&m->spool, err);
	const struct intake_ask ask = { .file = spool_text(&m->spool),
					.table = buf_str(&m->table),
					.map = buf_str(&m->map),
					.convert = m->intake.ask.convert,
					.stop = stop };

	(void)ret;
	if (r < 0)
		return r;
	/* What of the file becomes rows is not known yet; it is less than twice of it. */
	if (!m->is_compare)
		r = spool_has_room(m->data_dir, m->spool.size * 2, m->reserve, err);
	if (r < 0)
		return r;
	m->has_intake = true;
	r = intake_read(&m->intake, &ask, err);
	if (r == 0)
		r = spool_open_config(m->data_dir, m->is_compare ? DB_READ : DB_WRITE, stop, &m->db,
				      err);
	if (r == 0 && !m->is_compare)
		r = db_begin(m->db);
	m->shadow.config = m->db;
	return r;
}

/* ---- STEP_RATES, the clerk's ---- */

static int log_it(struct migration *m)
{
	CLEANUP(stmt_free) struct stmt *s = NULL;
	int r = stmt_prepare(&s, m->db,
			     "INSERT INTO system_log (at, who, operation, key, after)"
			     " VALUES (?,?,'migrate.apply','','{\"file\":\"' || ? || '\"}')");

	if (r < 0)
		return r;
	stmt_bind_int(s, 1, m->now);
	stmt_bind_text(s, 2, buf_str(&m->who));
	stmt_bind_text(s, 3, str_of(m->spool.sha256));
	return stmt_run(s);
}

static int work_rates(void *task, const atomic_bool *stop, json_t **ret, struct err *err)
{
	struct migration *m = task;
	int r = m->is_compare ? 0 : migration_add_rates(m, err);

	(void)stop;
	(void)ret;
	if (r == 0 && !m->is_compare)
		r = migration_compile(m, err);
	if (r == 0)
		r = shadow_run(&m->shadow, &m->intake, err);
	if (r == 0 && !m->is_compare)
		r = log_it(m);
	return r;
}

/* ---- STEP_SETTLE, the main thread's ---- */

/* The world as it would be. 0, or -EINVAL with *err. */
static int prepare(struct migration *m, struct err *err)
{
	struct ops *o = m->ops;
	struct shadow *s = &m->shadow;
	int r = 0;

	for (size_t i = 0; r == 0 && i < s->groups; i++) {
		struct tariff *t = s->group[i].tariff;

		s->group[i].tariff = NULL;
		r = catalog_keep_tariff(o->catalog, s->group[i].name, t);
	}
	struct db *usual = catalog_read_by(o->catalog, m->db);
	if (r == 0)
		r = catalog_prepare(o->catalog,
				    CHANGED_GATEWAYS | CHANGED_ACCOUNTS | CHANGED_PHONES, NULL,
				    err);
	(void)catalog_read_by(o->catalog, usual);
	if (r < 0)
		catalog_discard(o->catalog);
	return r;
}

static int settle(struct migration *m, struct err *err)
{
	struct ops *o = m->ops;
	struct err why = ERR_INIT;
	int r = m->intake.problems.count ? -EINVAL : prepare(m, &why);

	if (r == -EINVAL && err_is_set(&why))
		r = intake_blame(&m->intake, STR(""), 0, &why);
	if (r < 0 && r != -EINVAL)
		return r;
	if (m->intake.problems.count || m->is_dry) {
		catalog_discard(o->catalog);
		db_rollback(m->db);
		m->state = m->intake.problems.count ? "refused" : "checked";
		return 0;
	}
	r = db_commit(m->db);
	if (r < 0) {
		catalog_discard(o->catalog);
		return err_set(err, ERR_STORE, "", STR(""), "room on the disk, and the same again",
			       "nothing was taken: %s", db_error(m->db));
	}
	m->state = "applied";
	catalog_publish(o->catalog);
	spends_look(o);
	report_config_changed(o->report);
	return 0;
}

/* ---- STEP_DONE, the clerk's ---- */

static int work_end(void *task, const atomic_bool *stop, json_t **ret, struct err *err)
{
	struct migration *m = task;
	bool is_applied = strcmp(m->state, "applied") == 0;
	int r = 0;

	(void)stop;
	if (is_applied) {
		db_set_stop(m->db, NULL); /* from here on it is finished, whoever waits */
		r = opening_book(m->db, m->desk, buf_cstr(&m->who), &m->booked);
	}
	if (r < 0)
		return err_set(
			err, ERR_STORE, "", STR(""), "a restart: they are booked then",
			"all is taken, but only %lld of %lld opening balances are booked: %s",
			(long long)m->booked, (long long)m->openings, strerror(-r));
	const struct migrate_doc d = { .state = m->state,
				       .intake = &m->intake,
				       .shadow = &m->shadow,
				       .openings = m->openings,
				       .booked = m->booked,
				       .opening_sum = m->opening_sum };
	return migrate_doc(&d, ret);
}

static int work_nothing(void *task, const atomic_bool *stop, json_t **ret, struct err *err)
{
	(void)task;
	(void)stop;
	(void)ret;
	(void)err;
	return 0;
}

/* ---- from step to step, on the main thread ---- */

static void tell(struct migration *m, int error, struct err *err)
{
	if (error == -ECANCELED || err_is_set(err))
		return;
	(void)err_set(err, ERR_STORE, "", STR(""),
		      error == -ENOSPC ? "room on the disk; nothing was changed" : "try again",
		      error == -ENOSPC ? "the disk is full" : "nothing was taken: %s",
		      m->db ? db_error(m->db) : strerror(-error));
}

/* Negative: it failed; 1: the step is to be repeated. */
static int take_step(struct migration *m, struct err *err)
{
	int r = 0;

	switch (m->step) {
	case STEP_READ:
	case STEP_ROWS:
		m->step = STEP_ROWS;
		r = m->is_compare ? 0 : migration_add_some(m);
		if (r == 0)
			r = migration_read_groups(m);
		if (r == 0)
			m->step = STEP_RATES;
		return r;
	case STEP_RATES:
		m->step = STEP_SETTLE;
		if (m->is_compare)
			m->state = "compared";
		return m->is_compare ? 0 : settle(m, err);
	default:
		m->step = STEP_DONE;
		return 0;
	}
}

static clerk_fn *after_work(void *task, int *error, struct err *err)
{
	struct migration *m = task;
	int r = *error < 0 ? *error : take_step(m, err);

	if (r < 0) {
		tell(m, r, err);
		*error = r;
		m->is_full = r == -ENOSPC;
		m->step = STEP_DONE;
	}
	if (m->step == STEP_DONE) {
		let_go(m);
		return NULL;
	}
	if (r == 1)
		return work_nothing;
	return m->step == STEP_RATES ? work_rates : work_end;
}

/* ---- the operations ---- */

static int lock(struct migration *m, struct err *err)
{
	struct ops *o = m->ops;

	if (m->is_compare)
		return 0;
	if (atomic_exchange(&o->rerate_runs, true))
		return err_set(err, ERR_CONFLICT, "", STR(""), "try again when it is done",
			       "records are being rated again, or balances booked");
	m->has_desk = true;
	m->reserve = upkeep_reserve(o);
	m->holds_lock = o->is_locked = o->has_sheet = true;
	return 0;
}

static int run(struct ops *o, struct request *r, bool is_dry, bool is_compare, struct err *err)
{
	bool has_more = false;
	int fd = -1;
	int e = arg_bool(r, ARG_MORE, false, &has_more, err);

	if (e < 0)
		return e;
	if (!has_more && !is_compare && o->has_sheet)
		return -EAGAIN; /* before the last piece is taken */
	if (!is_compare)
		e = license_allows_more(o, err);
	if (e == 0)
		e = upload_take(o->uploads, r, &fd, err);
	else
		return e;
	if (e <= 0)
		return e < 0 ? e : OP_LATER;

	struct migration *m = migration_create(o, r->actor);
	if (!m) {
		(void)close(fd);
		return -ENOMEM;
	}
	m->spool.fd = fd;
	m->is_dry = is_dry;
	m->is_compare = is_compare;
	e = read_format(m, r, err);
	if (e == 0)
		e = lock(m, err);
	if (e < 0) {
		migration_free(m);
		return e;
	}
	return clerk_take_steps(o->clerk, r, work_read, after_work, m, migration_free);
}

int migrate_check(struct ops *o, struct request *r, json_t **ret, struct err *err)
{
	(void)ret;
	return run(o, r, true, false, err);
}

int migrate_apply(struct ops *o, struct request *r, json_t **ret, struct err *err)
{
	(void)ret;
	return run(o, r, false, false, err);
}

int migrate_compare(struct ops *o, struct request *r, json_t **ret, struct err *err)
{
	(void)ret;
	return run(o, r, true, true, err);
}

int migrate_mapping(struct ops *o, struct request *r, json_t **ret, struct err *err)
{
	CLEANUP(buf_done) struct buf text = BUF_INIT;
	int e = mapping_default(&text);

	(void)o;
	(void)r;
	(void)err;
	return e < 0 ? e : page_of(buf_str(&text), 0, ret);
}

/* ---- what the run before has left ---- */

static int work_left(void *task, const atomic_bool *stop, json_t **ret, struct err *err)
{
	struct migration *m = task;
	int r = spool_open_config(m->data_dir, DB_WRITE, NULL, &m->db, err);

	(void)stop;
	(void)ret;
	if (r == 0)
		r = opening_book(m->db, m->desk, buf_cstr(&m->who), &m->booked);
	log_at(r < 0 ? LOG_WARNING : LOG_NOTICE, NULL,
	       "%lld opening balances of a migration were booked%s%s", (long long)m->booked,
	       r < 0 ? ", not all: " : "", r < 0 ? strerror(-r) : "");
	return r;
}

int migrates_open(struct ops *o)
{
	struct migration *m;
	int r = opening_is_left(o->db);

	if (r <= 0 || atomic_exchange(&o->rerate_runs, true))
		return r;
	m = migration_create(o, "switch");
	if (!m)
		return -ENOMEM;
	m->has_desk = true;
	r = clerk_take(o->clerk, NULL, work_left, m, migration_free);
	return r == OP_LATER ? 0 : r;
}
