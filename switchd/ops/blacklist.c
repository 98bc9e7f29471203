#include "number/blacklist.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "ops/inner.h"
#include "store/rows.h"

/* The dynamic blacklist on disk: what workers have listed is written here, so that it outlives a restart and can be shown. */

static const struct entity *const entity = &entities[ENTITY_BLACKLIST];

static int run_at(struct ops *o, const char *sql, int64_t at)
{
	CLEANUP(stmt_free) struct stmt *s = NULL;
	int r = stmt_prepare(&s, o->db, sql);

	if (r < 0)
		return r;
	stmt_bind_int(s, 1, at);
	return stmt_run(s);
}

static int store(struct ops *o, const char *side, const char *number, const char *type, ms_t since,
		 ms_t until)
{
	CLEANUP(stmt_free) struct stmt *s = NULL;
	int r = stmt_prepare(&s, o->db,
			     "INSERT OR REPLACE INTO blacklist (side, number, type, since, until)"
			     " VALUES (?,?,?,?,?)");

	if (r < 0)
		return r;
	stmt_bind_text(s, 1, str_of(side));
	stmt_bind_text(s, 2, str_of(number));
	stmt_bind_text(s, 3, str_of(type));
	stmt_bind_int(s, 4, since);
	stmt_bind_int(s, 5, until);
	return stmt_run(s);
}

static const char *side_name(enum blacklist_side side)
{
	return side == BLACKLIST_CALLER ? "caller" : "callee";
}

static enum blacklist_side side_of(const char *name)
{
	return strcmp(name, "caller") == 0 ? BLACKLIST_CALLER : BLACKLIST_CALLEE;
}

void blacklist_write(struct ops *o)
{
	bool may_be = o->hub->blacklist && !o->is_locked;
	struct blacklisted *n = may_be ? blacklist_news(o->hub->blacklist) : NULL;
	ms_t now = clock_wall_ms();
	int r = n ? db_begin(o->db) : 0;

	if (!n)
		return;
	while (n) {
		struct blacklisted *next = n->next;

		if (r == 0)
			r = store(o, side_name(n->side), n->number, n->type, now,
				  now + n->for_s * 1000);
		log_at(LOG_NOTICE, NULL, "%s %s is on the dynamic blacklist for %lld s: %s",
		       side_name(n->side), n->number, (long long)n->for_s, n->type);
		free(n);
		n = next;
	}
	if (r == 0)
		r = run_at(o, "DELETE FROM blacklist WHERE until <= ?", now);
	if (r == 0)
		r = db_commit(o->db);
	if (r < 0) {
		db_rollback(o->db);
		log_at(LOG_WARNING, NULL, "the dynamic blacklist cannot be written: %s",
		       strerror(-r));
	}
}

static int seed(void *ctx, const void *row)
{
	struct ops *o = ctx;
	const struct blacklist_row *b = row;
	int64_t left_s = (b->until - clock_wall_ms() + 999) / 1000;

	if (left_s > 0)
		blacklist_add(o->hub->blacklist, side_of(b->side), str_of(b->number), left_s,
			      clock_mono_ms() / 1000);
	return 0;
}

int blacklist_open(struct ops *o)
{
	return o->hub->blacklist ? rows_each(o->db, entity, STR(""), 0, seed, o) : 0;
}

/* ---- operations ---- */

static int check(const struct blacklist_row *b, struct err *err)
{
	ms_t now = clock_wall_ms();
	int r = row_check(entity, b, err);

	if (r == 0 && strcmp(b->side, "caller") != 0 && strcmp(b->side, "callee") != 0)
		r = err_set(err, ERR_BAD_VALUE, "side", str_of(b->side), "caller or callee",
			    "there is no such side");
	if (r == 0 && (b->until <= now || b->until > now + INT64_C(31536000) * 1000))
		r = err_set(err, ERR_BAD_VALUE, "until", STR(""), "a time from now to a year ahead",
			    "it would not hold");
	return r;
}

int blacklist_add_op(struct ops *o, struct request *r, json_t **ret, struct err *err)
{
	struct blacklist_row *b = row_create(entity);
	struct change c = { 0 };
	ms_t now = clock_wall_ms();
	int error = b ? row_from_json(entity, b, r->params, err) : -ENOMEM;

	if (error == 0)
		error = check(b, err);
	if (error == 0)
		error = change_begin(o, err);
	if (error == 0) {
		b->type = BLACKLIST_TYPE_MANUAL;
		b->since = now;
		c.key = b->number;
		c.after = row_to_json(entity, b);
		error = store(o, b->side, b->number, "manual", now, b->until);
		error = change_end(o, r, &c, error, err);
		json_decref(c.after);
	}
	if (error == 0) {
		(void)seed(o, b);
		*ret = row_to_json(entity, b);
	}
	row_free(entity, b);
	return error;
}

struct listing {
	const struct blacklist *list;
	json_t *array;
	ms_t now;
	int64_t limit;
};

/* What it has kept out so far. */
static json_t *shown(const struct listing *l, const struct blacklist_row *b)
{
	struct blacklist_row one = *b;
	int64_t last_s;

	one.refused = 0;
	one.last_call = FIELD_ABSENT;
	if (l->list &&
	    blacklist_hits(l->list, side_of(b->side), str_of(b->number), &one.refused, &last_s))
		one.last_call = l->now - (clock_mono_ms() / 1000 - last_s) * 1000;
	return row_to_json(entity, &one);
}

static int list_one(void *ctx, const void *row)
{
	struct listing *l = ctx;
	const struct blacklist_row *b = row;

	if (b->until <= l->now)
		return 0;
	if ((int64_t)json_array_size(l->array) >= l->limit)
		return 1;
	return json_array_append_new(l->array, shown(l, b)) < 0 ? -ENOMEM : 0;
}

int blacklist_list(struct ops *o, struct request *r, json_t **ret, struct err *err)
{
	struct listing l = { .list = o->hub->blacklist, .now = clock_wall_ms() };
	int error = arg_int(r, "limit", 1, BLACKLIST_MAX, BLACKLIST_MAX, &l.limit, err);

	if (error < 0)
		return error;
	blacklist_write(o);
	l.array = json_array();
	error = l.array ? rows_each(o->db, entity, STR(""), 0, list_one, &l) : -ENOMEM;
	if (error >= 0)
		*ret = l.array;
	else
		json_decref(l.array);
	return error < 0 ? error : 0;
}

int blacklist_del_op(struct ops *o, struct request *r, json_t **ret, struct err *err)
{
	CLEANUP(buf_done) struct buf key = BUF_INIT;
	struct change c = { 0 };
	void *row = NULL;
	int error = arg_need(r, "key", &key, err);

	if (error < 0)
		return error;
	blacklist_write(o);
	error = change_begin(o, err);
	if (error < 0)
		return error;
	error = rows_get(o->db, entity, buf_str(&key), clock_wall_ms(), &row, err);
	if (error == 0)
		error = rows_del(o->db, entity, buf_str(&key), err);
	c.key = buf_cstr(&key);
	c.before = row ? row_to_json(entity, row) : NULL;
	error = change_end(o, r, &c, error, err);
	json_decref(c.before);
	if (error == 0) {
		const struct blacklist_row *b = row;

		blacklist_del(o->hub->blacklist, side_of(b->side), str_of(b->number));
		*ret = json_pack("{s:s}", "deleted", c.key);
	}
	row_free(entity, row);
	return error;
}
