/*
 * A row of a million is 96 bytes and points into the file, which the caller has mapped: so a sheet of any length costs its rows and
 * nothing else. Lines come in the order of their prefixes nearly always; only those that do not are sorted.
 */
#include <errno.h>
#include <stdlib.h>

#include "base/csv.h"
#include "model/entity.h"
#include "sheet/cell.h"

enum { CHUNK = 65536, LOOK_EVERY = 4096 };

const char *const sheet_headers[SHEET_COLUMN_COUNT] = {
#define SHEET_NAME(name, header) [SHEET_##name] = header,
	SHEET_COLUMNS(SHEET_NAME)
#undef SHEET_NAME
};

/* What others call them, in any case, with - _ or blanks between the words. */
static const struct {
	const char *header;
	enum sheet_column column;
} known[] = {
	{ "code", SHEET_PREFIX },
	{ "codes", SHEET_PREFIX },
	{ "dialcode", SHEET_PREFIX },
	{ "dial code", SHEET_PREFIX },
	{ "dialing code", SHEET_PREFIX },
	{ "dst code", SHEET_PREFIX },
	{ "area code", SHEET_PREFIX },
	{ "destination code", SHEET_PREFIX },
	{ "destination prefix", SHEET_PREFIX },
	{ "rate prefix", SHEET_PREFIX },
	{ "feeprefix", SHEET_PREFIX },
	{ "rate", SHEET_PRICE },
	{ "fee", SHEET_PRICE },
	{ "cost", SHEET_PRICE },
	{ "price per minute", SHEET_PRICE },
	{ "rate per minute", SHEET_PRICE },
	{ "price/min", SHEET_PRICE },
	{ "rate/min", SHEET_PRICE },
	{ "new rate", SHEET_PRICE },
	{ "new price", SHEET_PRICE },
	{ "unit s", SHEET_UNIT },
	{ "period", SHEET_UNIT },
	{ "first s", SHEET_FIRST },
	{ "first increment", SHEET_FIRST },
	{ "initial increment", SHEET_FIRST },
	{ "minimum", SHEET_FIRST },
	{ "step s", SHEET_STEP },
	{ "increment", SHEET_STEP },
	{ "next increment", SHEET_STEP },
	{ "subsequent increment", SHEET_STEP },
	{ "interval", SHEET_STEP },
	{ "setup", SHEET_SETUP_FEE },
	{ "connection fee", SHEET_SETUP_FEE },
	{ "connect fee", SHEET_SETUP_FEE },
	{ "connect charge", SHEET_SETUP_FEE },
	{ "connection charge", SHEET_SETUP_FEE },
	{ "tax percent", SHEET_TAX },
	{ "destination", SHEET_AREA },
	{ "destination name", SHEET_AREA },
	{ "area name", SHEET_AREA },
	{ "country", SHEET_AREA },
	{ "name", SHEET_AREA },
	{ "description", SHEET_AREA },
	{ "effective date", SHEET_EFFECTIVE },
	{ "effective from", SHEET_EFFECTIVE },
	{ "valid from", SHEET_EFFECTIVE },
	{ "start date", SHEET_EFFECTIVE },
	{ "end date", SHEET_END },
	{ "expiry", SHEET_END },
	{ "expiry date", SHEET_END },
	{ "effective to", SHEET_END },
	{ "valid to", SHEET_END },
	{ "valid until", SHEET_END },
	{ "status", SHEET_ACTION },
	{ "change", SHEET_ACTION },
	{ "change type", SHEET_ACTION },
	{ "billing increment", SHEET_INCREMENTS },
	{ "billing increments", SHEET_INCREMENTS },
	{ "billing", SHEET_INCREMENTS },
	{ "rounding", SHEET_INCREMENTS },
	{ "origin group", SHEET_ORIGIN },
	{ "origin set", SHEET_ORIGIN },
	{ "origination", SHEET_ORIGIN },
};

