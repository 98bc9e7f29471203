/*
 * One array of rates, sorted by prefix and within a prefix by origin, those for any caller first, and latest first; and a trie from
 * each prefix to the first of its run. A lookup takes every matching prefix from the trie, longest
 * first, and walks the run until a version is in force: for a call of today that is the first one
 * or, with a sheet scheduled ahead, the second. Only where some rate has an origin the caller is
 * looked at.
 *
 * A rate has no pointers: a million of them are 72 MB and less than 20 MB of trie. Their sections
 * stand in a pool of their own, since few rates have any. While it is built each rate has a place
 * beside it, 16 bytes, and its prefix in one text; the store gives rows by prefix and moment, so that
 * as a rule nothing is sorted and nothing stands in memory twice.
 */
#include "rating/tariff.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/trie.h"

struct tariff {
	struct trie *trie;
	bool has_strangers; /* some rate is of an origin group that there is not */
	struct rate *rate;
	size_t count;
	struct section *section;
	size_t section_count;
	struct tariff_rules rules;
	struct origins *origins; /* NULL: no rate has one */
	char **origin_name;      /* by rate.origin - 1; NULL: no rate names it */
	size_t origin_names;
};

/* A rate on its way. */
struct place {
	uint64_t head;  /* the first eight characters: they decide nearly all comparisons */
	uint32_t text;  /* where its prefix stands */
	uint32_t index; /* of the rate */
};

struct tariff_builder {
	struct tariff *tariff;
	struct place *place;
	struct buf text;
	const struct origin_list *origins; /* may be NULL */
	size_t room, section_room;
	bool is_sorted, has_origin;
};

static uint64_t head_of(struct str prefix)
{
	uint64_t head = 0;

	for (size_t i = 0; i < sizeof(head); i++)
		head = head << 8 | (i < prefix.n ? (uint8_t)prefix.p[i] : 0);
	return head;
}

static struct str prefix_at(const struct tariff_builder *b, const struct place *p)
{
	size_t n = b->tariff->rate[p->index].prefix_len;

	return n ? str_n(b->text.p + p->text, n) : STR("");
}

static int compare(const void *va, const void *vb, void *builder)
{
	const struct tariff_builder *build = builder;
	const struct place *a = va, *b = vb;

	if (a->head != b->head)
		return a->head < b->head ? -1 : 1;

	int r = str_cmp(prefix_at(build, a), prefix_at(build, b));
	const struct rate *x = &build->tariff->rate[a->index], *y = &build->tariff->rate[b->index];

	if (r == 0)
		r = (x->origin > y->origin) - (x->origin < y->origin);
	return r ? r : (x->effective > y->effective) - (x->effective < y->effective);
}

static ms_t end_of(const struct rate_row *row)
{
	return row->end == FIELD_ABSENT ? INT64_MAX : row->end;
}

static int check_row(const struct rate_row *row, struct err *err)
{
	struct str prefix = str_of(row->prefix);

	if (!trie_is_key(prefix))
		return err_set(err, ERR_BAD_VALUE, "prefix", prefix,
			       "up to 40 characters of 0-9 * # +", "not a prefix");
	if (end_of(row) <= row->effective)
		return err_set(err, ERR_BAD_VALUE, "end", STR(""), "a moment after `effective`",
			       "rate %.*s would never be in force", STR_ARG(prefix));
	return 0;
}

static void apply_rules(const struct tariff_rules *rules, struct terms *t)
{
	t->fee_precision = rules->fee_precision;
	t->fee_unit = rules->fee_unit;
	t->hold_time_precision_ms = rules->hold_time_precision_ms;
	t->free_time_s = rules->free_time_s;
	t->tax_unit = rules->tax_unit;
}

static int check_rules(const struct tariff_rules *rules, struct err *err)
{
	struct terms t = TERMS_DEFAULT;

	apply_rules(rules, &t);
	const char *fault = terms_fault(&t);
	if (fault)
		return err_set(err, ERR_BAD_VALUE, fault, STR(""), NULL,
			       "%s of the rate group is out of range", fault);
	return 0;
}

/* A row's own terms, without the group's rules. */
static int row_terms(const struct rate_row *row, struct terms *ret, struct err *err)
{
	struct str sections = str_of(row->sections);

	*ret = TERMS_DEFAULT;
	ret->price = row->price;
	ret->unit_s = row->unit;
	ret->first_s = row->first;
	ret->step_s = row->step;
	ret->setup_fee = row->setup_fee;
	ret->tax_percent = row->tax_percent;
	if (sections.n && terms_parse_sections(sections, ret) < 0)
		return err_set(err, ERR_BAD_VALUE, "sections", sections,
			       "start:price, ... with ascending starts, at most 16",
			       "rate %s: not a list of sections", row->prefix ? row->prefix : "");

	const char *fault = terms_fault(ret);
	if (fault)
		return err_set(err, ERR_BAD_VALUE, fault, STR(""), NULL,
			       "rate %s: %s is out of range", row->prefix ? row->prefix : "",
			       fault);
	return 0;
}

