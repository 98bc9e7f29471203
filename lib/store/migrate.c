#include "store/migrate.h"

#include <errno.h>

#include "base/buf.h"
#include "model/entity.h"
#include "store/rollup.h"
#include "store/schema.h"

#define COUNT(a) ((int)(sizeof(a) / sizeof((a)[0])))

struct file {
	const struct table *tables;
	int table_count;
	const char *const *steps;
	int step_count;
	int survived; /* programs that know so many steps can work with what the others made */
};

/* Step 0 to 1 of each file made it as it was first declared; a new file never runs it. */
static const char *const first_step = "SELECT 1";

/* --- switch.db: configuration, alarms, logs --- */

static const struct table switch_tables[] = {
	{ .name = "rate_group", .entity = &entities[ENTITY_RATE_GROUP] },
	{ .name = "account", .entity = &entities[ENTITY_ACCOUNT] },
	{ .name = "rate",
	  .entity = &entities[ENTITY_RATE],
	  /* The sheet that brought it; the one whose undoing brought it back. */
	  .columns = { "sheet INTEGER", "undo_of INTEGER" },
	  .indexes = "CREATE INDEX IF NOT EXISTS rate_version ON rate (version)" },
	{ .name = "rate_sheet", .entity = &entities[ENTITY_RATE_SHEET] },
	{ .name = "origin_group", .entity = &entities[ENTITY_ORIGIN_GROUP] },
	/* What a sheet did to rates that were there before, so that it can be undone. */
	{ .name = "rate_ended",
	  .columns = { "sheet INTEGER NOT NULL", "version INTEGER NOT NULL", "old_end INTEGER" },
	  .key = "sheet, version" },
	{ .name = "rate_dropped",
	  .entity = &entities[ENTITY_RATE],
	  .columns = { "sheet INTEGER", "dropped_by INTEGER NOT NULL" },
	  .key = "dropped_by, version" },
	/* Balances of accounts that came from another system, until the ledger has them. */
	{ .name = "opening_due",
	  .columns = { "request_key TEXT NOT NULL UNIQUE", "account TEXT NOT NULL",
		       "amount INTEGER NOT NULL" } },
	{ .name = "transform", .entity = &entities[ENTITY_TRANSFORM] },
	{ .name = "number_list", .entity = &entities[ENTITY_NUMBER_LIST] },
	{ .name = "listed_number",
	  .entity = &entities[ENTITY_LISTED_NUMBER],
	  .indexes = "CREATE INDEX IF NOT EXISTS listed_number_number ON listed_number (number)" },
	{ .name = "whitelist", .entity = &entities[ENTITY_WHITELIST] },
	{ .name = "blacklist", .entity = &entities[ENTITY_BLACKLIST] },
	{ .name = "number_pair", .entity = &entities[ENTITY_NUMBER_PAIR] },
	{ .name = "area", .entity = &entities[ENTITY_AREA] },
	{ .name = "gateway_group", .entity = &entities[ENTITY_GATEWAY_GROUP] },
	{ .name = "route_plan", .entity = &entities[ENTITY_ROUTE_PLAN] },
	{ .name = "security_profile", .entity = &entities[ENTITY_SECURITY_PROFILE] },
	{ .name = "package", .entity = &entities[ENTITY_PACKAGE] },
	{ .name = "package_order", .entity = &entities[ENTITY_PACKAGE_ORDER] },
	{ .name = "spend_rule", .entity = &entities[ENTITY_SPEND_RULE] },
	{ .name = "spend",
	  .entity = &entities[ENTITY_SPEND],
	  .columns = { "saved INTEGER NOT NULL DEFAULT 0", "slots TEXT" } },
	{ .name = "mapping_gateway", .entity = &entities[ENTITY_MAPPING_GATEWAY] },
	{ .name = "routing_gateway", .entity = &entities[ENTITY_ROUTING_GATEWAY] },
	{ .name = "phone", .entity = &entities[ENTITY_PHONE] },
	{ .name = "registration", .entity = &entities[ENTITY_REGISTRATION] },
	{ .name = "parameter",
	  .columns = { "name TEXT PRIMARY KEY NOT NULL", "value TEXT NOT NULL" } },
	{ .name = "system_log",
	  .columns = { "id INTEGER PRIMARY KEY", "at INTEGER NOT NULL", "who TEXT NOT NULL",
		       "operation TEXT NOT NULL", "key TEXT", "before TEXT", "after TEXT" },
	  .indexes = "CREATE INDEX IF NOT EXISTS system_log_at ON system_log (at)" },
	{ .name = "alarm",
	  .columns = { "id INTEGER PRIMARY KEY", "name TEXT NOT NULL", "object TEXT NOT NULL",
		       "level TEXT NOT NULL", "begin INTEGER NOT NULL", "last INTEGER NOT NULL",
		       "value TEXT", "info TEXT", "cleared INTEGER", "acked INTEGER",
		       "acked_by TEXT" },
	  .indexes = "CREATE UNIQUE INDEX IF NOT EXISTS alarm_stands ON alarm (name, object)"
		     " WHERE cleared IS NULL" },
};

