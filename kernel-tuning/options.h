/* options: the command line of switch-tune. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

#define OPTIONS_USAGE                                                                        \
	"usage: switch-tune [--root DIR] [--media-ports LOW-HIGH] [--json] [--dry-run]\n"    \
	"                   [--load SECONDS] VERB\n"                                         \
	"  apply    set what differs and say what was done\n"                                \
	"  show     every setting: the value wanted, the value now, and why\n"               \
	"  verify   only what differs, and packets lost since apply; the exit status says\n" \
	"           whether there is anything\n"                                             \
	"  revert   put back what was there before the first apply since the start\n"

struct options {
	const char *root;  /* "" is this machine */
	const char *media; /* LOW-HIGH; NULL: as tandem.conf says */
	const char *verb;  /* NULL: none given */
	uint32_t load_s;   /* of test load before verify; 0: none */
	bool is_json, is_dry, is_help, is_version;
};

/* The strings are loans of argv. 0; -EINVAL with *err. */
int options_parse(struct options *ret, int argc, const char *const *argv, struct err *err);