static void fill_rate(struct tariff *t, struct rate *r, const struct rate_row *row, uint16_t origin,
		      const struct terms *terms)
{
	*r = (struct rate){
		.effective = row->effective,
		.end = end_of(row),
		.version = row->version == FIELD_ABSENT ? 0 : row->version,
		.price = terms->price,
		.setup_fee = terms->setup_fee,
		.tax_percent = terms->tax_percent,
		.unit_s = (int32_t)terms->unit_s,
		.first_s = (int32_t)terms->first_s,
		.step_s = (int32_t)terms->step_s,
		.sections = terms->section_count > 0 ? (int32_t)t->section_count : -1,
		.section_count = (uint8_t)terms->section_count,
		.prefix_len = (uint8_t)str_of(row->prefix).n,
		.is_locked = row->status == RATE_STATUS_LOCKED,
		.is_split = row->band_mode == RATE_BAND_MODE_SPLIT,
		.origin = origin,
	};
	for (int i = 0; i < terms->section_count; i++)
		t->section[t->section_count++] = terms->section[i];
}

/* ---- building ---- */

struct tariff_builder *tariff_builder_free(struct tariff_builder *b)
{
	if (!b)
		return NULL;
	tariff_free(b->tariff);
	free(b->place);
	buf_done(&b->text);
	free(b);
	return NULL;
}

static int make_names(struct tariff *t, const struct origin_list *origins)
{
	if (!origins || origins->count == 0)
		return 0;
	t->origin_name = calloc(origins->count, sizeof(*t->origin_name));
	if (!t->origin_name)
		return -ENOMEM;
	t->origin_names = origins->count;
	return 0;
}

int tariff_begin(struct tariff_builder **ret, const struct tariff_rules *rules,
		 const struct origin_list *origins, struct err *err)
{
	int r = check_rules(rules, err);

	if (r < 0)
		return r;
	CLEANUP(tariff_builder_free) struct tariff_builder *b = calloc(1, sizeof(*b));
	if (!b)
		return -ENOMEM;
	b->is_sorted = true;
	b->tariff = calloc(1, sizeof(*b->tariff));
	if (!b->tariff)
		return -ENOMEM;
	b->tariff->rules = *rules;
	b->origins = origins;
	r = make_names(b->tariff, origins);
	if (r == 0)
		*ret = TAKE(b);
	return r;
}

static int grow_rates(struct tariff_builder *b)
{
	size_t room = b->room ? b->room * 2 : 64;
	struct rate *rate = reallocarray(b->tariff->rate, room, sizeof(*rate));

	if (!rate)
		return -ENOMEM;
	b->tariff->rate = rate;

	struct place *place = reallocarray(b->place, room, sizeof(*place));
	if (!place)
		return -ENOMEM;
	b->place = place;
	b->room = room;
	return 0;
}

static int make_room(struct tariff_builder *b, size_t sections)
{
	struct tariff *t = b->tariff;
	int r = t->count == b->room ? grow_rates(b) : 0;

	if (r < 0 || t->section_count + sections <= b->section_room)
		return r;
	size_t room = (t->section_count + sections) * 2;
	struct section *more =
		room > INT32_MAX ? NULL : reallocarray(t->section, room, sizeof(*more));
	if (!more)
		return -ENOMEM;
	t->section = more;
	b->section_room = room;
	return 0;
}

/* From 1; 0: none; -1: a group that there is not. -ENOMEM. */
static int origin_of(struct tariff_builder *b, struct str name)
{
	int at = b->origins ? origin_list_find(b->origins, name) : -1;
	char **own = at < 0 ? NULL : &b->tariff->origin_name[at];

	if (str_is_empty(name))
		return 0;
	if (!own || at >= ORIGINS_MAX)
		return -1;
	if (!*own)
		*own = str_dup(name);
	b->has_origin = true;
	return *own ? at + 1 : -ENOMEM;
}

