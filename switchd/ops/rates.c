#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/trie.h"
#include "ops/inner.h"
#include "rating/charge.h"
#include "sheet/store.h"
#include "store/rows.h"

/*
 * Rates are versions: a change ends the one in force and begins another, so what rated a call is never edited. Each
 * gets a number that its CDRs keep.
 */

static const struct entity *const rate_entity = &entities[ENTITY_RATE];

/* What tariff_create would refuse is refused with the field's name before it is stored. */
int rate_check(const struct rate_row *row, struct err *err)
{
	struct terms t = TERMS_DEFAULT;
	int r = row_check(rate_entity, row, err);

	if (r < 0)
		return r;
	if (row->sections && terms_parse_sections(str_of(row->sections), &t) < 0)
		return err_set(err, ERR_BAD_VALUE, "sections", str_of(row->sections),
			       "start:price, start:price with ascending starts, at most 16",
			       "not a list of sections");
	if (!trie_is_key(str_of(row->prefix)))
		return err_set(err, ERR_BAD_VALUE, "prefix", str_of(row->prefix),
			       "up to 40 of 0-9 * # +", "not a prefix");
	if (row->end != FIELD_ABSENT && row->end <= row->effective)
		return err_set(err, ERR_CONFLICT, "end", STR(""), "a time after effective",
			       "the rate would never be in force");
	return 0;
}

/* A rate by origin needs the group of callers that it is for. */
static int check_origin(struct ops *o, const struct rate_row *row, struct err *err)
{
	void *group = NULL;

	if (str_is_empty(str_of(row->origin)))
		return 0;
	int r = rows_get(o->db, &entities[ENTITY_ORIGIN_GROUP], str_of(row->origin), 0, &group,
			 NULL);
	row_free(&entities[ENTITY_ORIGIN_GROUP], group);
	if (r != -ENOENT)
		return r;
	return err_set(err, ERR_NOT_FOUND, "origin", str_of(row->origin),
		       "the name of an origin group (`origin-group list`)",
		       "there is no such origin group");
}

static int store(struct ops *o, const struct request *r, struct rate_row *row,
		 const struct rate_row *before, struct err *err)
{
	CLEANUP(buf_done) struct buf key = BUF_INIT;
	struct change c = { .changed = CHANGED_RATES, .group = row->group };
	int error = rate_check(row, err);

	if (error == 0)
		error = check_origin(o, row, err);
	row_key(rate_entity, row, &key);
	c.key = buf_cstr(&key);
	c.before = before ? row_to_json(rate_entity, before) : NULL;
	if (error == 0)
		error = store_next_version(o->db, &row->version);
	if (error == 0)
		error = rows_add(o->db, rate_entity, row, err);
	c.after = row_to_json(rate_entity, row);
	error = change_end(o, r, &c, error, err);
	json_decref(c.before);
	json_decref(c.after);
	return error;
}

int rate_add(struct ops *o, struct request *r, json_t **ret, struct err *err)
{
	struct rate_row *row = row_create(rate_entity);
	int error = row ? row_from_json(rate_entity, row, r->params, err) : -ENOMEM;

	if (error == 0)
		error = change_begin(o, err);
	if (error == 0)
		error = store(o, r, row, NULL, err);
	if (error == 0)
		*ret = row_to_json(rate_entity, row);
	row_free(rate_entity, row);
	return error;
}

static int fetch(struct ops *o, const struct request *r, struct rate_row **ret, struct err *err)
{
	CLEANUP(buf_done) struct buf key = BUF_INIT;
	void *row = NULL;
	int error = arg_need(r, "key", &key, err);

	if (error == 0)
		error = rows_get(o->db, rate_entity, buf_str(&key), clock_wall_ms(), &row, err);
	*ret = row;
	return error;
}

static int del_version(struct ops *o, int64_t version)
{
	CLEANUP(stmt_free) struct stmt *s = NULL;
	int r = stmt_prepare(&s, o->db, "DELETE FROM rate WHERE version = ?");

	if (r < 0)
		return r;
	stmt_bind_int(s, 1, version);
	return stmt_run(s);
}

/* The version in force ends now; the same row with the changes begins now. */
static int replace(struct ops *o, const struct request *r, struct rate_row *old,
		   struct rate_row *row, ms_t now, struct err *err)
{
	struct rate_row *before = row_copy(rate_entity, old);
	int error = before ? 0 : -ENOMEM;

