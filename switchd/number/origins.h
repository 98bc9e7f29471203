/*
 * origins: which origin groups a caller is in (behaviour.md, "Choosing": surcharges by origin). A group is a set of callers' prefixes; groups
 * may overlap: the one with the longer prefix comes first, of the same prefix the one whose name does.
 *
 * Immutable; any thread may read.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/str.h"

/* ORIGINS_FOUND: how many groups of one caller are told apart; the longest prefixes count. */
enum { ORIGINS_MAX = 65535, ORIGINS_FOUND = 64 };

struct origin {                    /* a group */
	struct str name, prefixes; /* "49, 331" */
	bool takes_withheld;       /* callers without a number, or with a word in its place, too */
};

struct origins;

/* Loans for the call. 0; -EINVAL (not a prefix, too many groups); -ENOMEM. */
int origins_create(struct origins **ret, const struct origin *group, size_t n);
struct origins *origins_free(struct origins *o);
DEFINE_CLEANUP(struct origins *, origins_free);

/* The groups of a caller, by their places in what they were made from. o may be NULL: none. */
size_t origins_find(const struct origins *o, struct str caller, uint16_t ret[ORIGINS_FOUND]);
/* Two callers with the same number are in the same groups; 0: in none. */
uint32_t origins_key(const struct origins *o, struct str caller);
size_t origins_bytes(const struct origins *o);

/* Is it a list of callers' prefixes, none of them twice? -EINVAL with *err of the field `prefixes`. */
int origins_check(struct str prefixes, struct err *err);
/* Can a group be called so? Behind a rate's prefix (GROUP/PREFIX/ORIGIN) a name has to be told from digits. */
bool origins_is_name(struct str name);

/* All groups of a configuration, by name; what they are made of is its own. */
struct origin_list {
	struct origin *group;
	size_t count, room;
};
/* In the order of names. -ENOMEM. */
int origin_list_add(struct origin_list *l, struct str name, struct str prefixes,
		    bool takes_withheld);
void origin_list_done(struct origin_list *l);
/* The place of that name; -1: there is none. */
int origin_list_find(const struct origin_list *l, struct str name);
static inline void origin_list_done_cleanup(struct origin_list *l)
{
	origin_list_done(l);
}
