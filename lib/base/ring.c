/*
 * A ring of bytes with two positions that only ever grow: head, where the producer writes next, and
 * tail, where the consumer reads next. A record is a header of eight bytes and the content, padded
 * to eight, and lies in one piece: if it does not fit before the end of the memory, a header that
 * says WRAP fills what is left and the record starts at the front.
 *
 * The content is published by the release store of head and handed back by that of tail. Each side
 * keeps a copy of the other's position and looks at the real one only when the copy says full or
 * empty, so that the two cache lines do not travel for each record.
 *
 * Going to sleep must not miss mail, and waking somebody who is awake would cost a system call a
 * turn. Reader and writer each write one word and read the other's:
 *
 *	ring_sleep   asleep = true; fence; look at head      -> mail there: do not sleep
 *	ring_flush   head = ... (in push); fence; look at asleep -> set: take it back, write eventfd
 *
 * The two fences are sequentially consistent, so at least one side sees the other's store: either
 * the reader finds the mail or the writer finds the reader asleep. Each time the writer takes
 * `asleep` back it writes the eventfd once, so the reader knows without a system call whether there
 * is something to clear: it took the flag back itself (no), or the flag was gone (one more is
 * owed).
 */
#include "base/ring.h"

#include <assert.h>
#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>

enum { LINE = 64, HEAD_BYTES = 8, LEAST = 64 };
#define WRAP     UINT32_MAX
#define SIZE_TOP ((size_t)1 << 30)

struct ring {
	size_t size; /* power of two */
	int fd;
	_Alignas(LINE) atomic_size_t head; /* written by the producer */
	size_t tail_seen;
	bool has_news;                     /* pushed since the last flush */
	_Alignas(LINE) atomic_size_t tail; /* written by the consumer */
	size_t head_seen;
	uint64_t owed; /* eventfd writes that are on their way or here and not yet read */
	bool is_armed; /* ring_sleep said that it is safe */
	_Alignas(LINE) atomic_bool asleep;
	_Alignas(LINE) unsigned char data[];
};

static size_t padded(size_t n)
{
	return (n + HEAD_BYTES - 1) & ~(size_t)(HEAD_BYTES - 1);
}

static size_t offset(const struct ring *r, size_t position)
{
	return position & (r->size - 1);
}

int ring_create(struct ring **ret, size_t size_bytes)
{
	size_t size = LEAST;

	if (size_bytes == 0 || size_bytes > SIZE_TOP)
		return -EINVAL;
	while (size < size_bytes)
		size *= 2;

	struct ring *r = aligned_alloc(LINE, sizeof(*r) + size);
	if (!r)
		return -ENOMEM;
	memset(r, 0, sizeof(*r));
	r->size = size;
	r->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (r->fd < 0) {
		int err = -errno;

		free(r);
		return err;
	}
	*ret = r;
	return 0;
}

struct ring *ring_free(struct ring *r)
{
	if (r) {
		(void)close(r->fd);
		free(r);
	}
	return NULL;
}

static void write_header(struct ring *r, size_t at, uint32_t n)
{
	memcpy(r->data + at, &n, sizeof(n));
}

static uint32_t read_header(const struct ring *r, size_t at)
{
	uint32_t n;

	memcpy(&n, r->data + at, sizeof(n));
	return n;
}

/* Are `need` bytes free behind head? */
static bool fits(struct ring *r, size_t head, size_t need)
{
	if (r->size - (head - r->tail_seen) >= need)
		return true;
	r->tail_seen = atomic_load_explicit(&r->tail, memory_order_acquire);
	return r->size - (head - r->tail_seen) >= need;
}

