#include "control/args.h"

#include <errno.h>
#include <string.h>

#include "model/json.h"

bool arg_text(const struct request *r, const char *name, struct buf *out)
{
	const json_t *v = json_object_get(r->params, name);

	buf_clear(out);
	return v && !json_is_null(v) && json_to_text(v, out) == 0;
}

int arg_need(const struct request *r, const char *name, struct buf *out, struct err *err)
{
	if (arg_text(r, name, out))
		return 0;
	return err_set(err, ERR_MISSING_FIELD, name, STR(""), op_infos[r->op].help, "%s needs %s",
		       op_infos[r->op].name, name);
}

int arg_int(const struct request *r, const char *name, int64_t min, int64_t max, int64_t absent,
	    int64_t *ret, struct err *err)
{
	CLEANUP(buf_done) struct buf text = BUF_INIT;
	CLEANUP(buf_done) struct buf range = BUF_INIT;

	if (!arg_text(r, name, &text)) {
		*ret = absent;
		return 0;
	}
	if (str_to_i64(buf_str(&text), min, max, ret) == 0)
		return 0;
	buf_printf(&range, "a whole number from %lld to %lld", (long long)min, (long long)max);
	return err_set(err, ERR_BAD_VALUE, name, buf_str(&text), buf_cstr(&range),
		       "%s is not such a number", name);
}

int arg_bool(const struct request *r, const char *name, bool absent, bool *ret, struct err *err)
{
	CLEANUP(buf_done) struct buf text = BUF_INIT;

	*ret = absent;
	if (!arg_text(r, name, &text))
		return 0;
	*ret = str_eq(buf_str(&text), STR("true"));
	if (*ret || str_eq(buf_str(&text), STR("false")))
		return 0;
	return err_set(err, ERR_BAD_VALUE, name, buf_str(&text), "true or false",
		       "%s is neither true nor false", name);
}

int arg_money(const struct request *r, const char *name, money_t absent, money_t *ret,
	      struct err *err)
{
	CLEANUP(buf_done) struct buf text = BUF_INIT;

	if (!arg_text(r, name, &text)) {
		*ret = absent;
		return 0;
	}
	if (money_parse(buf_str(&text), ret) == 0)
		return 0;
	return err_set(err, ERR_BAD_VALUE, name, buf_str(&text),
		       "an amount with at most 8 decimals, such as 0.0123", "%s is not an amount",
		       name);
}

int arg_time(const struct request *r, const char *name, ms_t absent, ms_t *ret, struct err *err)
{
	CLEANUP(buf_done) struct buf text = BUF_INIT;

	if (!arg_text(r, name, &text)) {
		*ret = absent;
		return 0;
	}
	if (clock_parse(buf_str(&text), ret) == 0)
		return 0;
	return err_set(err, ERR_BAD_VALUE, name, buf_str(&text),
		       "a time such as 2026-12-01T00:00:00Z or a date such as 2026-12-01",
		       "%s is not a time", name);
}

/* What comes with a file that is sent in pieces. */
static bool is_of_piece(const struct op_info *op, const char *name)
{
	if (strcmp(name, ARG_TOKEN) != 0 && strcmp(name, ARG_MORE) != 0)
		return false;
	for (int i = 0; i < op->arg_count; i++)
		if (op->args[i].is_send)
			return true;
	return false;
}

static bool is_texts(const json_t *v)
{
	for (size_t i = 0; i < json_array_size(v); i++) {
		if (!json_is_string(json_array_get(v, i)))
			return false;
	}
	return json_is_array(v);
}

/* A list comes as an array, or as one text with commas, as people type it: an array it is from here on. */
static int take_list(const struct request *r, const char *name, struct err *err)
{
	const json_t *v = json_object_get(r->params, name);
	struct str text = str_of(json_string_value(v)), one;
	json_t *list;

	if (!v || json_is_null(v) || is_texts(v))
		return 0;
	if (!json_is_string(v))
		return err_set(err, ERR_BAD_VALUE, name, STR(""),
			       "texts, separated by commas or in an array", "%s is no list", name);
	list = json_array();
	while (list && str_split(&text, ',', &one)) {
		one = str_trim(one);
		(void)json_array_append_new(list, json_stringn(one.n ? one.p : "", one.n));
	}
	return json_object_set_new(r->params, name, list) < 0 ? -ENOMEM : 0;
}

int args_check(const struct request *r, struct err *err)
{
	const struct op_info *op = &op_infos[r->op];
	const char *key;
	json_t *v;

	json_object_foreach(r->params, key, v)
	{
		if (strcmp(key, op->key) == 0 || op_arg_find(op, str_of(key)) ||
		    is_of_piece(op, key))
			continue;
		if (op->fields && entity_field(op->fields, str_of(key)) >= 0)
			continue;
		return err_set(err, ERR_UNKNOWN_FIELD, key, STR(""), op->help,
			       "%s does not take %s", op->name, key);
	}
	for (int i = 0; i < op->arg_count; i++) {
		const char *name = op->args[i].name;

		if (op->args[i].is_required && !op->args[i].is_save &&
		    !json_object_get(r->params, name))
			return err_set(err, ERR_MISSING_FIELD, name, STR(""), op->help,
				       "%s needs %s", op->name, name);
		int error = op->args[i].type == FIELD_LIST ? take_list(r, name, err) : 0;

		if (error < 0)
			return error;
	}
	return 0;
}

int args_admit(const struct request *r, bool is_ours, struct err *err)
{
	int error = args_check(r, err);

	if (error < 0 || is_ours)
		return error;
	return err_set(err, ERR_UNKNOWN_OPERATION, "", str_of(op_infos[r->op].name),
		       "switchctl, which knows whom to ask",
		       "this is asked of %s, at its own socket", op_infos[r->op].owner);
}

void request_give_up(struct request *r, int error, struct err *err)
{
	(void)err_set(err, ERR_INTERNAL, "", STR(""), "", "%s could not be done: %s",
		      op_infos[r->op].name, strerror(-error));
	request_fail(r, err);
}
