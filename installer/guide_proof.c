#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "guide_answers.h"
#include "guide_inner.h"
#include "proof.h"
#include "tui/dialog.h"
#include "tui/progress.h"

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
	/* What failed is there to be read; what passed can be read on the last page. */
	if (!g->is_proved)
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
