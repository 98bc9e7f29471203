/* options: the command line of switch-hostd. */
#pragma once

#include <stdint.h>

#include "base/err.h"

struct options {
	const char *control; /* its own socket */
	const char *state;   /* its folder: what is being received, and what the slots hold */
	const char *keys;    /* the folder of the keys that may sign an update */
	const char *image;   /* what the running image says of itself */
	const char *
		slots; /* a folder with boot-a, root-a, boot-b, root-b and grubenv; NULL: the disk */
	const char *conf;    /* the machine's tandem.conf */
	const char *apply;   /* a program in place of tandem-change.service; NULL: that */
	uint32_t patience_s; /* within which a change is to be confirmed */
	char running;        /* 'a' or 'b', with --slots; 0: as the kernel was told */
};

/* 0; 1: help or version was printed, nothing to run; -EINVAL with *err. */
int options_parse(struct options *o, int argc, char **argv, struct err *err);
