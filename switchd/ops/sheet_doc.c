#include "ops/sheet_doc.h"

#include <errno.h>

#include "model/entity.h"

static json_t *money(money_t m)
{
	char text[MONEY_TEXT];

	return json_string(money_text(m, text));
}

static json_t *moment(ms_t at)
{
	char text[CLOCK_TEXT];

	return at == FIELD_ABSENT ? json_null() : json_string(clock_text(at, text));
}

static json_t *text(struct str s)
{
	return json_stringn(s.n ? s.p : "", s.n);
}

static int put(json_t *object, const char *name, json_t *value)
{
	return json_object_set_new(object, name, value);
}

static json_t *minutes(int64_t seconds)
{
	char out[32];
	struct buf b = buf_fixed(out, sizeof(out));

	buf_printf(&b, "%lld.%lld", (long long)(seconds / 60), (long long)(seconds % 60 / 6));
	return json_string(buf_cstr(&b));
}

static json_t *change_row(const struct delta_change *c, bool has_effect)
{
	const struct sheet_row *r = c->row && !c->row->is_delete ? c->row : NULL;
	json_t *row = json_pack("{s:o s:o s:s s:o s:o s:o s:o s:o s:o s:o}", "prefix",
				text(str_n(c->prefix, c->prefix_n)), "origin",
				c->origin_n ? text(str_n(c->origin, c->origin_n)) : json_null(),
				"change", sheet_change_names[c->change], "old_price",
				c->old_unit ? money(c->old_price) : json_null(), "old_unit",
				c->old_unit ? json_integer(c->old_unit) : json_null(), "price",
				r ? money(r->price) : json_null(), "unit",
				r ? json_integer(r->unit) : json_null(), "effective", moment(c->at),
				"area", r && r->area_n ? text(sheet_area(r)) : json_null(), "line",
				c->row ? json_integer(c->row->line) : json_null());

	if (row && has_effect) {
		(void)put(row, "calls", json_integer((json_int_t)c->calls));
		(void)put(row, "minutes", minutes(c->seconds));
		(void)put(row, "before", money(c->before));
		(void)put(row, "after", money(c->after));
	}
	return row;
}

static json_t *changes(const struct sheet_doc *d)
{
	static const char *const all[] = { "prefix", "change",  "old_price", "old_unit",
					   "price",  "unit",    "effective", "line",
					   "calls",  "minutes", "before",    "after",
					   "area" };
	const struct delta *p = d->delta;
	bool has_effect = d->effect && d->effect->calls > 0;
	size_t n = p->changes < (size_t)d->limit ? p->changes : (size_t)d->limit;
	json_t *rows = json_array(), *columns = json_array();

	for (size_t i = 0; rows && i < n; i++)
		(void)json_array_append_new(rows, change_row(&p->change[i], has_effect));
	for (size_t i = 0; columns && i < sizeof(all) / sizeof(all[0]); i++) {
		if (i == 1 && sheet_has(d->read, SHEET_ORIGIN))
			(void)json_array_append_new(columns, json_string("origin"));
		if (has_effect || i < 8 || i == 12)
			(void)json_array_append_new(columns, json_string(all[i]));
	}
	return json_pack("{s:s s:s s:o s:o s:b}", "report", "changes", "help",
			 has_effect ? "Changes; what calls of the last week cost by them"
				    : "Changes",
			 "columns", columns, "rows", rows, "is_cut", (int)(n < p->changes));
}

static json_t *problem_rows(const struct sheet_problem *list, size_t count)
{
	json_t *rows = json_array();

	for (size_t i = 0; rows && i < count && i < SHEET_PROBLEMS_MAX; i++)
		(void)json_array_append_new(
			rows, json_pack("{s:I s:s s:o s:s}", "line", (json_int_t)list[i].line,
					"column", list[i].column, "given",
					text(str_of(list[i].given)), "reason", list[i].reason));
	return rows;
}

static json_t *problems(const char *name, const char *help, const struct sheet_problem *list,
			size_t count)
{
	return json_pack("{s:s s:s s:[s s s s] s:o s:b}", "report", name, "help", help, "columns",
			 "line", "column", "given", "reason", "rows", problem_rows(list, count),
			 "is_cut", (int)(count > SHEET_PROBLEMS_MAX));
}

static json_t *sections(const struct sheet_doc *d)
{
	const struct sheet *s = d->read;
	json_t *all = json_array();

	if (all && s->problems)
		(void)json_array_append_new(
			all,
			problems("problems", "What is wrong with the file; nothing was changed",
				 s->problem, s->problems));
	if (all && s->roundeds)
		(void)json_array_append_new(
			all, problems("rounded", "Rounded to 8 decimals", s->rounded, s->roundeds));
	if (all && d->delta && d->delta->changes)
		(void)json_array_append_new(all, changes(d));
	return all;
}

static json_t *facts(const struct sheet_doc *d)
{
	json_t *f = json_pack("{s:s s:o s:s s:o s:I}", "state", d->state, "group", text(d->group),
			      "mode", d->mode == SHEET_REPLACE ? "replace" : "update", "effective",
			      moment(d->moment), "lines", (json_int_t)d->read->lines);

	for (int i = 0; f && d->delta && i < SHEET_CHANGE_COUNT; i++)
		(void)json_object_set_new(f, sheet_change_names[i],
					  json_integer((json_int_t)d->delta->count[i]));
	if (f && d->read->problems)
		(void)json_object_set_new(f, "problems",
					  json_integer((json_int_t)d->read->problems));
	if (f && d->read->ignored.n)
		(void)json_object_set_new(f, "ignored_columns", text(buf_str(&d->read->ignored)));
	if (f && d->effect) {
		(void)put(f, "week_calls", json_integer((json_int_t)d->effect->calls));
		(void)put(f, "week_minutes", minutes(d->effect->seconds));
		(void)put(f, "week_before", money(d->effect->before));
		(void)put(f, "week_after", money(d->effect->after));
		(void)put(f, "week_unrated", json_integer((json_int_t)d->effect->unrated));
	}
	if (f && d->sheet)
		(void)json_object_set_new(f, "sheet", json_integer((json_int_t)d->sheet));
	return f;
}

static json_t *notes(const struct sheet_doc *d)
{
	json_t *all = json_array();
	char since[CLOCK_TEXT];

	if (all && d->effect && d->effect->is_cut)
		(void)json_array_append_new(
			all, json_sprintf("week_: of the newest calls only, since %s",
					  clock_text(d->effect->since, since)));
	return all;
}

int sheet_doc(const struct sheet_doc *d, json_t **ret)
{
	*ret = json_pack("{s:s s:s s:s s:o s:o s:o s:o}", "title", "Rate sheet", "report",
			 "rate-sheet", "state", d->state, "sheet",
			 d->sheet ? json_integer((json_int_t)d->sheet) : json_null(), "facts",
			 facts(d), "sections", sections(d), "notes", notes(d));
	return *ret ? 0 : -ENOMEM;
}
