/* run: a command line of switch-tune, from its words to its exit status. */
#pragma once

#include <stdio.h>

enum run_status {
	RUN_DONE = 0,
	RUN_FAULTS = 1, /* verify found a difference; apply could not set something */
	RUN_USAGE = 2
};

int run(int argc, const char *const *argv, FILE *out, FILE *err);
