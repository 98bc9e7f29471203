/* guide_answers: a form made of the answers of one screen (answers.tsv). */
#pragma once

#include "guide_inner.h"
#include "tui/form.h"

/* Adds an item for each answer of that screen, with its value. 0 or -ENOMEM. */
int guide_answers_add(struct guide *g, struct form *f, const char *screen);
/* One of them. */
int guide_answers_add_one(struct guide *g, struct form *f, enum answer id);
/*
 * Takes what the form says into the answers, all of it or nothing, if it goes together. 0; -EINVAL
 * with *err; -ENOMEM.
 */
int guide_answers_take(struct guide *g, const struct form *f, const char *screen, struct err *err);
