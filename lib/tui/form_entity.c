#include "tui/form_entity.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "model/json.h"

int form_entity_init(struct form_entity *fe, const struct entity *e, form_keys_fn *keys, void *ctx)
{
	*fe = (struct form_entity){ e, row_create(e), keys, ctx };
	return fe->trial ? 0 : -ENOMEM;
}

void form_entity_done(struct form_entity *fe)
{
	fe->trial = row_free(fe->entity, fe->trial);
}

/* The names of the items are those of the fields. */
static const struct field *field_of(const struct form_entity *fe, const char *name)
{
	int i = entity_field(fe->entity, str_of(name));

	assert(i >= 0);
	return &fe->entity->field[i];
}

static int check(void *ctx, const char *name, struct str text, struct err *err)
{
	const struct form_entity *fe = ctx;

	return row_parse(field_of(fe, name), fe->trial, text, err);
}

static int lookup(void *ctx, const char *name, json_t **ret)
{
	const struct form_entity *fe = ctx;
	const struct entity *other = entity_find(str_of(field_of(fe, name)->ref));

	return other ? fe->keys(fe->keys_ctx, other, ret) : -ENOENT;
}

static bool is_settable(const struct field *f)
{
	return !(f->flags & (FIELD_AUTO | FIELD_COMPUTED));
}

static enum form_kind kind_of(const struct field *f, bool is_new)
{
	if (f->flags & FIELD_KEY && !is_new)
		return FORM_FIXED;
	if (f->flags & FIELD_SECRET)
		return FORM_SECRET;
	return f->type == FIELD_ENUM || f->type == FIELD_BOOL ? FORM_CHOICE : FORM_TEXT;
}

static void put_accepts(const struct field *f, struct buf *out, bool is_new)
{
	field_accepts(f, out);
	if (f->default_text && f->default_text[0])
		buf_printf(out, "; default %s", f->default_text);
	if (f->ref)
		buf_printf(out, "; the name of %s %s: F4 or ^F lists them",
			   strchr("aeiou", f->ref[0]) ? "an" : "a", f->ref);
	if (f->flags & FIELD_SECRET && !is_new)
		buf_putz(out, "; left empty it stays as it is");
}

/* In the value's own form: the default of a new row, the text of an old one. */
static int put_value(const struct form_entity *fe, const struct field *f, const json_t *row,
		     struct buf *out)
{
	if (row)
		return json_to_text(json_object_get(row, f->name), out);
	if (!row_is_absent(f, fe->trial))
		row_print(f, fe->trial, out);
	return buf_error(out);
}

static int add(struct form_entity *fe, struct form *f, const struct field *d, const json_t *row)
{
	static const char *const no_yes[] = { "false", "true", NULL };
	CLEANUP(buf_done) struct buf accepts = BUF_INIT;
	CLEANUP(buf_done) struct buf value = BUF_INIT;

	put_accepts(d, &accepts, !row);
	int r = put_value(fe, d, row, &value);
	if (r < 0 && r != -EINVAL)
		return r;
	if (buf_error(&accepts))
		return buf_error(&accepts);

	enum form_kind kind = kind_of(d, !row);
	const struct form_item item = {
		.name = d->name,
		.kind = kind,
		.help = d->help,
		.accepts = buf_cstr(&accepts),
		.values = d->type == FIELD_BOOL ? no_yes : d->values,
		.is_required = kind != FORM_FIXED && d->flags & (FIELD_REQUIRED | FIELD_KEY),
		.max = d->type == FIELD_TEXT && d->max > 0 ? (size_t)d->max : 0,
		.check = check,
		.lookup = d->ref && fe->keys ? lookup : NULL,
		.ctx = fe,
	};
	return form_add(f, &item, buf_str(&value));
}

int form_entity_add(struct form_entity *fe, struct form *f, const json_t *row)
{
	int r = 0;

	for (int i = 0; r == 0 && i < fe->entity->fields; i++) {
		if (is_settable(&fe->entity->field[i]))
			r = add(fe, f, &fe->entity->field[i], row);
	}
	return r;
}

json_t *form_entity_changes(const struct form_entity *fe, const struct form *f, bool is_new)
{
	json_t *o = json_object();

	for (int i = 0; o && i < fe->entity->fields; i++) {
		const struct field *d = &fe->entity->field[i];
		struct str value = form_value(f, d->name);
		bool is_sent = form_is_changed(f, d->name) || (is_new && value.n > 0);

		if (!is_settable(d) || !is_sent)
			continue;
		if (json_object_set_new(o, d->name,
					value.n ? json_stringn(value.p, value.n) : json_null()) <
		    0) {
			json_decref(o);
			return NULL;
		}
	}
	return o;
}
