/*
 * job: one control being checked, and what was found.
 *
 * A check calls job_fault for everything that is not as it should be. Where it can put that right
 * without harm it does so if job->may_fix, and calls job_fixed instead.
 */
#pragma once

#include <stdbool.h>

#include "base/buf.h"
#include "control.h"
#include "tree.h"

enum { JOB_FAULTS_SHOWN = 8 };

struct job {
	const struct tree *tree;
	const struct control *control;
	struct str args; /* words not yet taken */
	bool may_fix;
	unsigned faults, fixed, looked_at;
	struct buf found;    /* sentences */
	const char *skipped; /* why there was nothing to check; NULL: there was */
};

/* The next word of the arguments; false at the end. It stands in word, which ends with a NUL. */
bool job_word(struct job *j, char word[TREE_PATH]);
/* The next word without taking it; "" at the end. */
struct str job_peek(const struct job *j);
/* A word of the form KEY=VALUE: the value in *ret, a loan of the word; false: another word. */
bool job_value(const char *word, const char *key, const char **ret);

__attribute__((format(printf, 2, 3))) void job_fault(struct job *j, const char *fmt, ...);
__attribute__((format(printf, 2, 3))) void job_fixed(struct job *j, const char *fmt, ...);
/* Nothing to check here, and why. */
void job_skip(struct job *j, const char *why);
