#include "opform.h"

#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "model/json.h"
#include "model/op.h"
#include "model/text.h"
#include "model/value.h"
#include "tui/dialog.h"
#include "tui/form.h"

enum { ARG_CHARACTERS = 512, FILE_CHARACTERS = 4096 };

struct opener {
	struct app *app;
	const struct opform *of;
	const struct op_info *op;
	const struct entity *entity;
	void *trial; /* row that values are checked with */
};

/* Arguments that name something there is a list of; op: of that operation alone. The first that fits counts. */
static const struct {
	const char *arg, *entity, *op;
} lists[] = {
	{ "gateway", "routing-gateway", "call.test" },
	{ "gateway", "mapping-gateway", NULL },
	{ "account", "account", NULL },
	{ "group", "rate-group", NULL },
	{ "id", "account", NULL },
};

/* The entity whose keys an argument may have, or NULL. */
static const char *listed(const struct opener *o, const char *name)
{
	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
		if (strcmp(lists[i].arg, name) == 0 &&
		    (!lists[i].op || strcmp(lists[i].op, o->op->name) == 0))
			return lists[i].entity;
	}
	return NULL;
}

static const struct field *field_of(const struct opener *o, const char *name)
{
	int i = o->entity ? entity_field(o->entity, str_of(name)) : -1;

	return i < 0 ? NULL : &o->entity->field[i];
}

/* --- checks --- */

static struct value_rule rule_of(enum field_type t)
{
	static const enum value_kind kinds[] = {
		[FIELD_TEXT] = VALUE_TEXT, [FIELD_LIST] = VALUE_TEXT, [FIELD_INT] = VALUE_INT,
		[FIELD_BOOL] = VALUE_BOOL, [FIELD_ENUM] = VALUE_TEXT, [FIELD_MONEY] = VALUE_DECIMAL,
		[FIELD_TIME] = VALUE_TIME, [FIELD_ID] = VALUE_ID,
	};

	return (struct value_rule){ .kind = kinds[t],
				    .item = VALUE_TEXT,
				    .min = VALUE_MIN,
				    .max = kinds[t] == VALUE_TEXT ? ARG_CHARACTERS : VALUE_MAX,
				    .unit = "" };
}

static int check_plain(const struct op_arg *arg, struct str text, struct err *err)
{
	CLEANUP(buf_done) struct buf b = BUF_INIT;
	CLEANUP(buf_done) struct buf accepted = BUF_INIT;
	struct value_rule rule = rule_of(arg->type);
	int64_t n;

	if (arg->is_file) /* its text, pasted: a file of the person's is out of reach */
		rule.max = FILE_CHARACTERS;
	if (value_parse(&rule, text, &n, &b) == 0)
		return 0;
	value_accepts(&rule, &accepted);
	return err_set(err, ERR_BAD_VALUE, arg->name, text, buf_cstr(&accepted),
		       "%s does not accept this value", arg->name);
}

static int check(void *ctx, const char *name, struct str text, struct err *err)
{
	const struct opener *o = ctx;
	const struct field *f = field_of(o, name);
	const struct op_arg *arg = op_arg_find(o->op, str_of(name));

	if (str_is_empty(text))
		return 0;
	if (f)
		return row_parse(f, o->trial, text, err);
	return arg ? check_plain(arg, text, err) : 0;
}

static int lookup(void *ctx, const char *name, json_t **ret)
{
	const struct opener *o = ctx;

	const char *entity = listed(o, name);

	return entity ? daemons_keys(&o->app->daemons, entity_find(str_of(entity)), ret) : -ENOENT;
}

/* --- items --- */

static struct str preset_of(const struct opform *of, const char *name, struct buf *b)
{
	buf_clear(b);
	(void)json_to_text(json_object_get(of->preset, name), b);
	return buf_str(b);
}

static int add_arg(struct opener *o, struct form *form, const char *name, enum field_type type,
		   bool is_required)
{
	static const char *const no_yes[] = { "false", "true", NULL };
	static const char *const any[] = { "", "true", "false", NULL }; /* the first: not asked */
	CLEANUP(buf_done) struct buf accepts = BUF_INIT;
	CLEANUP(buf_done) struct buf value = BUF_INIT;
	const struct field *f = field_of(o, name);
	const struct value_rule rule = rule_of(type);

	if (f)
		field_accepts(f, &accepts);
	else
		value_accepts(&rule, &accepts);
	if (!f && type == FIELD_LIST)
		buf_putz(&accepts, "; several with commas between");
	if (listed(o, name))
		buf_putz(&accepts, "; F4 or ^F lists what there is");

	const char *const *values = f && f->type == FIELD_ENUM ? f->values
				    : type != FIELD_BOOL       ? NULL
				    : is_required              ? no_yes
							       : any;
	const struct form_item item = {
		.name = name,
		.kind = values ? FORM_CHOICE : FORM_TEXT,
		.help = f ? f->help : NULL,
		.accepts = buf_cstr(&accepts),
		.values = values,
		.is_required = is_required,
		.check = check,
		.lookup = listed(o, name) ? lookup : NULL,
		.ctx = o,
	};
	struct str begin = preset_of(o->of, name, &value);
	return buf_error(&accepts) ? -ENOMEM : form_add(form, &item, begin);
}

