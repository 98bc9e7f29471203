/* options: the command line of switch-console. */
#pragma once

#include <stdbool.h>
#include <stdio.h>

#include "base/clock.h"

#define OPTIONS_SOCKET    "/run/tandem/control.sock"
#define OPTIONS_HASH_FILE "/etc/tandem/admin.hash"

struct options {
	const char *socket, *hash_file, *tries_file;
	ms_t idle_ms; /* 0 = never */
	bool is_login, is_read_only, is_ascii;
};

/* What main does with the words: go on, or end with that status. */
enum { OPTIONS_GO = -1 };

/* OPTIONS_GO; 0: help or version was printed to out; 2: said on err what is wrong. */
int options_parse(struct options *ret, int argc, char **argv, FILE *out, FILE *err);