static const char *const switch_steps[] = { first_step };

static const struct file switch_file = { switch_tables, COUNT(switch_tables), switch_steps,
					 COUNT(switch_steps), 1 };

/* --- ledger.db: money, calls in progress, records on their way to a month file --- */

#define ROLLUP_KEY(name, type, value) #name " " #type " NOT NULL",
#define ROLLUP_SUM(name, value)       #name " INTEGER NOT NULL DEFAULT 0",

/* An income is what an agent earned by a call. */
#define ENTRY_KIND "kind TEXT NOT NULL CHECK (kind IN ('payment', 'charge', 'cost', 'income'))"

static const struct table ledger_tables[] = {
	{ .name = "purse",
	  .columns = { "account TEXT PRIMARY KEY NOT NULL", "balance INTEGER NOT NULL DEFAULT 0",
		       "lock_auto INTEGER NOT NULL DEFAULT 0", "floor INTEGER",
		       "income INTEGER NOT NULL DEFAULT 0" },
	  .check = "CHECK (floor IS NULL OR balance >= floor)" },
	{ .name = "payment",
	  .entity = &entities[ENTITY_PAYMENT],
	  .indexes = "CREATE UNIQUE INDEX IF NOT EXISTS payment_key ON payment (request_key);"
		     "CREATE UNIQUE INDEX IF NOT EXISTS payment_reverses ON payment (reverses);"
		     "CREATE INDEX IF NOT EXISTS payment_account ON payment (account)" },
	{ .name = "entry",
	  .columns = { "id INTEGER PRIMARY KEY", "account TEXT NOT NULL", "at INTEGER NOT NULL",
		       ENTRY_KIND, "amount INTEGER NOT NULL", "payment INTEGER", "cdr INTEGER" },
	  .indexes = "CREATE INDEX IF NOT EXISTS entry_cdr ON entry (cdr)" },
	/* A period of a package that an account has ordered and paid for, and what is used of it. */
	{ .name = "allowance",
	  .columns = { "id INTEGER PRIMARY KEY", "account TEXT NOT NULL", "package TEXT NOT NULL",
		       "begins INTEGER NOT NULL", "ends INTEGER NOT NULL", "price INTEGER NOT NULL",
		       "time_s INTEGER NOT NULL", "step_s INTEGER NOT NULL",
		       "money INTEGER NOT NULL", "used_s INTEGER NOT NULL DEFAULT 0",
		       "used_money INTEGER NOT NULL DEFAULT 0" },
	  .indexes = "CREATE UNIQUE INDEX IF NOT EXISTS allowance_begins"
		     " ON allowance (account, package, begins)" },
	/* What a call took of one. */
	{ .name = "package_use",
	  .columns = { "allowance INTEGER NOT NULL", "cdr INTEGER NOT NULL",
		       "seconds INTEGER NOT NULL", "money INTEGER NOT NULL" },
	  .key = "cdr, allowance",
	  .indexes = "CREATE INDEX IF NOT EXISTS package_use_allowance"
		     " ON package_use (allowance)" },
	{ .name = "call",
	  .entity = &entities[ENTITY_CDR],
	  .columns = { "legs TEXT", "answer_mono INTEGER", "heard_mono INTEGER",
		       "reach_ms INTEGER" } },
	{ .name = "orphan", .columns = { "id INTEGER PRIMARY KEY", "legs TEXT NOT NULL" } },
	{ .name = "posting",
	  .columns = { "seq INTEGER PRIMARY KEY AUTOINCREMENT", "cdr INTEGER NOT NULL" } },
	/* Whoever puts a record there: it is numbered for the couriers in the same transaction. */
	{ .name = "outbox",
	  .entity = &entities[ENTITY_CDR],
	  .indexes = "CREATE TRIGGER IF NOT EXISTS outbox_posting AFTER INSERT ON outbox"
		     " BEGIN INSERT INTO posting (cdr) VALUES (new.id); END" },
	/* Records that were rated again: what was reversed, and what was booked instead (ledger/rerate.h). */
	{ .name = "rerating",
	  .columns = { "id INTEGER PRIMARY KEY",
		       "run INTEGER NOT NULL",
		       "at INTEGER NOT NULL",
		       "cdr INTEGER NOT NULL",
		       "sign INTEGER NOT NULL CHECK (sign IN (-1, 1))",
		       "account TEXT NOT NULL",
		       "gateway TEXT NOT NULL",
		       "phone TEXT NOT NULL",
		       "prefix TEXT NOT NULL",
		       "version INTEGER NOT NULL",
		       "terms TEXT",
		       "billed_s INTEGER NOT NULL",
		       "fee INTEGER NOT NULL",
		       "tax INTEGER NOT NULL",
		       "agents TEXT",
		       "agent_fee INTEGER NOT NULL",
		       "agent_income INTEGER NOT NULL",
		       "vendor_account TEXT NOT NULL",
		       "routing_gateway TEXT NOT NULL",
		       "cost_prefix TEXT NOT NULL",
		       "origin TEXT" },
	  .indexes = "CREATE INDEX IF NOT EXISTS rerating_cdr ON rerating (cdr, id);"
		     "CREATE INDEX IF NOT EXISTS rerating_at ON rerating (at)" },
	/* Sums for reports (rollup.h). */
	{ .name = "sale",
	  .columns = { ROLLUP_SALE_KEYS(ROLLUP_KEY) ROLLUP_SALE_SUMS(ROLLUP_SUM) },
	  .key = "slot, account, gateway, phone, prefix" },
	{ .name = "purchase",
	  .columns = { ROLLUP_PURCHASE_KEYS(ROLLUP_KEY) ROLLUP_PURCHASE_SUMS(ROLLUP_SUM) },
	  .key = "slot, account, gateway, prefix" },
	{ .name = "ending",
	  .columns = { ROLLUP_ENDING_KEYS(ROLLUP_KEY) ROLLUP_ENDING_SUMS(ROLLUP_SUM) },
	  .key = "slot, account, gateway, vendor, reason, code" },
	{ .name = "share",
	  .columns = { ROLLUP_SHARE_KEYS(ROLLUP_KEY) ROLLUP_SHARE_SUMS(ROLLUP_SUM) },
	  .key = "slot, account, customer, prefix" },
	{ .name = "turnover",
	  .columns = { "account TEXT NOT NULL", "slot INTEGER NOT NULL", "kind TEXT NOT NULL",
		       "entries INTEGER NOT NULL DEFAULT 0", "amount INTEGER NOT NULL DEFAULT 0" },
	  .key = "account, slot, kind" },
	{ .name = "summed",
	  .columns = { "id INTEGER PRIMARY KEY CHECK (id = 1)", "is_whole INTEGER NOT NULL" } },
	{ .name = "heartbeat",
	  .columns = { "id INTEGER PRIMARY KEY CHECK (id = 1)", "mono INTEGER NOT NULL",
		       "wall INTEGER NOT NULL" } },
};

