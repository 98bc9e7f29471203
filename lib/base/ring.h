/*
 * ring: mail from one thread to one other.
 *
 * Single producer, single consumer, lock-free, records of any size up to a quarter of the ring,
 * copied in and out by value. An eventfd wakes the reader: the writer pushes what a loop turn made
 * and then calls ring_flush once. A record may carry a pointer only if the object goes to the
 * reader with it.
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

/*
 * Producer. Two parts are stored as one record (b may be NULL with nb 0). False: full or longer
 * than a quarter of the ring, nothing stored. The reader may see it at once, but is woken only by
 * ring_flush.
 */
bool ring_push(struct ring *r, const void *a, size_t na, const void *b, size_t nb);
/* Wakes the reader if something was pushed since the last flush and the reader sleeps. */
void ring_flush(struct ring *r);
/*
 * Bytes that fit for certain: in one record (of at most a quarter of the ring), or in several,
 * which cost a padding to 8 each, and 8 more each after the first.
 */
size_t ring_room(const struct ring *r);
/* How far the producer has come, for ring_is_past. */
size_t ring_position(const struct ring *r);
/* Has the reader popped everything that was pushed before that position? */
bool ring_is_past(const struct ring *r, size_t position);

/* Consumer. The next record, or NULL; it stays valid until ring_pop. */
const void *ring_peek(struct ring *r, size_t *ret_n);
void ring_pop(struct ring *r);
/*
 * To wait: ring_sleep on every ring, poll ring_fd if all said true, then ring_awake on every ring
 * that was asked. True: it is safe to sleep, mail will make ring_fd readable. False: there is mail
 * already.
 */
int ring_fd(const struct ring *r);
bool ring_sleep(struct ring *r);
/* Makes ring_fd unreadable again; costs a system call only if it was written. */
void ring_awake(struct ring *r);
