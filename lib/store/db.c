#include "store/db.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include <sqlite3.h>

#include "base/buf.h"

struct db {
	sqlite3 *handle;
	/* Of the last thing that failed: SQLite itself forgets it with the ROLLBACK that follows. */
	int code;
	char error[160];
};

struct stmt {
	sqlite3_stmt *handle;
	struct db *db;
	int bind_error; /* SQLite's code of the first bind that failed */
};

/* --- errors --- */

/* Extended codes where they differ from their family (the low byte), which comes last. */
static const struct {
	int code;
	int error;
} errors[] = {
	{ SQLITE_CONSTRAINT_UNIQUE, -EEXIST },
	{ SQLITE_CONSTRAINT_PRIMARYKEY, -EEXIST },
	{ SQLITE_CONSTRAINT_ROWID, -EEXIST },
	{ SQLITE_CONSTRAINT_FOREIGNKEY, -ENOLINK },
	{ SQLITE_IOERR_NOMEM, -ENOMEM },
	{ SQLITE_CONSTRAINT, -EDOM },
	{ SQLITE_BUSY, -EBUSY },
	{ SQLITE_LOCKED, -EBUSY },
	{ SQLITE_FULL, -ENOSPC },
	{ SQLITE_READONLY, -EROFS },
	{ SQLITE_IOERR, -EIO },
	{ SQLITE_CANTOPEN, -EIO },
	{ SQLITE_NOMEM, -ENOMEM },
	{ SQLITE_CORRUPT, -EUCLEAN },
	{ SQLITE_NOTADB, -EUCLEAN },
	{ SQLITE_PERM, -EACCES },
	{ SQLITE_AUTH, -EACCES },
	{ SQLITE_TOOBIG, -E2BIG },
	{ SQLITE_INTERRUPT, -ECANCELED },
};

/* SQLite says "I/O error" or "cannot open" where the system said more: no space, no such file. */
static int system_error(sqlite3 *handle, int code)
{
	static const int telling[] = { ENOSPC, EDQUOT, ENOENT, EACCES, EROFS, ENOMEM };
	int family = code & 0xff;

	if (family != SQLITE_IOERR && family != SQLITE_CANTOPEN)
		return 0;
	for (size_t i = 0; handle && i < sizeof(telling) / sizeof(telling[0]); i++) {
		if (sqlite3_system_errno(handle) == telling[i])
			return telling[i] == EDQUOT ? -ENOSPC : -telling[i];
	}
	return 0;
}

static int to_errno(struct db *d, int code)
{
	int r = system_error(d->handle, code);

	d->code = d->handle ? sqlite3_extended_errcode(d->handle) : code;
	if (d->code == SQLITE_OK)
		d->code = code;
	(void)snprintf(d->error, sizeof(d->error), "%s",
		       d->handle ? sqlite3_errmsg(d->handle) : sqlite3_errstr(code));

	for (size_t i = 0; r == 0 && i < sizeof(errors) / sizeof(errors[0]); i++) {
		if (errors[i].code == code || errors[i].code == (code & 0xff))
			r = errors[i].error;
	}
	return r != 0 ? r : -EINVAL;
}

static int check(struct db *d, int code)
{
	return code == SQLITE_OK ? 0 : to_errno(d, code);
}

const char *db_error(const struct db *d)
{
	return d->error;
}

int db_code(const struct db *d)
{
	return d->code;
}

/* --- connections --- */

/* A database file may hold money and passwords. One that exists is left as it is; SQLite gives the
 * files beside it the same mode. */
static int make_file(const char *path)
{
	if (path[0] == ':') /* ":memory:" */
		return 0;

	int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	if (fd < 0)
		return errno == EEXIST ? 0 : -errno;
	(void)close(fd);
	return 0;
}

/* What a damaged or hostile file could use against us is switched off. */
static int harden(struct db *d)
{
	static const struct {
		int option;
		int value;
	} options[] = {
		{ SQLITE_DBCONFIG_DEFENSIVE, 1 },   { SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0 },
		{ SQLITE_DBCONFIG_DQS_DDL, 0 },     { SQLITE_DBCONFIG_DQS_DML, 0 },
		{ SQLITE_DBCONFIG_ENABLE_FKEY, 1 }, { SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0 },
	};

	for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
		int code = sqlite3_db_config(d->handle, options[i].option, options[i].value, NULL);
		if (code != SQLITE_OK)
			return to_errno(d, code);
	}
	return 0;
}

