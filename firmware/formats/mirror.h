/*
 * mirror: a disk that is one half of a mirror (Linux md, RAID 1).
 *
 * The whole disk is mirrored, table of partitions and boot loader included, so that the machine starts from whichever half is
 * left. That takes metadata 1.0, which md writes at the disk's end: the disk begins like one that stands alone. What is read
 * here comes from any disk that somebody plugged in; that it is whole md checks again when it takes the disk.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"

/* The device that tandem-init and the installer give a mirror. */
#define MIRROR_NAME   "md127"
#define MIRROR_DEVICE "/dev/" MIRROR_NAME

enum { MIRROR_SET = 16, MIRROR_SUPER = 4096, MIRROR_DISKS_MAX = 4 };

struct mirror_half {
	unsigned char set[MIRROR_SET]; /* the same for all halves of a mirror */
	unsigned disks; /* halves that it has when none is missing, 1 to MIRROR_DISKS_MAX */
};

/* Where md keeps its words on a disk of so many bytes; 0: the disk is too small for them. */
uint64_t mirror_super_at(uint64_t disk_bytes);
/* super: MIRROR_SUPER bytes from there. 0; -ENODATA: it is no half of a mirror. */
int mirror_parse(struct mirror_half *ret, struct str super, uint64_t at);
/* The same of a device or a file. 0; -ENODATA; other negative errno. */
int mirror_read(struct mirror_half *ret, const char *device);
bool mirror_is_same(const struct mirror_half *a, const struct mirror_half *b);
