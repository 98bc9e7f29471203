/* volume: a file system found by its label, mounted for reading only. */
#pragma once

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/clock.h"

struct volume;

/*
 * Waits for a volume of that label to turn up, then mounts it on a folder of its own. 0; -ENOENT:
 * none came; other negative errno: it cannot be mounted.
 */
int volume_open(struct volume **ret, struct str label, ms_t wait);
/* Where it is mounted. */
const char *volume_path(const struct volume *v);
/* Unmounts. */
struct volume *volume_close(struct volume *v);
DEFINE_CLEANUP(struct volume *, volume_close);
