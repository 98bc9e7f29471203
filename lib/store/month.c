#include "store/month.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "model/entity.h"
#include "store/migrate.h"
#include "store/rollup.h"
#include "store/rows.h"

/* --- names --- */

int64_t cdr_id_at(ms_t wall_ms)
{
	if (wall_ms <= 0)
		return 0;
	return wall_ms > INT64_MAX >> CDR_ID_SHIFT ? INT64_MAX : wall_ms << CDR_ID_SHIFT;
}

struct month month_of(int64_t cdr_id)
{
	struct month m;

	clock_month(cdr_id >> CDR_ID_SHIFT, &m.year, &m.month);
	return m;
}

ms_t month_start(struct month m)
{
	char text[16];
	struct buf b = buf_fixed(text, sizeof(text));
	ms_t at = 0;

	buf_printf(&b, "%04d-%02d-01", m.year, m.month);
	(void)clock_parse(buf_str(&b), &at);
	return at;
}

int month_cmp(struct month a, struct month b)
{
	return a.year != b.year ? a.year - b.year : a.month - b.month;
}

void month_path(const char *dir, struct month m, struct buf *out)
{
	buf_printf(out, "%s/%04d-%02d.db", dir, m.year, m.month);
}

/* "2026-11.db" and nothing else: the folder also holds -wal and -shm files. */
static bool parse_name(struct str name, struct month *ret)
{
	uint32_t year, month;

	if (name.n != 10 || name.p[4] != '-' || !str_has_suffix(name, STR(".db")))
		return false;
	if (str_to_u32(str_head(name, 4), 9999, &year) < 0 ||
	    str_to_u32(str_head(str_skip(name, 5), 2), 12, &month) < 0 || month == 0)
		return false;
	*ret = (struct month){ (int)year, (int)month };
	return true;
}

static int newest_first(const void *a, const void *b)
{
	const struct month *x = a, *y = b;

	return month_cmp(*y, *x);
}

static int read_names(DIR *dir, struct month **list, size_t *count)
{
	size_t room = 0;

	for (;;) {
		struct month m;

		errno = 0;
		struct dirent *entry = readdir(dir);
		if (!entry)
			return -errno;
		if (!parse_name(str_of(entry->d_name), &m))
			continue;
		if (*count == room) {
			struct month *more = reallocarray(*list, room + 16, sizeof(m));

			if (!more)
				return -ENOMEM;
			*list = more;
			room += 16;
		}
		(*list)[(*count)++] = m;
	}
}

int month_list(const char *dir, struct month **ret, size_t *ret_count)
{
	CLEANUP(free) struct month *list = NULL;
	size_t count = 0;
	DIR *d = opendir(dir);

	if (!d && errno != ENOENT)
		return -errno;
	if (d) {
		int r = read_names(d, &list, &count);

		(void)closedir(d);
		if (r < 0)
			return r;
	}
	if (count > 0)
		qsort(list, count, sizeof(*list), newest_first);
	*ret = TAKE(list);
	*ret_count = count;
	return 0;
}

/* The database last: while it is there, a reader may open it. */
int month_remove(const char *dir, struct month m)
{
	static const char *const suffixes[] = { "-wal", "-shm", "" };

	for (size_t i = 0; i < sizeof(suffixes) / sizeof(suffixes[0]); i++) {
		CLEANUP(buf_done) struct buf path = BUF_INIT;

		month_path(dir, m, &path);
		buf_putz(&path, suffixes[i]);
		if (!buf_cstr(&path))
			return -ENOMEM;
		if (unlink(path.p) < 0 && (errno != ENOENT || suffixes[i][0] == '\0'))
			return -errno;
	}
	return 0;
}

/* --- from the outbox to the file --- */

