/* unattended: the whole set-up without a person: answers from somewhere, then every step of it. */
#pragma once

#include "base/err.h"
#include "setup.h"

/*
 * 0: done; -ENOENT: there are no answers; -EINVAL: the answers are refused, which has been said on
 * stderr; other negative errno with *err. What was done already is not done twice.
 */
int unattended_run(struct setup *s, const char *file, struct err *err);
/* All steps but the reading of the answers; for the screens, too. 0 or negative errno with *err. */
int unattended_steps(struct setup *s, struct err *err);
