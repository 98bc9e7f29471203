/*
 * halves: two disks become one by Linux md (firmware/formats/mirror.h says how).
 *
 * mdadm does it, which is in the image for whoever has to replace a broken disk.
 */
#pragma once

#include "base/err.h"
#include "disks.h"

/* *ret: the mirror of both, as large as the smaller one allows. 0 or negative errno with *err. */
int halves_join(const struct disk *a, const struct disk *b, struct disk *ret, struct err *err);
/* All is on both; md lets go of them. 0 or negative errno with *err. */
int halves_part(const struct disk *mirror, struct err *err);
