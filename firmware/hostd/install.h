/*
 * install: an update into the slot that does not run, in a thread of its own.
 *
 * Everything is checked before the first byte is written; the slot is taken from the boot loader
 * before it is written to, and given to it only when what was written reads back as it should. So a
 * power cut at any moment leaves a machine that starts from the slot it runs from now.
 */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "formats/bundle.h"
#include "places.h"

struct install;

struct install_order {
	const struct places *places; /* a loan until the end */
	struct bundle_keys keys;
	struct slot_note image; /* what runs */
	const char *machine;    /* as uname -m says; a loan */
	int fd;                 /* the bundle; taken, also on failure */
	bool may_be_older;
};

/* What is being done, and how much of it. */
struct install_progress {
	const char *step; /* "checking", "writing", "reading back"; a literal */
	int percent;
};

/*
 * 0 once the thread runs; -EINVAL with *err: the update is refused, for its signature, its length, the machine, its age, or
 * because the slot that runs has not reported health; other negative errno.
 */
int install_start(struct install **ret, const struct install_order *o, struct err *err);
/* Readable when it has ended. */
int install_fd(const struct install *i);
void install_progress(const struct install *i, struct install_progress *ret);
/* What is being installed, for the answer. */
const struct bundle *install_bundle(const struct install *i);
/* Waits for the end and frees. 0; negative errno with *err: nothing changed for the slot that runs. */
int install_finish(struct install *i, struct err *err);
