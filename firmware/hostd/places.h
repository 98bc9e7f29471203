/*
 * places: where the slots are: the partitions of the disk that we run from, or, for tests, files of
 * a folder.
 *
 * The boot loader's partition is mounted only while its environment block is looked at: what is not
 * mounted is not damaged by a power cut.
 */
#pragma once

#include "formats/part.h"
#include "formats/slots_file.h"
#include "options.h"

struct places {
	const char *folder; /* of --slots, or NULL */
	char mount[PART_PATH_MAX];
	char disk[PART_PATH_MAX];
	char notes[PART_PATH_MAX]; /* what the slots hold (SLOT_NOTES) */
	int running;               /* 0: A, 1: B */
};

/* *o is a loan. 0; -EINVAL with *err; other negative errno. */
int places_find(struct places *ret, const struct options *o, struct err *err);
/* "boot" or "root" of a slot: its path. 0; -EINVAL with *err: there is none. */
int places_part(const struct places *p, const char *what, int slot, char ret[PART_PATH_MAX],
		struct err *err);
/* The boot loader's state. A damaged one reads as a new machine's, with the running slot as what works. */
int places_load(const struct places *p, struct slots *ret, struct err *err);
int places_store(const struct places *p, const struct slots *s, struct err *err);
