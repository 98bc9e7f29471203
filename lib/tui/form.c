#include "tui/form.h"

#include <errno.h>
#include <jansson.h>
#include <string.h>

#include "model/json.h"
#include "tui/dialog.h"
#include "tui/form_inner.h"

enum { MAX_CHARACTERS = 4096 };

int form_create(struct form **ret, const char *title)
{
	struct form *f = calloc(1, sizeof(*f));

	if (!f)
		return -ENOMEM;
	f->title = title;
	form_set_buttons(f, "Save", "Cancel");
	*ret = f;
	return 0;
}

static void field_done(struct form_field *f)
{
	line_done(&f->line);
	buf_done(&f->begin);
	free(f->accepts);
}

struct form *form_free(struct form *f)
{
	if (!f)
		return NULL;
	for (int i = 0; i < f->count; i++)
		field_done(&f->field[i]);
	free(f->field);
	free(f);
	return NULL;
}

void form_set_intro(struct form *f, const char *intro, const char *help)
{
	f->intro = intro;
	f->help = help;
}

void form_set_buttons(struct form *f, const char *save, const char *cancel)
{
	f->button[0] = save;
	f->button[1] = cancel;
}

int form_add(struct form *f, const struct form_item *item, struct str value)
{
	struct form_field n = { .item = *item,
				.line = LINE_INIT(item->max ? item->max : MAX_CHARACTERS) };
	struct form_field *grown = reallocarray(f->field, (size_t)f->count + 1, sizeof(*f->field));

	if (!grown)
		return -ENOMEM;
	f->field = grown;
	if (item->kind == FORM_CHOICE && str_is_empty(value) && item->values[0])
		value = str_of(item->values[0]);
	buf_put(&n.begin, value);
	n.accepts = str_dup(str_of(item->accepts));
	if (line_set(&n.line, value) < 0 || buf_error(&n.begin) || !n.accepts) {
		field_done(&n);
		return -ENOMEM;
	}
	f->field[f->count++] = n;
	return 0;
}

static struct form_field *find(const struct form *f, const char *name)
{
	for (int i = 0; i < f->count; i++) {
		if (f->field[i].item.kind != FORM_TITLE && strcmp(f->field[i].item.name, name) == 0)
			return &f->field[i];
	}
	return NULL;
}

struct str form_value(const struct form *f, const char *name)
{
	const struct form_field *x = find(f, name);

	return x ? line_str(&x->line) : STR("");
}

bool form_is_changed(const struct form *f, const char *name)
{
	const struct form_field *x = find(f, name);

	return x && !str_eq(line_str(&x->line), buf_str(&x->begin));
}

static bool is_among(const char *const *values, struct str value)
{
	for (int i = 0; values[i]; i++) {
		if (str_eq(str_of(values[i]), value))
			return true;
	}
	return false;
}

int form_set_value(struct form *f, const char *name, struct str value)
{
	struct form_field *x = find(f, name);

	if (!x || (x->item.kind == FORM_CHOICE && !is_among(x->item.values, value)))
		return -EINVAL;
	return line_set(&x->line, value);
}

void form_set_hidden(struct form *f, const char *name, bool is_hidden)
{
	struct form_field *x = find(f, name);

	if (x)
		x->is_hidden = is_hidden;
}

void form_on_change(struct form *f, void (*on_change)(void *ctx, struct form *f, const char *name),
		    void *ctx)
{
	f->on_change = on_change;
	f->change_ctx = ctx;
}

/* --- checks --- */

static int check(struct form_field *x)
{
	struct str text = line_str(&x->line);
	const struct form_item *item = &x->item;

	x->err = ERR_INIT;
	if (item->kind == FORM_FIXED || item->kind == FORM_TITLE || x->is_hidden)
		return 0;
	if (item->is_required && str_is_empty(text))
		return err_set(&x->err, ERR_MISSING_FIELD, item->name, text, x->accepts,
			       "%s must be given", item->label ? item->label : item->name);
	return item->check ? item->check(item->ctx, item->name, text, &x->err) : 0;
}

int form_check(struct form *f)
{
	int first = -1;

	for (int i = 0; i < f->count; i++) {
		int r = check(&f->field[i]);
		if (r < 0 && r != -EINVAL)
			return r;
		if (r < 0 && first < 0)
			first = i;
	}
	if (first < 0)
		return 0;
	f->at = first;
	return -EINVAL;
}

void form_refuse(struct form *f, const struct err *err)
{
	struct form_field *x = err->field[0] ? find(f, err->field) : NULL;

	if (!x) {
		f->err = *err;
		return;
	}
	x->err = *err;
	if (form_field_can_be_edited(x))
		f->at = (int)(x - f->field);
}

/* --- moving --- */

static bool can_stand(const struct form *f, int at)
{
	return at >= f->count || form_field_can_be_edited(&f->field[at]);
}

static void step(struct form *f, int by)
{
	int places = f->count + 2;

	do
		f->at = (f->at + by + places) % places;
	while (!can_stand(f, f->at));
}

/* Leaving a field says at once what is wrong with it. */
static int go(struct form *f, int by)
{
	if (f->at < f->count)
		(void)check(&f->field[f->at]);
	step(f, by);
	return VIEW_STAYS;
}