int tariff_add(struct tariff_builder *b, const struct rate_row *row, struct err *err)
{
	struct tariff *t = b->tariff;
	struct str prefix = str_of(row->prefix);
	struct terms terms;
	int r = check_row(row, err);
	int origin = r < 0 ? r : origin_of(b, str_of(row->origin));

	if (origin == -1) {
		t->has_strangers = true;
		return 0;
	}
	if (origin < 0)
		return origin;
	r = row_terms(row, &terms, err);
	if (r == 0)
		r = t->count + 1 >= TRIE_NONE ? -ENOMEM : make_room(b, (size_t)terms.section_count);
	if (r < 0)
		return r;

	assert(b->place && t->rate);
	struct place *p = &b->place[t->count];
	*p = (struct place){ head_of(prefix), (uint32_t)b->text.n, (uint32_t)t->count };
	buf_put(&b->text, prefix);
	if (buf_error(&b->text) < 0 || b->text.n > UINT32_MAX)
		return -ENOMEM;
	fill_rate(t, &t->rate[t->count], row, (uint16_t)origin, &terms);
	b->is_sorted = b->is_sorted && (t->count == 0 || compare(p - 1, p, b) < 0);
	t->count++;
	return 0;
}

/* Places in order, then the rates after them. */
static int sort(struct tariff_builder *b)
{
	struct tariff *t = b->tariff;

	if (b->is_sorted)
		return 0;
	qsort_r(b->place, t->count, sizeof(*b->place), compare, b);

	struct rate *sorted = calloc(b->room, sizeof(*sorted));
	if (!sorted)
		return -ENOMEM;
	for (size_t i = 0; i < t->count; i++) {
		sorted[i] = t->rate[b->place[i].index];
		b->place[i].index = (uint32_t)i;
	}
	free(t->rate);
	t->rate = sorted;
	return 0;
}

static int refuse_twice(struct str prefix, struct err *err)
{
	return err_set(err, ERR_CONFLICT, "prefix", prefix, "one rate a prefix and moment",
		       "two rates of prefix %.*s take effect at the same moment", STR_ARG(prefix));
}

/* The versions of a prefix, latest first. */
static void turn_round(struct rate *r, size_t n)
{
	for (size_t i = 0; i < n / 2; i++) {
		struct rate other = r[i];

		r[i] = r[n - 1 - i];
		r[n - 1 - i] = other;
	}
	for (size_t i = 0; i < n; i++)
		r[i].has_older = i + 1 < n;
}

/* From the n-th on, how many are of its prefix and origin. */
static int count_run(const struct tariff_builder *b, size_t from, size_t *ret, struct err *err)
{
	const struct rate *rate = b->tariff->rate;
	struct str prefix = prefix_at(b, &b->place[from]);
	size_t i = from + 1;

	for (; i < b->tariff->count && rate[i].origin == rate[from].origin; i++) {
		if (!str_eq(prefix_at(b, &b->place[i]), prefix))
			break;
		if (rate[i - 1].effective == rate[i].effective)
			return refuse_twice(prefix, err);
	}
	*ret = i - from;
	return 0;
}

static int settle_runs(const struct tariff_builder *b, struct err *err)
{
	struct rate *rate = b->tariff->rate;
	size_t n = 0;

	for (size_t i = 0; i < b->tariff->count; i += n) {
		int r = count_run(b, i, &n, err);

		if (r < 0)
			return r;
		turn_round(&rate[i], n);
		if (i > 0 && str_eq(prefix_at(b, &b->place[i - 1]), prefix_at(b, &b->place[i])))
			rate[i - 1].has_other = true;
	}
	return 0;
}

static int index_prefixes(struct tariff_builder *b)
{
	struct tariff *t = b->tariff;
	CLEANUP(free) struct trie_key *keys = calloc(t->count ? t->count : 1, sizeof(*keys));
	size_t n = 0;

	if (!keys)
		return -ENOMEM;
	for (size_t i = 0; i < t->count; i++)
		if (i == 0 || !(t->rate[i - 1].has_older || t->rate[i - 1].has_other))
			keys[n++] = (struct trie_key){ prefix_at(b, &b->place[i]), (uint32_t)i };
	return trie_create(&t->trie, keys, n);
}

/* What was room for more is given back. */
static void trim(struct tariff *t)
{
	struct rate *rate = reallocarray(t->rate, t->count ? t->count : 1, sizeof(*rate));

	if (rate)
		t->rate = rate;
}

/* Of the groups that a rate names; the others keep their places, without prefixes. */
static int index_origins(struct tariff_builder *b)
{
	struct tariff *t = b->tariff;

	if (!b->has_origin)
		return 0;
	assert(b->origins && b->origins->count == t->origin_names);
	CLEANUP(free) struct origin *named = calloc(t->origin_names, sizeof(*named));
	if (!named)
		return -ENOMEM;
	for (size_t i = 0; i < t->origin_names; i++) {
		if (t->origin_name[i])
			named[i] = b->origins->group[i];
	}
	return origins_create(&t->origins, named, t->origin_names);
}

int tariff_end(struct tariff_builder *b, struct tariff **ret, struct err *err)
{
	int r = sort(b);

	if (r == 0)
		r = settle_runs(b, err);
	if (r == 0)
		r = index_prefixes(b);
	if (r == 0)
		r = index_origins(b);
	if (r < 0)
		return r;
	trim(b->tariff);
	*ret = TAKE(b->tariff);
	return 0;
}

