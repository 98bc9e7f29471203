/* file: small files, whole. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/buf.h"
#include "base/err.h"

/* Appends the content, at most max bytes. 0 or negative errno (-EFBIG) with *err. */
int file_read(const char *path, size_t max, struct buf *out, struct err *err);
/*
 * Writes a file whole: beside it first, then renamed over it, on the disk when this returns. may_be:
 * an existing file may be replaced. 0 or negative errno (-EEXIST) with *err.
 */
int file_write(const char *path, struct str content, mode_t mode, bool may_be, struct err *err);
/* The names in a folder are on the disk when this returns. 0 or negative errno. */
int file_sync_folder(const char *path);
/* n bytes from that place. 0; -ENODATA: the file ends before; other negative errno. */
int file_pread(int fd, uint64_t at, void *p, size_t n);
/* All of it to a descriptor that blocks. 0 or negative errno: a part may be there. */
int file_put(int fd, struct str s);
/* Is the folder the machine's root, and not one that a test has made? */
bool file_is_root(int folder);
