/*
 * place: the root that the set-up writes below: "/" on a machine, another folder in a test.
 *
 * A file is written beside its old self, made durable and renamed over it, and only if it differs:
 * who loses power has the old file or the new one, and running the set-up again changes nothing.
 */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "base/buf.h"

struct place {
	const char *root; /* without a slash at its end: "" is the machine itself */
};

static inline bool place_is_machine(const struct place *p)
{
	return p->root[0] == '\0';
}
/* The path as the system knows it, with its NUL; NULL if memory is short. For free(). */
char *place_path(const struct place *p, const char *path);
/* Appends a file of at most max bytes. 0; -EFBIG; -ENOENT and others of open and read. */
int place_read(const struct place *p, const char *path, size_t max, struct buf *out);
/* 1: changed; 0: it said so already; negative errno. Folders on the way are made (0755). */
int place_write(const struct place *p, const char *path, mode_t mode, struct str content);
/* The same of a symbolic link. */
int place_link(const struct place *p, const char *path, const char *target);
/* 1: removed; 0: it was not there; negative errno. */
int place_remove(const struct place *p, const char *path);
bool place_has(const struct place *p, const char *path);
/* The folder with its parents, the last one with this mode. 0 or negative errno. */
int place_make_dir(const struct place *p, const char *path, mode_t mode);
