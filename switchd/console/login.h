/*
 * login: the administrator's password, asked for until it is given.
 *
 * Nothing else leads past it: no key ends it, and what goes wrong leaves it where it is.
 */
#pragma once

#include "tui/screen.h"

enum { LOGIN_FAILURES = 3, LOGIN_PAUSE_MS = 10000 };

/* hash_file: as switch-setup writes it (base/password.h). VIEW_LEAVES: it was given; below 0: the
 * screen is over. */
int login_run(struct screen *s, const char *hash_file);
