/*
 * migrate: numbered schema steps, forward only, one transaction each; PRAGMA user_version is the number.
 */
#pragma once

#include "base/err.h"
#include "store/db.h"

/* steps[i] takes the schema from version i to i + 1. A newer file than `count` is refused: -EPROTO with *err saying so. */
int migrate(struct db *d, const char *const *steps, int count, struct err *err);

/* Schemas made from the entity tables: switch.db, ledger.db and a month file. */
int migrate_switch(struct db *d, struct err *err);
int migrate_ledger(struct db *d, struct err *err);
int migrate_month(struct db *d, struct err *err);
