/* options: the command line of switchctl, options taken out. */
#pragma once

#include <stdbool.h>

#include "base/err.h"

#define OPTIONS_SOCKET "/run/tandem/control.sock"
#define OPTIONS_USAGE                                                                             \
	"usage: switchctl [-s SOCKET] [--json] [--dry-run] ENTITY VERB [KEY] [field=value ...]\n" \
	"       switchctl help [ENTITY [VERB]]"

struct options {
	const char *socket;
	bool is_json, is_help, is_version;
	const char **word; /* what is no option, in order */
	int words;
};

/*
 * Options may stand anywhere before "--"; a word such as -5 is none. 0; -EINVAL with *err;
 * -ENOMEM. options_done must follow in every case. The words are loans of argv.
 */
int options_parse(struct options *ret, int argc, const char *const *argv, struct err *err);
void options_done(struct options *o);
static inline void options_done_cleanup(struct options *o)
{
	options_done(o);
}
