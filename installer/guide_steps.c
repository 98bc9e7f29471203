#include <errno.h>
#include <string.h>

#include "apply.h"
#include "base/cleanup.h"
#include "commands.h"
#include "finish.h"
#include "guide_answers.h"
#include "guide_inner.h"
#include "proof.h"
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

/* --- the go-live test --- */

static enum progress_mark mark_of(enum golive_result r)
{
	switch (r) {
	case GOLIVE_PASSED:
		return PROGRESS_PASSED;
	case GOLIVE_FAILED:
		return PROGRESS_FAILED;
	case GOLIVE_RUNNING:
		return PROGRESS_RUNS;
	case GOLIVE_NOT_CONFIGURED:
	case GOLIVE_NOT_RUN:
		return PROGRESS_SKIPPED;
	default:
		return PROGRESS_WAITS;
	}
}

static void on_test(void *ctx, int index, const struct golive_test *t,
		    const struct golive_outcome *o)
{
	struct progress *list = ctx;
	CLEANUP(buf_done) struct buf detail = BUF_INIT;
	bool is_bad = o->result == GOLIVE_FAILED;

	if (o->reason[0])
		buf_printf(&detail, "%s\n", o->reason);
	if (o->remedy[0])
		buf_printf(&detail, "What to do: %s\n", o->remedy);
	else if (is_bad)
		buf_printf(&detail, "What to do: %s\n", t->remedy);
	if (o->evidence[0])
		buf_printf(&detail, "%s\n", o->evidence);
	if (detail.n == 0)
		buf_putz(&detail, t->why);
	(void)progress_set(list, index, mark_of(o->result), str_of(golive_result_text(o->result)),
			   buf_str(&detail));
}

static int add_tests(struct progress *list)
{
	int r = 0;

	for (int i = 0; r >= 0 && i < golive_count(); i++)
		r = progress_add(list, str_of(golive_test(i)->title));
	return r < 0 ? r : 0;
}

static int keep_record(struct guide *g, const struct golive *live, struct err *err)
{
	CLEANUP(buf_done) struct buf path = BUF_INIT;

	int r = proof_save(g->setup, live, &path, err);
	if (r == 0 && str_copy(g->record, sizeof(g->record), buf_str(&path)) < 0)
		g->record[0] = '\0';
	g->is_proved = proof_judge(g->setup, live, NULL) == 0;
	return r;
}

/* 0: ran, whatever came of it; negative errno with *err. */
static int prove(struct guide *g, struct progress *list, struct err *err)
{
	CLEANUP(golive_free) struct golive *live = NULL;
	struct golive_config c;

	proof_config(g->setup, &c);
	c.on_test = on_test;
	c.ctx = list;
	int r = golive_create(&live, &c, err);
	if (r == 0)
		r = golive_run(live, err);
	return r < 0 ? r : keep_record(g, live, err);
}

static int run_tests(struct guide *g)
{
	CLEANUP(progress_free) struct progress *list = NULL;
	struct err err = ERR_INIT;

	int r = progress_create(&list, g->screen, "Go-live test");
	if (r == 0)
		r = add_tests(list);
	if (r < 0)
		return r;
	machine_look(&g->setup->machine, g->setup->answers);
	progress_show(list);
	r = prove(g, list, &err);
	if (r < 0 && !err_is_set(&err))
		(void)SETUP_FAIL(&err, r, "the test cannot be done");
	if (r < 0) {
		dialog_err(g->screen, "The test could not be done", &err);
		return 0;
	}
	r = progress_run(list, 1000, NULL, NULL);
	return r < 0 ? r : 0;
}

static int take_proof(void *ctx, struct form *f, struct err *err)
{
	return guide_answers_take(ctx, f, "go-live", err);
}

