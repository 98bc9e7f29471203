/* options: the command line of switch-lockoutd. */
#pragma once

#include "base/err.h"

struct options {
	const char *control;  /* its own socket */
	const char *state;    /* its folder */
	const char *security; /* where events come in */
	const char *switchd;  /* switchd's control socket */
	const char *conf;     /* tandem.conf */
	bool is_guest;        /* on a machine that has other programs, too */
};

/* 0; 1: help or version was printed, nothing to run; -EINVAL with *err. */
int options_parse(struct options *o, int argc, char **argv, struct err *err);
