#include "tui/pager.h"

enum { COLS = 72 };

struct pager {
	struct str text;
	int top, rows; /* first line shown; of how many */
	int height;    /* of the area at the last drawing */
};

static void draw(void *ctx, struct area a)
{
	struct pager *p = ctx;
	struct str rest = p->text, piece;

	p->height = a.rows;
	p->rows = draw_wrapped_rows(p->text, a.cols);
	for (int y = 0; draw_next_piece(&rest, a.cols, &piece); y++) {
		if (y >= p->top && y - p->top < a.rows)
			(void)draw_text(a, y - p->top, 0, ROLE_PLAIN, piece);
	}
	if (p->top + a.rows < p->rows)
		draw_cell(a, a.rows - 1, a.cols - 12, 12, ROLE_DIM, STR("more: PgDn"), true);
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
	return k == K_ENTER || k == 'q' ? VIEW_LEAVES : VIEW_STAYS;
}

int pager_run(struct screen *s, const char *title, struct str text)
{
	struct pager p = { .text = text };
	int rows = draw_wrapped_rows(text, COLS);
	struct view v = {
		.title = title, .rows = rows + !rows, .cols = COLS, .draw = draw, .key = key
	};

	return screen_run(s, &v, &p);
}
