/*
 * files: what the answers become in the machine's file system. One table: path, mode, who makes the
 * content, and what has to be started anew when it changed.
 */
#pragma once

#include "base/err.h"
#include "setup.h"

/* What has to hear of a change. */
enum files_after {
	AFTER_HOSTNAME = 1,
	AFTER_NETWORK = 2,
	AFTER_SSH = 4,
	AFTER_CONF = 8,
	AFTER_SWITCH = 16,
};

/* MACHINE: all that the answers alone say; SWITCH: what needs the address the machine then has. */
enum files_stage { FILES_MACHINE, FILES_SWITCH };

/*
 * Writes the files of a stage that are not as they should be, tells each, and adds to *after what
 * must hear of it (also after a failure). 0 or negative errno with *err.
 */
int files_write(const struct setup *s, enum files_stage stage, unsigned *after, struct err *err);
