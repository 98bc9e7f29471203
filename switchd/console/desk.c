#include "desk.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "model/json.h"
#include "model/op.h"
#include "model/text.h"
#include "shape.h"
#include "tui/dialog.h"
#include "tui/form_entity.h"

struct desk {
	struct app *app;
	const struct entity *entity;
	const struct op_info *op; /* that the form is sent to */
	struct buf key;           /* of the row changed; empty: a new one */
	struct form_entity fields;
};

/* Of the entities that have pages: they have all the verbs. */
static const struct op_info *op_of(const char *entity, const char *verb)
{
	enum op op = op_find_verb(str_of(entity), str_of(verb));

	assert(op != OP_COUNT);
	return &op_infos[op];
}

/* {"id": "acme"} under the name that the operation has for its key. */
static json_t *key_params(const struct op_info *op, struct str key)
{
	json_t *params = json_object();

	if (params && json_object_set_new(params, op->key, json_stringn(key.p, key.n)) < 0) {
		json_decref(params);
		return NULL;
	}
	return params;
}

/* A refusal is shown in a box; only what ends the page is passed on. */
static int refused(struct app *app, int r, const struct err *err)
{
	if (r == -ENOMEM)
		return r;
	dialog_err(app->screen, "Refused", err);
	return VIEW_STAYS;
}

/* --- forms --- */

static int submit(void *ctx, struct form *f, struct err *err)
{
	const struct desk *d = ctx;
	bool is_new = d->key.n == 0;
	CLEANUP(json_decref) json_t *params = form_entity_changes(&d->fields, f, is_new);

	if (!params)
		return -ENOMEM;
	if (!is_new && json_object_size(params) == 0)
		return 0;
	if (!is_new &&
	    json_object_set_new(params, d->op->key, json_stringn(d->key.p, d->key.n)) < 0)
		return -ENOMEM;

	int r = daemons_ask(&d->app->daemons, d->op->name, params, NULL, err);
	return r < 0 && r != -ENOMEM ? -EINVAL : r;
}

/* Shows the form until it is saved or left. */
static int edit(struct desk *d, const json_t *row, const json_t *preset, bool *ret_done)
{
	CLEANUP(form_free) struct form *f = NULL;
	CLEANUP(buf_done) struct buf title = BUF_INIT;
	const char *name;
	json_t *v;

	buf_printf(&title, "%s %s%s%.*s", row ? "Change" : "New", d->entity->name, row ? " " : "",
		   STR_ARG(buf_str(&d->key)));
	int r = form_entity_init(&d->fields, d->entity, daemons_keys, &d->app->daemons);
	if (r == 0)
		r = buf_cstr(&title) ? form_create(&f, buf_cstr(&title)) : -ENOMEM;
	if (r == 0) {
		form_set_intro(f, NULL, d->op->help);
		r = form_entity_add(&d->fields, f, row);
	}
	json_object_foreach((json_t *)(uintptr_t)preset, name, v)(void)
		form_set_value(f, name, str_of(json_string_value(v)));
	if (r == 0)
		r = form_run(f, d->app->screen, submit, d);
	if (r > 0)
		screen_say(
			d->app->screen, ROLE_GOOD, "%s %.*s: saved", d->entity->name,
			STR_ARG(row ? buf_str(&d->key) : form_value(f, d->entity->field[0].name)));
	if (ret_done)
		*ret_done = r > 0;
	form_entity_done(&d->fields);
	return r < 0 ? r : VIEW_STAYS;
}

int desk_add(struct app *app, const char *entity, const json_t *preset, bool *ret_done)
{
	struct desk d = { .app = app,
			  .entity = entity_find(str_of(entity)),
			  .op = op_of(entity, "add") };

	return edit(&d, NULL, preset, ret_done);
}

