/* run: switchctl itself, with its streams passed in so that a test can read them. */
#pragma once

#include <stdio.h>

/* Exit statuses, as design.md §5 promises them. */
enum { RUN_DONE = 0, RUN_REFUSED = 1, RUN_USAGE = 2, RUN_UNREACHABLE = 3 };

int run(int argc, const char *const *argv, FILE *out, FILE *err);
