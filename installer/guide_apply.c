#include <errno.h>
#include <string.h>

#include "apply.h"
#include "base/cleanup.h"
#include "commands.h"
#include "finish.h"
#include "guide_inner.h"
#include "tui/dialog.h"
#include "tui/progress.h"

/* --- what the set-up tells, as a list of steps --- */

struct steps {
	struct progress *list;
	int at; /* the step under way; -1 = none */
	struct buf detail;
};

static void close_step(struct steps *st, enum progress_mark mark, struct str text)
{
	if (st->at >= 0)
		(void)progress_set(st->list, st->at, mark, text, buf_str(&st->detail));
}

static void on_tell(void *ctx, enum tell_kind kind, struct str text)
{
	struct steps *st = ctx;

	if (kind == TELL_STEP) {
		close_step(st, PROGRESS_PASSED, STR(""));
		st->at = progress_add(st->list, text);
		buf_clear(&st->detail);
		close_step(st, PROGRESS_RUNS, STR(""));
		return;
	}
	buf_put(&st->detail, text);
	buf_putz(&st->detail, "\n");
	close_step(st, PROGRESS_RUNS, text);
}

static void close_with(struct steps *st, int r, const struct err *err)
{
	if (r == 0) {
		close_step(st, PROGRESS_PASSED, STR(""));
		return;
	}
	buf_putz(&st->detail, err->message);
	if (err->given[0])
		buf_printf(&st->detail, " (%s)", err->given);
	if (err->accepted[0])
		buf_printf(&st->detail, "\nWhat would do: %s", err->accepted);
	close_step(st, PROGRESS_FAILED, STR("failed"));
}

/* --- making the machine so --- */

static int do_steps(struct guide *g, struct err *err)
{
	struct setup *s = g->setup;
	struct state st;

	int r = state_load(&st, s);
	if (r == 0)
		r = apply_machine(s, err);
	if (r == 0)
		r = finish_licence(s, err);
	if (r == 0)
		r = commands_run(s, &st, err);
	if (r == 0)
		finish_audit(s);
	if (r < 0 && !err_is_set(err))
		(void)SETUP_FAIL(err, r, "it does not work");
	return r;
}

/* What to do after a failure: 1 again, 0 the page before. */
static int ask_again(struct guide *g)
{
	static const char *const choices[] = { "Try again", "Go to the page before", NULL };

	return dialog_choose(g->screen, "It failed", choices, 0) == 0;
}

static int apply_once(struct guide *g)
{
	CLEANUP(progress_free) struct progress *list = NULL;
	struct err err = ERR_INIT;

	int r = progress_create(&list, g->screen, "Setting the machine up");
	if (r < 0)
		return r;
	struct steps st = { .list = list, .at = -1 };
	progress_show(list);
	g->setup->tell = (struct tell){ on_tell, &st };
	int failed = do_steps(g, &err);
	g->setup->tell = (struct tell){ 0 };
	close_with(&st, failed, &err);
	buf_done(&st.detail);
	r = progress_run(list, 1000, NULL, NULL);
	return r < 0 ? r : failed < 0;
}

int guide_apply(struct guide *g, struct err *err)
{
	(void)err;
	for (;;) {
		int r = apply_once(g);
		if (r < 0)
			return r;
		if (r == 0)
			return GUIDE_NEXT;
		if (!ask_again(g))
			return GUIDE_BACK;
		if (screen_is_over(g->screen))
			return -ECANCELED;
	}
}
