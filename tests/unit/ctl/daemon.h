/*
 * daemon: a control socket in a thread of its own that answers whatever the test put into its
 * mouth, and remembers what it was asked.
 */
#pragma once

#include "model/op.h"

/* 0 or -1, as cmocka's fixtures. */
int daemon_start(void **state);
int daemon_stop(void **state);
const char *daemon_path(void);

/* The answer to everything from now on, JSON; NULL: an error with every part filled. */
void daemon_says(const char *json);
/*
 * What was asked last: "account.show {"id":"acme"}"; "" if nothing. A loan until the next
 * question.
 */
const char *daemon_asked(void);
