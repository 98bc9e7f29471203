/*
 * choose: which disk is written over.
 *
 * By a person, who sees what is on each and confirms that it goes; or by a name that was given beforehand, where whatever is in
 * the way is a refusal with its reason.
 */
#pragma once

#include "base/err.h"
#include "disks.h"
#include "talk.h"

struct choose_order {
	const char *root; /* of disks_list() */
	uint64_t bytes;   /* that the disk must have */
	bool is_overwrite;
	const struct disk *first; /* of a mirror, whose other half is chosen; else NULL */
};

/* 0 with *ret; -ECANCELED: the person left; -EPIPE: nobody is there; other negative errno. */
int choose_ask(const struct choose_order *o, struct talk *t, struct disk *ret);
/* The other half of a mirror. 1 with *ret; 0: none is wanted, or there is none; negative as above. */
int choose_ask_half(const struct choose_order *o, struct talk *t, struct disk *ret);
/* wish: a path, or "auto". 0 with *ret; -EINVAL with *err. */
int choose_named(const struct choose_order *o, const char *wish, struct disk *ret, struct err *err);
