/* run: what switch-license does, by its words. Exit status: 0 done, 1 refused, 2 usage. */
#pragma once

#include <stdio.h>

int run(int argc, const char *const *argv, FILE *out, FILE *err);
