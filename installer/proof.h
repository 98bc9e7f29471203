/* proof: the go-live test as a step of the set-up, with its record kept in /var/lib/tandem-setup. */
#pragma once

#include "base/err.h"
#include "golive/golive.h"
#include "setup.h"

/* What the engine is to be given; the texts are loans of s->answers. */
void proof_config(const struct setup *s, struct golive_config *ret);
/*
 * Runs all tests and tells each. 0: passed; -EBADE with *err: a test failed; other negative errno
 * with *err. The record is saved in both cases.
 */
int proof_run(const struct setup *s, struct err *err);
/*
 * 0: no test failed, and none that could have been run was not; else -EBADE with *err counting them.
 */
int proof_judge(const struct setup *s, const struct golive *g, struct err *err);
/* Saves text and page of a run below the place's root. 0 or negative errno with *err. */
int proof_save(const struct setup *s, const struct golive *g, struct buf *ret_path,
	       struct err *err);
