/*
 * cleanup: locals that release themselves, and the two words that say who owns what.
 *
 *	CLEANUP(buf_free) struct buf *b = NULL;     released when the block is left
 *	return TAKE(b);                             handed on: the local no longer owns it
 *
 * A module that has x_free() says DEFINE_CLEANUP(struct x *, x_free) once in its header.
 */
#pragma once

#include <dirent.h>
#include <stdlib.h>
#include <unistd.h>

#define CLEANUP(fn) __attribute__((cleanup(fn##_cleanup)))

#define DEFINE_CLEANUP(type, fn)                 \
	static inline void fn##_cleanup(type *p) \
	{                                        \
		if (*p)                          \
			(void)fn(*p);            \
	}                                        \
	struct cleanup_needs_a_semicolon

/* Gives the pointer away and leaves NULL behind, so that CLEANUP has nothing to do. */
#define TAKE(p)                           \
	__extension__({                   \
		__auto_type taken_ = (p); \
		(p) = NULL;               \
		taken_;                   \
	})

static inline void free_cleanup(void *p)
{
	free(*(void **)p);
}

static inline void close_cleanup(int *fd)
{
	if (*fd >= 0)
		(void)close(*fd);
}

static inline void closedir_cleanup(DIR **d)
{
	if (*d)
		(void)closedir(*d);
}
