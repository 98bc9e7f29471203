#include "migrate/doc.h"

#include <errno.h>

#include "model/json.h"

static json_t *money(money_t m)
{
	char text[MONEY_TEXT];

	return json_string(money_text(m, text));
}

static void put(json_t *object, const char *name, json_t *value)
{
	(void)json_object_set_new(object, name, value);
}

static void put_int(json_t *object, const char *name, int64_t v)
{
	put(object, name, json_integer((json_int_t)v));
}

/* ---- findings ---- */

static json_t *finding_row(const struct finding *f)
{
	return json_pack("{s:o s:o s:o s:o s:o}", "table", json_of_text(str_of(f->table)), "line",
			 f->line ? json_integer((json_int_t)f->line) : json_null(), "column",
			 json_of_text(str_of(f->column)), "given", json_of_text(str_of(f->given)),
			 "reason", json_of_text(str_of(f->reason)));
}

static void add_findings(json_t *sections, const char *name, const char *help,
			 const struct findings *f)
{
	json_t *rows = json_array();

	for (size_t i = 0; rows && i < f->count && i < FINDINGS_MAX; i++)
		(void)json_array_append_new(rows, finding_row(&f->list[i]));
	if (f->count == 0)
		json_decref(rows);
	else
		(void)json_array_append_new(
			sections,
			json_pack("{s:s s:s s:[s s s s s] s:o s:b}", "report", name, "help", help,
				  "columns", "table", "line", "column", "given", "reason", "rows",
				  rows, "is_cut", (int)(f->count > FINDINGS_MAX)));
}

/* ---- the calls ---- */

static json_t *cause_row(const struct shadow *s, int i)
{
	money_t more = 0;

	(void)money_sub(s->ours[i], s->theirs[i], &more);
	return json_pack("{s:s s:I s:o s:o s:o s:s}", "cause", shadow_words[i], "calls",
			 (json_int_t)s->calls[i], "theirs", money(s->theirs[i]), "ours",
			 money(s->ours[i]), "difference", money(more), "meaning", shadow_helps[i]);
}

static void add_causes(json_t *sections, const struct shadow *s)
{
	json_t *rows = json_array();

	for (int i = 0; rows && i < SHADOW_COUNT; i++) {
		if (s->calls[i])
			(void)json_array_append_new(rows, cause_row(s, i));
	}
	(void)json_array_append_new(
		sections, json_pack("{s:s s:s s:[s s s s s s] s:o s:b}", "report", "causes", "help",
				    "Their calls rated by the rates here, by the cause of a "
				    "difference",
				    "columns", "cause", "calls", "theirs", "ours", "difference",
				    "meaning", "rows", rows, "is_cut", 0));
}

static json_t *call_row(const struct shadow_row *x)
{
	char start[CLOCK_TEXT];

	return json_pack("{s:s s:o s:s s:o s:o s:I s:I s:I s:o s:o}", "cause",
			 shadow_words[x->cause], "id", json_of_text(str_of(x->id)), "start",
			 clock_text(x->start, start), "account", json_of_text(str_of(x->account)),
			 "callee", json_of_text(str_of(x->callee)), "seconds",
			 (json_int_t)x->seconds, "their_billed_s", (json_int_t)x->their_billed_s,
			 "billed_s", (json_int_t)x->billed_s, "theirs", money(x->theirs), "ours",
			 money(x->ours));
}

static void add_calls(json_t *sections, const struct shadow *s)
{
	json_t *rows = json_array();
	int64_t all = 0;

	for (size_t i = 0; rows && i < s->rows; i++)
		(void)json_array_append_new(rows, call_row(&s->row[i]));
	for (int i = SHADOW_SAME + 1; i < SHADOW_COUNT; i++)
		all += s->calls[i];
	(void)json_array_append_new(
		sections,
		json_pack("{s:s s:s s:[s s s s s s s s s s] s:o s:b}", "report", "differences",
			  "help", "Each call that is charged otherwise", "columns", "cause", "id",
			  "start", "account", "callee", "seconds", "their_billed_s", "billed_s",
			  "theirs", "ours", "rows", rows, "is_cut", (int)(all > (int64_t)s->rows)));
}

/* ---- all of it ---- */

static json_t *facts(const struct migrate_doc *d)
{
	static const enum entity_id shown[] = { ENTITY_RATE_GROUP,
						ENTITY_RATE,
						ENTITY_ACCOUNT,
						ENTITY_GATEWAY_GROUP,
						ENTITY_MAPPING_GATEWAY,
						ENTITY_ROUTING_GATEWAY,
						ENTITY_PHONE };
	json_t *f = json_pack("{s:s}", "state", d->state);

	for (size_t i = 0; f && i < sizeof(shown) / sizeof(shown[0]); i++)
		put_int(f, entities[shown[i]].table, d->intake->found[shown[i]]);
	if (!f)
		return NULL;
	put_int(f, "opening_balances", d->openings);
	put(f, "opening_sum", money(d->opening_sum));
	put_int(f, "openings_booked", d->booked);
	put_int(f, "left_out", d->intake->left_out);
	put_int(f, "problems", (int64_t)d->intake->problems.count);
	if (d->shadow) {
		int64_t all = 0;

		for (int i = 0; i < SHADOW_COUNT; i++)
			all += d->shadow->calls[i];
		put_int(f, "calls", all);
		put_int(f, "calls_same", d->shadow->calls[SHADOW_SAME]);
	}
	return f;
}

static json_t *sections(const struct migrate_doc *d)
{
	const struct intake *p = d->intake;
	json_t *all = json_array();

	if (!all)
		return NULL;
	add_findings(all, "problems", "What is wrong, and keeps all of it from being taken",
		     &p->problems);
	add_findings(all, "left_out", "What is left out, and what the file does not have",
		     &p->notes);
	add_findings(all, "rounded", "Rounded to 8 decimals", &p->rounded);
	if (d->shadow) {
		add_causes(all, d->shadow);
		add_calls(all, d->shadow);
	}
	return all;
}

int migrate_doc(const struct migrate_doc *d, json_t **ret)
{
	*ret = json_pack("{s:s s:s s:s s:o s:o s:[]}", "title", "Migration", "report", "migration",
			 "state", d->state, "facts", facts(d), "sections", sections(d), "notes");
	return *ret ? 0 : -ENOMEM;
}
