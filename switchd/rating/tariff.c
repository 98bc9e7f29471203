/*
 * One array of rates, sorted by prefix and within a prefix latest first, and a trie from each
 * prefix to the first of its run. A lookup takes every matching prefix from the trie, longest
 * first, and walks the run until a version is in force: for a call of today that is the first one
 * or, with a sheet scheduled ahead, the second.
 *
 * A rate has no pointers: a million of them are 72 MB and less than 20 MB of trie. Their sections
 * stand in a pool of their own, since few rates have any.
 */
#include "rating/tariff.h"

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

/* A row on its way into the array. */
struct entry {
	uint64_t head; /* the first eight characters: they decide nearly all comparisons */
	struct str prefix;
	ms_t effective;
	const struct rate_row *row;
};

static uint64_t head_of(struct str prefix)
{
	uint64_t head = 0;

	for (size_t i = 0; i < sizeof(head); i++)
		head = head << 8 | (i < prefix.n ? (uint8_t)prefix.p[i] : 0);
	return head;
}

static int compare(const void *va, const void *vb)
{
	const struct entry *a = va, *b = vb;

	if (a->head != b->head)
		return a->head < b->head ? -1 : 1;

	int r = str_cmp(a->prefix, b->prefix);
	return r ? r : (a->effective < b->effective) - (a->effective > b->effective);
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

static struct entry entry_of(const struct rate_row *row)
{
	struct str prefix = str_of(row->prefix);

	return (struct entry){ head_of(prefix), prefix, row->effective, row };
}

/* The rows that count, sorted. */
static int collect(struct entry *ret, struct rate_row *const *rows, size_t n, size_t *ret_n,
		   struct err *err)
{
	size_t count = 0;

	for (size_t i = 0; i < n; i++) {
		const struct rate_row *row = rows[i];
		int r = check_row(row, err);

		if (r < 0)
			return r;
		if (str_is_empty(str_of(row->origin)))
			ret[count++] = entry_of(row);
	}
	qsort(ret, count, sizeof(*ret), compare);
	*ret_n = count;
	return 0;
}

static int check_twice(const struct entry *e, size_t n, struct err *err)
{
	for (size_t i = 1; i < n; i++)
		if (compare(&e[i - 1], &e[i]) == 0)
			return err_set(err, ERR_CONFLICT, "prefix", e[i].prefix,
				       "one rate a prefix and moment",
				       "two rates of prefix %.*s take effect at the same moment",
				       STR_ARG(e[i].prefix));
	return 0;
}

static void apply_rules(const struct tariff_rules *rules, struct terms *t)
{
	t->fee_precision = rules->fee_precision;
	t->fee_unit = rules->fee_unit;
	t->hold_time_precision_ms = rules->hold_time_precision_ms;
	t->free_time_s = rules->free_time_s;
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
	if (terms_parse_sections(sections, ret) < 0)
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

static void fill_rate(struct tariff *t, struct rate *r, const struct entry *e,
		      const struct terms *terms)
{
	*r = (struct rate){
		.effective = e->effective,
		.end = end_of(e->row),
		.version = e->row->version == FIELD_ABSENT ? 0 : e->row->version,
		.price = terms->price,
		.setup_fee = terms->setup_fee,
		.tax_percent = terms->tax_percent,
		.unit_s = (int32_t)terms->unit_s,
		.first_s = (int32_t)terms->first_s,
		.step_s = (int32_t)terms->step_s,
		.sections = terms->section_count > 0 ? (int32_t)t->section_count : -1,
		.section_count = (uint8_t)terms->section_count,
		.prefix_len = (uint8_t)e->prefix.n,
		.is_locked = e->row->status == RATE_STATUS_LOCKED,
	};
	for (int i = 0; i < terms->section_count; i++)
		t->section[t->section_count++] = terms->section[i];
}

/* At least as many as all lists have: a list has one section more than separators. */
static size_t count_sections(const struct entry *e, size_t n)
{
	size_t count = 0;

	for (size_t i = 0; i < n; i++) {
		struct str list = str_of(e[i].row->sections);

		count += list.n > 0;
		for (size_t c = 0; c < list.n; c++)
			count += list.p[c] == ',' || list.p[c] == ';';
	}
	return count;
}

static int fill(struct tariff *t, const struct entry *e, size_t n, struct err *err)
{
	size_t sections = count_sections(e, n);
	struct terms terms;

	if (sections > INT32_MAX || n >= TRIE_NONE)
		return -ENOMEM;
	t->rate = calloc(n ? n : 1, sizeof(*t->rate));
	t->section = calloc(sections ? sections : 1, sizeof(*t->section));
	if (!t->rate || !t->section)
		return -ENOMEM;

	for (size_t i = 0; i < n; i++) {
		int r = row_terms(e[i].row, &terms, err);

		if (r < 0)
			return r;
		fill_rate(t, &t->rate[i], &e[i], &terms);
		if (i > 0)
			t->rate[i - 1].has_older = str_eq(e[i - 1].prefix, e[i].prefix);
	}
	t->count = n;
	return 0;
}

static int index_prefixes(struct tariff *t, const struct entry *e)
{
	CLEANUP(free) struct trie_key *keys = calloc(t->count ? t->count : 1, sizeof(*keys));
	size_t n = 0;

	if (!keys)
		return -ENOMEM;
	for (size_t i = 0; i < t->count; i++)
		if (i == 0 || !t->rate[i - 1].has_older)
			keys[n++] = (struct trie_key){ e[i].prefix, (uint32_t)i };
	return trie_create(&t->trie, keys, n);
}

int tariff_create(struct tariff **ret, struct rate_row *const *rows, size_t n,
		  const struct tariff_rules *rules, struct err *err)
{
	CLEANUP(tariff_free) struct tariff *t = calloc(1, sizeof(*t));
	CLEANUP(free) struct entry *entries = calloc(n ? n : 1, sizeof(*entries));
	size_t count = 0;

	if (!t || !entries)
		return -ENOMEM;
	t->rules = *rules;

	int r = check_rules(rules, err);
	if (r == 0)
		r = collect(entries, rows, n, &count, err);
	if (r == 0)
		r = check_twice(entries, count, err);
	if (r == 0)
		r = fill(t, entries, count, err);
	if (r == 0)
		r = index_prefixes(t, entries);
	if (r < 0)
		return r;

	*ret = TAKE(t);
	return 0;
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

static const struct rate *in_force(const struct rate *r, ms_t at)
{
	for (;; r++) {
		if (r->effective <= at && at < r->end)
			return r;
		if (!r->has_older)
			return NULL;
	}
}

const struct rate *tariff_find(const struct tariff *t, struct str number, ms_t at)
{
	struct trie_match match[TRIE_KEY_MAX + 1];

	for (size_t n = trie_matches(t->trie, number, match); n > 0; n--) {
		const struct rate *r = in_force(&t->rate[match[n - 1].value], at);

		if (r)
			return r;
	}
	return NULL;
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
