/* home: the first page: the menu, and how the switch is doing. */
#pragma once

#include "app.h"

/* Until it is left. is_login: leaving is logging out. As screen_run. */
int home_run(struct app *app, bool is_login);
