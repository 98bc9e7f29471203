/* mounts: what is mounted where, as process 1 sees it: the sandbox of a service changes its own view. */
#pragma once

#include "tree.h"

struct mount_line {
	struct str where, type, device; /* device: "254:0" */
	struct str options, more;       /* of the mount, of the file system: comma separated */
};

/* The text that mounts_find looks through. 0 or negative errno; -ENOENT without a /proc. */
int mounts_read(const struct tree *t, struct buf *ret);
/* The last one there, which is the one that counts. Loans of the text. */
bool mounts_find(struct str text, const char *where, struct mount_line *ret);
bool mounts_has(const struct mount_line *m, struct str option);
