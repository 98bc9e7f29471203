#include <errno.h>
#include <string.h>

#include "ops/inner.h"

int change_begin(struct ops *o, struct err *err)
{
	if (o->is_locked)
		return -EAGAIN;

	int r = db_begin(o->db);
	if (r < 0)
		(void)err_set(err, ERR_STORE, "", STR(""), "try again",
			      "the configuration cannot be written: %s", db_error(o->db));
	return r;
}

static char *dump(const json_t *j)
{
	return j ? json_dumps(j, JSON_COMPACT | JSON_SORT_KEYS) : NULL;
}

static int log_change(struct ops *o, const struct request *r, const struct change *c)
{
	CLEANUP(stmt_free) struct stmt *s = NULL;
	CLEANUP(free) char *before = dump(c->before);
	CLEANUP(free) char *after = dump(c->after);
	int e = stmt_prepare(&s, o->db,
			     "INSERT INTO system_log (at, who, operation, key, before, after)"
			     " VALUES (?,?,?,?,?,?)");

	if (e < 0)
		return e;
	stmt_bind_int(s, 1, clock_wall_ms());
	stmt_bind_text(s, 2, str_of(r->actor));
	stmt_bind_text(s, 3, str_of(op_infos[r->op].name));
	stmt_bind_text(s, 4, str_of(c->key ? c->key : ""));
	stmt_bind_text(s, 5, str_of(before));
	stmt_bind_text(s, 6, str_of(after));
	return stmt_run(s);
}

int change_end(struct ops *o, const struct request *r, const struct change *c, int error,
	       struct err *err)
{
	if (error == 0)
		error = log_change(o, r, c);
	if (error == 0 && c->changed)
		error = catalog_prepare(o->catalog, c->changed, c->group, err);
	if (error == 0)
		error = db_commit(o->db);
	if (error < 0) {
		(void)err_set(err, ERR_STORE, "", STR(""), "try again",
			      "the change was not stored: %s", db_error(o->db));
		db_rollback(o->db);
		catalog_discard(o->catalog);
		return error;
	}
	catalog_publish(o->catalog);
	if (c->changed)
		spends_look(o); /* a new rule acts at once */
	if (c->changed & CHANGED_PARAMS) {
		trace_configure(o);
		couriers_order(o);
		names_configure(o);
	}
	if (c->changed & (CHANGED_GATEWAYS | CHANGED_PARAMS))
		report_config_changed(o->report);
	return 0;
}
