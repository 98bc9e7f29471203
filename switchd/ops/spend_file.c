#include "ops/spend_file.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "model/entity.h"

enum { SAVE_MS = 10000, SAVES_MAX = 200 /* a second */ };

static const struct entity *const entity = &entities[ENTITY_SPEND];

static int store(struct db *db, const struct spend_count *n)
{
	CLEANUP(stmt_free) struct stmt *s = NULL;
	CLEANUP(buf_done) struct buf slots = BUF_INIT;
	int r = stmt_prepare(&s, db,
			     "INSERT OR REPLACE INTO spend (rule, account, state, since, until, "
			     "why, saved, slots) VALUES (?,?,?,?,?,?,?,?)");

	if (r < 0)
		return r;
	spent_save(&n->spent, &slots, spend_clock_s());
	stmt_bind_text(s, 1, str_of(n->rule));
	stmt_bind_text(s, 2, str_of(n->account));
	stmt_bind_text(s, 3, str_of(entity->field[SPEND_STATE].values[n->state]));
	stmt_bind_int(s, 4, n->since);
	if (n->since == FIELD_ABSENT)
		stmt_bind_null(s, 4);
	stmt_bind_int(s, 5, n->until);
	if (n->until == FIELD_ABSENT)
		stmt_bind_null(s, 5);
	stmt_bind_text(s, 6, str_of(n->why));
	stmt_bind_int(s, 7, clock_wall_ms());
	stmt_bind_text(s, 8, buf_str(&slots));
	r = buf_error(&slots);
	return r < 0 ? r : stmt_run(s);
}

static int erase(struct db *db, const struct spend_count *n)
{
	CLEANUP(stmt_free) struct stmt *s = NULL;
	int r = stmt_prepare(&s, db, "DELETE FROM spend WHERE rule = ? AND account = ?");

	if (r < 0)
		return r;
	stmt_bind_text(s, 1, str_of(n->rule));
	stmt_bind_text(s, 2, str_of(n->account));
	return stmt_run(s);
}

static int write_one(struct db *db, struct spend_count *n)
{
	bool is_needed = n->state != SPEND_STATE_NORMAL || !spent_is_empty(&n->spent);
	int r = is_needed ? store(db, n) : n->is_stored ? erase(db, n) : 0;

	if (r < 0)
		return r;
	n->is_stored = is_needed;
	n->is_dirty = n->is_urgent = false;
	n->saved_mono = clock_mono_ms();
	return 0;
}

static bool is_due(const struct spend_count *n, bool all)
{
	ms_t age = clock_mono_ms() - n->saved_mono;
	/* What has slid out of all windows needs no row any more. */
	bool is_over = n->is_stored && n->state == SPEND_STATE_NORMAL && spent_is_empty(&n->spent);

	return n->is_urgent || is_over || (n->is_dirty && (all || age >= SAVE_MS));
}

/* Nothing of it is there: all that was written since is due again. */
static void take_back(const struct spend_book *b, ms_t since_mono)
{
	struct spend_count *n;
	struct hnode *it;

	SPEND_COUNT_EACH(it, b, n)
	{
		if (n->saved_mono >= since_mono)
			n->is_dirty = n->is_urgent = n->is_stored = true;
	}
}

void spend_file_write(struct db *db, struct spend_book *b, bool all)
{
	struct spend_count *n;
	struct hnode *it;
	ms_t began = clock_mono_ms();
	int r = 0, written = 0;

	SPEND_COUNT_EACH(it, b, n)
	{
		if (r < 0 || !is_due(n, all) || (!all && written == SAVES_MAX))
			continue;
		if (written++ == 0)
			r = db_begin(db);
		if (r == 0)
			r = write_one(db, n);
	}
	if (written > 0 && r == 0)
		r = db_commit(db);
	if (r < 0) {
		db_rollback(db);
		take_back(b, began);
		log_at(LOG_WARNING, NULL, "what spend rules count cannot be written: %s",
		       strerror(-r));
	}
}

static void load(struct spend_count *n, struct stmt *s)
{
	ms_t wall = clock_wall_ms(), mono = clock_mono_ms();
	ms_t age = wall - stmt_int(s, 6);
	struct str state = stmt_text(s, 2);

	for (int64_t i = 0; entity->field[SPEND_STATE].values[i]; i++) {
		if (str_eq(state, str_of(entity->field[SPEND_STATE].values[i])))
			n->state = i;
	}
	if (n->state != SPEND_STATE_NORMAL) {
		n->since = stmt_int(s, 3);
		n->until = stmt_is_null(s, 4) ? FIELD_ABSENT : stmt_int(s, 4);
		n->until_mono = n->until == FIELD_ABSENT ? INT64_MAX : mono + n->until - wall;
		(void)str_copy(n->why, sizeof(n->why),
			       str_head(stmt_text(s, 5), sizeof(n->why) - 1));
	}
	if (spent_load(&n->spent, stmt_text(s, 7), age > 0 ? age / 1000 : 0, spend_clock_s()) < 0)
		log_at(LOG_WARNING, FIELDS(.account = n->account),
		       "what spend rule %s has counted of account %s begins anew", n->rule,
		       n->account);
	n->is_stored = true;
}

int spend_file_read(struct db *db, const struct spend_book *b)
{
	CLEANUP(stmt_free) struct stmt *s = NULL;
	int r = db_exec(db, "DELETE FROM spend WHERE rule NOT IN (SELECT name FROM spend_rule)");

	if (r == 0)
		r = stmt_prepare(&s, db,
				 "SELECT rule, account, state, since, until, why, saved, slots"
				 " FROM spend");

	while (r == 0 && (r = stmt_step(s)) == 1) {
		CLEANUP(free) char *rule = str_dup(stmt_text(s, 0));
		CLEANUP(free) char *account = str_dup(stmt_text(s, 1));
		struct spend_count *n = rule && account ? spend_book_find(b, rule, account) : NULL;

		if (n)
			load(n, s);
		r = rule && account ? 0 : -ENOMEM;
	}
	return r;
}
