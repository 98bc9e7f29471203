/*
 * guide: the set-up as screens. Each page asks for some answers, or does one step with the code of
 * the unattended run; every page can be left and the set-up goes on there the next time.
 */
#pragma once

#include "base/err.h"
#include "setup.h"

/*
 * 0: the set-up is done; -ECANCELED: left before; -EBUSY: another console has it; other negative
 * errno with *err. What s->answers holds is where the forms begin.
 */
int guide_run(struct setup *s, struct err *err);
