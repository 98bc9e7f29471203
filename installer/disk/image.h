/*
 * image: the packed disk image, unpacked onto a disk while it comes in.
 *
 * The first MiB, where the partition table stands, is written last, once the SHA-256 of all that came is the one that was
 * promised and what was written reads back: an installation that was cut short leaves a disk that does not start, instead of
 * one that starts and is wrong.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/err.h"

enum { IMAGE_SHA256 = 32 };

struct image;

/* What is being done, and how much of it; told whenever the number changes. */
typedef void image_progress_fn(void *ctx, const char *step, int percent);

struct image_order {
	int in;                             /* the packed image: a file or a pipe */
	unsigned char sha256[IMAGE_SHA256]; /* of it */
	image_progress_fn *on_progress;
	void *ctx;
};

/* Reads the head, so that it is known how much room it takes. 0; -EINVAL with *err; other negative errno. */
int image_open(struct image **ret, const struct image_order *o, struct err *err);
/* Of the disk that it makes. */
uint64_t image_bytes(const struct image *i);
/* out: a disk or a file of `bytes` bytes. 0; -EINVAL with *err: the disk does not start then; other negative errno. */
int image_write(struct image *i, int out, uint64_t bytes, struct err *err);
struct image *image_free(struct image *i);
DEFINE_CLEANUP(struct image *, image_free);
