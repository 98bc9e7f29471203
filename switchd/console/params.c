#include <errno.h>

#include "base/cleanup.h"
#include "cell.h"
#include "list.h"
#include "model/param.h"
#include "pages.h"
#include "shape.h"
#include "tui/dialog.h"
#include "tui/form.h"

struct editor {
	struct app *app;
	enum param id;
	struct params *trial;
};

/* --- one parameter --- */

static int check(void *ctx, const char *name, struct str text, struct err *err)
{
	const struct editor *e = ctx;

	int r = params_set(e->trial, e->id, text, err);
	/* The field of this form is the value, whatever the parameter is called. */
	if (r == -EINVAL && err_is_set(err))
		(void)str_copy(err->field, sizeof(err->field), str_of(name));
	return r;
}

static int submit(void *ctx, struct form *f, struct err *err)
{
	const struct editor *e = ctx;
	struct str value = form_value(f, "value");
	CLEANUP(json_decref)
	json_t *params = json_pack("{s:s s:s%}", "name", param_infos[e->id].name, "value",
				   value.p ? value.p : "", value.n);

	if (!params)
		return -ENOMEM;
	int r = daemons_ask(&e->app->daemons, "parameter.set", params, NULL, err);
	return r < 0 && r != -ENOMEM ? -EINVAL : r;
}

static int add_fixed(struct form *f, const char *name, const char *text)
{
	const struct form_item item = { .name = name, .kind = FORM_FIXED };

	return text && text[0] ? form_add(f, &item, str_of(text)) : 0;
}

static int add_all(struct editor *e, struct form *f, const char *value)
{
	static const char *const off_on[] = { "Off", "On", NULL };
	CLEANUP(buf_done) struct buf accepts = BUF_INIT;
	const struct param_info *p = &param_infos[e->id];
	const char *const *values = p->type == PARAM_T_BOOL ? off_on : NULL;

	if (p->type == PARAM_T_ENUM && p->default_text[0])
		values = p->values;
	param_accepts(e->id, &accepts);
	const struct form_item item = {
		.name = "value",
		.kind = values ? FORM_CHOICE : FORM_TEXT,
		.help = p->help,
		.accepts = buf_cstr(&accepts),
		.values = values,
		.check = check,
		.ctx = e,
	};
	int r = add_fixed(f, "name", p->name);
	if (r == 0)
		r = form_add(f, &item, str_of(value));
	if (r == 0)
		r = add_fixed(f, "unit", p->unit);
	if (r == 0)
		r = add_fixed(f, "default", p->default_text[0] ? p->default_text : "(nothing)");
	if (r == 0)
		r = add_fixed(f, "category", p->category);
	if (r == 0)
		r = add_fixed(f, "applies", p->applies);
	return r == 0 ? add_fixed(f, "effect", param_effect_name(p->effect)) : r;
}

/* 1: changed, 0: not. */
static int edit(struct editor *e, const char *value)
{
	CLEANUP(form_free) struct form *f = NULL;

	int r = form_create(&f, "Parameter");
	if (r == 0) {
		form_set_intro(f, param_infos[e->id].help, NULL);
		r = add_all(e, f, value);
	}
	return r == 0 ? form_run(f, e->app->screen, submit, e) : r;
}

static enum param selected(struct list *l)
{
	const char *name = json_string_value(json_object_get(list_row(l), "name"));

	return name ? param_find(str_of(name)) : PARAM_COUNT;
}

static int change(void *ctx)
{
	struct editor e = { .app = list_app(ctx), .id = selected(ctx) };
	const char *value = json_string_value(json_object_get(list_row(ctx), "value"));
	CLEANUP(free) char *copy = str_dup(str_of(value));
	CLEANUP(params_free) struct params *trial = params_create();

	if (e.id == PARAM_COUNT)
		return VIEW_STAYS;
	if (!copy || !trial)
		return -ENOMEM;
	e.trial = trial;
	int r = edit(&e, copy);
	if (r > 0)
		screen_say(e.app->screen, ROLE_GOOD, "%s: saved", param_infos[e.id].name);
	return r > 0 ? list_read(ctx) : r;
}

static int reset(void *ctx)
{
	CLEANUP(buf_done) struct buf question = BUF_INIT;
	enum param id = selected(ctx);

	if (id == PARAM_COUNT)
		return VIEW_STAYS;
	buf_printf(&question, "%s: back to its default, \"%s\"?", param_infos[id].name,
		   param_infos[id].default_text);
	if (!dialog_confirm(list_app(ctx)->screen, "Reset", buf_str(&question), "Reset"))
		return VIEW_STAYS;
	return list_ask(ctx, "parameter.reset", json_pack("{s:s}", "name", param_infos[id].name),
			"%s: at its default", param_infos[id].name);
}

/* --- the list --- */

static void shape(json_t *row)
{
	shape_cut(row, "value", 20);
	shape_cut(row, "default", 20);
}

/* Changed ones stand out; those without an effect step back. */
static enum role look(const json_t *row)
{
	if (json_is_true(json_object_get(row, "changed")))
		return ROLE_GOOD;
	return cell_says(row, "effect", "live") ? ROLE_PLAIN : ROLE_DIM;
}

int params_page(struct app *app)
{
	static const char *const columns[] = { "name",    "value",    "unit", "effect",
					       "default", "category", "help", NULL };
	static const char *const keys[] = { "name", NULL };
	static const struct binding bindings[] = {
		{ K_ENTER, 'e', "Change", "Look at the selected one and change it", 0, change },
		{ 'x', K_DELETE, "Reset", "Back to the default; asks first", BINDING_CHANGES,
		  reset },
		LIST_KEYS,
		{ 0 },
	};
	static const struct list_spec spec = {
		.title = "Parameters",
		.help = "Those that were changed stand out. Those whose effect is none yet are "
			"kept, "
			"and nothing acts on them. Search looks in names and explanations.",
		.op = "parameter.list",
		.columns = columns,
		.keys = keys,
		.bindings = bindings,
		.shape = shape,
		.look = look,
	};

	return list_run(app, &spec, NULL);
}
