/*
 * before: what was there before the first apply since the machine's start, kept in ROOT/run, which the
 * next start empties as the kernel forgets its settings; and how many packets were lost until the last
 * apply.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/str.h"

#define BEFORE_FOLDER "run/tandem-tune"

struct before;

/* Reads what is kept; a file that is not there keeps nothing. 0 or negative errno. root: a loan. */
int before_open(struct before **ret, int root);
struct before *before_close(struct before *b);
DEFINE_CLEANUP(struct before *, before_close);

/* Keeps a value, unless one of that path is kept already. 0 or -ENOMEM. */
int before_note(struct before *b, const char *path, const char *value);
/* False: nothing is kept of it. A loan. */
bool before_value(const struct before *b, const char *path, struct str *ret);
/* Keeps the counters as they are now. 0 or -ENOMEM. */
int before_note_lost(struct before *b);

typedef int lost_fn(void *ctx, const char *what, uint64_t since, uint64_t now);
/* Each counter that this kernel has. 0 or fn's negative result, or -ENOMEM. */
int before_each_lost(const struct before *b, lost_fn *fn, void *ctx);

/* 0 or negative errno. */
int before_save(struct before *b);
/* Nothing is kept any more. 0 or negative errno. */
int before_forget(struct before *b);
