/*
 * part: partitions by the names in their GPT.
 *
 * The kernel gives PARTNAME in a block device's uevent file. Two disks may carry the same names (an
 * image written to a new disk while the old one is still there), so data is looked for on the disk
 * that the root slot was found on.
 */
#pragma once

#include "base/str.h"

enum { PART_PATH_MAX = 256 };

struct part {
	char device[PART_PATH_MAX]; /* /dev/vda4 */
	char disk[PART_PATH_MAX];   /* the folder in /sys of the disk that it is part of */
};

/* 0; -ENODEV when there is none (yet). `disk` is a disk's folder as in struct part, or NULL. */
int part_find(struct part *ret, struct str name, const char *disk);
/*
 * The disk of a partition by its name in /sys/class/block: the folder of a partition in /sys/devices
 * stands in its disk's. 0 or negative errno.
 */
int part_disk(const char *entry, char disk[PART_PATH_MAX]);
