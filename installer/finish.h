/* finish: the end of a set-up: licence, and the mark that it is done. */
#pragma once

#include "base/err.h"
#include "setup.h"

/* Is there a way in? A password or an SSH key must be answered, or be there from before. */
int finish_check_access(const struct setup *s, struct err *err);
/* Activates the licence that was answered, if one was. 0 or -EINVAL with *err. */
int finish_licence(const struct setup *s, struct err *err);
/* Says in a line what switch-audit finds. A fault is no reason to be without a switch. */
void finish_audit(const struct setup *s);
/* The mark that the console looks for; what was answered is wiped, for it holds secrets. */
int finish_done(const struct setup *s, struct err *err);
