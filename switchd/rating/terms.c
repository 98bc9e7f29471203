#include "rating/terms.h"

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>

/*
 * The bounds of entities.tsv and parameters.tsv. With them no sum inside a charge can leave an
 * int128_t: INT64_MAX ms of seconds × 1e17 for the price is 1e33.
 */
#define PRICE_MAX    (1000000000 * MONEY_ONE)
#define PERCENT_MAX  (1000 * MONEY_ONE)
#define FEE_UNIT_MAX (1000 * MONEY_ONE)

enum {
	DAY_S = 86400,
	START_MAX_S = 1000000000,
	PRECISION_MAX = 8,
	HOLD_PRECISION_MAX_MS = 1000,
	FREE_MAX_S = 3600,
};

enum kind { WHOLE, MONEY, SECTIONS };

/* One part of the text; offset is that of an int64_t, of section_count for the sections. */
struct part {
	const char *name;
	const char *field; /* what operators call it */
	enum kind kind;
	size_t offset;
	int64_t min, max;
};

#define AT(field) offsetof(struct terms, field)

static const struct part parts[] = {
	{ "price", "price", MONEY, AT(price), 0, PRICE_MAX },
	{ "unit", "unit", WHOLE, AT(unit_s), 1, DAY_S },
	{ "first", "first", WHOLE, AT(first_s), 1, DAY_S },
	{ "step", "step", WHOLE, AT(step_s), 1, DAY_S },
	{ "setup", "setup_fee", MONEY, AT(setup_fee), 0, PRICE_MAX },
	{ "sections", "sections", SECTIONS, AT(section_count), 0, TERMS_SECTIONS },
	{ "tax", "tax_percent", MONEY, AT(tax_percent), 0, PERCENT_MAX },
	{ "precision", "fee_precision", WHOLE, AT(fee_precision), 0, PRECISION_MAX },
	{ "fee_unit", "fee_unit", MONEY, AT(fee_unit), 0, FEE_UNIT_MAX },
	{ "hold", "hold_time_precision", WHOLE, AT(hold_time_precision_ms), 1,
	  HOLD_PRECISION_MAX_MS },
	{ "free", "free_time", WHOLE, AT(free_time_s), 0, FREE_MAX_S },
	{ "talk", "band_mode", WHOLE, AT(is_of_talk), 0, 1 },
	{ "tax_unit", "tax_precision", MONEY, AT(tax_unit), 0, MONEY_ONE },
};

/* The last two came later: a text without them means 0, and 0 is not written. */
enum { PARTS = sizeof(parts) / sizeof(parts[0]), NEEDED = PARTS - 2 };

static int64_t value_of(const struct terms *t, const struct part *p)
{
	return *(const int64_t *)((const char *)t + p->offset);
}

static void put_sections(const struct terms *t, struct buf *out)
{
	if (t->section_count == 0)
		buf_putc(out, '-');
	for (int i = 0; i < t->section_count; i++) {
		if (i > 0)
			buf_putc(out, ',');
		buf_put_i64(out, t->section[i].start_s);
		buf_putc(out, ':');
		buf_put_money(out, t->section[i].price);
	}
}

void terms_put(const struct terms *t, struct buf *out)
{
	for (const struct part *p = parts; p < parts + PARTS; p++) {
		if (p >= parts + NEEDED && value_of(t, p) == 0)
			continue;
		if (p > parts)
			buf_putc(out, ' ');
		buf_putz(out, p->name);
		buf_putc(out, '=');
		if (p->kind == SECTIONS)
			put_sections(t, out);
		else if (p->kind == MONEY)
			buf_put_money(out, value_of(t, p));
		else
			buf_put_i64(out, value_of(t, p));
	}
}

static int parse_value(struct terms *t, const struct part *p, struct str text)
{
	int64_t *to = (int64_t *)((char *)t + p->offset);

	if (p->kind == SECTIONS)
		return terms_parse_sections(text, t);
	return p->kind == MONEY ? money_parse(text, to) : str_to_i64(text, p->min, p->max, to);
}

static const struct part *find_part(struct str name)
{
	for (const struct part *p = parts; p < parts + PARTS; p++)
		if (str_eq(name, str_of(p->name)))
			return p;
	return NULL;
}

/* One "name=value" that was not there before. */
static int parse_part(struct terms *t, struct str word, unsigned *seen)
{
	ptrdiff_t equals = str_chr(word, '=');
	if (equals < 0)
		return -EINVAL;

	const struct part *p = find_part(str_head(word, (size_t)equals));
	if (!p || (*seen & 1U << (p - parts)))
		return -EINVAL;

	*seen |= 1U << (p - parts);
	return parse_value(t, p, str_skip(word, (size_t)equals + 1)) < 0 ? -EINVAL : 0;
}

int terms_parse(struct str text, struct terms *ret)
{
	struct terms t = { 0 };
	struct str word;
	unsigned seen = 0;

	while (str_split(&text, ' ', &word))
		if (parse_part(&t, word, &seen) < 0)
			return -EINVAL;
	/* A text cut short must not replay as another price. */
	if ((seen & ((1U << NEEDED) - 1)) != (1U << NEEDED) - 1 || terms_check(&t) < 0)
		return -EINVAL;

	*ret = t;
	return 0;
}

static int parse_section(struct str text, struct section *ret)
{
	ptrdiff_t colon = str_chr(text, ':');
	struct section s;

	if (colon < 0 ||
	    str_to_i64(str_head(text, (size_t)colon), 0, START_MAX_S, &s.start_s) < 0 ||
	    money_parse(str_skip(text, (size_t)colon + 1), &s.price) < 0)
		return -EINVAL;
	*ret = s;
	return 0;
}

static bool sections_are_fine(const struct terms *t)
{
	if (t->section_count < 0 || t->section_count > TERMS_SECTIONS)
		return false;
	for (int i = 0; i < t->section_count; i++) {
		const struct section *s = &t->section[i];

		if (s->start_s < (i > 0 ? s[-1].start_s + 1 : 0) || s->start_s > START_MAX_S ||
		    s->price < 0 || s->price > PRICE_MAX)
			return false;
	}
	return true;
}

int terms_parse_sections(struct str text, struct terms *t)
{
	struct terms made = { 0 };
	char sep = str_chr(text, ';') >= 0 ? ';' : ',';
	struct str item;

	if (str_eq(text, STR("-")))
		text.n = 0;
	while (str_split(&text, sep, &item))
		if (made.section_count == TERMS_SECTIONS ||
		    parse_section(item, &made.section[made.section_count++]) < 0)
			return -EINVAL;
	if (!sections_are_fine(&made))
		return -EINVAL;

	t->section_count = made.section_count;
	memcpy(t->section, made.section, sizeof(t->section));
	return 0;
}

static bool part_is_fine(const struct terms *t, const struct part *p)
{
	if (p->kind == SECTIONS)
		return sections_are_fine(t);
	return value_of(t, p) >= p->min && value_of(t, p) <= p->max;
}

const char *terms_fault(const struct terms *t)
{
	for (const struct part *p = parts; p < parts + PARTS; p++)
		if (!part_is_fine(t, p))
			return p->field;
	return NULL;
}

int terms_check(const struct terms *t)
{
	return terms_fault(t) ? -EINVAL : 0;
}
