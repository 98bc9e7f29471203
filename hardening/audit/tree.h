/*
 * tree: the files of the machine that is looked at: this one, or those below another root.
 *
 * Paths are absolute as they are in that machine. Links are followed as they would be there: none
 * leads out of the root.
 */
#pragma once

#include <stdbool.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "base/err.h"

enum { TREE_PATH = 512, TREE_FILE_MAX = 4 * 1024 * 1024, TREE_NAMES_MAX = 65536 };

struct tree {
	int fd;
	bool is_here;      /* the root of this machine */
	bool knows_owners; /* who looks is root: a file's owner is the machine's own */
};

/* 0; -EINVAL with *err if there is no such folder; -ENOMEM. "" is this machine. */
int tree_open(struct tree *ret, const char *root, struct err *err);
void tree_done(struct tree *t);
static inline void tree_done_cleanup(struct tree *t)
{
	tree_done(t);
}

/* A descriptor, which the caller closes, or negative errno. */
int tree_fd(const struct tree *t, const char *path, int flags);
/* Of what a link leads to. 0 or negative errno. */
int tree_stat(const struct tree *t, const char *path, struct stat *ret);
/* Appends the content; -EFBIG over TREE_FILE_MAX. 0 or negative errno. */
int tree_read(const struct tree *t, const char *path, struct buf *out);

/* Negative: the walk ends with that. */
typedef int tree_fn(void *ctx, const char *path);
/*
 * Every path that there is for a pattern, whose last part may have `*`, sorted. Those that are not
 * there are passed over. 0; fn's negative result; -ENOMEM; -ENAMETOOLONG.
 */
int tree_each(const struct tree *t, const char *pattern, tree_fn *fn, void *ctx);
