/*
 * word: a line as a person types it, cut into words as a shell would: blanks separate, quotes of
 * either kind keep them together, a backslash takes the next character as it is (not inside '').
 * Nothing is expanded and nothing is run.
 */
#pragma once

#include "base/buf.h"
#include "base/str.h"

/* 1: the next word is in *word (emptied first); 0: the line is used up; -EINVAL: a quote is not
 * closed or a backslash stands at the end; -ENOMEM. */
int word_next(struct str *rest, struct buf *word);
