/*
 * progress: a list of steps, each with its mark and what came of it, while they are being done.
 *
 * The caller does the work and says how it goes; nothing here waits. For work that takes its time
 * without returning, progress_set draws at once. For work that goes on elsewhere, progress_run
 * shows the list and asks `work` every period until it says that it is done; then the list can be
 * read (Enter shows a step's whole text) until it is left.
 */
#pragma once

#include "base/cleanup.h"
#include "tui/screen.h"

enum progress_mark {
	PROGRESS_WAITS,
	PROGRESS_RUNS,
	PROGRESS_PASSED,
	PROGRESS_WARNED,
	PROGRESS_FAILED,
	PROGRESS_SKIPPED,
};

struct progress;

int progress_create(struct progress **ret, struct screen *s, const char *title);
struct progress *progress_free(struct progress *p);
DEFINE_CLEANUP(struct progress *, progress_free);
/* Adds a step that waits; its number, or -ENOMEM. */
int progress_add(struct progress *p, struct str name);
/*
 * What has come of it: text in a few words; detail: reason and remedy, shown below the list while
 * the step is selected. Both copied; draws if it is on the screen. 0 or -ENOMEM.
 */
int progress_set(struct progress *p, int step, enum progress_mark mark, struct str text,
		 struct str detail);
/* Draws once, and stays until progress_run; for work that does not return between its steps. */
void progress_show(struct progress *p);
/*
 * work: called every period_ms: 0 it goes on, 1 it is done, negative errno ends the view; NULL: it
 * is done. 1: the list was left when done; 0: left before (Esc, confirmed); negative errno.
 */
int progress_run(struct progress *p, ms_t period_ms, int (*work)(void *ctx), void *ctx);
