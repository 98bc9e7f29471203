/*
 * slots_file: where the state of the slots is kept.
 *
 * GRUB's environment block is on the EFI partition. What a slot holds is noted beside the data
 * (SLOT_NOTES): the boot loader has no use for it, and a machine without the note boots all the same.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/err.h"
#include "formats/slots.h"

enum { SLOT_VERSION = 64 };

#define SLOT_NOTES "/var/lib/tandem-host/slots.json"
/* What the running image says of itself: a JSON object {version, built, machine}. */
#define SLOT_IMAGE "/usr/share/tandem/image.json"

/* What a slot holds. */
struct slot_note {
	char version[SLOT_VERSION]; /* "": not known */
	int64_t built;              /* seconds since 1970; 0: not known */
	ms_t installed;             /* wall clock; 0: not by an update */
	bool is_trial;              /* new: it has not reported health since it came */
};

/* The slot that runs, as a place in the arrays, by the kernel's command line. Negative errno. */
int slots_running(void);
/* 0; -EINVAL: a damaged block; other negative errno. */
int slots_load(const char *path, struct slots *ret);
/* Overwrites the block in place, on the disk when this returns, and reads it back. 0 or negative errno. */
int slots_store(const char *path, const struct slots *s);

/* A file that is not there, or is none of ours, says nothing: all is empty then. 0 or -ENOMEM. */
int slot_notes_read(const char *path, struct slot_note ret[SLOTS_COUNT]);
/* 0 or negative errno with *err. */
int slot_notes_write(const char *path, const struct slot_note note[SLOTS_COUNT], struct err *err);
/* What an image says of itself. 0; negative errno with *err. */
int slot_image_read(const char *path, struct slot_note *ret, struct err *err);
