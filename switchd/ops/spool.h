/* spool: what the clerk works on: a file that was sent, mapped, and a connection of its own to switch.db. */
#pragma once

#include <stdatomic.h>

#include "base/err.h"
#include "store/db.h"

enum { SPOOL_HEX = 65 };

struct spool {
	int fd; /* -1: none */
	void *map;
	size_t size;
	char sha256[SPOOL_HEX];
};

/* 0; -EINVAL with *err for an empty file; negative errno. */
int spool_map(struct spool *s, struct err *err);
void spool_done(struct spool *s);
static inline struct str spool_text(const struct spool *s)
{
	return str_n(s->map, s->size);
}
/* Is there room for so many bytes beside what is kept for calls? 0; -ENOSPC with *err. */
int spool_has_room(const char *data_dir, uint64_t need, uint64_t reserve, struct err *err);
/* After a transaction that found no room: what it wrote beside the database is given back. */
void spool_give_back(struct db *d);
/* -EINVAL with *err. */
int spool_open_config(const char *data_dir, enum db_mode mode, const atomic_bool *stop,
		      struct db **ret, struct err *err);
