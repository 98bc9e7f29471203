/*
 * directory: what worlds know of numbers beside gateways: number lists, the system white list, areas
 * and transforms. Each is compiled only when it has changed, for lists and areas may be long; what is
 * replaced goes when no worker can see it any more. Main thread.
 */
#pragma once

#include "base/cleanup.h"
#include "call/world.h"
#include "store/db.h"

struct directory;

/* What of it has changed. */
enum directory_part {
	DIRECTORY_LISTS = 1, /* number lists, and the white list */
	DIRECTORY_AREAS = 2,
	DIRECTORY_TRANSFORMS = 4, /* ... and number pairs */
	DIRECTORY_ORIGINS = 8,
	DIRECTORY_ALL = 15
};

int directory_create(struct directory **ret, struct db *db);
struct directory *directory_free(struct directory *d);
DEFINE_CLEANUP(struct directory *, directory_free);

/*
 * Compiles the parts anew, from the rows as they are now (inside the caller's transaction). list: the
 * only number list that has changed; NULL: any. -EINVAL with *err; the caller then calls directory_settle(d, false).
 */
int directory_prepare(struct directory *d, unsigned parts, const char *list, struct err *err);
/* What was prepared takes over, or goes. */
void directory_settle(struct directory *d, bool take_over);
/* Frees what was replaced: no worker sees it any more. */
void directory_retire(struct directory *d);

/* One row alone, for checks at entry. -EINVAL with *err naming the field; -ENOMEM. */
int directory_compile(const struct transform_row *row, struct transform **ret, struct err *err);

/* Fills in what a world is compiled from: as prepared, else as it is. */
void directory_tell(struct directory *d, struct world_input *in);
const struct numlist *directory_list(struct directory *d, const char *name);
const struct transform *directory_transform(struct directory *d, const char *name);