bool ring_push(struct ring *r, const void *a, size_t na, const void *b, size_t nb)
{
	size_t head = atomic_load_explicit(&r->head, memory_order_relaxed);
	size_t at = offset(r, head), skip = 0;

	if (na > r->size / 4 || nb > r->size / 4 - na)
		return false;

	size_t need = HEAD_BYTES + padded(na + nb);
	if (need > r->size - at)
		skip = r->size - at;
	if (!fits(r, head, skip + need))
		return false;

	if (skip) {
		write_header(r, at, WRAP);
		at = 0;
	}
	write_header(r, at, (uint32_t)(na + nb));
	if (na)
		memcpy(r->data + at + HEAD_BYTES, a, na);
	if (nb)
		memcpy(r->data + at + HEAD_BYTES + na, b, nb);
	atomic_store_explicit(&r->head, head + skip + need, memory_order_release);
	r->has_news = true;
	return true;
}

void ring_flush(struct ring *r)
{
	static const uint64_t one = 1;

	if (!r->has_news)
		return;
	r->has_news = false;

	atomic_thread_fence(memory_order_seq_cst);
	if (!atomic_load_explicit(&r->asleep, memory_order_relaxed) ||
	    !atomic_exchange_explicit(&r->asleep, false, memory_order_acq_rel))
		return;
	/* Cannot fail: the counter would have to be full. */
	(void)!write(r->fd, &one, sizeof(one));
}

size_t ring_room(const struct ring *r)
{
	size_t head = atomic_load_explicit(&r->head, memory_order_relaxed);
	size_t tail = atomic_load_explicit(&r->tail, memory_order_acquire);
	size_t room = r->size - (head - tail);
	size_t to_end = r->size - offset(r, head);

	/* In one piece: before the end of the memory or behind its start, whichever is longer. */
	if (room > to_end)
		room = to_end > room - to_end ? to_end : room - to_end;
	if (room < HEAD_BYTES)
		return 0;
	return room - HEAD_BYTES;
}

size_t ring_position(const struct ring *r)
{
	return atomic_load_explicit(&r->head, memory_order_relaxed);
}

bool ring_is_past(const struct ring *r, size_t position)
{
	return atomic_load_explicit(&r->tail, memory_order_acquire) >= position;
}

/* Is there a record behind tail? */
static bool has_mail(struct ring *r, size_t tail)
{
	if (r->head_seen == tail)
		r->head_seen = atomic_load_explicit(&r->head, memory_order_acquire);
	return r->head_seen != tail;
}

const void *ring_peek(struct ring *r, size_t *ret_n)
{
	size_t tail = atomic_load_explicit(&r->tail, memory_order_relaxed);

	if (!has_mail(r, tail))
		return NULL;

	size_t at = offset(r, tail);
	if (read_header(r, at) == WRAP) {
		/* Never published without the record behind it. */
		atomic_store_explicit(&r->tail, tail + r->size - at, memory_order_release);
		at = 0;
	}
	*ret_n = read_header(r, at);
	return r->data + at + HEAD_BYTES;
}

void ring_pop(struct ring *r)
{
	size_t tail = atomic_load_explicit(&r->tail, memory_order_relaxed);

	assert(r->head_seen != tail); /* there was a ring_peek */
	tail += HEAD_BYTES + padded(read_header(r, offset(r, tail)));
	atomic_store_explicit(&r->tail, tail, memory_order_release);
}

int ring_fd(const struct ring *r)
{
	return r->fd;
}

bool ring_sleep(struct ring *r)
{
	size_t tail = atomic_load_explicit(&r->tail, memory_order_relaxed);

	if (has_mail(r, tail))
		return false;
	atomic_store_explicit(&r->asleep, true, memory_order_relaxed);
	r->is_armed = true;
	atomic_thread_fence(memory_order_seq_cst);
	if (!has_mail(r, tail))
		return true;
	ring_awake(r);
	return false;
}

void ring_awake(struct ring *r)
{
	uint64_t written;

	if (r->is_armed && !atomic_exchange_explicit(&r->asleep, false, memory_order_acq_rel))
		r->owed++;
	r->is_armed = false;
	/* The writer may have taken the flag and not written yet: one wake-up for nothing. */
	if (r->owed && read(r->fd, &written, sizeof(written)) == sizeof(written))
		r->owed -= written;
}
