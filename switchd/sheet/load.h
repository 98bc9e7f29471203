/* load: the rates of a group from switch.db, compiled as they are read, so that a million rows never stand in memory as rows. */
#pragma once

#include "rating/tariff.h"
#include "sheet/delta.h"
#include "store/db.h"

/* Rates that ended longer ago are left out: no call is rated by them any more, and weekly sheets would pile them up. */
enum { LOAD_PAST_MS = 86400000 };

/* The origin groups that there are. 0 or negative errno; origin_list_done in every case. */
int load_origins(struct origin_list *ret, struct db *d);

/* All versions, those of others' open transactions excepted. -EINVAL with *err for rows that make no sense; db's errors. */
int load_tariff(struct tariff **ret, struct db *d, struct str group,
		const struct tariff_rules *rules, ms_t now_ms, struct err *err);
/* The same as they would be with a sheet in place. */
int load_tariff_with(struct tariff **ret, struct db *d, struct str group,
		     const struct tariff_rules *rules, ms_t now_ms, const struct sheet *s,
		     const struct delta *p, struct err *err);
