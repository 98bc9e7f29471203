/*
 * verity: a partition seen through dm-verity, which checks each block against the root hash.
 *
 * A block that does not match stops the machine (panic_on_corruption): the boot loader then tries
 * the other slot, and nothing ever runs on bytes that nobody signed for.
 */
#pragma once

#include "formats/bootline.h"

/* Makes /dev/dm-0 over the device. 0 or negative errno. */
int verity_open(const struct bootline *b, const char *device);
