#include <errno.h>
#include <stdlib.h>

#include "ops/clerk.h"
#include "ops/inner.h"
#include "ops/spool.h"
#include "sheet/export.h"
#include "store/rows.h"

struct export_task {
	const char *data_dir;
	struct buf group;
	ms_t at;
	struct buf after;
};

static void export_free(void *task)
{
	struct export_task *e = task;

	buf_done(&e->group);
	buf_done(&e->after);
	free(e);
}

static int work_export(void *task, const atomic_bool *stop, json_t **ret, struct err *err)
{
	struct export_task *e = task;
	CLEANUP(db_close) struct db *d = NULL;
	CLEANUP(buf_done) struct buf page = BUF_INIT, next = BUF_INIT;
	int r = spool_open_config(e->data_dir, DB_READ, stop, &d, err);

	if (r == 0)
		r = export_page(d, buf_str(&e->group), e->at, buf_str(&e->after), &page, &next);
	if (r == -EINVAL)
		return err_set(err, ERR_BAD_VALUE, "after", buf_str(&e->after),
			       "what `next` of the page before says", "no page ends so");
	if (r == 0)
		r = page_of(buf_str(&page), 0, ret);
	if (r == 0 && next.n && json_object_set_new(*ret, "next", json_of_text(buf_str(&next))) < 0)
		r = -ENOMEM;
	return r;
}

int rate_export(struct ops *o, struct request *r, json_t **ret, struct err *err)
{
	struct export_task *t = calloc(1, sizeof(*t));
	int e = t ? arg_need(r, "group", &t->group, err) : -ENOMEM;

	(void)ret;
	if (!t)
		return e;
	t->data_dir = o->c.data_dir;
	if (e == 0)
		e = arg_time(r, "at", clock_wall_ms(), &t->at, err);
	if (e == 0)
		e = rows_has(o->db, &entities[ENTITY_RATE_GROUP], RATE_GROUP_NAME,
			     buf_str(&t->group));
	if (e == 0)
		e = err_set(err, ERR_NOT_FOUND, "group", buf_str(&t->group),
			    "the name of a rate group", "there is no such rate group");
	if (e < 0) {
		export_free(t);
		return e;
	}
	(void)arg_text(r, "after", &t->after);
	return clerk_take(o->clerk, r, work_export, t, export_free);
}
