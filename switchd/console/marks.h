/* marks: what every screen must say: that there is no valid licence, that the build is no release. */
#pragma once

#include "app.h"

/* Of the build alone: what a screen says before the switch was asked. NULL = nothing. */
const char *marks_of_build(void);
/* Asks the switch. The marks stay as they are when it cannot be reached. */
void marks_update(struct app *app);
