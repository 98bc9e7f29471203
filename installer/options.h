/* options: switch-setup's command line. */
#pragma once

#include "base/err.h"

enum options_mode {
	OPTIONS_GUIDED,
	OPTIONS_UNATTENDED,
	OPTIONS_CHECK, /* read a file and say what is wrong with it */
	OPTIONS_REFRESH,
	OPTIONS_CHANGE, /* other answers for a machine that is set up */
	OPTIONS_HASH,
};

struct options {
	enum options_mode mode;
	const char *root;
	const char *control;
	const char *ctl; /* NULL: switchctl beside this program, else /usr/bin/switchctl */
	const char *file;
};

/* 0; 1: help or version was printed; -EINVAL with *err. */
int options_parse(struct options *ret, int argc, char **argv, struct err *err);