struct sheet_chunk {
	struct sheet_chunk *next;
	size_t used;
	char text[CHUNK];
};

struct reader {
	struct sheet *s;
	const struct sheet_format *f;
	struct csv csv;
	struct str file;
	int at[SHEET_COLUMN_COUNT]; /* the cell of a column, -1: the file has none */
	uint32_t cells;             /* of the header, and so of each line */
	size_t room;
};

char *sheet_keep(struct sheet *s, struct str text)
{
	if (text.n > CHUNK)
		return NULL;
	if (!s->chunks || CHUNK - s->chunks->used < text.n) {
		struct sheet_chunk *c = malloc(sizeof(*c));

		if (!c)
			return NULL;
		c->next = s->chunks;
		c->used = 0;
		s->chunks = c;
	}
	char *p = s->chunks->text + s->chunks->used;
	if (text.n)
		memcpy(p, text.p, text.n);
	s->chunks->used += text.n;
	return p;
}

void sheet_done(struct sheet *s)
{
	while (s->chunks) {
		struct sheet_chunk *c = s->chunks;

		s->chunks = c->next;
		free(c);
	}
	free(s->row);
	buf_done(&s->ignored);
	s->row = NULL;
	s->rows = s->problems = 0;
}

/* ---- what is wrong ---- */

static void note(struct sheet_problem *list, size_t *n, uint32_t line, const char *column,
		 struct str given, const char *reason)
{
	if (*n < SHEET_PROBLEMS_MAX) {
		struct sheet_problem *p = &list[*n];
		struct buf text = buf_fixed(p->given, sizeof(p->given) - 1);

		*p = (struct sheet_problem){ .line = line, .column = column, .reason = reason };
		buf_put_printable(&text, str_head(given, sizeof(p->given) - 1));
	}
	(*n)++;
}

static void refuse(struct reader *r, uint32_t line, const char *column, struct str given,
		   const char *reason)
{
	note(r->s->problem, &r->s->problems, line, column, given, reason);
}

static int no_sheet(struct err *err, const char *field, struct str given, const char *message)
{
	return err_set(err, ERR_BAD_VALUE, field, given,
		       "a CSV file whose first line names its columns, prefix and price among them",
		       "%s", message);
}

/* ---- the header ---- */

/* The same but for case and what parts the words. */
static bool is_alike(struct str given, const char *header)
{
	struct str h = str_of(header);

	if (given.n != h.n)
		return false;
	for (size_t i = 0; i < h.n; i++) {
		char c = given.p[i];

		if (c >= 'A' && c <= 'Z')
			c = (char)(c - 'A' + 'a');
		if (c == '_' || c == '-')
			c = ' ';
		if (c != (h.p[i] == '_' ? ' ' : h.p[i]))
			return false;
	}
	return true;
}

static int column_of(struct str name)
{
	for (int i = 0; i < SHEET_COLUMN_COUNT; i++) {
		if (is_alike(name, sheet_headers[i]))
			return i;
	}
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		if (is_alike(name, known[i].header))
			return (int)known[i].column;
	}
	return -1;
}

static int find_cell(const struct reader *r, struct str name)
{
	for (uint32_t i = 0; i < r->csv.cells; i++) {
		if (str_ieq(str_trim(r->csv.cell[i]), name))
			return (int)i;
	}
	return -1;
}

static int read_map(struct reader *r, struct err *err)
{
	struct str map = r->f->columns, item;

	while (str_split(&map, ',', &item)) {
		ptrdiff_t eq = str_chr(item, '=');
		struct str theirs = str_trim(str_head(item, eq < 0 ? 0 : (size_t)eq));
		int ours = eq < 0 ? -1 : column_of(str_trim(str_skip(item, (size_t)eq + 1)));
		int cell = find_cell(r, theirs);

		if (ours < 0)
			return err_set(err, ERR_BAD_VALUE, "columns", item,
				       "HEADER=COLUMN, as in Dialcode=prefix,Rate=price",
				       "there is no such column of ours");
		if (cell < 0)
			return err_set(err, ERR_BAD_VALUE, "columns", theirs, NULL,
				       "the file has no column of that name");
		r->at[ours] = cell;
	}
	return 0;
}

