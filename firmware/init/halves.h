/*
 * halves: the disks of a mirror, put together in the initrd.
 *
 * A half begins like a disk of its own, so the slot's partition is found on it first. Then the other half is looked for, the
 * partitions of each are made to go away (who wrote to one of them would part the halves), and md makes one disk of both.
 */
#pragma once

#include "formats/mirror.h"
#include "formats/part.h"
#include "module.h"

struct halves {
	char device[MIRROR_DISKS_MAX][PART_PATH_MAX]; /* /dev/sda */
	unsigned n;                                   /* that are there */
	unsigned wanted;
};

/* disk: the folder in /sys of a disk. 0 with *ret; -ENODATA: it stands alone; other negative errno. */
int halves_find(struct halves *ret, const char *disk);
/* However many there are: MIRROR_DEVICE is there then, with its partitions. 0 or negative errno. */
int halves_join(const struct halves *h, struct modules *m);
