#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "ops/inner.h"

static json_t *param_json(struct ops *o, enum param id)
{
	const struct param_info *p = &param_infos[id];
	const struct params *values = catalog_world(o->catalog)->params;
	json_t *aliases = json_array();

	for (int i = 0; aliases && p->aliases && p->aliases[i]; i++)
		(void)json_array_append_new(aliases, json_string(p->aliases[i]));
	return json_pack("{s:s s:o s:s s:s s:s s:s s:b s:s s:s s:o s:s}", "name", p->name, "value",
			 json_of_text(param_str(values, id)), "default", p->default_text, "unit",
			 p->unit ? p->unit : "", "type", param_type_name(p->type), "category",
			 p->category, "changed", !param_is_default(values, id), "effect",
			 param_effect_name(p->effect), "applies", p->applies ? p->applies : "",
			 "aliases", aliases, "help", p->help);
}

static bool matches(const struct param_info *p, struct str text)
{
	if (str_is_empty(text) || str_ifind(str_of(p->name), text) >= 0 ||
	    str_ifind(str_of(p->help), text) >= 0)
		return true;
	for (int i = 0; p->aliases && p->aliases[i]; i++) {
		if (str_ifind(str_of(p->aliases[i]), text) >= 0)
			return true;
	}
	return false;
}

int parameter_list(struct ops *o, struct request *r, json_t **ret, struct err *err)
{
	CLEANUP(buf_done) struct buf text = BUF_INIT;
	json_t *list = json_array();

	(void)err;
	(void)arg_text(r, "text", &text);
	for (int i = 0; list && i < PARAM_COUNT; i++) {
		if (matches(&param_infos[i], buf_str(&text)))
			(void)json_array_append_new(list, param_json(o, (enum param)i));
	}
	*ret = list;
	return list ? 0 : -ENOMEM;
}

static int find(const struct request *r, enum param *ret, struct err *err)
{
	CLEANUP(buf_done) struct buf name = BUF_INIT;
	int error = arg_need(r, "name", &name, err);

	if (error < 0)
		return error;
	*ret = param_find(buf_str(&name));
	if (*ret == PARAM_COUNT)
		return param_unknown(buf_str(&name), ERR_NOT_FOUND, "name",
				     "a name that `parameter list TEXT` shows", err);
	return 0;
}

int parameter_show(struct ops *o, struct request *r, json_t **ret, struct err *err)
{
	enum param id;
	int error = find(r, &id, err);

	if (error == 0)
		*ret = param_json(o, id);
	return error;
}

static int store(struct ops *o, enum param id, struct str value, bool is_reset)
{
	CLEANUP(stmt_free) struct stmt *s = NULL;
	int r = stmt_prepare(&s, o->db,
			     is_reset ? "DELETE FROM parameter WHERE name = ?"
				      : "INSERT INTO parameter (name, value) VALUES (?1,?2)"
					" ON CONFLICT (name) DO UPDATE SET value = ?2");

	if (r < 0)
		return r;
	stmt_bind_text(s, 1, str_of(param_infos[id].name));
	if (!is_reset)
		stmt_bind_text(s, 2, value);
	return stmt_run(s);
}

static int alter(struct ops *o, struct request *r, enum param id, struct str value, bool is_reset,
		 json_t **ret, struct err *err)
{
	struct change c = { .changed = CHANGED_PARAMS, .key = param_infos[id].name };
	json_t *before;
	int error = change_begin(o, err);

	if (error < 0)
		return error;
	before = param_json(o, id);
	c.before = before ? json_pack("{s:O}", "value", json_object_get(before, "value")) : NULL;
	json_decref(before);
	c.after = is_reset ? NULL : json_pack("{s:o}", "value", json_of_text(value));
	error = change_end(o, r, &c, store(o, id, value, is_reset), err);
	json_decref(c.before);
	json_decref(c.after);
	if (error == 0)
		*ret = param_json(o, id);
	return error;
}

/* What those say who use it; what is wrong is wrong with this parameter, also where they have no name for it. */
static int check_use(struct ops *o, enum param id, struct str value, struct err *err)
{
	int error = trace_check(id, value, err);

	if (error == 0)
		error = couriers_check(id, value, err);
	if (error == 0)
		error = notices_check(id, value, err);
	if (error == 0)
		error = decoys_check(o, id, value, err);
	if (error == 0)
		error = reports_check(id, value, err);
	if (error == 0)
		error = time_servers_check(id, value, err);
	if (error < 0 && err && err_is_set(err) && !err->field[0])
		(void)snprintf(err->field, sizeof(err->field), "%s", param_infos[id].name);
	return error;
}

int parameter_set(struct ops *o, struct request *r, json_t **ret, struct err *err)
{
	CLEANUP(buf_done) struct buf value = BUF_INIT;
	CLEANUP(params_free) struct params *trial = params_create();
	enum param id;
	int error = trial ? find(r, &id, err) : -ENOMEM;

	if (error == 0)
		error = arg_need(r, "value", &value, err);
	if (error == 0 && param_infos[id].effect == EFFECT_NOT_SUPPORTED)
		error = err_set(err, ERR_FORBIDDEN, "name", str_of(param_infos[id].name), "",
				"this parameter is not supported yet");
	if (error == 0)
		error = params_set(trial, id, buf_str(&value), err);
	if (error == 0)
		error = check_use(o, id, param_str(trial, id), err);
	return error < 0 ? error : alter(o, r, id, param_str(trial, id), false, ret, err);
}

int parameter_reset(struct ops *o, struct request *r, json_t **ret, struct err *err)
{
	enum param id;
	int error = find(r, &id, err);

	return error < 0 ? error : alter(o, r, id, STR(""), true, ret, err);
}