static int next(void *ctx)
{
	return go(ctx, 1);
}

static int previous(void *ctx)
{
	return go(ctx, -1);
}

/* --- keys --- */

static int save(void *ctx)
{
	struct form *f = ctx;
	struct err err = ERR_INIT;

	f->err = ERR_INIT;
	int r = form_check(f);
	if (r == 0 && f->submit)
		r = f->submit(f->submit_ctx, f, &err);
	if (r == -EINVAL && err_is_set(&err))
		form_refuse(f, &err);
	if (r == -EINVAL)
		return VIEW_STAYS;
	return r < 0 ? r : VIEW_LEAVES + 1;
}

static void changed(struct form *f, struct form_field *x)
{
	x->err = ERR_INIT;
	if (f->on_change)
		f->on_change(f->change_ctx, f, x->item.name);
}

static json_t *words(const char *const *values)
{
	json_t *names = json_array();

	for (int i = 0; values[i]; i++)
		(void)json_array_append_new(names, json_string(values[i]));
	return names;
}

static int names_of(const struct form_item *item, json_t **ret)
{
	if (item->lookup)
		return item->lookup(item->ctx, item->name, ret);
	*ret = words(item->values);
	return *ret ? 0 : -ENOMEM;
}

static int lookup(void *ctx)
{
	struct form *f = ctx;
	struct form_field *x = f->at < f->count ? &f->field[f->at] : NULL;
	CLEANUP(json_decref) json_t *names = NULL;

	if (!x || !(x->item.lookup || x->item.kind == FORM_CHOICE)) {
		screen_say(f->screen, ROLE_DIM, "There is no list for this field");
		return VIEW_STAYS;
	}
	if (names_of(&x->item, &names) < 0) {
		screen_say(f->screen, ROLE_BAD, "The list cannot be read now");
		return VIEW_STAYS;
	}
	int i = dialog_pick(f->screen, x->item.label ? x->item.label : x->item.name, names,
			    line_str(&x->line));
	const char *name = i < 0 ? NULL : json_string_value(json_array_get(names, (size_t)i));
	if (name && line_set(&x->line, str_of(name)) == 0)
		changed(f, x);
	return VIEW_STAYS;
}

/* The next or the last of the values. */
static void turn(struct form_field *x, int by)
{
	const char *const *values = x->item.values;
	int n = 0, at = 0;

	for (; values[n]; n++) {
		if (str_eq(str_of(values[n]), line_str(&x->line)))
			at = n;
	}
	if (n)
		(void)line_set(&x->line, str_of(values[(at + by + n) % n]));
}

static void type(struct form *f, int key)
{
	struct form_field *x = &f->field[f->at];

	if (x->item.kind != FORM_CHOICE) {
		if (!line_key(&x->line, key))
			return;
	} else if (key == K_LEFT) {
		turn(x, -1);
	} else if (key == K_RIGHT || key == ' ') {
		turn(x, 1);
	} else {
		return;
	}
	changed(f, x);
}

static int press(struct form *f, int key)
{
	if (key == K_LEFT || key == K_RIGHT)
		f->at = f->at == f->count ? f->count + 1 : f->count;
	if (key != K_ENTER && key != ' ')
		return VIEW_STAYS;
	return f->at == f->count ? save(f) : VIEW_LEAVES;
}

/* A page is as good as ten fields. */
static int leap(struct form *f, int by)
{
	for (int i = 0; i < 10 && (by > 0 ? f->at < f->count : f->at > 0); i++)
		(void)go(f, by);
	if (!can_stand(f, f->at))
		step(f, 1);
	return VIEW_STAYS;
}

static int other_key(void *ctx, int key)
{
	struct form *f = ctx;

	switch (key) {
	case K_PAGE_DOWN:
		return leap(f, 1);
	case K_PAGE_UP:
		return leap(f, -1);
	case K_ENTER:
		return f->at < f->count ? go(f, 1) : press(f, key);
	default:
		if (f->at >= f->count)
			return press(f, key);
		type(f, key);
		return VIEW_STAYS;
	}
}

int form_run(struct form *f, struct screen *s,
	     int (*submit)(void *ctx, struct form *f, struct err *err), void *ctx)
{
	const struct binding bindings[] = {
		{ K_F(2), K_CTRL('o'), f->button[0], "Check everything, then do it", 0, save },
		{ K_F(4), K_CTRL('f'), "List", "Choose from what there is", 0, lookup },
		{ K_TAB, K_DOWN, "Next", "Next field", 0, next },
		{ K_BACK_TAB, K_UP, "Previous", "Field before", BINDING_QUIET, previous },
		{ 0 },
	};
	const struct view v = { .title = f->title,
				.help = f->help,
				.bindings = bindings,
				.is_typing = true,
				.draw = form_draw,
				.key = other_key };

	f->submit = submit;
	f->submit_ctx = ctx;
	f->screen = s;
	if (!can_stand(f, f->at))
		step(f, 1);
	int r = screen_run(s, &v, f);
	f->screen = NULL;
	return r == VIEW_LEAVES ? 0 : r > 0 ? 1 : r;
}