int desk_change(struct app *app, const char *entity, const json_t *row, bool *ret_done)
{
	struct desk d = { .app = app,
			  .entity = entity_find(str_of(entity)),
			  .op = op_of(entity, "set") };
	CLEANUP(json_decref) json_t *now = NULL;
	CLEANUP(json_decref) json_t *params = NULL;
	struct err err = ERR_INIT;

	daemons_key(d.entity, row, &d.key);
	params = key_params(op_of(entity, "show"), buf_str(&d.key));
	int r = params ? daemons_ask(&app->daemons, op_of(entity, "show")->name, params, &now, &err)
		       : -ENOMEM;
	r = r < 0 ? refused(app, r, &err) : edit(&d, now, NULL, ret_done);
	buf_done(&d.key);
	return r;
}

int desk_delete(struct app *app, const char *entity, const json_t *row, const char *question,
		bool *ret_done)
{
	const struct op_info *op = op_of(entity, "del");
	CLEANUP(buf_done) struct buf key = BUF_INIT;
	CLEANUP(buf_done) struct buf text = BUF_INIT;
	CLEANUP(json_decref) json_t *params = NULL;
	struct err err = ERR_INIT;

	daemons_key(entity_find(str_of(entity)), row, &key);
	buf_printf(&text, "%s %.*s: %s", entity, STR_ARG(buf_str(&key)), question);
	if (!dialog_confirm(app->screen, "Delete", buf_str(&text), "Delete"))
		return VIEW_STAYS;
	params = key_params(op, buf_str(&key));
	int r = params ? daemons_ask(&app->daemons, op->name, params, NULL, &err) : -ENOMEM;
	if (r < 0)
		return refused(app, r, &err);
	screen_say(app->screen, ROLE_GOOD, "%s %.*s: deleted", entity, STR_ARG(buf_str(&key)));
	if (ret_done)
		*ret_done = true;
	return VIEW_STAYS;
}

/* --- looking --- */

/* What it is called, then how it is doing, then what was entered; what is empty is left out. */
static int move_members(json_t *to, const json_t *from, const struct entity *e, unsigned flags)
{
	for (int i = 0; i < e->fields; i++) {
		const struct field *f = &e->field[i];
		json_t *v = json_object_get(from, f->name);

		if (v && (f->flags & flags) && json_object_set(to, f->name, v) < 0)
			return -ENOMEM;
	}
	return 0;
}

static json_t *in_order(const json_t *answer, const struct entity *e)
{
	CLEANUP(json_decref) json_t *filled = shape_filled(answer);
	json_t *o = filled ? json_object() : NULL;

	if (o && e && move_members(o, filled, e, FIELD_KEY) == 0)
		(void)move_members(o, filled, e, FIELD_COMPUTED);
	if (o && json_object_update_missing(o, filled) < 0) {
		json_decref(o);
		return NULL;
	}
	return o;
}

int desk_show(struct app *app, const char *operation, const char *title, struct str key)
{
	enum op id = op_find(str_of(operation));
	CLEANUP(json_decref) json_t *params = NULL;
	CLEANUP(json_decref) json_t *answer = NULL;
	CLEANUP(buf_done) struct buf text = BUF_INIT;
	struct err err = ERR_INIT;

	if (id != OP_COUNT && op_infos[id].key[0]) {
		params = key_params(&op_infos[id], key);
		if (!params)
			return -ENOMEM;
	}
	int r = daemons_ask(&app->daemons, operation, params, &answer, &err);
	if (r < 0)
		return refused(app, r, &err);
	CLEANUP(json_decref)
	json_t *ordered =
		in_order(answer, id == OP_COUNT ? NULL : entity_find(str_of(op_infos[id].entity)));
	if (!ordered || text_unfold_decisions(ordered) < 0 || text_object(ordered, &text) < 0 ||
	    buf_error(&text))
		return -ENOMEM;
	dialog_message(app->screen, title, buf_str(&text));
	return VIEW_STAYS;
}

int desk_show_row(struct app *app, const char *entity, const json_t *row)
{
	CLEANUP(buf_done) struct buf key = BUF_INIT;
	CLEANUP(buf_done) struct buf title = BUF_INIT;

	daemons_key(entity_find(str_of(entity)), row, &key);
	buf_printf(&title, "%s %.*s", entity, STR_ARG(buf_str(&key)));
	if (buf_error(&key) || !buf_cstr(&title))
		return -ENOMEM;
	return desk_show(app, op_of(entity, "show")->name, buf_cstr(&title), buf_str(&key));
}