/*
 * A commit syncs the WAL; a checkpoint, which syncs the database too, comes every 4,000 pages (16
 * MB) instead of every 1,000, so that the commits of a busy second seldom wait for one. After a
 * burst the WAL file is cut back.
 */
static const char *const write_pragmas = "PRAGMA journal_mode = WAL;"
					 "PRAGMA synchronous = FULL;"
					 "PRAGMA wal_autocheckpoint = 4000;"
					 "PRAGMA journal_size_limit = 67108864;";

static const char *const all_pragmas = "PRAGMA cell_size_check = ON;"
				       "PRAGMA temp_store = MEMORY;";

static int set_up(struct db *d, enum db_mode mode, int busy_ms)
{
	int r = check(d, sqlite3_busy_timeout(d->handle, busy_ms));

	if (r == 0)
		r = harden(d);
	if (r == 0)
		r = db_exec(d, all_pragmas);
	if (r == 0 && mode == DB_WRITE)
		r = db_exec(d, write_pragmas);
	if (r == 0 && mode == DB_READ)
		r = db_exec(d, "PRAGMA query_only = ON");
	return r;
}

/* Nobody asks SQLite how much memory it has; to keep the sum takes a lock of the whole process at each of its allocations. */
static void configure(void)
{
	(void)sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
}

int db_open(struct db **ret, const char *path, enum db_mode mode, int busy_ms)
{
	/* Readers too: one that may not make the -shm file cannot read a WAL database that
	 * nobody else has open. query_only keeps them from changing anything. */
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	int flags = SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE | SQLITE_OPEN_READWRITE;
	int r = mode == DB_WRITE ? make_file(path) : 0;
	if (r < 0)
		return r;

	CLEANUP(db_close) struct db *d = calloc(1, sizeof(*d));
	if (!d)
		return -ENOMEM;
	(void)pthread_once(&once, configure);
	r = check(d, sqlite3_open_v2(path, &d->handle, flags, NULL));
	if (r == 0)
		r = set_up(d, mode, busy_ms);
	if (r < 0)
		return r;

	*ret = TAKE(d);
	return 0;
}

struct db *db_close(struct db *d)
{
	if (d)
		(void)sqlite3_close_v2(d->handle);
	free(d);
	return NULL;
}

static int is_stopped(void *stop)
{
	return atomic_load_explicit((const atomic_bool *)stop, memory_order_relaxed);
}

/* Asked every 10,000 steps of its machine, which take about a millisecond. */
void db_set_stop(struct db *d, const atomic_bool *stop)
{
	sqlite3_progress_handler(d->handle, stop ? 10000 : 0, stop ? is_stopped : NULL,
				 (void *)(uintptr_t)stop);
}

int db_exec(struct db *d, const char *sql)
{
	return check(d, sqlite3_exec(d->handle, sql, NULL, NULL, NULL));
}

int db_begin(struct db *d)
{
	return db_exec(d, "BEGIN IMMEDIATE");
}

int db_commit(struct db *d)
{
	return db_exec(d, "COMMIT");
}

void db_rollback(struct db *d)
{
	if (!sqlite3_get_autocommit(d->handle))
		(void)db_exec(d, "ROLLBACK");
}

static int attach_file(struct db *d, const char *path, const char *name)
{
	CLEANUP(stmt_free) struct stmt *s = NULL;

	int r = stmt_prepare(&s, d, "ATTACH ?1 AS ?2");
	if (r < 0)
		return r;
	stmt_bind_text(s, 1, str_of(path));
	stmt_bind_text(s, 2, str_of(name));
	return stmt_run(s);
}

int db_attach(struct db *d, const char *path, const char *name)
{
	char sql[160];
	struct buf b = buf_fixed(sql, sizeof(sql));

	buf_printf(&b, "PRAGMA \"%s\".journal_mode = WAL; PRAGMA \"%s\".synchronous = FULL;", name,
		   name);
	if (!buf_cstr(&b))
		return -EINVAL;

	int r = attach_file(d, path, name);
	if (r < 0)
		return r;
	r = db_exec(d, sql);
	if (r < 0)
		(void)db_detach(d, name);
	return r;
}

/* Allocates nothing of ours, so that whoever cleans up can. */
int db_detach(struct db *d, const char *name)
{
	char sql[80];
	struct buf b = buf_fixed(sql, sizeof(sql));

	buf_printf(&b, "DETACH \"%s\"", name);
	return buf_cstr(&b) ? db_exec(d, sql) : -EINVAL;
}

