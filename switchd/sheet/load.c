#include "sheet/load.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/trie.h"

/* A text of SQLite's ends in a NUL; the row only borrows it. */
static char *loan(struct stmt *s, int column)
{
	return (char *)(uintptr_t)stmt_text(s, column).p;
}

static struct rate_row row_of(struct stmt *s)
{
	bool is_locked = str_eq(stmt_text(s, 10), STR("locked"));
	bool is_split = str_eq(stmt_text(s, 12), STR("split"));

	return (struct rate_row){
		.prefix = loan(s, 0),
		.effective = stmt_int(s, 1),
		.end = stmt_is_null(s, 2) ? FIELD_ABSENT : stmt_int(s, 2),
		.price = stmt_int(s, 3),
		.unit = stmt_int(s, 4),
		.first = stmt_int(s, 5),
		.step = stmt_int(s, 6),
		.setup_fee = stmt_int(s, 7),
		.sections = loan(s, 8),
		.tax_percent = stmt_int(s, 9),
		.band_mode = is_split ? RATE_BAND_MODE_SPLIT : RATE_BAND_MODE_START,
		.status = is_locked ? RATE_STATUS_LOCKED : RATE_STATUS_NORMAL,
		.version = stmt_is_null(s, 11) ? FIELD_ABSENT : stmt_int(s, 11),
		.origin = loan(s, 13),
	};
}

int load_origins(struct origin_list *ret, struct db *d)
{
	CLEANUP(stmt_free) struct stmt *s = NULL;
	int r = stmt_prepare(
		&s, d,
		"SELECT name, coalesce(prefixes, ''), withheld FROM origin_group ORDER BY name");

	while (r == 0 && (r = stmt_step(s)) == 1)
		r = origin_list_add(ret, stmt_text(s, 0), stmt_text(s, 1), stmt_int(s, 2) != 0);
	return r;
}

/* What a sheet does to what is there; by version, to be found by halves. */
struct overlay {
	struct delta_end *end;
	int64_t *drop;
	size_t ends, drops;
};

static int by_version(const void *va, const void *vb)
{
	const struct delta_end *a = va, *b = vb;

	return (a->version > b->version) - (a->version < b->version);
}

static int by_number(const void *va, const void *vb)
{
	const int64_t *a = va, *b = vb;

	return (*a > *b) - (*a < *b);
}

/* False: the row is not to be there. */
static bool lay_over(const struct overlay *o, struct rate_row *row)
{
	struct delta_end key = { .version = row->version };
	const struct delta_end *e =
		o->ends ? bsearch(&key, o->end, o->ends, sizeof(key), by_version) : NULL;

	if (e)
		row->end = e->end;
	return o->drops == 0 ||
	       !bsearch(&row->version, o->drop, o->drops, sizeof(*o->drop), by_number);
}

static int add_stored(struct tariff_builder *b, struct db *d, struct str group, ms_t now_ms,
		      const struct overlay *o, struct err *err)
{
	CLEANUP(stmt_free) struct stmt *s = NULL;
	/* In the order of the primary key: nothing is sorted. */
	int r = stmt_prepare(&s, d,
			     "SELECT prefix, effective, \"end\", price, unit, first, step,"
			     " setup_fee, sections, tax_percent, status, version, band_mode,"
			     " origin FROM rate WHERE \"group\" = ?1"
			     " AND (\"end\" IS NULL OR \"end\" > ?2)"
			     " ORDER BY prefix, origin, effective");

	if (r < 0)
		return r;
	stmt_bind_text(s, 1, group);
	stmt_bind_int(s, 2, now_ms - LOAD_PAST_MS);
	while ((r = stmt_step(s)) == 1) {
		struct rate_row row = row_of(s);

		r = !o || lay_over(o, &row) ? tariff_add(b, &row, err) : 0;
		if (r < 0)
			break;
	}
	return r;
}

int load_tariff(struct tariff **ret, struct db *d, struct str group,
		const struct tariff_rules *rules, ms_t now_ms, struct err *err)
{
	CLEANUP(origin_list_done) struct origin_list origins = { 0 };
	CLEANUP(tariff_builder_free) struct tariff_builder *b = NULL;
	int r = load_origins(&origins, d);

	if (r == 0)
		r = tariff_begin(&b, rules, &origins, err);
	if (r == 0)
		r = add_stored(b, d, group, now_ms, NULL, err);
	return r == 0 ? tariff_end(b, ret, err) : r;
}

static int add_line(struct tariff_builder *b, const struct sheet *s, const struct sheet_row *l,
		    struct err *err)
{
	CLEANUP(buf_done) struct buf sections = BUF_INIT;
	char prefix[TRIE_KEY_MAX + 1];
	struct rate_row row = {
		.prefix = prefix,
		.origin = (char *)(uintptr_t)sheet_origin(s, l).p,
		.effective = l->effective,
		.end = l->end,
		.price = l->price,
		.unit = l->unit,
		.first = l->first,
		.step = l->step,
		.setup_fee = l->setup_fee,
		.tax_percent = l->tax,
		.band_mode = l->band_mode,
		.status = l->status,
		.version = FIELD_ABSENT,
	};

	if (str_copy(prefix, sizeof(prefix), sheet_prefix(l)) < 0)
		return -EINVAL;
	buf_put(&sections, sheet_sections(l));
	row.sections = l->sections_n ? (char *)(uintptr_t)buf_cstr(&sections) : NULL;
	return buf_error(&sections) ? -ENOMEM : tariff_add(b, &row, err);
}

static void *copy_of(const void *list, size_t n, size_t size)
{
	void *copy = reallocarray(NULL, n ? n : 1, size);

	if (copy && n)
		memcpy(copy, list, n * size);
	return copy;
}

int load_tariff_with(struct tariff **ret, struct db *d, struct str group,
		     const struct tariff_rules *rules, ms_t now_ms, const struct sheet *s,
		     const struct delta *p, struct err *err)
{
	CLEANUP(origin_list_done) struct origin_list origins = { 0 };
	CLEANUP(tariff_builder_free) struct tariff_builder *b = NULL;
	CLEANUP(free) struct delta_end *end = copy_of(p->end, p->ends, sizeof(*end));
	CLEANUP(free) int64_t *dropped = copy_of(p->drop, p->drops, sizeof(*dropped));
	struct overlay o = { end, dropped, p->ends, p->drops };

	if (!end || !dropped)
		return -ENOMEM;
	qsort(end, o.ends, sizeof(*end), by_version);
	qsort(dropped, o.drops, sizeof(*dropped), by_number);
	int r = load_origins(&origins, d);
	if (r == 0)
		r = tariff_begin(&b, rules, &origins, err);
	if (r == 0)
		r = add_stored(b, d, group, now_ms, &o, err);
	for (size_t i = 0; r == 0 && i < s->rows; i++) {
		if (s->row[i].is_new)
			r = add_line(b, s, &s->row[i], err);
	}
	return r == 0 ? tariff_end(b, ret, err) : r;
}