	if (error == 0 && old->effective < now) {
		old->end = now;
		error = rows_set(o->db, rate_entity, old, err);
		row->effective = now;
	} else if (error == 0) {
		/* Not in force yet, or changed twice within a millisecond: nothing was rated by it. */
		error = del_version(o, old->version);
	}
	if (error == 0)
		error = store(o, r, row, before, err);
	else
		error = change_end(o, r, &(struct change){ 0 }, error, err);
	row_free(rate_entity, before);
	return error;
}

/* The rate's key may be repeated among the fields; the rest of `params` is what changes. */
static int apply_fields(const struct request *r, struct rate_row *row, struct err *err)
{
	json_t *fields = json_copy((json_t *)(uintptr_t)r->params);
	int error = fields ? json_object_del(fields, "key") : -ENOMEM;

	(void)error;
	error = fields ? row_from_json(rate_entity, row, fields, err) : -ENOMEM;
	json_decref(fields);
	return error;
}

int rate_set(struct ops *o, struct request *r, json_t **ret, struct err *err)
{
	struct rate_row *old = NULL, *row = NULL;
	ms_t now = clock_wall_ms();
	int error = fetch(o, r, &old, err);

	if (error == 0) {
		row = row_copy(rate_entity, old);
		error = row ? apply_fields(r, row, err) : -ENOMEM;
	}
	if (error == 0 && !str_eq(str_of(row->origin), str_of(old->origin)))
		error = err_set(err, ERR_CONFLICT, "origin", str_of(row->origin),
				"the rate's own; `rate add` makes one of another origin",
				"the origin is part of what a rate is called: GROUP/PREFIX/ORIGIN");
	if (error == 0)
		error = change_begin(o, err);
	if (error == 0)
		error = replace(o, r, old, row, now, err);
	if (error == 0)
		*ret = row_to_json(rate_entity, row);
	row_free(rate_entity, old);
	row_free(rate_entity, row);
	return error;
}

int rate_show(struct ops *o, struct request *r, json_t **ret, struct err *err)
{
	struct rate_row *row = NULL;
	int error = fetch(o, r, &row, err);

	if (error == 0)
		*ret = row_to_json(rate_entity, row);
	row_free(rate_entity, row);
	return error;
}

int rate_del(struct ops *o, struct request *r, json_t **ret, struct err *err)
{
	struct rate_row *row = NULL;
	struct change c = { .changed = CHANGED_RATES };
	CLEANUP(buf_done) struct buf key = BUF_INIT;
	ms_t now = clock_wall_ms();
	int error = fetch(o, r, &row, err);

	if (error == 0)
		error = change_begin(o, err);
	if (error != 0 || !row) {
		row_free(rate_entity, row);
		return error;
	}
	c.before = row_to_json(rate_entity, row);
	c.group = row->group;
	row_key(rate_entity, row, &key);
	c.key = buf_cstr(&key);
	if (row->effective < now) {
		row->end = now;
		error = rows_set(o->db, rate_entity, row, err);
	} else {
		/* Versions that have ended stay: they say what calls were rated by. */
		error = del_version(o, row->version);
	}
	error = change_end(o, r, &c, error, err);
	if (error == 0)
		*ret = json_pack("{s:s}", "deleted", c.key);
	json_decref(c.before);
	row_free(rate_entity, row);
	return error;
}

/* ---- list ---- */

struct listing {
	json_t *array;
	struct str group, prefix;
	int64_t limit;
};

/* A page does not end inside a prefix, by which the next one begins. */
static bool is_of_last(const struct listing *l, const struct rate_row *rate)
{
	const json_t *last = json_array_get(l->array, json_array_size(l->array) - 1);
	const char *prefix = json_string_value(json_object_get(last, "prefix"));
	const char *group = json_string_value(json_object_get(last, "group"));

	return prefix && group && strcmp(prefix, rate->prefix) == 0 &&
	       strcmp(group, rate->group) == 0;
}

