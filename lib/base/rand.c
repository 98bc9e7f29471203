/*
 * A call of getrandom costs some 300 ns, a tag needs eight bytes, so each thread keeps a small
 * pool. What was handed out is wiped at once: a leak of our memory tells nothing of earlier
 * numbers. A child of fork must not repeat its parent's numbers, so its pool is emptied in the
 * child.
 */
#include "base/rand.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/secret.h"

enum { POOL = 256 }; /* getrandom gives this much in one piece, signals or not */

static _Thread_local struct {
	unsigned char byte[POOL];
	size_t left; /* the last `left` bytes are unused */
} pool;

static pthread_once_t once = PTHREAD_ONCE_INIT;

/* Runs in the only thread that the child has. */
static void forget(void)
{
	secret_wipe(&pool, sizeof(pool));
}

static void watch_fork(void)
{
	if (pthread_atfork(NULL, NULL, forget) != 0)
		abort();
}

/* Before Linux 3.17 (CentOS 7 has 3.10) there is only the device; it is opened once. */
static ssize_t from_device(void *p, size_t n)
{
	static _Atomic int device = -1;
	int fd = atomic_load(&device), none = -1;

	if (fd < 0) {
		fd = open("/dev/urandom", O_RDONLY | O_CLOEXEC);
		if (fd >= 0 && !atomic_compare_exchange_strong(&device, &none, fd)) {
			(void)close(fd);
			fd = none;
		}
	}
	return fd < 0 ? -1 : read(fd, p, n);
}

/* Without random numbers nothing here is safe to go on with, and Linux has no reason to refuse. */
static void from_kernel(unsigned char *p, size_t n)
{
	while (n > 0) {
		ssize_t r = getrandom(p, n, 0);

		if (r < 0 && errno == ENOSYS)
			r = from_device(p, n);
		if (r < 0 && errno != EINTR)
			abort();
		if (r > 0) {
			p += r;
			n -= (size_t)r;
		}
	}
}

void rand_bytes(void *p, size_t n)
{
	if (n > POOL / 2) {
		from_kernel(p, n);
		return;
	}
	if (n > pool.left) {
		(void)pthread_once(&once, watch_fork);
		from_kernel(pool.byte, POOL);
		pool.left = POOL;
	}

	unsigned char *from = pool.byte + POOL - pool.left;
	memcpy(p, from, n);
	secret_wipe(from, n);
	pool.left -= n;
}

uint64_t rand_u64(void)
{
	uint64_t v;

	rand_bytes(&v, sizeof(v));
	return v;
}

/*
 * Lemire 2019: the high half of x * n is in 0..n-1; of the low halves the first 2^32 mod n are
 * refused, so that every result has the same number of x left.
 */
uint32_t rand_below(uint32_t n)
{
	assert(n > 0);
	uint32_t refused = -n % n;

	for (;;) {
		uint32_t x;

		rand_bytes(&x, sizeof(x));
		uint64_t product = (uint64_t)x * n;
		if ((uint32_t)product >= refused)
			return (uint32_t)(product >> 32);
	}
}
