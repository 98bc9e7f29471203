/*
 * One array of rates, sorted by prefix and within a prefix latest first, and a trie from each
 * prefix to the first of its run. A lookup takes every matching prefix from the trie, longest
 * first, and walks the run until a version is in force: for a call of today that is the first one
 * or, with a sheet scheduled ahead, the second.
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

#include "base/trie.h"

struct tariff {
	struct trie *trie;
	struct rate *rate;
	size_t count;
	struct section *section;
	size_t section_count;
	struct tariff_rules rules;
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
	size_t room, section_room;
	bool is_sorted;
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
	ms_t since_a = build->tariff->rate[a->index].effective;
	ms_t since_b = build->tariff->rate[b->index].effective;

	return r ? r : (since_a > since_b) - (since_a < since_b);
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

static void fill_rate(struct tariff *t, struct rate *r, const struct rate_row *row,
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

int tariff_begin(struct tariff_builder **ret, const struct tariff_rules *rules, struct err *err)
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
	*ret = TAKE(b);
	return 0;
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

int tariff_add(struct tariff_builder *b, const struct rate_row *row, struct err *err)
{
	struct tariff *t = b->tariff;
	struct str prefix = str_of(row->prefix);
	struct terms terms;
	int r = check_row(row, err);

	if (r < 0 || !str_is_empty(str_of(row->origin)))
		return r;
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
	fill_rate(t, &t->rate[t->count], row, &terms);
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

static int settle_runs(const struct tariff_builder *b, struct err *err)
{
	struct rate *rate = b->tariff->rate;
	size_t n;

	for (size_t i = 0; i < b->tariff->count; i += n) {
		struct str prefix = prefix_at(b, &b->place[i]);

		for (n = 1; i + n < b->tariff->count; n++) {
			if (!str_eq(prefix_at(b, &b->place[i + n]), prefix))
				break;
			if (rate[i + n - 1].effective == rate[i + n].effective)
				return refuse_twice(prefix, err);
		}
		turn_round(&rate[i], n);
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
		if (i == 0 || !t->rate[i - 1].has_older)
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

int tariff_end(struct tariff_builder *b, struct tariff **ret, struct err *err)
{
	int r = sort(b);

	if (r == 0)
		r = settle_runs(b, err);
	if (r == 0)
		r = index_prefixes(b);
	if (r < 0)
		return r;
	trim(b->tariff);
	*ret = TAKE(b->tariff);
	return 0;
}

int tariff_create(struct tariff **ret, struct rate_row *const *rows, size_t n,
		  const struct tariff_rules *rules, struct err *err)
{
	CLEANUP(tariff_builder_free) struct tariff_builder *b = NULL;
	int r = tariff_begin(&b, rules, err);

	for (size_t i = 0; r == 0 && i < n; i++)
		r = tariff_add(b, rows[i], err);
	return r == 0 ? tariff_end(b, ret, err) : r;
}

struct tariff *tariff_free(struct tariff *t)
{
	if (t) {
		(void)trie_free(t->trie);
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

const struct rate *tariff_find_span(const struct tariff *t, struct str number, ms_t at,
				    struct tariff_span *span)
{
	struct trie_match match[TRIE_KEY_MAX + 1];
	size_t reach, n = trie_walk(t->trie, number, match, &reach);

	if (reach > span->reach)
		span->reach = reach;
	for (; n > 0; n--) {
		const struct rate *r = in_force(&t->rate[match[n - 1].value], at, span);

		if (r)
			return r;
	}
	return NULL;
}

const struct rate *tariff_find(const struct tariff *t, struct str number, ms_t at)
{
	struct tariff_span span = TARIFF_SPAN_ALL;

	return tariff_find_span(t, number, at, &span);
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
	       trie_bytes(t->trie);
}
