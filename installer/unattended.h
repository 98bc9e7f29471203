/* unattended: the whole set-up without a person: answers from somewhere, then every step of it. */
#pragma once

#include "base/err.h"
#include "model/answers_file.h"
#include "setup.h"

/*
 * 0: done; -ENOENT: there are no answers; -EINVAL with the report: they are refused; else negative
 * errno with *err, and report->count is 0. What was done already is not done twice. *name: where
 * the answers came from.
 */
int unattended_run(struct setup *s, const char *file, struct buf *name,
		   struct answers_report *report, struct err *err);
/* All steps but the reading of the answers; for the screens, too. 0 or negative errno with *err. */
int unattended_steps(struct setup *s, struct err *err);
