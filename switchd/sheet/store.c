#include "sheet/store.h"

#include <errno.h>
#include <string.h>

#include "model/entity.h"

static int no_store(struct db *d, int r, struct err *err)
{
	(void)err_set(err, ERR_STORE, "", STR(""),
		      r == -ENOSPC ? "room on the disk; nothing was changed" : "try again",
		      r == -ENOSPC ? "the disk is full" : "the sheet was not stored: %s",
		      db_error(d));
	return r;
}

/* ---- putting in ---- */

int store_next_version(struct db *d, int64_t *ret)
{
	CLEANUP(stmt_free) struct stmt *s = NULL;
	int r = stmt_prepare(&s, d,
			     "SELECT max(coalesce((SELECT max(version) FROM rate), 0),"
			     " coalesce((SELECT max(version) FROM rate_dropped), 0),"
			     " coalesce((SELECT max(last_version) FROM rate_sheet), 0)) + 1");

	if (r == 0)
		r = stmt_step(s);
	if (r == 1)
		*ret = stmt_int(s, 0);
	return r < 0 ? r : 0;
}

static const char *value(enum entity_id e, int field, int n)
{
	return entities[e].field[field].values[n];
}

static int put_head(struct db *d, const struct sheet *s, const struct delta *p,
		    const struct store_ask *ask, int64_t version, int64_t *ret_id)
{
	CLEANUP(stmt_free) struct stmt *st = NULL;
	int r = stmt_prepare(
		&st, d,
		"INSERT INTO rate_sheet (\"group\", at, who, mode, effective, lines, added, raised,"
		" lowered, changed, removed, unchanged, first_version, last_version, sha256, state)"
		" VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,'applied')");

	if (r < 0)
		return r;
	stmt_bind_text(st, 1, ask->delta.group);
	stmt_bind_int(st, 2, ask->delta.now);
	stmt_bind_text(st, 3, ask->who);
	stmt_bind_text(st, 4,
		       str_of(value(ENTITY_RATE_SHEET, RATE_SHEET_MODE, (int)ask->delta.mode)));
	stmt_bind_int(st, 5, ask->delta.moment);
	stmt_bind_int(st, 6, (int64_t)s->lines);
	for (int i = 0; i < SHEET_CHANGE_COUNT; i++)
		stmt_bind_int(st, 7 + i, p->count[i]);
	stmt_bind_int(st, 13, version);
	stmt_bind_int(st, 14, version + (int64_t)p->adds - 1);
	stmt_bind_text(st, 15, ask->sha256);
	r = stmt_run(st);
	*ret_id = db_last_id(d);
	return r;
}

/* Columns of table rate, as the generic code has them, and which sheet brought the row. */
#define RATE_COLUMNS                                                                          \
	"\"group\", prefix, origin, effective, \"end\", price, unit, first, step, setup_fee," \
	" sections, tax_percent, band_mode, status, area, version"

static int drop_all(struct db *d, const struct delta *p, int64_t id)
{
	CLEANUP(stmt_free) struct stmt *keep = NULL;
	CLEANUP(stmt_free) struct stmt *del = NULL;
	int r = stmt_prepare(&keep, d,
			     "INSERT INTO rate_dropped (" RATE_COLUMNS
			     ", sheet, dropped_by) SELECT " RATE_COLUMNS
			     ", sheet, ?2 FROM rate WHERE version = ?1");

	if (r == 0)
		r = stmt_prepare(&del, d, "DELETE FROM rate WHERE version = ?1");
	for (size_t i = 0; r == 0 && i < p->drops; i++) {
		stmt_bind_int(keep, 1, p->drop[i]);
		stmt_bind_int(keep, 2, id);
		stmt_bind_int(del, 1, p->drop[i]);
		r = stmt_run(keep);
		if (r == 0)
			r = stmt_run(del);
	}
	return r;
}

static void bind_time(struct stmt *s, int i, ms_t t)
{
	if (t == FIELD_ABSENT)
		stmt_bind_null(s, i);
	else
		stmt_bind_int(s, i, t);
}

