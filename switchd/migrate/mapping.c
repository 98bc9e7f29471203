#include "migrate/mapping.h"

#include <errno.h>
#include <stdlib.h>

static const char *const lines[] = {
#include "vos3000.inc"
};

enum { CELLS = 7, ENTITY = 0, TABLE, COLUMN, FIELD, HOW, ELSE, NOTE };

/* What may come from elsewhere, besides calls. */
static const enum entity_id taken[] = {
	ENTITY_RATE_GROUP,      ENTITY_ACCOUNT,         ENTITY_RATE,  ENTITY_GATEWAY_GROUP,
	ENTITY_MAPPING_GATEWAY, ENTITY_ROUTING_GATEWAY, ENTITY_PHONE,
};

static const struct {
	const char *word;
	enum mapping_target target;
} pseudo[] = {
	{ "@id", TARGET_ID },
	{ "@of", TARGET_OF },
	{ "@port", TARGET_PORT },
	{ "@balance", TARGET_BALANCE },
	{ "@leave_out", TARGET_LEAVE_OUT },
};

static const struct {
	const char *word;
	enum mapping_how how;
} hows[] = {
	{ "", HOW_TEXT }, { "text", HOW_TEXT },       { "money", HOW_MONEY }, { "list", HOW_LIST },
	{ "ms", HOW_MS }, { "seconds", HOW_SECONDS }, { "date", HOW_DATE },   { "ref", HOW_REF },
};

static const char *const cdr_words[] = {
#define MAPPING_WORD(name, word) word,
	MAPPING_CDR(MAPPING_WORD)
#undef MAPPING_WORD
};

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

int mapping_default(struct buf *out)
{
	for (size_t i = 0; i < COUNT(lines); i++) {
		buf_putz(out, lines[i]);
		buf_putc(out, '\n');
	}
	return buf_error(out);
}

/* ---- a line ---- */

static bool find_entity(struct str word, int *ret)
{
	*ret = MAPPING_CALLS;
	if (str_eq(word, STR("cdr")))
		return true;
	for (size_t i = 0; i < COUNT(taken); i++) {
		*ret = (int)taken[i];
		if (str_eq(word, str_of(entities[taken[i]].name)))
			return true;
	}
	return false;
}

static bool find_cdr(struct str word, struct mapping_line *l)
{
	for (size_t i = 0; i < COUNT(cdr_words); i++) {
		l->target = TARGET_CDR;
		l->cdr = (enum mapping_cdr)i;
		if (str_eq(word, str_of(cdr_words[i])))
			return true;
	}
	return false;
}

static bool find_target(struct str word, struct mapping_line *l)
{
	if (l->entity == MAPPING_CALLS)
		return find_cdr(word, l);
	for (size_t i = 0; i < COUNT(pseudo); i++) {
		l->target = pseudo[i].target;
		if (str_eq(word, str_of(pseudo[i].word)))
			return l->target != TARGET_BALANCE || l->entity == ENTITY_ACCOUNT;
	}
	const struct entity *e = &entities[l->entity];
	int i = entity_field(e, word);
	l->target = TARGET_FIELD;
	l->field = i >= 0 ? &e->field[i] : NULL;
	return i >= 0 && !(l->field->flags & (FIELD_AUTO | FIELD_COMPUTED));
}

static bool find_how(struct str word, struct mapping_line *l)
{
	if (str_has_prefix(word, STR("words:"))) {
		l->how = HOW_WORDS;
		l->words = str_skip(word, 6);
		return l->words.n > 0;
	}
	for (size_t i = 0; i < COUNT(hows); i++) {
		l->how = hows[i].how;
		if (str_eq(word, str_of(hows[i].word)))
			return l->how != HOW_REF || (l->field && l->field->ref);
	}
	return false;
}

static int wrong(struct err *err, uint32_t number, struct str given, const char *accepted,
		 const char *what)
{
	return err_set(err, ERR_BAD_VALUE, "map", given, accepted, "line %u of the map: %s", number,
		       what);
}

static int parse_line(struct str text, uint32_t number, struct mapping_line *l, struct err *err)
{
	struct str cell[CELLS] = { { 0 } };

	*l = (struct mapping_line){ 0 };
	for (int i = 0; i < CELLS; i++) {
		if (!str_split(&text, '\t', &cell[i]))
			break;
	}
	l->table = cell[TABLE];
	l->column = cell[COLUMN];
	l->otherwise = cell[ELSE];
	l->note = cell[NOTE];
	if (!find_entity(cell[ENTITY], &l->entity))
		return wrong(err, number, cell[ENTITY],
			     "rate-group, account, rate, gateway-group, mapping-gateway, "
			     "routing-gateway, phone or cdr",
			     "nothing of this kind is taken over");
	if (!l->table.n || !l->column.n)
		return wrong(err, number, cell[ENTITY],
			     "cells parted by TAB: entity, table, column, "
			     "field, how, else, note",
			     "it names no table and column");
	if (!find_target(cell[FIELD], l))
		return wrong(err, number, cell[FIELD], "see docs/reference/migration.md",
			     "there is no such field");
	if (!find_how(cell[HOW], l))
		return wrong(err, number, cell[HOW],
			     "text, money, list, ms, seconds, date, words:A=B,*=C, or ref for a "
			     "field that names something",
			     "no way to read a cell");
	if (l->target == TARGET_LEAVE_OUT && l->how != HOW_WORDS)
		return wrong(err, number, cell[HOW], "words:0", "it does not say which rows");
	return 0;
}

static bool is_line(struct str text, uint32_t number)
{
	return text.n > 0 && text.p[0] != '#' &&
	       !(number == 1 && str_has_prefix(text, STR("entity\t")));
}

int mapping_parse(struct mapping *ret, struct str text, struct err *err)
{
	uint32_t number = 0;
	struct str one;
	int r = 0;

	*ret = (struct mapping){ 0 };
	if (text.n > MAPPING_BYTES_MAX)
		return err_set(err, ERR_BAD_VALUE, "map", STR(""), "at most 1 MB",
			       "the map is too long");
	ret->line = calloc(MAPPING_LINES_MAX, sizeof(*ret->line));
	if (!ret->line)
		return -ENOMEM;
	while (r == 0 && str_line(&text, &one)) {
		number++;
		if (!is_line(str_trim(one), number))
			continue;
		if (ret->lines == MAPPING_LINES_MAX)
			return wrong(err, number, STR(""), "at most 2000 lines", "too many");
		r = parse_line(one, number, &ret->line[ret->lines], err);
		ret->lines += r == 0;
	}
	if (r == 0 && ret->lines == 0)
		r = wrong(err, number, STR(""), "`migrate mapping` writes one", "there is none");
	return r;
}

void mapping_done(struct mapping *m)
{
	free(m->line);
	*m = (struct mapping){ 0 };
}

bool mapping_is_of(const struct mapping_line *l, struct str table)
{
	struct str name = l->table;

	if (!str_has_suffix(name, STR("*")))
		return str_ieq(name, table);
	name.n--;
	return table.n >= name.n && str_ieq(name, str_head(table, name.n));
}