int month_next(struct db *ledger, int64_t *ids, int room, struct month *ret)
{
	CLEANUP(stmt_free) struct stmt *s = NULL;
	int n = 0;

	int r = stmt_prepare(&s, ledger, "SELECT id FROM outbox ORDER BY id LIMIT ?1");
	if (r < 0)
		return r;
	stmt_bind_int(s, 1, room);
	while ((r = stmt_step(s)) == 1) {
		int64_t id = stmt_int(s, 0);

		if (n > 0 && month_cmp(month_of(id), *ret) != 0)
			break;
		*ret = month_of(id);
		ids[n++] = id;
	}
	return r < 0 ? r : n;
}

static int finish(struct db *d, int r)
{
	if (r == 0)
		r = db_commit(d);
	if (r < 0)
		db_rollback(d);
	return r;
}

/* Runs a statement that takes one id, for each, in the open transaction. */
static int run_for_ids(struct stmt *s, const int64_t *ids, int count)
{
	int r = 0;

	for (int i = 0; r == 0 && i < count; i++) {
		stmt_bind_int(s, 1, ids[i]);
		r = stmt_run(s);
	}
	return r;
}

/* OR IGNORE: after a crash between the copy and the clearing, the copy is there already. */
static int prepare_copy(struct stmt **ret, struct db *d)
{
	const struct entity *cdr = &entities[ENTITY_CDR];
	CLEANUP(buf_done) struct buf sql = BUF_INIT;

	buf_putz(&sql, "INSERT OR IGNORE INTO month.cdr (");
	rows_columns(cdr, &sql);
	buf_putz(&sql, ") SELECT ");
	rows_columns(cdr, &sql);
	buf_putz(&sql, " FROM main.outbox WHERE id = ?1");
	return buf_cstr(&sql) ? stmt_prepare(ret, d, sql.p) : -ENOMEM;
}

static int copy_attached(struct db *ledger, const int64_t *ids, int count)
{
	CLEANUP(stmt_free) struct stmt *s = NULL;

	int r = prepare_copy(&s, ledger);
	if (r == 0)
		r = db_begin(ledger);
	return r < 0 ? r : finish(ledger, run_for_ids(s, ids, count));
}

static int copy(struct db *ledger, const char *path, const int64_t *ids, int count)
{
	/* What an earlier detach may have left for want of memory would be in the way for ever. */
	(void)db_detach(ledger, "month");
	int r = db_attach(ledger, path, "month");
	if (r < 0)
		return r;
	r = copy_attached(ledger, ids, count);
	int detached = db_detach(ledger, "month");
	return r < 0 ? r : detached;
}

/* By a connection of its own, since a schema is made for the main database of one. */
static int make_current(const char *path, struct err *err)
{
	CLEANUP(db_close) struct db *d = NULL;

	int r = db_open(&d, path, DB_WRITE, 1000);
	return r < 0 ? r : migrate_month(d, err);
}

int month_refresh(const char *dir, struct month m)
{
	CLEANUP(buf_done) struct buf path = BUF_INIT;

	month_path(dir, m, &path);
	if (!buf_cstr(&path))
		return -ENOMEM;
	return access(path.p, F_OK) < 0 ? -errno : make_current(path.p, NULL);
}

int month_move(struct db *ledger, const char *dir, struct month m, const int64_t *ids, int count,
	       struct err *err)
{
	CLEANUP(buf_done) struct buf path = BUF_INIT;

	month_path(dir, m, &path);
	if (!buf_cstr(&path))
		return -ENOMEM;
	int r = copy(ledger, path.p, ids, count);
	if (r != -ENOENT && r != -EINVAL)
		return r;

	/* No such file yet; or an older program made it, and the statement does not fit. */
	r = make_current(path.p, err);
	return r < 0 ? r : copy(ledger, path.p, ids, count);
}

int month_clear(struct db *ledger, const int64_t *ids, int count)
{
	CLEANUP(stmt_free) struct stmt *s = NULL;

	int r = stmt_prepare(&s, ledger, "DELETE FROM main.outbox WHERE id = ?1");
	if (r == 0)
		r = db_begin(ledger);
	if (r < 0)
		return r;
	r = rollup_add(ledger, ids, count);
	if (r == 0)
		r = run_for_ids(s, ids, count);
	return finish(ledger, r);
}
