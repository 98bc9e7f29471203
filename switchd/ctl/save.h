/* save: an answer that comes in pages and goes into a file of the person who asks (op.h, is_save). */
#pragma once

#include <stdio.h>

#include "control/client.h"
#include "words.h"

/*
 * Asks until the last page came. "-" is `out`; then *ret stays NULL, else it is {file, bytes}. 0; -EINVAL with *err as the daemon said, or if the
 * file cannot be written; other negative errno: connection lost.
 */
int save_answer(struct client *c, const struct words *w, FILE *out, json_t **ret, struct err *err);
