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

static bool is_of(const json_t *call, const char *name, struct str wanted)
{
	return str_eq(str_of(json_string_value(json_object_get(call, name))), wanted);
}

void calls_choose(const struct request *r, json_t *list)
{
	CLEANUP(buf_done) struct buf gateway = BUF_INIT, account = BUF_INIT;
	bool has_gateway = arg_text(r, "gateway", &gateway);
	bool has_account = arg_text(r, "account", &account);

	for (size_t i = json_array_size(list); i-- > 0;) {
		const json_t *call = json_array_get(list, i);
		bool is_wanted = !has_gateway ||
				 is_of(call, "mapping_gateway", buf_str(&gateway)) ||
				 is_of(call, "routing_gateway", buf_str(&gateway));

		if (has_account && !is_of(call, "account", buf_str(&account)))
			is_wanted = false;
		if (!is_wanted)
			(void)json_array_remove(list, i);
	}
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
