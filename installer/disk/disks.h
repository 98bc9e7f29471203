/*
 * disks: the disks of this machine, as somebody sees them who has to choose the one that is written over.
 *
 * Read from sysfs and from the first bytes of the disk; nothing is changed. What a disk says of itself (its model, the names
 * of its partitions) is foreign text and is made printable here.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { DISKS_MAX = 32, DISK_PATH = 128, DISK_MODEL = 64, DISK_HOLDS = 160 };

struct disk {
	char path[DISK_PATH];   /* /dev/sda */
	char model[DISK_MODEL]; /* "" if it does not say */
	char holds[DISK_HOLDS]; /* what is on it, in words */
	uint64_t bytes;
	bool is_tandem; /* a Tandem system is on it */
	bool is_busy;   /* something of it is mounted: we come from it */
	bool is_read_only;
};

/*
 * Fills at most DISKS_MAX disks, sorted by their names; root stands before /sys and /dev ("" on a machine). Gives how many there
 * are, or negative errno.
 */
int disks_list(const char *root, struct disk list[DISKS_MAX]);
