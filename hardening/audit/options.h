/* options: the command line of switch-audit. */
#pragma once

#include <stdbool.h>

#include "base/err.h"

#define OPTIONS_USAGE                                                                     \
	"usage: switch-audit [--root DIR] [--json] [--faults] [--fix] [--record FILE]\n"  \
	"                    check [ID ...]\n"                                            \
	"       switch-audit [--json] list\n"                                             \
	"  check    every control, or those named (SSH-1, SSH): passed or failed, why,\n" \
	"           and what to do; the exit status says whether any failed\n"            \
	"  list     the controls and where they come from\n"

struct options {
	const char *root;       /* "" is this machine */
	const char *record;     /* where the result is kept, too; NULL: nowhere */
	const char *verb;       /* NULL: none given */
	const char *const *ids; /* NULL-terminated, a loan of argv; empty: all */
	bool is_json, is_fix, is_faults, is_help, is_version;
};

/* The strings are loans of argv. 0; -EINVAL with *err. */
int options_parse(struct options *ret, int argc, const char *const *argv, struct err *err);
