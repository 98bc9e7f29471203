/*
 * root: the file systems of the running machine, and the way into them.
 *
 *	/sysroot	squashfs of the slot, read only
 *	/sysroot/data	the data partition: what survives updates
 *	/sysroot/etc	the slot's /etc with the changes in data/etc above it
 *	/sysroot/var	data/var
 *
 * data is nosuid, nodev and noexec, and so is what stands on it.
 */
#pragma once

#include <stdbool.h>

/* /dev, /proc, /sys, /run of the initrd. 0 or negative errno. */
int root_prepare(void);
/* Checks the file system on `data` with the slot's own e2fsck, then mounts all. */
/* is_reset: makes a new one in its place. */
int root_mount(const char *root, const char *data, bool is_reset);
/* The installer's: the root that its initrd carries, and memory in place of a data partition. */
int root_mount_carried(void);
/* Forgets the initrd and becomes that program. Returns only with a negative errno. */
int root_switch(const char *init);