/* Those that the map does not name are known, or of no use. */
static int read_header(struct reader *r, struct err *err)
{
	for (int i = 0; i < SHEET_COLUMN_COUNT; i++)
		r->at[i] = -1;
	int e = read_map(r, err);
	for (int i = 0; e == 0 && i < (int)r->csv.cells; i++) {
		struct str name = str_trim(r->csv.cell[i]);
		bool is_mapped = false;
		int ours = column_of(name);

		for (int k = 0; k < SHEET_COLUMN_COUNT; k++)
			is_mapped |= r->at[k] == i;
		if (is_mapped)
			continue;
		if (ours >= 0 && r->at[ours] < 0) {
			r->at[ours] = i;
			continue;
		}
		buf_putz(&r->s->ignored, r->s->ignored.n ? ", " : "");
		buf_put_printable(&r->s->ignored, str_head(name, 64));
	}
	for (int i = 0; e == 0 && i < SHEET_COLUMN_COUNT; i++)
		r->s->has |= r->at[i] >= 0 ? 1u << i : 0;
	if (e == 0 && r->at[SHEET_PREFIX] < 0)
		e = no_sheet(err, "columns", STR(""), "the file has no column for the prefix");
	if (e == 0 && r->at[SHEET_PRICE] < 0)
		e = no_sheet(err, "columns", STR(""), "the file has no column for the price");
	r->cells = r->csv.cells;
	return e;
}

/* ---- a line ---- */

static struct str cell(const struct reader *r, enum sheet_column c)
{
	return r->at[c] < 0 ? STR("") : str_trim(r->csv.cell[r->at[c]]);
}

/* Cells that had doubled quotes stand in memory that the next line takes. */
static int keep(struct reader *r, struct str text, const char **ret_p, uint16_t *ret_n)
{
	bool is_of_file = text.n == 0 || (text.p >= r->file.p && text.p < r->file.p + r->file.n);

	*ret_n = (uint16_t)text.n;
	*ret_p = is_of_file ? text.p : sheet_keep(r->s, text);
	return *ret_p || text.n == 0 ? 0 : -ENOMEM;
}

static bool read_amount(struct reader *r, enum sheet_column c, money_t max, money_t *ret)
{
	struct str text = cell(r, c);
	bool is_rounded = false;

	if (text.n == 0 && c != SHEET_PRICE)
		return true;
	const char *why = cell_amount(r->f, text, max, ret, &is_rounded);
	if (why)
		refuse(r, r->csv.line, sheet_headers[c], text, why);
	else if (is_rounded)
		note(r->s->rounded, &r->s->roundeds, r->csv.line, sheet_headers[c], text,
		     "rounded to 8 decimals");
	return !why;
}

static bool read_seconds(struct reader *r, enum sheet_column c, int32_t *ret)
{
	struct str text = cell(r, c);
	const char *why = text.n ? cell_seconds(text, ret) : NULL;

	if (why)
		refuse(r, r->csv.line, sheet_headers[c], text, why);
	return !why;
}

static bool read_times(struct reader *r, struct sheet_row *row)
{
	struct str from = cell(r, SHEET_EFFECTIVE), to = cell(r, SHEET_END);
	const char *why = from.n ? sheet_moment(r->f, from, &row->effective) : NULL;

	if (!why && row->effective != FIELD_ABSENT && row->effective < r->f->now) {
		why = r->f->takes_past ? NULL
				       : "in the past: past=now takes it at the sheet's moment";
		row->effective = FIELD_ABSENT;
	}
	if (why) {
		refuse(r, r->csv.line, sheet_headers[SHEET_EFFECTIVE], from, why);
		return false;
	}
	if (row->effective == FIELD_ABSENT)
		row->effective = r->f->moment;
	why = to.n ? sheet_moment(r->f, to, &row->end) : NULL;
	ms_t begin = row->effective == FIELD_ABSENT ? r->f->now : row->effective;
	if (!why && row->end != FIELD_ABSENT && row->end <= begin)
		why = "it would never be in force";
	if (why)
		refuse(r, r->csv.line, sheet_headers[SHEET_END], to, why);
	return !why;
}

