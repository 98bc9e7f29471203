#include "model/json.h"

#include <errno.h>
#include <inttypes.h>

#include "base/cleanup.h"
#include "model/utf8.h"

json_t *json_of_text(struct str s)
{
	if (utf8_is_valid(s))
		return json_stringn_nocheck(s.p ? s.p : "", s.n);

	CLEANUP(buf_done) struct buf b = BUF_INIT;
	buf_put_utf8(&b, s);
	return buf_error(&b) ? NULL : json_stringn_nocheck(b.p, b.n);
}

/* --- rows to JSON --- */

static json_t *list_to_json(struct str rest)
{
	json_t *list = json_array();
	struct str item;

	while (list && str_split(&rest, ',', &item)) {
		if (json_array_append_new(list, json_of_text(item)) < 0) {
			json_decref(list);
			list = NULL;
		}
	}
	return list;
}

/* Money, times, enums and ids are what people read, as a string. */
static json_t *printed_to_json(const struct field *f, const void *row)
{
	char space[64];
	struct buf b = buf_fixed(space, sizeof(space));

	row_print(f, row, &b);
	return json_of_text(buf_str(&b));
}

json_t *field_to_json(const struct field *f, const void *row)
{
	if (f->type == FIELD_LIST)
		return list_to_json(str_of(row_text(f, row)));
	if (row_is_absent(f, row))
		return json_null();
	if (f->type == FIELD_TEXT)
		return json_of_text(str_of(row_text(f, row)));
	if (f->type == FIELD_INT)
		return json_integer(row_int(f, row));
	if (f->type == FIELD_BOOL)
		return json_boolean(row_int(f, row));
	return printed_to_json(f, row);
}

json_t *row_to_json(const struct entity *e, const void *row)
{
	CLEANUP(json_decref) json_t *object = json_object();

	for (int i = 0; object && i < e->fields; i++) {
		const struct field *f = &e->field[i];

		if (f->flags & FIELD_SECRET)
			continue;
		if (json_object_set_new_nocheck(object, f->name, field_to_json(f, row)) < 0)
			return NULL;
	}
	return TAKE(object);
}

/* --- JSON to rows --- */

static int scalar_to_text(const json_t *v, struct buf *out)
{
	if (json_is_string(v))
		buf_put(out, str_n(json_string_value(v), json_string_length(v)));
	else if (json_is_integer(v))
		buf_put_i64(out, json_integer_value(v));
	else if (json_is_boolean(v))
		buf_putz(out, json_is_true(v) ? "true" : "false");
	else if (!json_is_null(v))
		return -EINVAL;
	return buf_error(out);
}

static int item_to_text(const json_t *v, struct buf *out)
{
	size_t start = out->n;
	int r = scalar_to_text(v, out);

	if (r < 0)
		return r;
	return str_chr(str_skip(buf_str(out), start), ',') < 0 ? 0 : -EINVAL;
}

int json_to_text(const json_t *v, struct buf *out)
{
	if (!json_is_array(v))
		return scalar_to_text(v, out);

	for (size_t i = 0; i < json_array_size(v); i++) {
		if (i > 0)
			buf_putc(out, ',');
		int r = item_to_text(json_array_get(v, i), out);
		if (r < 0)
			return r;
	}
	return buf_error(out);
}

static int refuse_name(const struct entity *e, const char *name, struct err *err)
{
	CLEANUP(buf_done) struct buf names = BUF_INIT;

	for (int i = 0; i < e->fields; i++) {
		if (!(e->field[i].flags & (FIELD_AUTO | FIELD_COMPUTED)))
			buf_printf(&names, "%s%s", names.n ? ", " : "", e->field[i].name);
	}
	return err_set(err, ERR_UNKNOWN_FIELD, name, STR(""), buf_cstr(&names),
		       "%s has no field '%s' that can be set", e->name, name);
}

static int refuse_value(const struct field *f, struct err *err)
{
	const char *accepted = f->type == FIELD_MONEY  ? "a string, such as \"0.0123\""
			       : f->type == FIELD_LIST ? "an array of strings"
						       : "a string, number or boolean";

	return err_set(err, ERR_BAD_VALUE, f->name, STR(""), accepted,
		       "%s does not accept this kind of JSON value", f->name);
}

static int set_field(const struct entity *e, void *row, const char *name, const json_t *v,
		     struct err *err)
{
	CLEANUP(buf_done) struct buf text = BUF_INIT;
	int i = entity_field(e, str_of(name));

	if (i < 0 || e->field[i].flags & (FIELD_AUTO | FIELD_COMPUTED))
		return refuse_name(e, name, err);

	const struct field *f = &e->field[i];
	if (json_is_array(v) && f->type != FIELD_LIST)
		return refuse_value(f, err);

	int r = json_to_text(v, &text);
	if (r == -EINVAL)
		return refuse_value(f, err);
	return r < 0 ? r : row_parse(f, row, buf_str(&text), err);
}

void json_put_key(const struct entity *e, const json_t *row, struct buf *out)
{
	const char *between = "";

	for (int i = 0; i < e->fields; i++) {
		const struct field *f = &e->field[i];
		const json_t *v = json_object_get(row, f->name);
		bool is_name =
			f->flags & FIELD_SUBKEY && f->type == FIELD_TEXT && json_is_string(v);

		if (!(f->flags & FIELD_KEY) && !is_name)
			continue;
		buf_putz(out, between);
		(void)json_to_text(v, out);
		between = "/";
	}
}

int row_from_json(const struct entity *e, void *row, const json_t *object, struct err *err)
{
	/* jansson's iterators only read, yet want a pointer that may write. */
	json_t *o = (json_t *)(uintptr_t)object;
	const char *name;
	json_t *v;

	json_object_foreach(o, name, v)
	{
		int r = set_field(e, row, name, v, err);
		if (r < 0)
			return r;
	}
	return 0;
}
