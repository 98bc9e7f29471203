/*
 * Both sides come in the order of prefixes and origins, so one walk over the two is enough: for each prefix and origin the versions that
 * are there (standing) meet the lines that speak of it.
 */
#include "sheet/delta.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "model/entity.h"
#include "rating/terms.h"

enum { TEXT_MAX = 1024 };

const char *const sheet_change_names[SHEET_CHANGE_COUNT] = {
#define SHEET_NAME(name, word, help) [SHEET_##name] = word,
	SHEET_CHANGES(SHEET_NAME)
#undef SHEET_NAME
};

/* A version that is there. */
struct standing {
	int64_t version;
	ms_t effective, end;
	money_t price, setup_fee, tax;
	int32_t unit, first, step;
	uint8_t band_mode, status;
	bool is_dropped, is_kept;
	size_t sections, sections_n, area, area_n; /* in the walk's text */
};

struct walk {
	struct delta *delta;
	struct sheet *sheet;
	const struct delta_ask *ask;
	struct stmt *stmt;
	bool has_row; /* the statement stands on a row */
	struct standing *standing;
	size_t count, room;
	struct buf prefix, origin, text; /* of the standing ones */
};

/* What a price and its terms are compared by. */
struct view {
	money_t price, setup_fee, tax;
	int32_t unit, first, step;
	struct str sections, area;
	ms_t end;
};

void delta_done(struct delta *p)
{
	free(p->end);
	free(p->drop);
	free(p->change);
	*p = (struct delta){ 0 };
}

/* ---- what is noted ---- */

static int grow(void **list, size_t n, size_t *room, size_t size)
{
	if (n < *room)
		return 0;

	size_t more = *room ? *room * 2 : 256;
	void *grown = reallocarray(*list, more, size);
	if (!grown)
		return -ENOMEM;
	*list = grown;
	*room = more;
	return 0;
}

static int end_version(struct walk *w, struct standing *x, ms_t end)
{
	struct delta *p = w->delta;
	int r;

	/* Twice in one sheet: what it was before the sheet is what counts. */
	for (size_t i = p->ends; i > 0 && i + w->count > p->ends; i--) {
		if (p->end[i - 1].version == x->version) {
			p->end[i - 1].end = x->end = end;
			return 0;
		}
	}
	r = grow((void **)&p->end, p->ends, &p->end_room, sizeof(*p->end));
	if (r == 0)
		p->end[p->ends++] = (struct delta_end){ x->version, x->end, end };
	x->end = end;
	return r;
}

static int drop(struct walk *w, struct standing *x)
{
	struct delta *p = w->delta;
	int r = grow((void **)&p->drop, p->drops, &p->drop_room, sizeof(*p->drop));

	if (r == 0)
		p->drop[p->drops++] = x->version;
	x->is_dropped = true;
	return r;
}

static int note(struct walk *w, const struct sheet_row *row, enum sheet_change change,
		const struct view *before, ms_t at)
{
	struct delta *p = w->delta;
	const char *prefix = row ? row->prefix : NULL;
	struct str origin = row ? sheet_origin(w->sheet, row) : buf_str(&w->origin);

	p->count[change]++;
	if (!w->ask->is_preview || change == SHEET_UNCHANGED)
		return 0;
	if (!prefix)
		prefix = sheet_keep(w->sheet, buf_str(&w->prefix));
	if (!row && origin.n)
		origin.p = sheet_keep(w->sheet, origin);
	int r = grow((void **)&p->change, p->changes, &p->change_room, sizeof(*p->change));
	if (r < 0 || !prefix || (origin.n && !origin.p))
		return -ENOMEM;
	p->change[p->changes++] = (struct delta_change){
		.prefix = prefix,
		.prefix_n = row ? row->prefix_n : (uint8_t)w->prefix.n,
		.origin = origin.p,
		.origin_n = (uint8_t)origin.n,
		.row = row,
		.change = (uint8_t)change,
		.old_price = before ? before->price : 0,
		.old_unit = before ? before->unit : 0,
		.at = at,
	};
	return 0;
}

/* ---- comparing ---- */

static bool is_before_end(ms_t at, ms_t end)
{
	return end == FIELD_ABSENT || at < end;
}

static struct str text_at(const struct walk *w, size_t at, size_t n)
{
	return n ? str_n(w->text.p + at, n) : STR("");
}

static struct view view_of(const struct walk *w, const struct standing *x)
{
	return (struct view){ x->price,
			      x->setup_fee,
			      x->tax,
			      x->unit,
			      x->first,
			      x->step,
			      text_at(w, x->sections, x->sections_n),
			      text_at(w, x->area, x->area_n),
			      x->end };
}

