/* steps: what was decided about a call, step by step, as route.explain and cdr.explain answer it. */
#pragma once

#include <jansson.h>

#include "app.h"

/* answer: an object with `steps`; its other members stand above them. A loan. As an action. */
int steps_run(struct app *app, const char *title, const json_t *answer);
/* Those that were stored with the record of that id. As an action. */
int steps_record(struct app *app, const char *id);
