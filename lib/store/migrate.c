#include "store/migrate.h"

#include <errno.h>

#include "base/buf.h"
#include "model/entity.h"
#include "store/schema.h"

#define COUNT(a) ((int)(sizeof(a) / sizeof((a)[0])))

struct file {
	const struct table *tables;
	int table_count;
	const char *const *steps;
	int step_count;
};

/* Step 0 to 1 of each file made it as it was first declared; a new file never runs it. */
static const char *const first_step = "SELECT 1";

/* --- switch.db: configuration, alarms, logs --- */

static const struct table switch_tables[] = {
	{ .name = "rate_group", .entity = &entities[ENTITY_RATE_GROUP] },
	{ .name = "account", .entity = &entities[ENTITY_ACCOUNT] },
	{ .name = "rate", .entity = &entities[ENTITY_RATE] },
	{ .name = "mapping_gateway", .entity = &entities[ENTITY_MAPPING_GATEWAY] },
	{ .name = "routing_gateway", .entity = &entities[ENTITY_ROUTING_GATEWAY] },
	{ .name = "parameter",
	  .columns = { "name TEXT PRIMARY KEY NOT NULL", "value TEXT NOT NULL" } },
	{ .name = "system_log",
	  .columns = { "id INTEGER PRIMARY KEY", "at INTEGER NOT NULL", "who TEXT NOT NULL",
		       "operation TEXT NOT NULL", "key TEXT", "before TEXT", "after TEXT" },
	  .indexes = "CREATE INDEX IF NOT EXISTS system_log_at ON system_log (at)" },
	{ .name = "alarm",
	  .columns = { "id INTEGER PRIMARY KEY", "name TEXT NOT NULL", "object TEXT NOT NULL",
		       "level TEXT NOT NULL", "begin INTEGER NOT NULL", "last INTEGER NOT NULL",
		       "value TEXT", "info TEXT", "cleared INTEGER" },
	  .indexes = "CREATE UNIQUE INDEX IF NOT EXISTS alarm_stands ON alarm (name, object)"
		     " WHERE cleared IS NULL" },
};

static const char *const switch_steps[] = { first_step };

static const struct file switch_file = { switch_tables, COUNT(switch_tables), switch_steps,
					 COUNT(switch_steps) };

/* --- ledger.db: money, calls in progress, records on their way to a month file --- */

static const struct table ledger_tables[] = {
	{ .name = "purse",
	  .columns = { "account TEXT PRIMARY KEY NOT NULL", "balance INTEGER NOT NULL DEFAULT 0",
		       "lock_auto INTEGER NOT NULL DEFAULT 0", "floor INTEGER" },
	  .check = "CHECK (floor IS NULL OR balance >= floor)" },
	{ .name = "payment",
	  .entity = &entities[ENTITY_PAYMENT],
	  .indexes = "CREATE UNIQUE INDEX IF NOT EXISTS payment_key ON payment (request_key);"
		     "CREATE INDEX IF NOT EXISTS payment_account ON payment (account)" },
	{ .name = "entry",
	  .columns = { "id INTEGER PRIMARY KEY", "account TEXT NOT NULL", "at INTEGER NOT NULL",
		       "kind TEXT NOT NULL CHECK (kind IN ('payment', 'charge', 'cost'))",
		       "amount INTEGER NOT NULL", "payment INTEGER", "cdr INTEGER" },
	  .indexes = "CREATE INDEX IF NOT EXISTS entry_cdr ON entry (cdr)" },
	{ .name = "call",
	  .entity = &entities[ENTITY_CDR],
	  .columns = { "legs TEXT", "answer_mono INTEGER", "heard_mono INTEGER" } },
	{ .name = "orphan", .columns = { "id INTEGER PRIMARY KEY", "legs TEXT NOT NULL" } },
	{ .name = "outbox", .entity = &entities[ENTITY_CDR] },
	{ .name = "heartbeat",
	  .columns = { "id INTEGER PRIMARY KEY CHECK (id = 1)", "mono INTEGER NOT NULL",
		       "wall INTEGER NOT NULL" } },
};

static const char *const ledger_steps[] = { first_step };

static const struct file ledger_file = { ledger_tables, COUNT(ledger_tables), ledger_steps,
					 COUNT(ledger_steps) };

