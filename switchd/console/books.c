#include <errno.h>
#include <stdio.h>

#include "base/cleanup.h"
#include "model/text.h"
#include "pages.h"
#include "tui/dialog.h"
#include "tui/progress.h"

static const struct {
	const char *op, *name;
} proofs[] = {
	{ "ledger.verify", "Balances: payments and charges" },
	{ "cdr.verify", "Charges: terms of each record" },
	{ "report.verify", "Reports: sums of records and entries" },
};

enum { PROOFS = sizeof(proofs) / sizeof(proofs[0]) };

struct books {
	struct app *app;
	struct progress *list;
	int next;
};

/* What differs, whole; or how much was looked at. */
static int report(struct books *b, const json_t *answer)
{
	CLEANUP(buf_done) struct buf detail = BUF_INIT;
	size_t n = json_array_size(json_object_get(answer, "differences"));
	char text[64];

	if (text_object(answer, &detail) < 0 || buf_error(&detail))
		return -ENOMEM;
	(void)snprintf(text, sizeof(text), n == 1 ? "%zu difference" : "%zu differences", n);
	return progress_set(b->list, b->next, n ? PROGRESS_FAILED : PROGRESS_PASSED, str_of(text),
			    buf_str(&detail));
}

/* One proof a turn: 1 when all are done. */
static int work(void *ctx)
{
	struct books *b = ctx;
	CLEANUP(json_decref) json_t *answer = NULL;
	struct err err = ERR_INIT;

	if (b->next == PROOFS)
		return 1;
	int r = progress_set(b->list, b->next, PROGRESS_RUNS, STR(""), STR(""));
	if (r == 0)
		r = daemons_ask(&b->app->daemons, proofs[b->next].op, NULL, &answer, &err);
	if (r == 0)
		r = report(b, answer);
	else if (r != -ENOMEM)
		r = progress_set(b->list, b->next, PROGRESS_FAILED, STR("not done"),
				 str_of(err.message));
	b->next++;
	return r;
}

int books_page(struct app *app)
{
	CLEANUP(progress_free) struct progress *list = NULL;
	struct books b = { .app = app };

	int r = progress_create(&list, app->screen, "Check the books");
	for (int i = 0; r >= 0 && i < PROOFS; i++)
		r = progress_add(list, str_of(proofs[i].name));
	b.list = list;
	if (r >= 0)
		r = progress_run(list, 100, work, &b);
	return r < 0 ? r : VIEW_STAYS;
}
