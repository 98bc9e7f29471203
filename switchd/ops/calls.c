#include <errno.h>
#include <stdlib.h>

#include "ops/inner.h"

static int read_id(const struct request *r, int64_t *ret, struct err *err)
{
	CLEANUP(buf_done) struct buf text = BUF_INIT;
	int error = arg_need(r, "id", &text, err);
	char *end;

	if (error < 0)
		return error;
	const char *z = buf_cstr(&text);
	*ret = (int64_t)strtoull(z, &end, 16);
	if (text.n != 16 || *end)
		return err_set(err, ERR_BAD_VALUE, "id", buf_str(&text), "16 hex digits",
			       "not a call's id");
	return 0;
}

int call_list(struct ops *o, struct request *r, json_t **ret, struct err *err)
{
	(void)ret;
	return ask_workers(o, r, ASK_LIST, 0, err);
}

int call_show(struct ops *o, struct request *r, json_t **ret, struct err *err)
{
	int64_t id;
	int error = read_id(r, &id, err);

	(void)ret;
	return error < 0 ? error : ask_workers(o, r, ASK_SHOW, id, err);
}

int call_hangup(struct ops *o, struct request *r, json_t **ret, struct err *err)
{
	int64_t id;
	int error = read_id(r, &id, err);

	(void)ret;
	return error < 0 ? error : ask_workers(o, r, ASK_HANGUP, id, err);
}
