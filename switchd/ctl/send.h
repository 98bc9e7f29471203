/* send: a file of the person who asks, sent in pieces (op.h, is_send). */
#pragma once

#include "control/client.h"
#include "words.h"

/*
 * Sends w->send ("-": standard input) and the operation's other arguments. 0 with the answer to the last piece in *ret; -EINVAL with
 * *err as the daemon said, or if the file cannot be read; other negative errno: connection lost.
 */
int send_file(struct client *c, const struct words *w, json_t **ret, struct err *err);