int tariff_create(struct tariff **ret, struct rate_row *const *rows, size_t n,
		  const struct tariff_rules *rules, const struct origin_list *origins,
		  struct err *err)
{
	CLEANUP(tariff_builder_free) struct tariff_builder *b = NULL;
	int r = tariff_begin(&b, rules, origins, err);

	for (size_t i = 0; r == 0 && i < n; i++)
		r = tariff_add(b, rows[i], err);
	return r == 0 ? tariff_end(b, ret, err) : r;
}

struct tariff *tariff_free(struct tariff *t)
{
	if (t) {
		(void)trie_free(t->trie);
		(void)origins_free(t->origins);
		for (size_t i = 0; i < t->origin_names; i++)
			free(t->origin_name[i]);
		free(t->origin_name);
		free(t->rate);
		free(t->section);
		free(t);
	}
	return NULL;
}

static ms_t earlier(ms_t a, ms_t b)
{
	return a < b ? a : b;
}

static ms_t later(ms_t a, ms_t b)
{
	return a > b ? a : b;
}

/* *span: until when all versions that were looked at stand as they do now, and since when. */
static const struct rate *in_force(const struct rate *r, ms_t at, struct tariff_span *span)
{
	for (;; r++) {
		if (r->effective > at) {
			span->until = earlier(span->until, r->effective);
		} else if (at < r->end) {
			span->from = later(span->from, r->effective);
			span->until = earlier(span->until, r->end);
			return r;
		} else {
			span->from = later(span->from, r->end);
		}
		if (!r->has_older)
			return NULL;
	}
}

/* The first rate of the same prefix that is for that origin; NULL: there is none. */
static const struct rate *of_origin(const struct rate *r, int origin)
{
	while (r->origin != origin) {
		while (r->has_older)
			r++;
		if (!r->has_other)
			return NULL;
		r++;
	}
	return r;
}

/* Of a prefix: the caller's origins first. */
static const struct rate *find_by_caller(const struct rate *first, const uint16_t *origin, size_t n,
					 ms_t at, struct tariff_span *span)
{
	const struct rate *found = NULL;

	for (size_t i = 0; !found && i < n; i++) {
		const struct rate *r = of_origin(first, origin[i] + 1);

		if (r)
			found = in_force(r, at, span);
	}
	return found || first->origin ? found : in_force(first, at, span);
}

const struct rate *tariff_find_span(const struct tariff *t, struct str number, struct str caller,
				    ms_t at, struct tariff_span *span)
{
	struct trie_match match[TRIE_KEY_MAX + 1];
	uint16_t origin[ORIGINS_FOUND];
	size_t reach, origins = 0, n = trie_walk(t->trie, number, match, &reach);

	if (reach > span->reach)
		span->reach = reach;
	if (t->origins)
		origins = origins_find(t->origins, caller, origin);
	for (; n > 0; n--) {
		const struct rate *first = &t->rate[match[n - 1].value];
		const struct rate *r = t->origins ? find_by_caller(first, origin, origins, at, span)
						  : in_force(first, at, span);

		if (r)
			return r;
	}
	return NULL;
}

const struct rate *tariff_find(const struct tariff *t, struct str number, struct str caller,
			       ms_t at)
{
	struct tariff_span span = TARIFF_SPAN_ALL;

	return tariff_find_span(t, number, caller, at, &span);
}

const char *tariff_origin(const struct tariff *t, const struct rate *r)
{
	return r->origin ? t->origin_name[r->origin - 1] : NULL;
}

bool tariff_may_have_origin(const struct tariff *t, const char *name)
{
	if (t->has_strangers)
		return true;
	for (size_t i = 0; t->origins && i < t->origin_names; i++) {
		if (t->origin_name[i] && strcmp(t->origin_name[i], name) == 0)
			return true;
	}
	return false;
}

void tariff_terms(const struct tariff *t, const struct rate *r, struct terms *ret)
{
	*ret = (struct terms){
		.price = r->price,
		.unit_s = r->unit_s,
		.first_s = r->first_s,
		.step_s = r->step_s,
		.setup_fee = r->setup_fee,
		.tax_percent = r->tax_percent,
		.section_count = r->section_count,
	};
	for (int i = 0; i < r->section_count; i++)
		ret->section[i] = t->section[r->sections + i];
	apply_rules(&t->rules, ret);
}

size_t tariff_count(const struct tariff *t)
{
	return t->count;
}

size_t tariff_bytes(const struct tariff *t)
{
	return sizeof(*t) + t->count * sizeof(*t->rate) + t->section_count * sizeof(*t->section) +
	       trie_bytes(t->trie) + origins_bytes(t->origins);
}