/* What a line that is no delete has further. */
static int read_terms(struct reader *r, struct sheet_row *row, bool *is_good)
{
	static const money_t max = 1000000000 * MONEY_ONE, percent = 1000 * MONEY_ONE;
	struct str sections = cell(r, SHEET_SECTIONS), both = cell(r, SHEET_INCREMENTS);
	struct str area = cell(r, SHEET_AREA);

	if (str_eq(sections, STR("-")))
		sections = STR("");
	*is_good &= read_amount(r, SHEET_PRICE, max, &row->price);
	*is_good &= read_amount(r, SHEET_SETUP_FEE, max, &row->setup_fee);
	*is_good &= read_amount(r, SHEET_TAX, percent, &row->tax);
	*is_good &= read_seconds(r, SHEET_UNIT, &row->unit);
	const char *why = both.n ? cell_increments(both, &row->first, &row->step) : NULL;
	if (why)
		refuse(r, r->csv.line, sheet_headers[SHEET_INCREMENTS], both, why);
	*is_good &= !why && read_seconds(r, SHEET_FIRST, &row->first);
	*is_good &= read_seconds(r, SHEET_STEP, &row->step);
	why = cell_sections(sections);
	if (why)
		refuse(r, r->csv.line, sheet_headers[SHEET_SECTIONS], sections, why);
	*is_good &= !why;
	why = cell_area(&area);
	if (why)
		refuse(r, r->csv.line, sheet_headers[SHEET_AREA], area, why);
	*is_good &= !why;
	if (!*is_good)
		return 0;
	int e = keep(r, sections, &row->sections, &row->sections_n);
	return e < 0 ? e : keep(r, area, &row->area, &row->area_n);
}

static bool read_origin(struct reader *r, struct sheet_row *row)
{
	struct str name = cell(r, SHEET_ORIGIN);
	int at = name.n && r->f->origins ? origin_list_find(r->f->origins, name) : -1;

	if (name.n == 0)
		return true;
	if (at < 0 || at >= ORIGINS_MAX) {
		refuse(r, r->csv.line, sheet_headers[SHEET_ORIGIN], name,
		       "there is no origin group of that name (`origin-group add` makes one)");
		return false;
	}
	row->origin = (uint16_t)(at + 1);
	return true;
}

static int append(struct reader *r, const struct sheet_row *row)
{
	struct sheet *s = r->s;

	if (s->rows == r->room) {
		size_t room = r->room ? r->room * 2 : 1024;
		struct sheet_row *more = reallocarray(s->row, room, sizeof(*more));

		if (!more)
			return -ENOMEM;
		s->row = more;
		r->room = room;
	}
	s->row[s->rows++] = *row;
	return 0;
}

static int read_line(struct reader *r)
{
	struct sheet_row row = { .effective = FIELD_ABSENT,
				 .end = FIELD_ABSENT,
				 .unit = 60,
				 .first = 1,
				 .step = 1,
				 .line = r->csv.line };
	struct str prefix, action;

	if (r->csv.cells != r->cells) {
		refuse(r, r->csv.line, "", r->csv.cell[0],
		       "not as many cells as the first line has columns");
		return 0;
	}
	prefix = cell(r, SHEET_PREFIX);
	action = cell(r, SHEET_ACTION);
	const char *why = cell_prefix(prefix);
	bool is_good = !why;
	if (why)
		refuse(r, r->csv.line, sheet_headers[SHEET_PREFIX], prefix, why);
	why = cell_action(action, &row.is_delete);
	if (why)
		refuse(r, r->csv.line, sheet_headers[SHEET_ACTION], action, why);
	is_good &= !why && read_times(r, &row);
	is_good &= read_origin(r, &row);
	int e = row.is_delete ? 0 : read_terms(r, &row, &is_good);
	if (e < 0 || !is_good)
		return e;
	/* Of digits alone, so it had no quotes within. */
	row.prefix = prefix.p;
	row.prefix_n = (uint8_t)prefix.n;
	return append(r, &row);
}