static struct view view_of_row(const struct sheet_row *r)
{
	return (struct view){ r->price, r->setup_fee,      r->tax,        r->unit, r->first,
			      r->step,  sheet_sections(r), sheet_area(r), r->end };
}

/* 1, 0 or -1: a is dearer a second, the same, cheaper. */
static int compare_prices(const struct view *a, const struct view *b)
{
	int128_t x = (int128_t)a->price * b->unit, y = (int128_t)b->price * a->unit;

	return (x > y) - (x < y);
}

/* Written differently they may still say the same. */
static bool are_same_sections(struct str a, struct str b)
{
	struct terms x = TERMS_DEFAULT, y = TERMS_DEFAULT;

	if (a.n == 0 || b.n == 0 || str_eq(a, b))
		return a.n == b.n;
	if (terms_parse_sections(a, &x) < 0 || terms_parse_sections(b, &y) < 0 ||
	    x.section_count != y.section_count)
		return false;
	for (int i = 0; i < x.section_count; i++) {
		if (x.section[i].start_s != y.section[i].start_s ||
		    x.section[i].price != y.section[i].price)
			return false;
	}
	return true;
}

static bool is_same(const struct view *a, const struct view *b)
{
	return a->price == b->price && a->unit == b->unit && a->first == b->first &&
	       a->step == b->step && a->setup_fee == b->setup_fee && a->tax == b->tax &&
	       a->end == b->end && str_eq(a->area, b->area) &&
	       are_same_sections(a->sections, b->sections);
}

/* In force until then, or beyond: what begins then follows it. */
static bool reaches(ms_t end, ms_t at)
{
	return end == FIELD_ABSENT || at <= end;
}

/* The version that would be in force at that moment, or ends then; NULL: none. */
static struct standing *in_force(struct walk *w, ms_t at)
{
	for (size_t i = w->count; i > 0; i--) {
		struct standing *x = &w->standing[i - 1];

		if (!x->is_dropped && x->effective <= at && reaches(x->end, at))
			return x;
	}
	return NULL;
}

/* Columns that the file does not have. */
static int inherit(struct walk *w, struct sheet_row *r, const struct view *from,
		   const struct standing *x)
{
	const struct sheet *s = w->sheet;
	bool has_increments = sheet_has(s, SHEET_INCREMENTS);

	if (x) {
		r->band_mode = x->band_mode;
		r->status = x->status;
	}
	if (!sheet_has(s, SHEET_UNIT))
		r->unit = from->unit;
	if (!sheet_has(s, SHEET_FIRST) && !has_increments)
		r->first = from->first;
	if (!sheet_has(s, SHEET_STEP) && !has_increments)
		r->step = from->step;
	if (!sheet_has(s, SHEET_SETUP_FEE))
		r->setup_fee = from->setup_fee;
	if (!sheet_has(s, SHEET_TAX))
		r->tax = from->tax;
	if (!sheet_has(s, SHEET_SECTIONS) && from->sections.n) {
		r->sections = sheet_keep(w->sheet, from->sections);
		r->sections_n = (uint16_t)from->sections.n;
	}
	if (!sheet_has(s, SHEET_AREA) && from->area.n) {
		r->area = sheet_keep(w->sheet, from->area);
		r->area_n = (uint16_t)from->area.n;
	}
	return (r->sections_n && !r->sections) || (r->area_n && !r->area) ? -ENOMEM : 0;
}

/* ---- one prefix ---- */

/* What is in force at that moment goes until then; what was to begin then, or with and_later after it, never does. */
static int clear_from(struct walk *w, ms_t at, bool and_later, bool *ret_was_there)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < w->count; i++) {
		struct standing *x = &w->standing[i];

		if (x->is_dropped || !is_before_end(at, x->end))
			continue;
		if (x->effective < at)
			r = end_version(w, x, at);
		else if (x->effective == at || and_later)
			r = drop(w, x);
		else
			continue;
		*ret_was_there = true;
	}
	return r;
}

/* Until when a line can hold: the next line of its prefix, or a version that was to come and stays. FIELD_ABSENT: nothing comes. */
static ms_t next_begin(const struct walk *w, const struct sheet_row *l, const struct sheet_row *end)
{
	ms_t next = l + 1 < end ? l[1].effective : FIELD_ABSENT;

	for (size_t i = 0; w->ask->mode == SHEET_UPDATE && i < w->count; i++) {
		const struct standing *x = &w->standing[i];

		if (!x->is_dropped && x->effective > l->effective &&
		    is_before_end(x->effective, next))
			next = x->effective;
	}
	return next;
}