static int end_all(struct db *d, const struct delta *p, int64_t id)
{
	CLEANUP(stmt_free) struct stmt *keep = NULL;
	CLEANUP(stmt_free) struct stmt *set = NULL;
	int r = stmt_prepare(&keep, d,
			     "INSERT INTO rate_ended (sheet, version, old_end) VALUES (?,?,?)");

	if (r == 0)
		r = stmt_prepare(&set, d, "UPDATE rate SET \"end\" = ?2 WHERE version = ?1");
	for (size_t i = 0; r == 0 && i < p->ends; i++) {
		stmt_bind_int(keep, 1, id);
		stmt_bind_int(keep, 2, p->end[i].version);
		bind_time(keep, 3, p->end[i].old_end);
		stmt_bind_int(set, 1, p->end[i].version);
		bind_time(set, 2, p->end[i].end);
		r = stmt_run(keep);
		if (r == 0)
			r = stmt_run(set);
	}
	return r;
}

static void bind_or_null(struct stmt *s, int i, struct str text)
{
	if (text.n)
		stmt_bind_text(s, i, text);
	else
		stmt_bind_null(s, i);
}

static void bind_row(struct stmt *s, const struct sheet_row *row)
{
	stmt_bind_text(s, 2, sheet_prefix(row));
	stmt_bind_int(s, 3, row->effective);
	bind_time(s, 4, row->end);
	stmt_bind_int(s, 5, row->price);
	stmt_bind_int(s, 6, row->unit);
	stmt_bind_int(s, 7, row->first);
	stmt_bind_int(s, 8, row->step);
	stmt_bind_int(s, 9, row->setup_fee);
	bind_or_null(s, 10, sheet_sections(row));
	stmt_bind_int(s, 11, row->tax);
	stmt_bind_text(s, 12, str_of(value(ENTITY_RATE, RATE_BAND_MODE, row->band_mode)));
	stmt_bind_text(s, 13, str_of(value(ENTITY_RATE, RATE_STATUS, row->status)));
	bind_or_null(s, 14, sheet_area(row));
}

static int add_all(struct db *d, const struct sheet *s, const struct store_ask *ask,
		   int64_t version, int64_t id)
{
	CLEANUP(stmt_free) struct stmt *add = NULL;
	int r = stmt_prepare(
		&add, d,
		"INSERT INTO rate (" RATE_COLUMNS ", sheet)"
		" VALUES (?1,?2,?17,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13,?14,?15,?16)");

	if (r < 0)
		return r;
	stmt_bind_text(add, 1, ask->delta.group);
	stmt_bind_int(add, 16, id);
	for (size_t i = 0; r == 0 && i < s->rows; i++) {
		if (!s->row[i].is_new)
			continue;
		bind_row(add, &s->row[i]);
		stmt_bind_text(add, 17, sheet_origin(s, &s->row[i]));
		stmt_bind_int(add, 15, version++);
		r = stmt_run(add);
	}
	return r;
}

/* -ENOLINK: there is no such group, which is asked once, not for each rate (store_fast). */
static int remember(struct db *d, const struct store_ask *ask)
{
	CLEANUP(stmt_free) struct stmt *s = NULL;
	int r = stmt_prepare(&s, d,
			     "UPDATE rate_group SET sheet_columns = ?2, sheet_decimal = ?3,"
			     " sheet_dates = ?4, sheet_zone = ?5 WHERE name = ?1");

	if (r < 0)
		return r;
	stmt_bind_text(s, 1, ask->delta.group);
	bind_or_null(s, 2, ask->columns);
	stmt_bind_text(s, 3, ask->decimal);
	stmt_bind_text(s, 4, ask->dates);
	bind_or_null(s, 5, ask->zone);
	r = stmt_run(s);
	return r == 0 && db_changes(d) == 0 ? -ENOLINK : r;
}