static int list_row(void *ctx, const void *row)
{
	struct listing *l = ctx;
	const struct rate_row *rate = row;

	if ((l->group.n && !str_eq(str_of(rate->group), l->group)) ||
	    (l->prefix.n && !str_has_prefix(str_of(rate->prefix), l->prefix)))
		return 0;
	if ((int64_t)json_array_size(l->array) >= l->limit && !is_of_last(l, rate))
		return 1;
	return json_array_append_new(l->array, row_to_json(rate_entity, row)) < 0 ? -ENOMEM : 0;
}

int rate_list(struct ops *o, struct request *r, json_t **ret, struct err *err)
{
	CLEANUP(buf_done) struct buf group = BUF_INIT;
	CLEANUP(buf_done) struct buf prefix = BUF_INIT;
	CLEANUP(buf_done) struct buf after = BUF_INIT;
	struct listing l = { .array = json_array() };
	int error = arg_int(r, "limit", 1, 10000000, 10000, &l.limit, err);

	(void)arg_text(r, "group", &group);
	(void)arg_text(r, "prefix", &prefix);
	(void)arg_text(r, "after", &after);
	l.group = buf_str(&group);
	l.prefix = buf_str(&prefix);
	if (error == 0)
		error = rows_each(o->db, rate_entity, buf_str(&after), 0, list_row, &l);
	if (error >= 0)
		*ret = l.array;
	else
		json_decref(l.array);
	return error < 0 ? error : 0;
}

/* ---- quote ---- */

static int read_terms(const struct request *r, struct terms *t, struct err *err)
{
	CLEANUP(buf_done) struct buf sections = BUF_INIT;
	const struct {
		const char *name;
		int64_t min, max, absent, *ret;
	} numbers[] = {
		{ "unit", 1, 86400, 60, &t->unit_s },
		{ "first", 1, 86400, 1, &t->first_s },
		{ "step", 1, 86400, 1, &t->step_s },
		{ "fee_precision", 0, 8, 0, &t->fee_precision },
		{ "hold_time_precision_ms", 1, 1000, 50, &t->hold_time_precision_ms },
		{ "free_time_s", 0, 86400, 0, &t->free_time_s },
	};
	int64_t decimals = FIELD_ABSENT;
	int error = 0;

	for (size_t i = 0; error == 0 && i < sizeof(numbers) / sizeof(numbers[0]); i++)
		error = arg_int(r, numbers[i].name, numbers[i].min, numbers[i].max,
				numbers[i].absent, numbers[i].ret, err);
	if (error == 0)
		error = arg_money(r, "price", 0, &t->price, err);
	if (error == 0)
		error = arg_money(r, "setup_fee", 0, &t->setup_fee, err);
	if (error == 0)
		error = arg_money(r, "tax_percent", 0, &t->tax_percent, err);
	if (error == 0)
		error = arg_money(r, "fee_unit", 0, &t->fee_unit, err);
	if (error == 0)
		error = arg_int(r, "tax_precision", 0, 8, FIELD_ABSENT, &decimals, err);
	if (error == 0 && decimals != FIELD_ABSENT)
		t->tax_unit = money_unit((int)decimals);
	if (error == 0 && arg_text(r, "sections", &sections) &&
	    terms_parse_sections(buf_str(&sections), t) < 0)
		error = err_set(err, ERR_BAD_VALUE, "sections", buf_str(&sections),
				"start:price, start:price", "not a list of sections");
	return error;
}

int rate_quote(struct ops *o, struct request *r, json_t **ret, struct err *err)
{
	struct terms t = TERMS_DEFAULT;
	struct charge c;
	char fee[MONEY_TEXT], tax[MONEY_TEXT];
	int64_t hold_ms;
	int error = arg_int(r, "hold_ms", 0, 1000000000000, 0, &hold_ms, err);

	(void)o;
	if (error == 0)
		error = read_terms(r, &t, err);
	if (error < 0)
		return error;
	if (terms_check(&t) < 0 || charge_compute(&t, hold_ms, &c) < 0)
		return err_set(err, ERR_BAD_VALUE, "price", STR(""),
			       "terms within rating.md's limits",
			       "these terms cannot be charged exactly");
	*ret = json_pack("{s:I s:I s:s s:s}", "hold_s", (json_int_t)c.hold_s, "billed_s",
			 (json_int_t)c.billed_s, "fee", money_text(c.fee, fee), "tax",
			 money_text(c.tax, tax));
	return 0;
}
