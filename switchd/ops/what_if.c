#include "ops/what_if.h"

#include <errno.h>

#include "store/rows.h"

static const char *const forms = "routing-gateway NAME down, up or price AMOUNT; ENTITY KEY "
				 "FIELD=VALUE; parameter NAME VALUE";

static struct str word(struct str *rest)
{
	struct str s = str_trim(*rest);
	size_t n = 0;

	while (n < s.n && s.p[n] != ' ' && s.p[n] != '=')
		n++;
	*rest = str_trim(str_skip(s, n));
	return str_head(s, n);
}

struct wish wish_of(struct str text)
{
	struct wish w = { .whole = text };

	w.entity = word(&text);
	w.key = word(&text);
	w.field = word(&text);
	if (!str_is_empty(text) && text.p[0] == '=')
		text = str_trim(str_skip(text, 1));
	w.value = text;
	return w;
}

int wish_refuse(const struct wish *w, const char *why, struct err *err)
{
	return err_set(err, ERR_BAD_VALUE, "with", w->whole, forms, "%s", why);
}

/* ---- what is assumed of a vendor ---- */

bool wish_is_assumed(const struct wish *w)
{
	return str_eq(w->entity, STR("routing-gateway")) &&
	       (str_eq(w->field, STR("down")) || str_eq(w->field, STR("up")) ||
		str_eq(w->field, STR("price")));
}

int wish_assumption(const struct wish *w, const struct gate *g, struct assumption *ret,
		    struct err *err)
{
	struct assumption a = { .gate = g,
				.what = str_eq(w->field, STR("down")) ? ASSUME_DOWN
					: str_eq(w->field, STR("up")) ? ASSUME_UP
								      : ASSUME_PRICE };

	if (a.what == ASSUME_PRICE && (money_parse(w->value, &a.price) < 0 || a.price < 0))
		return wish_refuse(w, "not a price", err);
	if (a.what != ASSUME_PRICE && !str_is_empty(w->value))
		return wish_refuse(w, "there is a word too many", err);
	*ret = a;
	return 0;
}

static int assume(struct ops *o, struct what_if *w, const struct wish *wish, struct err *err)
{
	CLEANUP(buf_done) struct buf name = BUF_INIT;
	const struct vendor *v;
	int r;

	buf_put(&name, wish->key);
	v = buf_cstr(&name) ? world_vendor(catalog_world(o->catalog), buf_cstr(&name)) : NULL;
	if (!v)
		return wish_refuse(wish, "there is no such routing gateway", err);
	r = wish_assumption(wish, v->gate, &w->assume[w->assumed], err);
	w->assumed += r == 0;
	return r;
}

/* ---- what is changed ---- */

int wish_parameter(const struct wish *w, enum param *ret, struct str *ret_value, struct err *err)
{
	/* NAME VALUE and NAME=VALUE: the value is what follows the name */
	struct str rest = str_skip(w->whole, (size_t)(w->key.p + w->key.n - w->whole.p));
	struct str value = str_trim(rest);

	if (!str_is_empty(value) && value.p[0] == '=')
		value = str_trim(str_skip(value, 1));
	*ret = param_find(w->key);
	*ret_value = value;
	return *ret == PARAM_COUNT ? wish_refuse(w, "there is no such parameter", err) : 0;
}

static int set_parameter(struct ops *o, const struct wish *wish, struct err *err)
{
	CLEANUP(params_free) struct params *trial = params_create();
	CLEANUP(stmt_free) struct stmt *s = NULL;
	enum param id;
	struct str value;
	int r = trial ? wish_parameter(wish, &id, &value, err) : -ENOMEM;

	if (r == 0)
		r = params_set(trial, id, value, err);
	if (r == 0)
		r = stmt_prepare(&s, o->db,
				 "INSERT INTO parameter (name, value) VALUES (?1,?2)"
				 " ON CONFLICT (name) DO UPDATE SET value = ?2");
	if (r < 0)
		return r;
	stmt_bind_text(s, 1, wish->key);
	stmt_bind_text(s, 2, param_str(trial, id));
	return stmt_run(s);
}

