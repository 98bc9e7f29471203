/* loaded: all rows of one entity in memory, owned. */
#pragma once

#include "model/entity.h"
#include "store/db.h"

struct loaded {
	const struct entity *entity;
	void **row;
	size_t count, room;
};

/* 0 or negative errno; what was read before stays owned. */
int loaded_read(struct loaded *l, struct db *db);
void loaded_done(struct loaded *l);
static inline void loaded_done_cleanup(struct loaded *l)
{
	loaded_done(l);
}