/* What no sheet can be undone for any more is forgotten: a weekly sheet of a million would leave a million lines each. */
static int settle_old(struct db *d, const struct store_ask *ask)
{
	static const char *const sql[] = {
		("UPDATE rate_sheet SET state = 'settled' WHERE \"group\" = ?1"
		 " AND state = 'applied' AND id NOT IN (SELECT id FROM rate_sheet"
		 " WHERE \"group\" = ?1 AND state = 'applied' ORDER BY id DESC LIMIT 10)"),
		("DELETE FROM rate_ended WHERE sheet IN (SELECT id FROM rate_sheet"
		 " WHERE \"group\" = ?1 AND state = 'settled')"),
		("DELETE FROM rate_dropped WHERE dropped_by IN (SELECT id FROM rate_sheet"
		 " WHERE \"group\" = ?1 AND state = 'settled')"),
	};
	int r = 0;

	for (size_t i = 0; r == 0 && i < sizeof(sql) / sizeof(sql[0]); i++) {
		CLEANUP(stmt_free) struct stmt *s = NULL;

		r = stmt_prepare(&s, d, sql[i]);
		if (r == 0) {
			stmt_bind_text(s, 1, ask->delta.group);
			r = stmt_run(s);
		}
	}
	return r;
}

int store_fast(struct db *d)
{
	return db_exec(d, "PRAGMA cache_size = -65536; PRAGMA foreign_keys = OFF");
}

int store_sheet(struct db *d, const struct sheet *s, const struct delta *p,
		const struct store_ask *ask, int64_t *ret_id, struct err *err)
{
	int64_t version = 0, id = 0;
	int r = store_next_version(d, &version);

	if (r == 0)
		r = put_head(d, s, p, ask, version, &id);
	if (r == 0)
		r = drop_all(d, p, id);
	if (r == 0)
		r = end_all(d, p, id);
	if (r == 0)
		r = add_all(d, s, ask, version, id);
	if (r == 0)
		r = remember(d, ask);
	if (r == 0)
		r = settle_old(d, ask);
	if (r < 0)
		return no_store(d, r, err);
	*ret_id = id;
	return 0;
}

/* ---- taking out ---- */

struct undoing {
	struct db *db;
	struct str group, who;
	int64_t sheet, last_version, top_version;
	int64_t has_by_hand; /* some rate of the group is newer than the sheet */
	ms_t at;
};

/* The newest that stands; that is the one which can be taken back. */
static int find_newest(struct undoing *u, int64_t wanted, struct err *err)
{
	CLEANUP(stmt_free) struct stmt *s = NULL;
	int r = stmt_prepare(&s, u->db,
			     "SELECT id, last_version FROM rate_sheet"
			     " WHERE \"group\" = ?1 AND state = 'applied'"
			     " ORDER BY id DESC LIMIT 1");

	if (r == 0) {
		stmt_bind_text(s, 1, u->group);
		r = stmt_step(s);
	}
	if (r < 0)
		return no_store(u->db, r, err);
	if (r == 0)
		return err_set(err, ERR_NOT_FOUND, "group", u->group,
			       "a group that `rate-sheet list` names as applied",
			       "there is no sheet of this group to undo");
	u->sheet = stmt_int(s, 0);
	u->last_version = stmt_int(s, 1);
	if (wanted && wanted != u->sheet)
		return err_set(err, ERR_CONFLICT, "sheet", STR(""),
			       "sheets are undone newest first",
			       "the newest sheet of this group is %lld", (long long)u->sheet);
	return 0;
}

/* ?1 group, ?2 sheet, ?3 the moment, ?4 its last version, ?5 who, ?6 the highest version yet, ?7 has_by_hand: those that it has. */
static int step(const struct undoing *u, const char *sql, int64_t *count)
{
	CLEANUP(stmt_free) struct stmt *s = NULL;
	int r = stmt_prepare(&s, u->db, sql);

	if (r < 0)
		return r;
	if (strstr(sql, "?1"))
		stmt_bind_text(s, 1, u->group);
	if (strstr(sql, "?2"))
		stmt_bind_int(s, 2, u->sheet);
	if (strstr(sql, "?3"))
		stmt_bind_int(s, 3, u->at);
	if (strstr(sql, "?4"))
		stmt_bind_int(s, 4, u->last_version);
	if (strstr(sql, "?6"))
		stmt_bind_int(s, 6, u->top_version);
	if (strstr(sql, "?5"))
		stmt_bind_text(s, 5, u->who);
	if (strstr(sql, "?7"))
		stmt_bind_int(s, 7, u->has_by_hand);
	r = stmt_step(s);
	if (r == 1 && count) /* a count */
		*count += stmt_int(s, 0);
	else if (r == 0 && count)
		*count += db_changes(u->db);
	return r < 0 ? r : 0;
}

