#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "ops/clerk.h"
#include "ops/inner.h"
#include "ops/replayer.h"

/* `route replay`: what is asked is read here; the clerk does the rest. */

enum { RECORDS = 20000, RECORDS_MAX = 1000000, LISTED = 100, LISTED_MAX = 10000 };

struct task {
	struct ops *ops;
	struct replayer what;
};

static void task_free(void *task)
{
	struct task *t = task;

	for (int i = 0; i < t->what.wishes.count; i++)
		free(t->what.wishes.text[i]);
	free(t->what.account);
	free(t->what.gateway);
	params_free(t->what.params);
	atomic_store(&t->ops->replay_runs, false);
	free(t);
}

static int work(void *task, const atomic_bool *stop, json_t **ret, struct err *err)
{
	struct task *t = task;

	return replayer_run(&t->what, stop, ret, err);
}

static int read_wishes(const struct request *r, struct wishes *w, struct err *err)
{
	const json_t *list = json_object_get(r->params, "with");
	CLEANUP(buf_done) struct buf text = BUF_INIT;
	size_t at = 0;

	if (json_array_size(list) > WHAT_IF_MAX)
		return err_set(err, ERR_BAD_VALUE, "with", STR(""), "at most 16 changes",
			       "too many changes");
	while (wish_next(list, &at, &text)) {
		w->text[w->count] = buf_error(&text) ? NULL : str_dup(buf_str(&text));
		if (!w->text[w->count])
			return -ENOMEM;
		w->count++;
	}
	return 0;
}

static int read_name(const struct request *r, const char *name, char **ret)
{
	CLEANUP(buf_done) struct buf text = BUF_INIT;

	if (!arg_text(r, name, &text))
		return 0;
	*ret = str_dup(buf_str(&text));
	return *ret ? 0 : -ENOMEM;
}

static int read_ask(struct ops *o, const struct request *r, struct replayer *w, struct err *err)
{
	int e = arg_time(r, "from", clock_wall_ms() - DAY_MS, &w->from, err);

	if (e == 0)
		e = arg_time(r, "to", FIELD_ABSENT, &w->to, err);
	if (e == 0)
		e = arg_int(r, "records", 1, RECORDS_MAX, RECORDS, &w->records, err);
	if (e == 0)
		e = arg_int(r, "limit", 1, LISTED_MAX, LISTED, &w->limit, err);
	if (e == 0)
		e = read_name(r, "account", &w->account);
	if (e == 0)
		e = read_name(r, "gateway", &w->gateway);
	if (e == 0)
		e = read_wishes(r, &w->wishes, err);
	if (e < 0)
		return e;
	w->params = params_copy(catalog_world(o->catalog)->params);
	return w->params ? 0 : -ENOMEM;
}

int route_replay(struct ops *o, struct request *r, json_t **ret, struct err *err)
{
	struct task *t;
	int e;

	(void)ret;
	if (atomic_exchange(&o->replay_runs, true))
		return err_set(err, ERR_CONFLICT, "", STR(""), "try again when it is done",
			       "calls are being replayed");
	t = calloc(1, sizeof(*t));
	if (!t) {
		atomic_store(&o->replay_runs, false);
		return -ENOMEM;
	}
	t->ops = o;
	t->what.data_dir = o->c.data_dir;
	e = read_ask(o, r, &t->what, err);
	if (e < 0) {
		task_free(t);
		return e;
	}
	return clerk_take(o->clerk, r, work, t, task_free);
}
