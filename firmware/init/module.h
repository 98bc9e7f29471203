/*
 * module: kernel modules of the initrd, found by what a device calls itself.
 *
 * modules.alias says which module serves a modalias ("pci:v00008086d..."), modules.dep which others
 * it needs; depmod wrote both for exactly the modules that the initrd holds. Tens of devices meet
 * thousands of patterns, so a pattern is first compared up to its first wildcard.
 */
#pragma once

#include "base/buf.h"
#include "base/str.h"

struct modules {
	const char *dir; /* lent: where modules.alias, modules.dep and kernel/ are */
	struct buf alias;
	struct buf dep;
};

/* 0 or negative errno; modules_done() may follow either. */
int modules_init(struct modules *m, const char *dir);
void modules_done(struct modules *m);
/* Loads a module and what it needs. 0, also when it was there; -ENOENT; what the kernel says. */
int modules_load(struct modules *m, struct str name);
/* Loads every module that serves the modalias; -ENOENT when there is none. */
int modules_load_alias(struct modules *m, struct str modalias);
/* Loads what every device under /sys/devices asks for. Errors of single ones are theirs. */
void modules_coldplug(struct modules *m);