/* Runs them, or asks whether it is meant that they are not run. */
static int proof_or_not(struct guide *g)
{
	if (answers_bool(g->setup->answers, ANSWER_GOLIVE)) {
		int r = run_tests(g);

		if (r < 0 || g->is_proved)
			return r < 0 ? r : GUIDE_NEXT;
	}
	bool goes_on = dialog_confirm(
		g->screen, "Not proved",
		STR("The go-live test is not passed. Finish without it? It can be repeated from "
		    "the console at any time."),
		"Finish");
	return goes_on ? GUIDE_NEXT : GUIDE_BACK;
}

int guide_proof(struct guide *g, struct err *err)
{
	CLEANUP(form_free) struct form *f = NULL;

	int r = form_create(&f, "Go-live test");
	if (r == 0)
		r = guide_answers_add(g, f, "go-live");
	if (r < 0)
		return r;
	form_set_intro(f,
		       "Test calls through this switch, with a caller and vendors of its own; "
		       "audio, charges, records, failover and load are compared with what they "
		       "should be. A number below is called for real over your first vendor.",
		       NULL);
	form_set_buttons(f, "Next", "Page before");
	(void)form_set_value(f, "golive", STR("yes"));
	for (;;) {
		r = form_run(f, g->screen, take_proof, g);
		if (r <= 0)
			return r < 0 ? r : GUIDE_BACK;
		r = guide_save(g, err);
		if (r == 0)
			r = proof_or_not(g);
		if (r != GUIDE_BACK)
			return r;
	}
}

/* --- the end --- */

static void put_line(struct buf *out, const char *name, struct str value)
{
	buf_printf(out, "%-14s ", name);
	buf_put_printable(out, value);
	buf_putc(out, '\n');
}

static void summarise(struct guide *g, struct buf *out)
{
	const struct answers *a = g->setup->answers;
	bool has_licence = answers_is_set(a, ANSWER_LICENCE);

	put_line(out, "machine", answers_str(a, ANSWER_HOSTNAME));
	put_line(out, "address", answers_str(a, ANSWER_IPV4));
	put_line(out, "SIP port", answers_str(a, ANSWER_SIP_PORT));
	put_line(out, "media ports", answers_str(a, ANSWER_MEDIA_PORTS));
	put_line(out, "SSH port", answers_str(a, ANSWER_SSH_PORT));
	put_line(out, "licence", has_licence ? STR("active") : STR("UNLICENSED"));
	put_line(out, "profile", answers_str(a, ANSWER_PROFILE));
	put_line(out, "go-live test", g->is_proved ? STR("passed") : STR("not passed"));
	if (g->record[0])
		buf_printf(out, "\nThe record is %s.txt and .html.\n", g->record);
}

static void draw_summary(void *ctx, struct area a)
{
	const struct buf *text = ctx;
	struct area in = area_part(a, 1, 3, a.rows - 1, a.cols - 6);
	struct str line, rest = buf_str(text);
	int y = 0;

	while (str_line(&rest, &line))
		y += draw_wrapped(in, y, ROLE_PLAIN, line);
	(void)draw_wrapped(in, y + 1, ROLE_HEAD,
			   STR("Press Enter to finish; the operator's console comes next."));
}

static int finish(void *ctx)
{
	(void)ctx;
	return VIEW_LEAVES + 1;
}

int guide_summary(struct guide *g, struct err *err)
{
	static const struct binding bindings[] = {
		{ K_ENTER, K_F(2), "Finish", "The set-up is done", 0, finish },
		{ 0 },
	};
	static const struct view v = { .title = "Ready",
				       .bindings = bindings,
				       .draw = draw_summary };
	CLEANUP(buf_done) struct buf text = BUF_INIT;

	summarise(g, &text);
	int r = screen_run(g->screen, &v, &text);
	if (r < 0 || r == VIEW_LEAVES)
		return r < 0 ? r : GUIDE_BACK;
	r = finish_done(g->setup, err);
	return r < 0 ? r : GUIDE_NEXT;
}