/* --- cdr/YYYY-MM.db: closed records --- */

/* Ids grow with time, so an index on one column also has the order of time. */

static const struct table month_tables[] = {
	{ .name = "cdr",
	  .entity = &entities[ENTITY_CDR],
	  .indexes = "CREATE INDEX IF NOT EXISTS cdr_account ON cdr (account);"
		     "CREATE INDEX IF NOT EXISTS cdr_callee ON cdr (callee);"
		     "CREATE INDEX IF NOT EXISTS cdr_call_id ON cdr (call_id)" },
};

static const char *const month_steps[] = { first_step };

static const struct file month_file = { month_tables, COUNT(month_tables), month_steps,
					COUNT(month_steps) };

/* --- numbers --- */

static int get_version(struct db *d, int64_t *ret)
{
	CLEANUP(stmt_free) struct stmt *s = NULL;

	int r = stmt_prepare(&s, d, "PRAGMA user_version");
	if (r == 0)
		r = stmt_step(s);
	if (r != 1)
		return r;
	*ret = stmt_int(s, 0);
	return 0;
}

static int set_version(struct db *d, int version)
{
	char sql[64];
	struct buf b = buf_fixed(sql, sizeof(sql));

	buf_printf(&b, "PRAGMA user_version = %d", version);
	return db_exec(d, buf_cstr(&b));
}

static int fail(struct db *d, int r, struct err *err)
{
	(void)err_set(err, ERR_STORE, "", STR(""), NULL,
		      "the database cannot be brought up to date: %s", db_error(d));
	return r;
}

/* Commits what went well, undoes what did not. *err keeps what an inner check said before. */
static int finish(struct db *d, int r, struct err *err)
{
	if (r == 0)
		r = db_commit(d);
	if (r < 0) {
		(void)fail(d, r, err);
		db_rollback(d);
	}
	return r;
}

static int run_step(struct db *d, const char *step, int version, struct err *err)
{
	int r = db_begin(d);

	if (r < 0)
		return fail(d, r, err);
	r = db_exec(d, step);
	if (r == 0)
		r = set_version(d, version);
	return finish(d, r, err);
}

int migrate(struct db *d, const char *const *steps, int count, struct err *err)
{
	int64_t version = 0;
	int r = get_version(d, &version);

	if (r < 0)
		return fail(d, r, err);
	if (version > count) {
		(void)err_set(err, ERR_STORE, "", STR(""),
			      "the version that wrote it, or a newer one",
			      "schema %lld was written by a newer version of Tandem, which has %d",
			      (long long)version, count);
		return -EPROTO;
	}
	for (int i = (int)version; r == 0 && i < count; i++)
		r = run_step(d, steps[i], i + 1, err);
	return r;
}

/* --- files --- */

static int apply(struct db *d, const struct file *f, struct err *err)
{
	int r = db_begin(d);

	if (r < 0)
		return fail(d, r, err);
	r = schema_apply(d, f->tables, f->table_count, err);
	if (r == 0)
		r = set_version(d, f->step_count);
	return finish(d, r, err);
}

/* A file of ours has had its number since the transaction that made its tables. */
static int refuse_foreign(struct db *d, struct err *err)
{
	int64_t version = 0;
	int r = get_version(d, &version);

	if (r < 0)
		return fail(d, r, err);
	if (version > 0)
		return 0;
	(void)err_set(err, ERR_STORE, "", STR(""), "a file of Tandem, or none",
		      "the file is a database of another program");
	return -EPROTO;
}

static int bring_up(struct db *d, const struct file *f, struct err *err)
{
	int r = schema_is_empty(d);

	if (r < 0)
		return fail(d, r, err);
	if (r == 1)
		return apply(d, f, err);
	r = refuse_foreign(d, err);
	if (r == 0)
		r = migrate(d, f->steps, f->step_count, err);
	return r < 0 ? r : apply(d, f, err);
}

int migrate_switch(struct db *d, struct err *err)
{
	return bring_up(d, &switch_file, err);
}

int migrate_ledger(struct db *d, struct err *err)
{
	return bring_up(d, &ledger_file, err);
}

int migrate_month(struct db *d, struct err *err)
{
	return bring_up(d, &month_file, err);
}