/* ---- the whole ---- */

static int compare(const void *va, const void *vb)
{
	const struct sheet_row *a = va, *b = vb;
	int r = str_cmp(sheet_prefix(a), sheet_prefix(b));

	if (r == 0)
		r = (a->origin > b->origin) - (a->origin < b->origin);
	return r ? r : (a->effective > b->effective) - (a->effective < b->effective);
}

static int by_line(const void *va, const void *vb)
{
	const struct sheet_problem *a = va, *b = vb;

	return (a->line > b->line) - (a->line < b->line);
}

static void order(struct reader *r)
{
	struct sheet *s = r->s;
	bool is_sorted = true;

	for (size_t i = 1; is_sorted && i < s->rows; i++)
		is_sorted = compare(&s->row[i - 1], &s->row[i]) <= 0;
	if (!is_sorted)
		qsort(s->row, s->rows, sizeof(*s->row), compare);
	for (size_t i = 1; i < s->rows; i++) {
		const struct sheet_row *a = &s->row[i - 1], *b = &s->row[i];

		if (compare(a, b) == 0)
			refuse(r, a->line > b->line ? a->line : b->line,
			       sheet_headers[SHEET_PREFIX], sheet_prefix(b),
			       "the prefix is there twice for the same moment");
	}
	qsort(s->problem, s->problems < SHEET_PROBLEMS_MAX ? s->problems : SHEET_PROBLEMS_MAX,
	      sizeof(*s->problem), by_line);
}

static int read_lines(struct reader *r, struct err *err)
{
	int e = 0;

	for (uint32_t n = 0; e == 0; n++) {
		if (r->f->stop && n % LOOK_EVERY == 0 && atomic_load(r->f->stop))
			return -ECANCELED;
		e = csv_next(&r->csv);
		if (e == 0)
			break;
		r->s->lines++;
		if (e == -EBADMSG) {
			refuse(r, r->csv.line, "", STR(""), r->csv.error);
			e = 0;
		} else if (e > 0 && r->s->rows >= SHEET_ROWS_MAX) {
			return no_sheet(err, "file", STR(""), "there are more than 5000000 lines");
		} else if (e > 0) {
			e = read_line(r);
		}
	}
	if (e == 0 && !str_has_suffix(r->file, STR("\n")))
		refuse(r, r->csv.line, "", STR(""),
		       "the last line does not end: the file is cut off");
	return e;
}

int sheet_read(struct sheet *ret, const struct sheet_format *f, struct str file, struct err *err)
{
	struct reader r = { .s = ret, .f = f, .file = file };

	*ret = (struct sheet){ .origins = f->origins };
	csv_init(&r.csv, file, csv_guess(file));
	int e = csv_next(&r.csv);
	if (e == 0 || e == -EBADMSG)
		e = no_sheet(err, "file", STR(""), "the file has no first line that can be read");
	else if (e > 0)
		e = read_header(&r, err);
	if (e == 0)
		e = read_lines(&r, err);
	csv_done(&r.csv);
	if (e == 0 && ret->rows == 0 && ret->problems == 0)
		e = no_sheet(err, "file", STR(""), "there is no rate in the file");
	if (e == 0)
		order(&r);
	return e == 0 ? buf_error(&ret->ignored) : e;
}
