/*
 * ring: mail from one thread to one other.
 *
 * Single producer, single consumer, lock-free, records of any size up to a quarter of the ring, copied
 * in and out by value. An eventfd wakes the reader: the writer pushes what a loop turn made and then calls
 * ring_flush once. A record may carry a pointer only if the object goes to the reader with it.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"

struct ring;

/* size_bytes is rounded up to a power of two. 0, -EINVAL, -ENOMEM or the eventfd's errno. */
int ring_create(struct ring **ret, size_t size_bytes);
struct ring *ring_free(struct ring *r);
DEFINE_CLEANUP(struct ring *, ring_free);

/* Producer. Two parts are stored as one record (b may be NULL with nb 0). False: full, nothing stored. */
bool ring_push(struct ring *r, const void *a, size_t na, const void *b, size_t nb);
/* Wakes the reader if something was pushed since the last flush and the reader sleeps. */
void ring_flush(struct ring *r);
/* Bytes that fit for certain (record overhead of 8 bytes counted off for one record). */
size_t ring_room(const struct ring *r);

/* Consumer. The next record, or NULL; it stays valid until ring_pop. */
const void *ring_peek(struct ring *r, size_t *ret_n);
void ring_pop(struct ring *r);
/* Readable when there is mail; ring_sleep arms it: true = it is safe to sleep, false = mail came meanwhile. */
int ring_fd(const struct ring *r);
bool ring_sleep(struct ring *r);
/* Clears the eventfd after a wake-up. */
void ring_awake(struct ring *r);