/* Entries of kind income: what an agent earned. A CHECK is changed by making the table anew. */
static const char *const entry_may_be_income =
	"CREATE TABLE entry_next (id INTEGER PRIMARY KEY, account TEXT NOT NULL, "
	"at INTEGER NOT NULL, kind TEXT NOT NULL CHECK (kind IN ('payment', 'charge', 'cost', "
	"'income')), amount INTEGER NOT NULL, payment INTEGER, cdr INTEGER) STRICT;"
	"INSERT INTO entry_next (id, account, at, kind, amount, payment, cdr)"
	" SELECT id, account, at, kind, amount, payment, cdr FROM entry;"
	"DROP TABLE entry;"
	"ALTER TABLE entry_next RENAME TO entry";

static const char *const ledger_steps[] = { first_step, entry_may_be_income };

static const struct file ledger_file = { ledger_tables, COUNT(ledger_tables), ledger_steps,
					 COUNT(ledger_steps), 1 };

/* --- cdr/YYYY-MM.db: closed records --- */

/* Ids grow with time, so an index on one column also has the order of time. */

static const struct table month_tables[] = {
	{ .name = "cdr",
	  .entity = &entities[ENTITY_CDR],
	  .indexes = "CREATE INDEX IF NOT EXISTS cdr_account ON cdr (account);"
		     "CREATE INDEX IF NOT EXISTS cdr_caller ON cdr (caller);"
		     "CREATE INDEX IF NOT EXISTS cdr_callee ON cdr (callee);"
		     "CREATE INDEX IF NOT EXISTS cdr_mapping_gateway ON cdr (mapping_gateway);"
		     "CREATE INDEX IF NOT EXISTS cdr_routing_gateway ON cdr (routing_gateway);"
		     "CREATE INDEX IF NOT EXISTS cdr_reason ON cdr (reason);"
		     "CREATE INDEX IF NOT EXISTS cdr_sip_code ON cdr (sip_code);"
		     "CREATE INDEX IF NOT EXISTS cdr_call_id ON cdr (call_id)" },
};

