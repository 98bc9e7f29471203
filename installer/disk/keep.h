/*
 * keep: the answers that came with the installer, read and checked before anything is written, and left on the new data
 * partition, where the machine's own set-up finds them at its first start (as those of a set-up that was interrupted).
 */
#pragma once

#include "base/cleanup.h"
#include "base/err.h"
#include "model/answers_file.h"

struct kept {
	struct answers *answers;
	struct buf licence; /* empty: none came */
};

/* 0; -EINVAL with *report; other negative errno with *err. keep_done() in any case. */
int keep_read(struct kept *k, const char *path, struct answers_report *report, struct err *err);
/* disk: a path that has just been written to. 0 or negative errno with *err. */
int keep_write(struct kept *k, const char *disk, struct err *err);
void keep_done(struct kept *k);