static int add_key(struct opener *o, struct form *form)
{
	const struct form_item fixed = { .name = o->op->key, .kind = FORM_FIXED };

	if (!o->op->key[0])
		return 0;
	return o->of->key.n ? form_add(form, &fixed, o->of->key)
			    : add_arg(o, form, o->op->key, FIELD_TEXT, true);
}

static int add_all(struct opener *o, struct form *form)
{
	int r = add_key(o, form);

	for (int i = 0; r == 0 && i < o->op->arg_count; i++) {
		const struct op_arg *arg = &o->op->args[i];

		/* Where a page begins is for its keys, not for people; a format is for files. */
		if (strcmp(arg->name, "after") != 0 && strcmp(arg->name, "format") != 0)
			r = add_arg(o, form, arg->name, arg->type, arg->is_required);
	}
	return r;
}

/* --- saving --- */

static int put(json_t *params, const struct form *form, const char *name)
{
	struct str value = form_value(form, name);

	if (!name[0] || value.n == 0)
		return 0;
	return json_object_set_new(params, name, json_stringn(value.p, value.n)) < 0 ? -ENOMEM : 0;
}

static int submit(void *ctx, struct form *form, struct err *err)
{
	const struct opener *o = ctx;
	CLEANUP(json_decref) json_t *params = json_object();

	int r = params ? put(params, form, o->op->key) : -ENOMEM;
	for (int i = 0; r == 0 && i < o->op->arg_count; i++)
		r = put(params, form, o->op->args[i].name);
	if (r < 0)
		return r;
	if (o->of->take)
		return o->of->take(o->of->ctx, params, err);
	r = daemons_ask(&o->app->daemons, o->op->name, params, NULL, err);
	return r < 0 && r != -ENOMEM ? -EINVAL : r;
}

int opform_run(struct app *app, const struct opform *of)
{
	CLEANUP(form_free) struct form *form = NULL;
	enum op id = op_find(str_of(of->op));

	if (id == OP_COUNT) {
		screen_say(app->screen, ROLE_BAD, "This version has no operation %s", of->op);
		return 0;
	}

	struct opener o = { .app = app, .of = of, .op = &op_infos[id] };
	o.entity = of->entity ? entity_find(str_of(of->entity)) : NULL;
	o.trial = o.entity ? row_create(o.entity) : NULL;
	int r = o.entity && !o.trial ? -ENOMEM : form_create(&form, of->title);
	if (r == 0) {
		form_set_intro(form, of->intro, o.op->help);
		form_set_buttons(form, of->button, "Cancel");
		r = add_all(&o, form);
	}
	if (r == 0)
		r = form_run(form, app->screen, submit, &o);
	if (o.trial)
		(void)row_free(o.entity, o.trial);
	return r;
}

/* --- questions --- */

struct question {
	struct app *app;
	const struct opform *of;
};

static int show_answer(void *ctx, json_t *params, struct err *err)
{
	const struct question *q = ctx;
	CLEANUP(json_decref) json_t *answer = NULL;
	CLEANUP(buf_done) struct buf text = BUF_INIT;
	int r;

	screen_say(q->app->screen, ROLE_PLAIN, "%s is under way ...", q->of->title);
	r = daemons_ask(&q->app->daemons, q->of->op, params, &answer, err);
	if (r < 0)
		return r != -ENOMEM ? -EINVAL : r;
	r = json_is_array(answer) ? text_table(answer, NULL, NULL, &text)
				  : text_object(answer, &text);
	if (r == 0)
		dialog_message(q->app->screen, q->of->title, buf_str(&text));
	return r;
}

int opform_ask(struct app *app, const struct opform *of)
{
	struct question q = { .app = app, .of = of };
	struct opform asking = *of;
	int r;

	asking.take = show_answer;
	asking.ctx = &q;
	r = opform_run(app, &asking);
	return r > 0 ? VIEW_STAYS : r;
}
