/*
 * upload: files that clients send in pieces (model/op.h, is_send), one request a piece.
 *
 * What has come is in a file without a name: it is gone with the daemon, and a moment after its
 * client stopped sending.
 */
#pragma once

#include "base/cleanup.h"
#include "control/server.h"

enum { UPLOADS_MAX = 4, UPLOAD_PATIENCE_MS = 60000 };

struct upload;

/* dir: where the pieces are kept, a loan; max: bytes of one file. 0 or -ENOMEM. */
int upload_create(struct upload **ret, const char *dir, uint64_t max);
struct upload *upload_free(struct upload *u);
DEFINE_CLEANUP(struct upload *, upload_free);
/*
 * Takes the piece of a request. 1: the file is whole, in *ret_fd, for the caller to close; the request is still to be answered.
 * 0: the request was answered, more is to come. -EINVAL with *err: the whole upload is forgotten.
 */
int upload_take(struct upload *u, struct request *r, int *ret_fd, struct err *err);
/* Forgets what stands still; to be called about once a second. */
void upload_tick(struct upload *u);
