#include "tui/pager.h"

#include "model/text.h"
#include "model/utf8.h"

enum { COLS = 72 };

enum { SHIFT = 8 };

struct pager {
	struct str text;
	int top, rows; /* first line shown; of how many */
	int height;    /* of the area at the last drawing */
	int left;      /* columns that lines of a table are moved by */
	bool is_more;  /* such a line goes on beyond the right edge */
};

/*
 * A line of a table has columns with two blanks and more between: wrapped it could not be read. "name:   value" is none, whatever the
 * value.
 */
static bool is_of_table(struct str line)
{
	size_t blanks = 0;

	for (size_t i = 0; i < line.n; i++) {
		if (line.p[i] == ' ')
			blanks++;
		else if (blanks > 1 && i > blanks)
			return line.p[i - blanks - 1] != ':';
		else
			blanks = 0;
	}
	return false;
}

static int rows_of(struct str line, int cols)
{
	int rows = is_of_table(line) ? 1 : draw_wrapped_rows(line, cols);

	return rows + !rows;
}

static int count_rows(struct str text, int cols)
{
	struct str line;
	int rows = 0;

	while (str_line(&text, &line))
		rows += rows_of(line, cols);
	return rows;
}

/* Without so many columns at its begin. */
static struct str moved(struct str line, int columns)
{
	int32_t c;

	while (columns > 0 && utf8_next(&line, &c)) {
		int width = utf8_width(c);

		columns -= width > 0 ? width : 0;
	}
	return line;
}

static void draw_line(struct pager *p, struct area a, int y, struct str line)
{
	struct str piece;

	if (is_of_table(line)) {
		line = moved(line, p->left);
		p->is_more |= text_width(line) > (size_t)a.cols;
		if (y >= 0 && y < a.rows)
			(void)draw_text(a, y, 0, ROLE_PLAIN, line);
		return;
	}
	for (; draw_next_piece(&line, a.cols, &piece); y++) {
		if (y >= 0 && y < a.rows)
			(void)draw_text(a, y, 0, ROLE_PLAIN, piece);
	}
}

static void draw(void *ctx, struct area a)
{
	struct pager *p = ctx;
	struct str rest = p->text, line;

	p->height = a.rows;
	p->rows = count_rows(p->text, a.cols);
	p->is_more = false;
	for (int y = -p->top; str_line(&rest, &line); y += rows_of(line, a.cols))
		draw_line(p, a, y, line);

	bool is_below = p->top + a.rows < p->rows;
	struct str more = is_below && p->is_more ? STR("more: PgDn, Right")
			  : is_below             ? STR("more: PgDn")
						 : STR("more: Right");
	if (is_below || p->is_more)
		draw_cell(a, a.rows - 1, a.cols - (int)more.n - 2, (int)more.n + 2, ROLE_DIM, more,
			  true);
}

static void scroll_by(struct pager *p, int n)
{
	p->top += n;
	if (p->top > p->rows - p->height)
		p->top = p->rows - p->height;
	if (p->top < 0)
		p->top = 0;
}

static int key(void *ctx, int k)
{
	struct pager *p = ctx;
	const struct {
		int key, lines;
	} moves[] = {
		{ K_UP, -1 },
		{ K_DOWN, 1 },
		{ K_PAGE_UP, -p->height },
		{ K_PAGE_DOWN, p->height },
		{ ' ', p->height },
		{ K_HOME, -p->rows },
		{ K_END, p->rows },
	};

	for (size_t i = 0; i < sizeof(moves) / sizeof(moves[0]); i++) {
		if (moves[i].key == k) {
			scroll_by(p, moves[i].lines);
			return VIEW_STAYS;
		}
	}
	if (k == K_RIGHT && p->is_more)
		p->left += SHIFT;
	if (k == K_LEFT && p->left > 0)
		p->left -= SHIFT;
	return k == K_ENTER || k == 'q' ? VIEW_LEAVES : VIEW_STAYS;
}

int pager_run(struct screen *s, const char *title, struct str text)
{
	struct pager p = { .text = text };
	int rows = count_rows(text, COLS);
	struct view v = {
		.title = title, .rows = rows + !rows, .cols = COLS, .draw = draw, .key = key
	};

	return screen_run(s, &v, &p);
}
