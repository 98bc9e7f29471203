/*
 * zone: what a clock on the wall shows somewhere: "UTC", a fixed offset ("+05:30") or a name of the IANA database ("Europe/Berlin"),
 * read from /usr/share/zoneinfo (RFC 9636), with the rule for the years behind its table. Immutable, any thread may read it.
 */
#pragma once

#include "base/cleanup.h"
#include "base/clock.h"

struct zone;

/* 0; -EINVAL (no name of a zone), -ENOENT (no such zone), -EBADMSG (its file makes no sense), -ENOMEM. */
int zone_create(struct zone **ret, struct str name);
/* The same of a file's content. */
int zone_parse(struct zone **ret, struct str file);
struct zone *zone_free(struct zone *z);
DEFINE_CLEANUP(struct zone *, zone_free);

/* What is added to UTC there at that moment, in ms. */
ms_t zone_offset(const struct zone *z, ms_t utc);
/*
 * The first moment at which the wall shows `local` (ms since 1970 as the wall counts) or later: of an hour that comes twice its first, of
 * one that is left out the moment of the leap.
 */
ms_t zone_utc(const struct zone *z, ms_t local);
