/*
 * catalog: the live things behind the configuration, and the making of worlds. It keeps, by name and as long as the switch
 * runs, what calls point at (gates, meters, tariffs); it reads the rows from switch.db, compiles a world and publishes it.
 * Main thread.
 */
#pragma once

#include "base/cleanup.h"
#include "call/hub.h"
#include "call/world.h"
#include "store/db.h"

struct catalog;
struct directory;
struct spend_book;

/* overrides: parameters set for this run on the command line; they win over stored ones (loan). */
int catalog_create(struct catalog **ret, struct db *db, struct hub *hub,
		   const struct params *overrides, const bool *is_overridden);
struct catalog *catalog_free(struct catalog *c);
DEFINE_CLEANUP(struct catalog *, catalog_free);

/* What changed since the last world; tariffs are compiled anew only where that says so. */
enum changed {
	CHANGED_GATEWAYS = 1,
	CHANGED_ACCOUNTS = 2,
	CHANGED_PARAMS = 4,
	CHANGED_RATES = 8,
	CHANGED_PHONES = 16,
	CHANGED_LISTS = 32, /* number lists and the white list */
	CHANGED_AREAS = 64,
	CHANGED_TRANSFORMS = 128, /* and number pairs */
	CHANGED_ORIGINS = 256,    /* of the group that is named: rates of its callers */
	CHANGED_ALL = 511
};

/*
 * Compiles a world from the rows as they are now (inside the caller's transaction) and keeps it ready. group: the rate group, or number
 * list, that changed, NULL = all. -EINVAL with *err when the rows do not make sense together: the caller rolls back.
 */
int catalog_prepare(struct catalog *c, unsigned changed, const char *group, struct err *err);
/* Publishes what was prepared; old worlds and tariffs are freed once no worker can see them. */
void catalog_publish(struct catalog *c);
/* A tariff that was compiled elsewhere, from rows that are stored: taken, and published. -ENOMEM, or -EINVAL with *err. */
int catalog_put_tariff(struct catalog *c, const char *group, struct tariff *tariff,
		       struct err *err);
/* For the world that is prepared next: a tariff compiled elsewhere; taken. -ENOMEM. */
int catalog_keep_tariff(struct catalog *c, const char *group, struct tariff *tariff);
/* The one that calls are rated by now; NULL: the group has none. */
const struct tariff *catalog_tariff(struct catalog *c, const char *group);
/* Which connection rows are read by, where another one than the usual has begun the transaction; the one before. */
struct db *catalog_read_by(struct catalog *c, struct db *db);
/* Throws away what was prepared. */
void catalog_discard(struct catalog *c);
const struct world *catalog_world(const struct catalog *c);
struct directory *catalog_directory(const struct catalog *c);
struct spend_book *catalog_spends(const struct catalog *c);
/* What was prepared and not yet published; NULL: nothing is. */
const struct world *catalog_prepared(const struct catalog *c);
/* Tells the ledger how each account behaves; again whenever an overdraft allowance runs out. */
void catalog_tell_rules(struct catalog *c, ms_t wall_ms);
