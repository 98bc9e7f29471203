/* complete: what could stand next on the command line, for the shell. */
#pragma once

#include "base/buf.h"
#include "base/err.h"

/* The script for the shell that the one word names (bash). -EINVAL with *err for another. */
int complete_script(struct buf *out, const char *const *word, int n, struct err *err);
/*
 * A line for each thing that may take the place of the last of the n words; "name=" where a value
 * must follow. Keys are asked of the daemon; when it does not answer in two seconds there are
 * none. 0 or -ENOMEM.
 */
int complete(struct buf *out, const char *const *word, int n);
