#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "ops/inner.h"

/*
 * Alarms that are over, in switch.db. What says that nothing can be written is over when something can be again, so they wait in memory
 * until then: the newest of them, if it takes long.
 */

enum { WAITING_MAX = 1000, TEXT = 256 };

struct past {
	struct list node;
	char type[64], object[TEXT], level[16], info[TEXT], acked_by[64];
	int64_t value;
	ms_t begin, last, over, acked;
};

static void forget_first(struct history *h)
{
	struct list *first = list_shift(&h->waiting);

	if (first)
		free(CONTAINER(first, struct past, node));
	h->count -= first != NULL;
}

static void keep(char *to, size_t size, const char *text)
{
	(void)str_copy(to, size, str_head(str_of(text), size - 1));
}

void history_add(struct ops *o, const struct past_alarm *p)
{
	struct past *x = calloc(1, sizeof(*x));

	if (!x)
		return;
	keep(x->type, sizeof(x->type), p->type);
	keep(x->object, sizeof(x->object), p->object);
	keep(x->level, sizeof(x->level), p->level);
	keep(x->info, sizeof(x->info), p->info);
	keep(x->acked_by, sizeof(x->acked_by), p->acked_by);
	x->value = p->value;
	x->begin = p->begin;
	x->last = p->last;
	x->acked = p->acked;
	x->over = clock_wall_ms();
	if (o->history.count == WAITING_MAX)
		forget_first(&o->history);
	list_add_tail(&o->history.waiting, &x->node);
	o->history.count++;
}

void history_close(struct ops *o)
{
	while (o->history.count > 0)
		forget_first(&o->history);
}

static int write_one(struct stmt *s, const struct past *x)
{
	stmt_bind_text(s, 1, str_of(x->type));
	stmt_bind_text(s, 2, str_of(x->object));
	stmt_bind_text(s, 3, str_of(x->level));
	stmt_bind_int(s, 4, x->begin);
	stmt_bind_int(s, 5, x->last);
	stmt_bind_int(s, 6, x->value);
	stmt_bind_text(s, 7, str_of(x->info));
	stmt_bind_int(s, 8, x->over);
	if (x->acked)
		stmt_bind_int(s, 9, x->acked);
	else
		stmt_bind_null(s, 9);
	stmt_bind_text(s, 10, str_of(x->acked_by));
	return stmt_run(s);
}

static int write_all(struct ops *o)
{
	CLEANUP(stmt_free) struct stmt *s = NULL;
	struct list *it, *tmp;
	int r = stmt_prepare(
		&s, o->db,
		"INSERT INTO alarm (name, object, level, begin, last, value, info, cleared,"
		" acked, acked_by) VALUES (?,?,?,?,?,?,?,?,?,?)");

	LIST_EACH (it, tmp, &o->history.waiting)
		r = r < 0 ? r : write_one(s, CONTAINER(it, struct past, node));
	return r;
}

void history_write(struct ops *o)
{
	if (o->history.count == 0 || o->is_locked || db_begin(o->db) < 0)
		return;
	int r = write_all(o);
	if (r == 0)
		r = db_commit(o->db);
	if (r < 0)
		db_rollback(o->db);
	else
		history_close(o);
}

/* ---- what there is ---- */

struct asked {
	struct buf type, object;
	ms_t from, to;
	int64_t limit, after;
};

static void asked_done_cleanup(struct asked *a)
{
	buf_done(&a->type);
	buf_done(&a->object);
}

static int read_asked(struct asked *a, const struct request *r, struct err *err)
{
	int error = arg_int(r, "limit", 1, 1000000, 100, &a->limit, err);

	if (error == 0)
		error = arg_int(r, "after", 1, INT64_MAX, INT64_MAX, &a->after, err);
	if (error == 0)
		error = arg_time(r, "from", 0, &a->from, err);
	if (error == 0)
		error = arg_time(r, "to", INT64_MAX, &a->to, err);
	(void)arg_text(r, "type", &a->type);
	(void)arg_text(r, "object", &a->object);
	return error;
}

static json_t *moment(struct stmt *s, int column)
{
	char text[CLOCK_TEXT];
	int64_t at = stmt_int(s, column);

	return at ? json_string(clock_text(at, text)) : json_null();
}

static json_t *past_json(struct stmt *s)
{
	return json_pack("{s:I s:o s:o s:o s:o s:o s:o s:I s:o s:o s:o}", "id",
			 (json_int_t)stmt_int(s, 0), "type", json_of_text(stmt_text(s, 1)), "level",
			 json_of_text(stmt_text(s, 2)), "object", json_of_text(stmt_text(s, 3)),
			 "begin", moment(s, 4), "last", moment(s, 5), "over", moment(s, 6), "value",
			 (json_int_t)stmt_int(s, 7), "info", json_of_text(stmt_text(s, 8)), "acked",
			 moment(s, 9), "acked_by", json_of_text(stmt_text(s, 10)));
}

int alarm_history(struct ops *o, struct request *r, json_t **ret, struct err *err)
{
	CLEANUP(asked_done) struct asked a = { .type = BUF_INIT, .object = BUF_INIT };
	CLEANUP(stmt_free) struct stmt *s = NULL;
	CLEANUP(json_decref) json_t *list = json_array();
	int error = list ? read_asked(&a, r, err) : -ENOMEM;

	history_write(o);
	if (error == 0)
		error = stmt_prepare(
			&s, o->db,
			"SELECT id, name, level, object, begin, last, cleared, value, info, acked,"
			" acked_by FROM alarm WHERE cleared IS NOT NULL AND id < ?1 AND cleared >= "
			"?2"
			" AND begin < ?3 AND ifnull(?4, name) = name AND ifnull(?5, object) = "
			"object"
			" ORDER BY id DESC LIMIT ?6");
	if (error < 0)
		return error;
	stmt_bind_int(s, 1, a.after);
	stmt_bind_int(s, 2, a.from);
	stmt_bind_int(s, 3, a.to);
	stmt_bind_text(s, 4, buf_str(&a.type));
	stmt_bind_text(s, 5, buf_str(&a.object));
	stmt_bind_int(s, 6, a.limit);
	while (error == 0 && (error = stmt_step(s)) == 1)
		error = json_array_append_new(list, past_json(s)) == 0 ? 0 : -ENOMEM;
	if (error == 0)
		*ret = TAKE(list);
	return error;
}
