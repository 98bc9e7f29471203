/*
 * change_note: what switch-hostd keeps of a change that is not confirmed yet, so that neither its own end
 * nor the machine's leaves the change standing. Three files in its state folder:
 *
 *	change.json      who asked, in which boot, until when it may be confirmed, whether it is in force
 *	change-old.conf  tandem.conf as it was
 *	change.conf      what is being brought into force: the new one, or the old one again
 */
#pragma once

#include <stdbool.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"

struct change_note {
	ms_t until; /* clock_mono_ms of this boot; 0 in any other: too late */
	bool is_in_force;
	char by[64];
};

/* Reads it back. 0; -ENOENT: there is none; a damaged one reads as one that is too late. */
int change_note_read(const char *state, struct change_note *ret);
/* Both durable when this returns. 0 or negative errno with *err. */
int change_note_write(const char *state, const struct change_note *n, struct err *err);
/* Nothing is pending any more. 0 or negative errno. */
int change_note_forget(const char *state);

/* "change.conf" or "change-old.conf" in the state folder. 0 or -ENOMEM. */
#define CHANGE_NEW "change.conf"
#define CHANGE_OLD "change-old.conf"
int change_path(const char *state, const char *name, struct buf *ret);
/* The old configuration becomes what is brought into force. 0 or negative errno with *err. */
int change_turn_back(const char *state, struct err *err);