/*
 * A rate made by hand since, of the same prefix, that is in force or to come: `r` is what would come back. What came back by itself when
 * a later sheet was undone is none. Nothing is looked for, a million times, where there is none at all.
 */
#define BY_HAND                                                                \
	"(?7 AND EXISTS (SELECT 1 FROM rate n WHERE n.\"group\" = r.\"group\"" \
	" AND n.prefix = r.prefix AND n.origin = r.origin AND n.version > ?4"  \
	" AND n.undo_of IS NULL AND n.sheet IS NULL"                           \
	" AND (n.\"end\" IS NULL OR n.\"end\" > ?3)))"

static const char *const undo_has_by_hand =
	"SELECT EXISTS (SELECT 1 FROM rate WHERE version > ?4 AND +\"group\" = ?1"
	" AND undo_of IS NULL AND sheet IS NULL)";

static const char *const undo_ending[] = {
	"DELETE FROM rate WHERE \"group\" = ?1 AND sheet = ?2 AND effective >= ?3",
	("UPDATE rate SET \"end\" = ?3 WHERE \"group\" = ?1 AND sheet = ?2"
	 " AND (\"end\" IS NULL OR \"end\" > ?3)"),
};

static const char *const undo_keeping =
	"SELECT (SELECT count(*) FROM rate_ended e JOIN rate r ON r.version = e.version"
	" WHERE e.sheet = ?2 AND r.\"group\" = ?1 AND " BY_HAND ")"
	" + (SELECT count(*) FROM rate_dropped r WHERE r.dropped_by = ?2 AND " BY_HAND ")";

static const char *const undo_restoring[] = {
	/* Not over yet: it simply goes on. */
	("UPDATE rate AS r SET \"end\" = (SELECT e.old_end FROM rate_ended e WHERE e.sheet = ?2"
	 " AND e.version = r.version) WHERE r.version IN (SELECT version FROM rate_ended"
	 " WHERE sheet = ?2) AND r.\"group\" = ?1 AND r.\"end\" > ?3"
	 " AND NOT " BY_HAND),
	/* Never began: it is to come again, or begins now; of several that would, the latest. */
	("INSERT OR IGNORE INTO rate (" RATE_COLUMNS ", sheet)"
	 " SELECT r.\"group\", r.prefix, r.origin, max(r.effective, ?3), r.\"end\", r.price, "
	 "r.unit,"
	 " r.first, r.step, r.setup_fee, r.sections, r.tax_percent, r.band_mode, r.status, r.area,"
	 " r.version, r.sheet FROM rate_dropped r WHERE r.dropped_by = ?2 AND r.\"group\" = ?1"
	 " AND (r.\"end\" IS NULL OR r.\"end\" > ?3) AND NOT " BY_HAND
	 " ORDER BY r.effective DESC"),
	/* Over: the same again from now on, as a new version; unless one that never began begins now. */
	("INSERT OR IGNORE INTO rate (\"group\", prefix, origin, effective, \"end\", price, unit, "
	 "first, step,"
	 " setup_fee, sections, tax_percent, band_mode, status, area, version, sheet, undo_of)"
	 " SELECT r.\"group\", r.prefix, r.origin, ?3, e.old_end, r.price, r.unit, r.first, r.step,"
	 " r.setup_fee, r.sections, r.tax_percent, r.band_mode, r.status, r.area,"
	 " ?6 + row_number() OVER (ORDER BY r.prefix), r.sheet, ?2"
	 " FROM rate_ended e JOIN rate r ON r.version = e.version"
	 " WHERE e.sheet = ?2 AND r.\"group\" = ?1 AND r.\"end\" <= ?3"
	 " AND (e.old_end IS NULL OR e.old_end > ?3) AND NOT " BY_HAND),
};