static const char *const month_steps[] = { first_step };

static const struct file month_file = { month_tables, COUNT(month_tables), month_steps,
					COUNT(month_steps), 1 };

/* --- numbers --- */

static int get_number(struct db *d, const char *pragma, int64_t *ret)
{
	CLEANUP(stmt_free) struct stmt *s = NULL;

	int r = stmt_prepare(&s, d, pragma);
	if (r == 0)
		r = stmt_step(s);
	if (r != 1)
		return r;
	*ret = stmt_int(s, 0);
	return 0;
}

static int get_version(struct db *d, int64_t *ret)
{
	return get_number(d, "PRAGMA user_version", ret);
}

/* Does a program of `count` steps survive what a newer one did? 1, 0 or negative errno. */
static int is_survived(struct db *d, int count)
{
	int64_t mark = 0, version = 0;
	int r = get_number(d, "PRAGMA application_id", &mark);

	if (r == 0)
		r = get_version(d, &version);
	return r < 0 ? r : mark >> 8 == (MIGRATE_MARK << 8 | version) && (mark & 0xff) <= count;
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
		r = is_survived(d, count);
		if (r != 0)
			return r < 0 ? fail(d, r, err) : 0;
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

/* The number and the mark; a newer program's stay as they are. */
static int put_numbers(struct db *d, const struct file *f)
{
	char sql[96];
	struct buf b = buf_fixed(sql, sizeof(sql));
	int64_t version = 0;
	int r = get_version(d, &version);

	if (r < 0 || version > f->step_count)
		return r;
	buf_printf(&b, "PRAGMA application_id = %d; PRAGMA user_version = %d",
		   MIGRATE_MARK << 16 | f->step_count << 8 | f->survived, f->step_count);
	return db_exec(d, buf_cstr(&b));
}

static int apply(struct db *d, const struct file *f, struct err *err)
{
	int r = db_begin(d);

	if (r < 0)
		return fail(d, r, err);
	r = schema_apply(d, f->tables, f->table_count, err);
	if (r == 0)
		r = put_numbers(d, f);
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
