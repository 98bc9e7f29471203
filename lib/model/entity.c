#include "model/entity.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "model/value.h"

#include "entities.inc"

const struct entity *entity_find(struct str name)
{
	for (int i = 0; i < ENTITY_COUNT; i++) {
		if (str_eq(name, str_of(entities[i].name)))
			return &entities[i];
	}
	return NULL;
}

int entity_field(const struct entity *e, struct str name)
{
	for (int i = 0; i < e->fields; i++) {
		if (str_eq(name, str_of(e->field[i].name)))
			return i;
	}
	return -1;
}

/* --- rows --- */

static bool is_text(const struct field *f)
{
	return f->type == FIELD_TEXT || f->type == FIELD_LIST;
}

static char **text_of(const struct field *f, void *row)
{
	assert(is_text(f));
	return (char **)(void *)((char *)row + f->offset);
}

static int64_t *int_of(const struct field *f, void *row)
{
	assert(!is_text(f));
	return (int64_t *)(void *)((char *)row + f->offset);
}

void *row_create(const struct entity *e)
{
	void *row = calloc(1, e->row_size);

	for (int i = 0; row && i < e->fields; i++) {
		if (row_reset(&e->field[i], row) < 0)
			row = row_free(e, row);
	}
	return row;
}

void *row_copy(const struct entity *e, const void *row)
{
	void *copy = calloc(1, e->row_size);

	for (int i = 0; copy && i < e->fields; i++) {
		const struct field *f = &e->field[i];

		if (!is_text(f))
			row_set_int(f, copy, row_int(f, row));
		else if (row_set_text(f, copy, str_of(row_text(f, row))) < 0)
			copy = row_free(e, copy);
	}
	return copy;
}

void *row_free(const struct entity *e, void *row)
{
	for (int i = 0; row && i < e->fields; i++) {
		if (is_text(&e->field[i]))
			free(*text_of(&e->field[i], row));
	}
	free(row);
	return NULL;
}

int64_t row_int(const struct field *f, const void *row)
{
	assert(!is_text(f));
	return *(const int64_t *)(const void *)((const char *)row + f->offset);
}

const char *row_text(const struct field *f, const void *row)
{
	assert(is_text(f));
	return *(char *const *)(const void *)((const char *)row + f->offset);
}

bool row_is_absent(const struct field *f, const void *row)
{
	return is_text(f) ? !row_text(f, row) : row_int(f, row) == FIELD_ABSENT;
}

void row_set_int(const struct field *f, void *row, int64_t v)
{
	*int_of(f, row) = v;
}

int row_set_text(const struct field *f, void *row, struct str v)
{
	char **slot = text_of(f, row), *copy = NULL;

	if (!str_is_empty(v)) {
		copy = str_dup(v);
		if (!copy)
			return -ENOMEM;
	}
	free(*slot);
	*slot = copy;
	return 0;
}

int row_reset(const struct field *f, void *row)
{
	if (is_text(f))
		return row_set_text(f, row, str_of(f->default_text));
	row_set_int(f, row, f->default_int);
	return 0;
}

/* --- from and to people --- */

static struct value_rule rule_of(const struct field *f)
{
	static const enum value_kind kinds[] = {
		[FIELD_TEXT] = VALUE_TEXT,   [FIELD_LIST] = VALUE_LIST,
		[FIELD_INT] = VALUE_INT,     [FIELD_BOOL] = VALUE_BOOL,
		[FIELD_ENUM] = VALUE_CHOICE, [FIELD_MONEY] = VALUE_DECIMAL,
		[FIELD_TIME] = VALUE_TIME,   [FIELD_ID] = VALUE_ID,
	};
	bool is_number = f->flags & FIELD_NUMBER;

	return (struct value_rule){
		.kind = is_number && f->type == FIELD_TEXT ? VALUE_NUMBER : kinds[f->type],
		.item = is_number ? VALUE_NUMBER : VALUE_TEXT,
		.min = f->min == FIELD_ABSENT ? VALUE_MIN : f->min,
		.max = f->max == FIELD_ABSENT ? VALUE_MAX : f->max,
		.unit = f->unit,
		.values = f->values,
	};
}

static int refuse(const struct field *f, enum err_code code, struct str given, const char *why,
		  struct err *err)
{
	CLEANUP(buf_done) struct buf accepted = BUF_INIT;

	field_accepts(f, &accepted);
	if (f->flags & FIELD_SECRET)
		given = STR("");
	return err_set(err, code, f->name, given, buf_cstr(&accepted), "%s %s", f->name, why);
}

int row_parse(const struct field *f, void *row, struct str text, struct err *err)
{
	struct value_rule rule = rule_of(f);
	CLEANUP(buf_done) struct buf b = BUF_INIT;
	int64_t n;

	if (str_is_empty(text))
		return row_reset(f, row);

	int r = value_parse(&rule, text, &n, &b);
	if (r == -EINVAL)
		return refuse(f, ERR_BAD_VALUE, text, "does not accept this value", err);
	if (r < 0)
		return r;
	if (is_text(f))
		return row_set_text(f, row, buf_str(&b));
	row_set_int(f, row, n);
	return 0;
}

int row_check(const struct entity *e, const void *row, struct err *err)
{
	for (int i = 0; i < e->fields; i++) {
		const struct field *f = &e->field[i];
		bool is_needed =
			f->flags & (FIELD_REQUIRED | FIELD_KEY) && !(f->flags & FIELD_AUTO);

		if (is_needed && row_is_absent(f, row))
			return refuse(f, ERR_MISSING_FIELD, STR(""), "must be given", err);
	}
	return 0;
}

static void print_int(const struct field *f, int64_t n, struct buf *out)
{
	if (f->type == FIELD_BOOL)
		buf_putz(out, n ? "true" : "false");
	else if (f->type == FIELD_ENUM)
		buf_putz(out, f->values[n]);
	else if (f->type == FIELD_MONEY)
		buf_put_money(out, n);
	else if (f->type == FIELD_TIME)
		buf_put_time(out, n);
	else if (f->type == FIELD_ID)
		buf_printf(out, "%016llx", (unsigned long long)n);
	else
		buf_put_i64(out, n);
}

void row_print(const struct field *f, const void *row, struct buf *out)
{
	if (row_is_absent(f, row))
		return;
	if (is_text(f))
		buf_putz(out, row_text(f, row));
	else
		print_int(f, row_int(f, row), out);
}

void row_key(const struct entity *e, const void *row, struct buf *out)
{
	bool is_first = true;

	for (int i = 0; i < e->fields; i++) {
		if (!(e->field[i].flags & FIELD_KEY))
			continue;
		if (!is_first)
			buf_putc(out, '/');
		row_print(&e->field[i], row, out);
		is_first = false;
	}
	/* Versions that are told apart by a name (rate: GROUP/PREFIX/ORIGIN). */
	for (int i = 0; i < e->fields; i++) {
		const struct field *f = &e->field[i];

		if (!(f->flags & FIELD_SUBKEY) || f->type != FIELD_TEXT || row_is_absent(f, row) ||
		    row_text(f, row)[0] == '\0')
			continue;
		buf_putc(out, '/');
		row_print(f, row, out);
	}
}

void field_accepts(const struct field *f, struct buf *out)
{
	struct value_rule rule = rule_of(f);

	value_accepts(&rule, out);
}
