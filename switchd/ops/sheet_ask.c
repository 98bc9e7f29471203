#include <errno.h>

#include "ops/sheet_task.h"
#include "sheet/load.h"
#include "store/rows.h"

/* The argument, else what the group remembers. */
static void given_or(const struct request *r, const char *name, const char *remembered,
		     struct buf *out)
{
	if (!arg_text(r, name, out) && remembered)
		buf_putz(out, remembered);
}

static int read_word(struct str given, const char *name, const char *const *words, int *ret,
		     struct err *err)
{
	CLEANUP(buf_done) struct buf all = BUF_INIT;

	for (int i = 0; words[i]; i++) {
		if (str_eq(given, str_of(words[i]))) {
			*ret = i;
			return 0;
		}
		buf_printf(&all, "%s%s", i ? ", " : "", words[i]);
	}
	return err_set(err, ERR_BAD_VALUE, name, given, buf_cstr(&all), "%s is none of these",
		       name);
}

static int read_group(struct ops *o, struct sheet_task *t, const struct request *r, struct err *err)
{
	const struct entity *e = &entities[ENTITY_RATE_GROUP];
	const struct params *params = catalog_world(o->catalog)->params;
	void *row = NULL;
	int error = arg_need(r, "group", &t->group, err);

	if (error == 0)
		error = rows_get(o->db, e, buf_str(&t->group), clock_wall_ms(), &row, err);
	if (error < 0 || !row)
		return error == -ENOMEM ? error : -EINVAL;
	const struct rate_group_row *g = row;
	given_or(r, "columns", g->sheet_columns, &t->columns);
	given_or(r, "decimal", e->field[RATE_GROUP_SHEET_DECIMAL].values[g->sheet_decimal],
		 &t->decimal);
	given_or(r, "dates", e->field[RATE_GROUP_SHEET_DATES].values[g->sheet_dates], &t->dates);
	given_or(r, "zone", g->sheet_zone, &t->zone_name);
	/* For the preview. */
	world_rules(params, g, &t->rules);
	buf_put(&t->route_prefix, param_str(params, PARAM_SERVER_BILLING_GATEWAY_ROUTE_PREFIX));
	row_free(e, row);
	return buf_error(&t->route_prefix);
}

static int read_format(struct sheet_task *t, const struct request *r, struct err *err)
{
	static const char *const pasts[] = { "refuse", "now", NULL };
	CLEANUP(buf_done) struct buf past = BUF_INIT;
	const struct field *f = entities[ENTITY_RATE_GROUP].field;
	struct str zone = t->zone_name.n ? buf_str(&t->zone_name) : STR("UTC");
	int word = 0;
	int64_t digits;
	int e = read_word(buf_str(&t->decimal), "decimal", f[RATE_GROUP_SHEET_DECIMAL].values,
			  &word, err);

	t->format.is_comma = word == RATE_GROUP_SHEET_DECIMAL_COMMA;
	if (e == 0)
		e = read_word(buf_str(&t->dates), "dates", f[RATE_GROUP_SHEET_DATES].values, &word,
			      err);
	t->format.dates = (enum sheet_dates)word;
	given_or(r, "past", "refuse", &past);
	if (e == 0)
		e = read_word(buf_str(&past), "past", pasts, &word, err);
	t->format.takes_past = word == 1;
	if (e == 0)
		e = arg_int(r, "round", 8, 8, 0, &digits, err);
	t->format.rounds = e == 0 && digits == 8;
	if (e == 0 && zone_create(&t->zone, zone) < 0)
		e = err_set(err, ERR_BAD_VALUE, "zone", zone,
			    "UTC, +05:30 or a name such as Europe/Berlin", "there is no such zone");
	t->format.zone = t->zone;
	t->format.columns = buf_str(&t->columns);
	t->format.now = clock_wall_ms();
	t->format.origins = &t->origins;
	return e;
}

static int read_moment(struct sheet_task *t, const struct request *r, struct err *err)
{
	CLEANUP(buf_done) struct buf text = BUF_INIT;
	struct sheet_format f = t->format;

	t->moment = t->format.moment = FIELD_ABSENT;
	if (!arg_text(r, "effective", &text))
		return 0;
	f.dates = SHEET_ISO;
	const char *why = sheet_moment(&f, buf_str(&text), &t->moment);
	if (!why && t->moment < t->format.now)
		why = "it is in the past; without it the sheet takes effect at once";
	if (why)
		return err_set(err, ERR_BAD_VALUE, "effective", buf_str(&text),
			       "a time to come, such as 2026-12-01T00:00:00Z", "%s", why);
	t->format.moment = t->moment;
	return 0;
}

int sheet_task_read(struct ops *o, struct sheet_task *t, const struct request *r, struct err *err)
{
	static const char *const modes[] = { "update", "replace", NULL };
	CLEANUP(buf_done) struct buf mode = BUF_INIT;
	int word = 0, e = read_group(o, t, r, err);

	if (e == 0)
		e = read_format(t, r, err);
	if (e == 0)
		e = load_origins(&t->origins, o->db);
	if (e == 0)
		e = read_moment(t, r, err);
	given_or(r, "mode", "update", &mode);
	if (e == 0)
		e = read_word(buf_str(&mode), "mode", modes, &word, err);
	t->mode = (enum sheet_mode)word;
	if (e == 0)
		e = arg_int(r, "limit", 0, 100000, 100, &t->limit, err);
	return e;
}
