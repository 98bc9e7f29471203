/*
 * login: the administrator's password, asked for until it is given.
 *
 * Nothing else leads past it: no key ends it, and what goes wrong leaves it where it is.
 */
#pragma once

#include "app.h"

enum { LOGIN_FAILURES = 3, LOGIN_PAUSE_MS = 10000 };

/* hash_file: as switch-setup writes it (base/password.h). VIEW_LEAVES: it was given; below 0: the
 * screen is over. */
int login_run(struct app *app, const char *hash_file);
