/*
 * courier: takes closed records out of the switch: into text files, and to addresses by HTTP.
 *
 * The ledger numbers every record in the transaction that books it (table posting). A courier reads what comes after its own
 * place, delivers it, and only then moves its place, on the disk; so nothing is left out, whatever stops when. Files are cut back to
 * the place at the start, so that none is in them twice; a receiver may see records again and knows them by their id. What is not
 * delivered waits in the store, not in memory, and a courier has its own thread: nobody waits for a receiver.
 *
 * Functions are for the main thread.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/str.h"
#include "ledger/ledger.h"

enum courier_kind {
	COURIER_FILES,     /* lines of 18 fields in files (line.h) */
	COURIER_POST,      /* JSON arrays of records */
	COURIER_COLLECTOR, /* the lines of the files */
	COURIER_COUNT
};

struct couriers;

/* Their threads begin; none has anything to do before couriers_configure. */
int couriers_create(struct couriers **ret, struct ledger *l, const char *data_dir);
struct couriers *couriers_free(struct couriers *c);
DEFINE_CLEANUP(struct couriers *, couriers_free);

struct courier_order {
	int64_t interval_s;         /* a file begins anew after that; 0 = no files */
	int64_t keep_files;         /* whole ones; the oldest go */
	bool is_answered_only;      /* of the files */
	struct str post, collector; /* http://host[:port]/path; empty = nowhere */
};

/* Acts at once; the order is copied. 0 or -ENOMEM. */
int couriers_configure(struct couriers *c, const struct courier_order *o);
/* Can records be sent there? 0 or -EINVAL with *err. */
int courier_check(struct str url, struct err *err);

struct courier_state {
	bool is_on;
	int64_t waiting;   /* records not delivered, when it last looked */
	char failing[160]; /* why it cannot deliver; "" = it can */
};

void courier_state(struct couriers *c, enum courier_kind k, struct courier_state *ret);
