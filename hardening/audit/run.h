/* run: a command line of switch-audit, from its words to its exit status. */
#pragma once

#include <stdio.h>

enum run_status {
	RUN_DONE = 0,
	RUN_FAULTS = 1, /* a control failed or could not be checked */
	RUN_USAGE = 2
};

/* argv ends with NULL. */
int run(int argc, const char *const *argv, FILE *out, FILE *err);
