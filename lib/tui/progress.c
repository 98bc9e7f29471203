#include "tui/progress.h"

#include <errno.h>
#include <stdlib.h>

#include "tui/dialog.h"

struct step {
	struct buf name, text, detail;
	enum progress_mark mark;
};

struct progress {
	struct screen *screen;
	const char *title;
	struct step *step;
	int count;
	int selected, top;
	bool is_followed; /* the selection goes with the work until a key moves it */
	bool is_done;
	enum { HIDDEN, SHOWN, RUNNING } state;
	int (*work)(void *ctx);
	void *ctx;
};

static const struct {
	const char *text;
	enum role role;
} marks[] = {
	[PROGRESS_WAITS] = { "  ..  ", ROLE_DIM },   [PROGRESS_RUNS] = { " >>>> ", ROLE_HEAD },
	[PROGRESS_PASSED] = { "  OK  ", ROLE_GOOD }, [PROGRESS_WARNED] = { " WARN ", ROLE_WARN },
	[PROGRESS_FAILED] = { " FAIL ", ROLE_BAD },  [PROGRESS_SKIPPED] = { " skip ", ROLE_DIM },
};

int progress_create(struct progress **ret, struct screen *s, const char *title)
{
	struct progress *p = calloc(1, sizeof(*p));

	if (!p)
		return -ENOMEM;
	p->screen = s;
	p->title = title;
	p->is_followed = true;
	*ret = p;
	return 0;
}

static void step_done(struct step *x)
{
	buf_done(&x->name);
	buf_done(&x->text);
	buf_done(&x->detail);
}

struct progress *progress_free(struct progress *p)
{
	if (!p)
		return NULL;
	for (int i = 0; i < p->count; i++)
		step_done(&p->step[i]);
	free(p->step);
	free(p);
	return NULL;
}

int progress_add(struct progress *p, struct str name)
{
	struct step *grown = reallocarray(p->step, (size_t)p->count + 1, sizeof(*grown));
	struct step n = { 0 };

	if (!grown)
		return -ENOMEM;
	p->step = grown;
	buf_put(&n.name, name);
	if (buf_error(&n.name))
		return -ENOMEM;
	p->step[p->count] = n;
	return p->count++;
}

int progress_set(struct progress *p, int step, enum progress_mark mark, struct str text,
		 struct str detail)
{
	struct step *x = &p->step[step];

	x->mark = mark;
	buf_clear(&x->text);
	buf_put(&x->text, text);
	buf_clear(&x->detail);
	buf_put(&x->detail, detail);
	if (p->is_followed)
		p->selected = step;
	if (p->state == RUNNING)
		screen_draw(p->screen);
	else if (p->state == SHOWN)
		progress_show(p);
	return buf_error(&x->text) ? buf_error(&x->text) : buf_error(&x->detail);
}

/* --- the picture --- */

static void draw_step(const struct progress *p, struct area a, int y, int i)
{
	const struct step *x = &p->step[i];

	(void)draw_text(a, y, 1, marks[x->mark].role, str_of(marks[x->mark].text));
	draw_cell(a, y, 8, 34, i == p->selected ? ROLE_SELECTED : ROLE_PLAIN, buf_str(&x->name),
		  false);
	(void)draw_text(a, y, 43, x->mark == PROGRESS_FAILED ? ROLE_BAD : ROLE_PLAIN,
			buf_str(&x->text));
}

static void draw_sum(const struct progress *p, struct area a)
{
	int sum[PROGRESS_SKIPPED + 1] = { 0 };

	for (int i = 0; i < p->count; i++)
		sum[p->step[i].mark]++;
	(void)draw_format(a, 0, 1, sum[PROGRESS_FAILED] ? ROLE_BAD : ROLE_HEAD,
			  "%s: %d of %d passed, %d failed, %d with a warning",
			  p->is_done ? "Done" : "Running", sum[PROGRESS_PASSED], p->count,
			  sum[PROGRESS_FAILED], sum[PROGRESS_WARNED]);
}

static void draw(void *ctx, struct area a)
{
	struct progress *p = ctx;
	struct area list = area_part(a, 1, 0, a.rows - 6, a.cols);

	draw_sum(p, a);
	if (p->selected >= p->top + list.rows)
		p->top = p->selected - list.rows + 1;
	if (p->selected < p->top)
		p->top = p->selected;
	for (int y = 0; y < list.rows && p->top + y < p->count; y++)
		draw_step(p, list, y, p->top + y);

	struct area foot = area_part(a, a.rows - 5, 0, 5, a.cols);
	draw_rule(foot, 0);
	if (p->count)
		(void)draw_wrapped(area_part(foot, 1, 1, 4, foot.cols - 2), 0, ROLE_PLAIN,
				   buf_str(&p->step[p->selected].detail));
}

void progress_show(struct progress *p)
{
	const struct view v = { .title = p->title, .draw = draw };

	p->state = SHOWN;
	screen_show(p->screen, &v, p);
}

/* --- keys --- */

static int move(struct progress *p, int by)
{
	int to = p->selected + by;

	p->is_followed = false;
	p->selected = to < 0 ? 0 : to >= p->count ? p->count - 1 : to;
	return VIEW_STAYS;
}

static int key(void *ctx, int k)
{
	struct progress *p = ctx;

	switch (k) {
	case K_UP:
		return move(p, -1);
	case K_DOWN:
		return move(p, 1);
	case K_PAGE_UP:
		return move(p, -10);
	case K_PAGE_DOWN:
		return move(p, 10);
	case K_ESC:
	case K_CTRL('x'):
		if (p->is_done ||
		    dialog_confirm(p->screen, "Stop", STR("This is not finished. Stop it here?"),
				   "Stop it"))
			return VIEW_LEAVES;
		return VIEW_STAYS;
	default:
		return VIEW_STAYS;
	}
}

static int show_detail(void *ctx)
{
	struct progress *p = ctx;

	if (p->count && p->step[p->selected].detail.n)
		dialog_message(p->screen, "Detail", buf_str(&p->step[p->selected].detail));
	return VIEW_STAYS;
}

static int leave(void *ctx)
{
	return key(ctx, K_ESC);
}

static const struct binding bindings[] = {
	{ K_ENTER, 0, "Detail", "All that is known of the selected step", 0, show_detail },
	{ K_F(10), 'q', "Leave", "Leave the list; asks first while it is running", 0, leave },
	{ 0 },
};

static int work(void *ctx)
{
	struct progress *p = ctx;

	if (p->is_done)
		return 0;

	int r = p->work ? p->work(p->ctx) : 1;
	if (r > 0)
		p->is_done = true;
	return r < 0 ? r : 0;
}

int progress_run(struct progress *p, ms_t period_ms, int (*fn)(void *ctx), void *ctx)
{
	const struct view v = { .title = p->title,
				.bindings = bindings,
				.is_firm = true,
				.period_ms = period_ms,
				.draw = draw,
				.key = key,
				.tick = work };

	p->work = fn;
	p->ctx = ctx;
	p->is_done = false;
	p->state = RUNNING;
	int r = screen_run(p->screen, &v, p);
	p->state = HIDDEN;
	return r < 0 ? r : p->is_done;
}