static ms_t earlier_end(ms_t a, ms_t b)
{
	return is_before_end(a, b) && a != FIELD_ABSENT ? a : b;
}

static int take_delete(struct walk *w, struct sheet_row *l, struct sheet_row *before)
{
	struct standing *x = in_force(w, l->effective);
	struct view v = x ? view_of(w, x) : (struct view){ 0 };
	bool was_there = false;
	int r = clear_from(w, l->effective, true, &was_there);

	if (before && is_before_end(l->effective, before->end)) {
		before->end = l->effective;
		was_there = true;
	}
	return r < 0 ? r
		     : note(w, l, was_there ? SHEET_REMOVED : SHEET_UNCHANGED, x ? &v : NULL,
			    l->effective);
}

/* before: the line of the same prefix that was taken before this one, or NULL. */
static int take_price(struct walk *w, struct sheet_row *l, struct sheet_row *end,
		      struct sheet_row *before)
{
	struct standing *x = in_force(w, l->effective);
	ms_t next = next_begin(w, l, end);
	struct view v = { 0 };
	bool was_there = false;
	int r = 0;

	l->end = earlier_end(l->end, next);
	if (before && reaches(before->end, l->effective)) {
		v = view_of_row(before);
		l->band_mode = before->band_mode;
		l->status = before->status;
		x = NULL;
	} else if (x) {
		v = view_of(w, x);
		v.end = earlier_end(v.end, next);
		before = NULL;
	} else {
		before = NULL;
	}
	bool has_old = x || before;
	if (has_old)
		r = inherit(w, l, &v, x);

	struct view now = view_of_row(l);
	if (r < 0)
		return r;
	if (x && is_before_end(l->effective, x->end) && is_same(&v, &now)) {
		x->is_kept = true;
		return note(w, l, SHEET_UNCHANGED, &v, l->effective);
	}
	l->is_new = true;
	w->delta->adds++;
	r = clear_from(w, l->effective, false, &was_there);
	if (r == 0 && before)
		before->end = l->effective;

	int dearer = has_old ? compare_prices(&now, &v) : 0;
	enum sheet_change change = !has_old     ? SHEET_NEW
				   : dearer > 0 ? SHEET_UP
				   : dearer < 0 ? SHEET_DOWN
						: SHEET_TERMS;
	return r < 0 ? r : note(w, l, change, has_old ? &v : NULL, l->effective);
}

/* mode=replace: what was to come behind the first line is not in the sheet. */
static int drop_later(struct walk *w, ms_t first)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < w->count; i++) {
		struct standing *x = &w->standing[i];

		if (!x->is_dropped && !x->is_kept && x->effective > first)
			r = drop(w, x);
	}
	return r;
}

static int settle(struct walk *w, struct sheet_row *l, size_t n)
{
	struct sheet_row *before = NULL;
	bool was_there = false;
	int r = 0;

	if (n == 0 && w->ask->mode == SHEET_REPLACE) {
		struct standing *x = in_force(w, w->ask->moment);
		struct view v = x ? view_of(w, x) : (struct view){ 0 };

		r = clear_from(w, w->ask->moment, true, &was_there);
		return r < 0 || !was_there
			       ? r
			       : note(w, NULL, SHEET_REMOVED, x ? &v : NULL, w->ask->moment);
	}
	for (size_t i = 0; r == 0 && i < n; i++) {
		r = l[i].is_delete ? take_delete(w, &l[i], before)
				   : take_price(w, &l[i], l + n, before);
		if (l[i].is_new)
			before = &l[i];
		else
			before = NULL;
	}
	if (r == 0 && n > 0 && w->ask->mode == SHEET_REPLACE)
		r = drop_later(w, l[0].effective);
	return r;
}

/* ---- the walk ---- */

static uint8_t value_of(enum entity_id e, int field, struct str text)
{
	const char *const *values = entities[e].field[field].values;

	for (int i = 0; values[i]; i++) {
		if (str_eq(text, str_of(values[i])))
			return (uint8_t)i;
	}
	return 0;
}

static size_t put_text(struct walk *w, int column, size_t *ret_n)
{
	struct str text = str_head(stmt_text(w->stmt, column), TEXT_MAX);
	size_t at = w->text.n;

	*ret_n = text.n;
	buf_put(&w->text, text);
	return at;
}

