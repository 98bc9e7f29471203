/* console: switch-console from its first picture to its last. */
#pragma once

#include "options.h"

/* The exit status: 0 left, 1 the terminal cannot be used (said on stderr). */
int console_run(const struct options *o);
