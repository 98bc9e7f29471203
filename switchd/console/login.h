/*
 * login: the administrator's password, asked for until it is given.
 *
 * Nothing else leads past it: no key ends it, and what goes wrong leaves it where it is. After too many wrong ones none is taken
 * for a while, on no console of the machine; an administrator who has come by SSH can end that (login.unlock).
 */
#pragma once

#include "app.h"

/*
 * hash_file: as switch-setup writes it (base/password.h); tries_file: where wrong ones are counted (model/tries.h). VIEW_LEAVES:
 * it was given; below 0: the screen is over.
 */
int login_run(struct app *app, const char *hash_file, const char *tries_file);
