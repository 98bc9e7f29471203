/*
 * archive: many files in one: tar (ustar, with the size extension of GNU for files over 8 GB) under gzip, so that whatever can
 * unpack a .tar.gz can read what we wrote. Files only, plain names.
 *
 * The only includer of zlib. A reader takes nothing for granted: each name, size and checksum is looked at, and gzip's own check
 * says at the end whether all of it was there.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/str.h"

enum { ARCHIVE_NAME = 96, ARCHIVE_HASH = 65 };

/* ---- writing ---- */

struct archive;

/* Writes to fd, which is the archive's from then on, also on failure. 0 or negative errno. */
int archive_create(struct archive **ret, int fd);
/* Without archive_end what was written is no whole archive. */
struct archive *archive_free(struct archive *a);
DEFINE_CLEANUP(struct archive *, archive_free);
/* Begins a file of that many bytes. */
int archive_begin(struct archive *a, const char *name, int64_t bytes);
/* Its content, in as many pieces as it takes. */
int archive_put(struct archive *a, struct str piece);
/* Ends the file; *ret_hash (may be NULL): SHA-256 of its content, in hex. */
int archive_end_file(struct archive *a, char ret_hash[ARCHIVE_HASH]);
/* Ends the archive; on the disk when this returns. */
int archive_end(struct archive *a);

/* ---- reading ---- */

struct unarchive;

/* fd as above. */
int unarchive_create(struct unarchive **ret, int fd);
struct unarchive *unarchive_free(struct unarchive *u);
DEFINE_CLEANUP(struct unarchive *, unarchive_free);
/* The next file; what was left of the one before is passed over. 1; 0: the end, and the archive was whole; -EBADMSG: it is cut or changed. */
int unarchive_next(struct unarchive *u, char ret_name[ARCHIVE_NAME], int64_t *ret_bytes);
/* Bytes read into p, 0 at the end of the file; -EBADMSG. */
int unarchive_read(struct unarchive *u, void *p, int size);
/* Of the file that has been read to its end. */
void unarchive_hash(struct unarchive *u, char ret_hash[ARCHIVE_HASH]);