/* Sheets of the group before this one that stand. */
#define EARLIER "(SELECT id FROM rate_sheet WHERE \"group\" = ?1 AND id < ?2 AND state = 'applied')"
#define COPY_OF_E                                                                      \
	"FROM rate o JOIN rate n ON n.\"group\" = o.\"group\" AND n.prefix = o.prefix" \
	" AND n.origin = o.origin AND n.effective = ?3 AND n.version > ?6"             \
	" WHERE o.version = e.version AND o.\"end\" <= ?3"

/* What concerns earlier sheets, too, so that each of them can be undone in its turn. */
static const char *const undo_handing_on[] = {
	/* What one ended and this one ended sooner has a new version now: that is the one which goes on then. */
	("UPDATE rate_ended AS e SET version = (SELECT n.version " COPY_OF_E ")"
	 " WHERE e.sheet IN " EARLIER
	 " AND e.version IN (SELECT version FROM rate_ended WHERE sheet = ?2"
	 " AND (old_end IS NULL OR old_end > ?3))"
	 " AND EXISTS (SELECT 1 " COPY_OF_E ")"),
	/* What one gave an end that has passed, and this one took away before: the other has taken it away. */
	("UPDATE rate_dropped AS d SET dropped_by = e.sheet, \"end\" = e.old_end FROM rate_ended e"
	 " WHERE d.dropped_by = ?2 AND d.\"end\" <= ?3 AND e.version = d.version"
	 " AND e.sheet = (SELECT max(f.sheet) FROM rate_ended f WHERE f.sheet IN " EARLIER
	 " AND f.version = d.version)"),
	("DELETE FROM rate_ended AS e WHERE e.sheet IN " EARLIER
	 " AND EXISTS (SELECT 1 FROM rate_dropped d WHERE d.dropped_by = e.sheet"
	 " AND d.version = e.version)"),
};

static const char *const undo_closing[] = {
	"DELETE FROM rate_ended WHERE sheet = ?2",
	"DELETE FROM rate_dropped WHERE dropped_by = ?2",
	("UPDATE rate_sheet SET state = 'undone', undone_at = ?3, undone_by = ?5"
	 " WHERE id = ?2"),
};

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static int steps(const struct undoing *u, const char *const *sql, size_t n, int64_t *count)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < n; i++)
		r = step(u, sql[i], count);
	return r;
}

int store_undo_begin(struct db *d, struct str group, int64_t sheet, int64_t *ret_rates,
		     struct err *err)
{
	struct undoing u = { .db = d, .group = group };
	int r = find_newest(&u, sheet, err);

	if (r < 0)
		return r;
	*ret_rates = 0;
	r = step(&u, "SELECT count(*) FROM rate WHERE \"group\" = ?1 AND sheet = ?2", ret_rates);
	return r < 0 ? no_store(d, r, err) : 0;
}

int store_undo(struct db *d, struct str group, int64_t sheet, struct str who, ms_t at,
	       struct store_undone *ret, struct err *err)
{
	struct undoing u = { .db = d, .group = group, .who = who, .at = at };
	int r = find_newest(&u, sheet, err);

	if (r < 0)
		return r;
	r = store_next_version(d, &u.top_version);
	if (r < 0)
		return no_store(d, r, err);
	u.top_version--;
	*ret = (struct store_undone){ .sheet = u.sheet };
	r = step(&u, undo_has_by_hand, &u.has_by_hand);
	if (r == 0)
		r = steps(&u, undo_ending, COUNT(undo_ending), &ret->ended);
	if (r == 0)
		r = step(&u, undo_keeping, &ret->kept);
	if (r == 0)
		r = steps(&u, undo_restoring, COUNT(undo_restoring), &ret->restored);
	if (r == 0)
		r = steps(&u, undo_handing_on, COUNT(undo_handing_on), NULL);
	if (r == 0)
		r = steps(&u, undo_closing, COUNT(undo_closing), NULL);
	return r < 0 ? no_store(d, r, err) : 0;
}
