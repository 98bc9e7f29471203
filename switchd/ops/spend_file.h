/*
 * spend_file: what spend rules have counted, in switch.db: it outlives a restart but for the last ten
 * seconds and the windows of a minute. That somebody is stopped, or no longer, is written at once.
 */
#pragma once

#include "ops/spend_book.h"
#include "store/db.h"

/* Into the counts that the book has; those of rules that are gone go. 0 or negative errno. */
int spend_file_read(struct db *db, const struct spend_book *b);
/* What is due, some at a time, or all of it. What cannot be written stays due, and is logged. */
void spend_file_write(struct db *db, struct spend_book *b, bool all);