int64_t db_last_id(const struct db *d)
{
	return sqlite3_last_insert_rowid(d->handle);
}

int db_changes(const struct db *d)
{
	return sqlite3_changes(d->handle);
}

/* --- copies --- */

int db_snapshot(struct db *d)
{
	int r = db_exec(d, "BEGIN");

	return r < 0 ? r : db_exec(d, "SELECT count(*) FROM sqlite_schema");
}

/* Nobody reads the copy before it is whole, so its own syncs and journal would be for nothing. */
static int open_copy(struct db **ret, const char *path)
{
	int r = db_open(ret, path, DB_WRITE, 0);

	return r < 0 ? r : db_exec(*ret, "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF");
}

int db_copy(struct db *d, const char *path, const atomic_bool *stop)
{
	enum { PAGES = 512 };
	CLEANUP(db_close) struct db *copy = NULL;
	int code = SQLITE_OK, r = open_copy(&copy, path);

	if (r < 0)
		return r;
	sqlite3_backup *b = sqlite3_backup_init(copy->handle, "main", d->handle, "main");
	if (!b)
		return check(copy, sqlite3_errcode(copy->handle));
	while (code == SQLITE_OK && !(stop && atomic_load(stop)))
		code = sqlite3_backup_step(b, PAGES);
	(void)sqlite3_backup_finish(b);
	if (code == SQLITE_OK)
		return -ECANCELED;
	return code == SQLITE_DONE ? 0 : to_errno(copy, code);
}

int db_integrity(struct db *d)
{
	CLEANUP(stmt_free) struct stmt *s = NULL;
	int r = stmt_prepare(&s, d, "PRAGMA integrity_check(1)");

	if (r == 0)
		r = stmt_step(s);
	return r < 0 ? r : r == 1 && str_eq(stmt_text(s, 0), STR("ok")) ? 0 : -EUCLEAN;
}

/* --- statements --- */

int stmt_prepare(struct stmt **ret, struct db *d, const char *sql)
{
	CLEANUP(stmt_free) struct stmt *s = calloc(1, sizeof(*s));

	if (!s)
		return -ENOMEM;
	s->db = d;
	int r = check(d, sqlite3_prepare_v2(d->handle, sql, -1, &s->handle, NULL));
	if (r < 0)
		return r;

	*ret = TAKE(s);
	return 0;
}

struct stmt *stmt_free(struct stmt *s)
{
	if (s)
		(void)sqlite3_finalize(s->handle);
	free(s);
	return NULL;
}

static void bound(struct stmt *s, int code)
{
	if (s->bind_error == SQLITE_OK)
		s->bind_error = code;
}

void stmt_bind_int(struct stmt *s, int i, int64_t v)
{
	bound(s, sqlite3_bind_int64(s->handle, i, v));
}

void stmt_bind_text(struct stmt *s, int i, struct str v)
{
	bound(s, sqlite3_bind_text64(s->handle, i, v.p, v.n, SQLITE_STATIC, SQLITE_UTF8));
}

void stmt_bind_null(struct stmt *s, int i)
{
	bound(s, sqlite3_bind_null(s->handle, i));
}

int stmt_step(struct stmt *s)
{
	if (s->bind_error != SQLITE_OK)
		return to_errno(s->db, s->bind_error);

	int code = sqlite3_step(s->handle);
	if (code == SQLITE_ROW)
		return 1;
	return code == SQLITE_DONE ? 0 : to_errno(s->db, code);
}

int stmt_run(struct stmt *s)
{
	int r;

	do
		r = stmt_step(s);
	while (r == 1);
	stmt_reset(s);
	return r;
}

void stmt_reset(struct stmt *s)
{
	(void)sqlite3_reset(s->handle);
	s->bind_error = SQLITE_OK;
}

int64_t stmt_int(struct stmt *s, int column)
{
	return sqlite3_column_int64(s->handle, column);
}

struct str stmt_text(struct stmt *s, int column)
{
	const unsigned char *p = sqlite3_column_text(s->handle, column);

	return str_n(p, p ? (size_t)sqlite3_column_bytes(s->handle, column) : 0);
}

bool stmt_is_null(struct stmt *s, int column)
{
	return sqlite3_column_type(s->handle, column) == SQLITE_NULL;
}
