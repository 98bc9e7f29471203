#include "base/csv.h"

#include <errno.h>

/* Which cells of a row hold doubled quotes: a bit each. */
struct marks {
	uint64_t word[(CSV_CELLS + 63) / 64];
};

/* A cell as it stands in the text. */
struct raw {
	struct str inside; /* without the quotes around it */
	bool has_doubled;  /* and holds quotes written twice */
};

void csv_init(struct csv *c, struct str text, char sep)
{
	*c = (struct csv){ .rest = text, .sep = sep, .next_line = 1 };
	if (str_has_prefix(text, STR("\xef\xbb\xbf")))
		c->rest = str_skip(text, 3);
}

void csv_done(struct csv *c)
{
	buf_done(&c->scratch);
}

char csv_guess(struct str text)
{
	static const char all[] = ";\t|,";
	struct str line;
	char best = ',';
	size_t most = 0;

	if (!str_line(&text, &line))
		return best;
	for (const char *c = all; *c; c++) {
		size_t n = 0;

		for (size_t i = 0; i < line.n; i++)
			n += line.p[i] == *c;
		if (n > most) {
			most = n;
			best = *c;
		}
	}
	return best;
}

static bool at_line_end(struct str s)
{
	return s.n == 0 || str_has_prefix(s, STR("\n")) || str_has_prefix(s, STR("\r\n"));
}

static int bad(struct csv *c, const char *error)
{
	c->error = error;
	c->error_column = c->cells + 1;
	return -EBADMSG;
}

/* Moves past n octets of the text and counts the lines that end in them. */
static void consume(struct csv *c, size_t n)
{
	for (size_t i = 0; i < n; i++)
		c->next_line += c->rest.p[i] == '\n';
	c->rest = str_skip(c->rest, n);
}

static void skip_line(struct csv *c)
{
	ptrdiff_t end = str_chr(c->rest, '\n');

	consume(c, end < 0 ? c->rest.n : (size_t)end + 1);
}

/* A cell that begins with a quote, up to its closing one. */
static int read_quoted(struct csv *c, struct raw *ret)
{
	struct raw raw = { 0 };
	size_t i = 1;

	for (;; i++) {
		if (i >= c->rest.n) {
			/* Where the next row begins cannot be known, and looking for it at each
			 * line of a long file would never end. */
			c->rest = str_skip(c->rest, c->rest.n);
			return bad(c, "a quote is not closed");
		}
		if (c->rest.p[i] != '"')
			continue;
		if (i + 1 >= c->rest.n || c->rest.p[i + 1] != '"')
			break;
		raw.has_doubled = true;
		i++;
	}
	raw.inside = str_n(c->rest.p + 1, i - 1);
	consume(c, i + 1);
	if (!at_line_end(c->rest) && c->rest.p[0] != c->sep)
		return bad(c, "there is text behind a closing quote");
	*ret = raw;
	return 0;
}

static void read_plain(struct csv *c, struct raw *ret)
{
	struct str s = c->rest;
	size_t n = 0;

	while (n < s.n && s.p[n] != c->sep && s.p[n] != '\n')
		n++;
	if (n && n < s.n && s.p[n] == '\n' && s.p[n - 1] == '\r')
		n--;
	*ret = (struct raw){ .inside = str_head(s, n) };
	c->rest = str_skip(s, n);
}

static int read_cell(struct csv *c, struct marks *doubled)
{
	struct raw raw;

	if (c->cells == CSV_CELLS)
		return bad(c, "the row has too many cells");
	if (str_has_prefix(c->rest, STR("\""))) {
		int r = read_quoted(c, &raw);

		if (r < 0)
			return r;
	} else {
		read_plain(c, &raw);
	}
	if (str_chr(raw.inside, 0) >= 0)
		return bad(c, "there is a NUL in the text");
	if (raw.has_doubled)
		doubled->word[c->cells / 64] |= (uint64_t)1 << c->cells % 64;
	c->cell[c->cells++] = raw.inside;
	return 0;
}

static int read_row(struct csv *c, struct marks *doubled)
{
	for (;;) {
		int r = read_cell(c, doubled);

		if (r < 0)
			return r;
		if (at_line_end(c->rest))
			return 0;
		consume(c, 1); /* the separator */
	}
}

/* Writes a cell without the second of its doubled quotes; there is room. */
static struct str undouble(struct buf *b, struct str cell)
{
	size_t from = b->n;

	for (size_t i = 0; i < cell.n; i++) {
		buf_putc(b, cell.p[i]);
		i += cell.p[i] == '"';
	}
	return str_n(b->p + from, b->n - from);
}

static bool is_marked(const struct marks *m, uint32_t i)
{
	return m->word[i / 64] >> i % 64 & 1;
}

/* After the whole row is known: the cells point into scratch, so it must not move any more. */
static int undouble_cells(struct csv *c, const struct marks *doubled)
{
	size_t room = 0;

	for (uint32_t i = 0; i < c->cells; i++)
		room += is_marked(doubled, i) ? c->cell[i].n : 0;
	buf_clear(&c->scratch);
	if (buf_reserve(&c->scratch, room) < 0)
		return -ENOMEM;
	for (uint32_t i = 0; i < c->cells; i++) {
		if (is_marked(doubled, i))
			c->cell[i] = undouble(&c->scratch, c->cell[i]);
	}
	return 0;
}

int csv_next(struct csv *c)
{
	struct marks doubled = { 0 };
	int r;

	c->cells = 0;
	c->error = NULL;
	while (c->rest.n && at_line_end(c->rest))
		skip_line(c);
	c->line = c->next_line;
	if (c->rest.n == 0)
		return 0;

	r = read_row(c, &doubled);
	skip_line(c);
	if (r < 0)
		return r;
	r = undouble_cells(c, &doubled);
	return r < 0 ? r : 1;
}

/* Optional sign, digits, optional fraction: what a spreadsheet shows as it stands. */
static bool is_number(struct str s)
{
	if (s.n && (s.p[0] == '-' || s.p[0] == '+'))
		s = str_skip(s, 1);

	ptrdiff_t point = str_chr(s, '.');
	if (point < 0)
		return str_is_digits(s);
	return str_is_digits(str_head(s, (size_t)point)) &&
	       str_is_digits(str_skip(s, (size_t)point + 1));
}

/* Also the full-width forms of the four signs and a BOM, behind which they would come first. */
static bool starts_formula(struct str s)
{
	static const uint32_t first[] = { '=',  '+',    '-',    '@',    '\t',   '\r',
					  '\n', 0xff1d, 0xff0b, 0xff0d, 0xff20, 0xfeff };
	uint32_t c;

	if (str_utf8(s, &c) == 0)
		return false;
	for (size_t i = 0; i < sizeof(first) / sizeof(first[0]); i++)
		if (c == first[i])
			return true;
	return false;
}

static bool needs_quotes(struct str s, char sep)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] == sep || s.p[i] == '"' || s.p[i] == '\r' || s.p[i] == '\n')
			return true;
	return false;
}

void csv_put(struct buf *b, struct str cell, char sep)
{
	bool quoted = needs_quotes(cell, sep);

	if (quoted)
		buf_putc(b, '"');
	if (starts_formula(cell) && !is_number(cell))
		buf_putc(b, '\'');
	for (size_t i = 0; i < cell.n; i++) {
		if (cell.p[i] == '"')
			buf_putc(b, '"');
		if (cell.p[i])
			buf_putc(b, cell.p[i]);
	}
	if (quoted)
		buf_putc(b, '"');
}