/* What routes and prices hang on, and can be changed by one row. */
static bool is_changeable(const struct entity *e)
{
	return e == &entities[ENTITY_MAPPING_GATEWAY] || e == &entities[ENTITY_ROUTING_GATEWAY] ||
	       e == &entities[ENTITY_ACCOUNT] || e == &entities[ENTITY_PHONE];
}

int wish_fields(const struct wish *w, json_t **ret, struct err *err)
{
	CLEANUP(buf_done) struct buf name = BUF_INIT;
	const struct entity *e = entity_find(w->entity);
	const char *field;

	if (!e || !is_changeable(e))
		return wish_refuse(w, "nothing of that kind can be changed here", err);
	if (str_is_empty(w->field))
		return wish_refuse(w, "it does not say what is to change", err);
	buf_put(&name, w->field);
	field = buf_cstr(&name);
	*ret = field ? json_pack("{s:s%}", field, w->value.p ? w->value.p : "", w->value.n) : NULL;
	return *ret ? 0 : wish_refuse(w, "not such a change", err);
}

static int set_field(struct ops *o, const struct wish *wish, struct err *err)
{
	const struct entity *e = entity_find(wish->entity);
	CLEANUP(json_decref) json_t *fields = NULL;
	void *row = NULL;
	int r = wish_fields(wish, &fields, err);

	if (r == 0)
		r = rows_get(o->db, e, wish->key, clock_wall_ms(), &row, err);
	if (r == 0)
		r = row_from_json(e, row, fields, err);
	if (r == 0)
		r = row_check(e, row, err);
	if (r == 0)
		r = rows_set(o->db, e, row, err);
	if (e)
		row_free(e, row);
	return r;
}

static int grant(struct ops *o, struct what_if *w, const struct wish *wish, struct err *err)
{
	if (wish_is_assumed(wish))
		return assume(o, w, wish, err);
	if (str_eq(wish->entity, STR("parameter")))
		return set_parameter(o, wish, err);
	return set_field(o, wish, err);
}

/* Does a change begin here, or is it the rest of a value with commas? */
static bool begins_change(struct str text)
{
	struct str first = word(&text);

	return str_eq(first, STR("parameter")) || entity_find(first);
}

bool wish_next(const json_t *list, size_t *at, struct buf *ret)
{
	buf_clear(ret);
	if (*at >= json_array_size(list))
		return false;
	buf_putz(ret, json_string_value(json_array_get(list, *at)));
	while (++*at < json_array_size(list)) {
		const char *more = json_string_value(json_array_get(list, *at));

		if (begins_change(str_of(more)))
			break;
		buf_printf(ret, ",%s", more);
	}
	return true;
}

int what_if_begin(struct ops *o, const struct request *r, struct what_if *w,
		  const struct world **ret_world, struct err *err)
{
	const json_t *list = json_object_get(r->params, "with");
	CLEANUP(buf_done) struct buf text = BUF_INIT;
	size_t at = 0;
	int error;

	*ret_world = catalog_world(o->catalog);
	if (json_array_size(list) == 0)
		return 0;
	if (json_array_size(list) > WHAT_IF_MAX)
		return err_set(err, ERR_BAD_VALUE, "with", STR(""), "at most 16 changes",
			       "too many changes");
	error = change_begin(o, err);
	w->is_begun = error == 0;
	while (error == 0 && wish_next(list, &at, &text)) {
		struct wish wish = wish_of(buf_str(&text));

		error = buf_error(&text) ? -ENOMEM : grant(o, w, &wish, err);
	}
	if (error == 0)
		error = catalog_prepare(o->catalog, CHANGED_GATEWAYS | CHANGED_ACCOUNTS, NULL, err);
	if (error == 0)
		*ret_world = catalog_prepared(o->catalog);
	return error;
}

void what_if_end(struct ops *o, struct what_if *w)
{
	if (!w->is_begun)
		return;
	db_rollback(o->db);
	catalog_discard(o->catalog);
	w->is_begun = false;
}
