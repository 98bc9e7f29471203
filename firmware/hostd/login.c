#include "login.h"

#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "model/json.h"
#include "model/tries.h"

enum { SECOND = 1000, ROUND_UP = SECOND - 1 };

static const char NAME[] = "console-tries"; /* of TRIES_PATH, in the folder --state */

static int path_of(const struct host *h, struct buf *path)
{
	buf_printf(path, "%s/%s", h->options.state, NAME);
	return buf_cstr(path) ? 0 : -ENOMEM;
}

static int answer(struct request *r, const struct tries *t)
{
	ms_t left = tries_left(t, clock_wall_ms());
	json_t *o = json_pack(
		"{s:b s:I s:I s:I s:I s:I}", "locked", left > 0, "seconds_left",
		(json_int_t)((left + ROUND_UP) / SECOND), "wrong", (json_int_t)t->wrong,
		"failures_allowed", (json_int_t)t->limits.failures, "lock_s",
		(json_int_t)t->limits.pause_s, "lock_max_s", (json_int_t)t->limits.longest_s);

	if (!o)
		return -ENOMEM;
	request_done(r, o);
	return 0;
}

int login_show(struct host *h, struct request *r, struct err *err)
{
	CLEANUP(buf_done) struct buf path = BUF_INIT;
	struct tries t;
	int e = path_of(h, &path);

	if (e == 0)
		e = tries_read(path.p, &t, err);
	return e < 0 ? e : answer(r, &t);
}

int login_unlock(struct host *h, struct request *r, struct err *err)
{
	CLEANUP(buf_done) struct buf path = BUF_INIT;
	struct tries t;
	int e = path_of(h, &path);

	tries_begin(&t);
	if (e == 0)
		e = tries_note(path.p, NULL, true, clock_wall_ms(), &t, err);
	if (e < 0)
		return e;
	log_at(LOG_NOTICE, NULL, "wrong passwords at the console forgotten, by %s", r->actor);
	return answer(r, &t);
}