static int add_standing(struct walk *w)
{
	struct stmt *s = w->stmt;
	int r = grow((void **)&w->standing, w->count, &w->room, sizeof(*w->standing));

	if (r < 0)
		return r;
	struct standing *x = &w->standing[w->count++];
	*x = (struct standing){
		.version = stmt_int(s, 0),
		.effective = stmt_int(s, 2),
		.end = stmt_is_null(s, 3) ? FIELD_ABSENT : stmt_int(s, 3),
		.price = stmt_int(s, 4),
		.unit = (int32_t)stmt_int(s, 5),
		.first = (int32_t)stmt_int(s, 6),
		.step = (int32_t)stmt_int(s, 7),
		.setup_fee = stmt_int(s, 8),
		.tax = stmt_int(s, 9),
		.band_mode = value_of(ENTITY_RATE, RATE_BAND_MODE, stmt_text(s, 10)),
		.status = value_of(ENTITY_RATE, RATE_STATUS, stmt_text(s, 11)),
	};
	x->sections = put_text(w, 12, &x->sections_n);
	x->area = put_text(w, 13, &x->area_n);
	return buf_error(&w->text);
}

static bool is_standing(const struct walk *w)
{
	return str_eq(stmt_text(w->stmt, 1), buf_str(&w->prefix)) &&
	       str_eq(stmt_text(w->stmt, 14), buf_str(&w->origin));
}

/* All versions of the prefix and origin that the statement stands on. */
static int read_standing(struct walk *w)
{
	int r = 0;

	buf_clear(&w->prefix);
	buf_put(&w->prefix, stmt_text(w->stmt, 1));
	buf_clear(&w->origin);
	buf_put(&w->origin, stmt_text(w->stmt, 14));
	while (r == 0 && w->has_row && is_standing(w)) {
		r = add_standing(w);
		int more = r == 0 ? stmt_step(w->stmt) : r;
		if (more < 0)
			return more;
		w->has_row = more == 1;
	}
	return r < 0 ? r : buf_error(&w->prefix) ? -ENOMEM : buf_error(&w->origin);
}

/* Of the line against the row that the statement stands on. */
static int compare_keys(const struct walk *w, const struct sheet_row *l)
{
	int r = str_cmp(sheet_prefix(l), stmt_text(w->stmt, 1));

	return r ? r : str_cmp(sheet_origin(w->sheet, l), stmt_text(w->stmt, 14));
}

static bool is_same_key(const struct sheet_row *a, const struct sheet_row *b)
{
	return a->origin == b->origin && str_eq(sheet_prefix(a), sheet_prefix(b));
}

static int walk(struct walk *w)
{
	struct sheet *s = w->sheet;
	size_t i = 0, n;
	int r = stmt_step(w->stmt);

	w->has_row = r == 1;
	r = r < 0 ? r : 0;
	while (r == 0 && (i < s->rows || w->has_row)) {
		int order = !w->has_row ? -1 : 1;

		if (w->has_row && i < s->rows)
			order = compare_keys(w, &s->row[i]);
		w->count = 0;
		buf_clear(&w->text);
		if (order >= 0)
			r = read_standing(w);
		for (n = 0; order <= 0 && i + n < s->rows; n++) {
			if (!is_same_key(&s->row[i + n], &s->row[i]))
				break;
		}
		if (r == 0)
			r = settle(w, s->row + i, n);
		i += n;
	}
	return r;
}

int delta_make(struct delta *ret, struct db *d, struct sheet *s, const struct delta_ask *ask)
{
	CLEANUP(stmt_free) struct stmt *stmt = NULL;
	struct walk w = { .delta = ret, .sheet = s, .ask = ask };

	*ret = (struct delta){ 0 };
	for (size_t i = 0; i < s->rows; i++) {
		if (s->row[i].effective == FIELD_ABSENT || s->row[i].effective < ask->now)
			s->row[i].effective = ask->moment;
	}
	int r = stmt_prepare(&stmt, d,
			     "SELECT version, prefix, effective, \"end\", price, unit, first, step,"
			     " setup_fee, tax_percent, band_mode, status, sections, area, origin"
			     " FROM rate WHERE \"group\" = ?1 AND (?3 OR origin = '')"
			     " AND (\"end\" IS NULL OR \"end\" > ?2)"
			     " ORDER BY prefix, origin, effective");
	if (r < 0)
		return r;
	stmt_bind_text(stmt, 1, ask->group);
	stmt_bind_int(stmt, 2, ask->now);
	stmt_bind_int(stmt, 3, sheet_has(s, SHEET_ORIGIN));
	w.stmt = stmt;
	r = walk(&w);
	free(w.standing);
	buf_done(&w.prefix);
	buf_done(&w.origin);
	buf_done(&w.text);
	return r;
}
