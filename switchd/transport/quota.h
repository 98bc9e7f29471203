/*
 * quota: how many stream connections does a source have, and how many the whole switch?
 *
 * The limits of security.md T1 hold for the process, while each worker accepts by itself; so the
 * counts are shared by all threads: atomic words in a fixed table, found by a keyed hash of the
 * host (of IPv6 the /64). Two sources that meet in one word share a limit; nobody can aim at it.
 */
#pragma once

#include <stdbool.h>

#include "base/addr.h"

enum { QUOTA_UNKNOWN = 10, QUOTA_TRUSTED = 1000, QUOTA_TOTAL = 10000 };

enum quota_verdict { QUOTA_OK, QUOTA_SOURCE_FULL, QUOTA_ALL_FULL };

/*
 * Counts one more connection if it fits. A source that has a trusted connection has the trusted
 * limit for the next ones too.
 */
enum quota_verdict quota_take(const struct addr *peer, bool is_trusted);
/* One that was taken as unknown is trusted from now on. */
void quota_trust(const struct addr *peer);
void quota_give(const struct addr *peer, bool is_trusted);
