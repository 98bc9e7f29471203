/* options: the command line of switch-install. */
#pragma once

#include <stdbool.h>

#include "base/err.h"

enum { OPTIONS_LINES = 4 };

struct options {
	const char *image;  /* tandem.img.zst, or "-": standard input */
	const char *sha256; /* a file that begins with the image's SHA-256 in hex */
	const char *disk;   /* "auto": the only one; NULL: the answers say it, or a person */
	const char
		*mirror; /* the other half, or "auto"; NULL: the answers say it, or there is none */
	const char *answers;             /* tandem.conf, or NULL */
	const char *line[OPTIONS_LINES]; /* terminals; none: standard input and output */
	int lines;
	bool is_overwrite; /* also a disk that holds a Tandem system */
	bool is_wait;      /* for a line from a person, and nothing else */
};

/* 0; 1: help or version was printed, nothing to run; -EINVAL with *err. */
int options_parse(struct options *o, int argc, char **argv, struct err *err);
