/*
 * ledger: what must not be lost. One thread owns the write connection to ledger.db; workers and the main thread mail it what
 * is to be booked and get a completion once it is durable.
 *
 * Group commit: take what is queued, one transaction, complete; the next begins when the last fsync returned. When the file cannot be
 * written (full, locked), everything queued is kept and tried again; ledger_is_up is false meanwhile. The promise: design.md §4.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/loop.h"
#include "ledger/allowance.h"
#include "ledger/purse.h"
#include "model/entity.h"

struct ledger;
struct rerate_batch;
struct booking; /* one thread's end: a ring to the ledger and one back */

/* How accounts behave, for the automatic lock and the CHECK; told at start and whenever an account changes. */
struct account_rule {
	money_t limit_money;
	money_t overdraft;   /* allowance in force now */
	bool anti_overdraft; /* and not a clearing account */
	bool cut_off;
	bool unlock_positive;
	bool is_agent; /* its money comes by calls: it locks below -limit_money, not at it */
};

/*
 * Opens data_dir/ledger.db (made if missing), brings the schema forward, closes every call that a crash left (SwitchRestarted, at the last proof of
 * life), loads the purses. After it returns the books are right. desks: how many threads will book (workers, then the main thread, then
 * the one that rates again).
 */
int ledger_open(struct ledger **ret, const char *data_dir, int desks, size_t ring_bytes,
		struct err *err);
/* Starts the thread. */
int ledger_start(struct ledger *l);
/* Books what is queued, stops the thread, closes. */
struct ledger *ledger_free(struct ledger *l);
DEFINE_CLEANUP(struct ledger *, ledger_free);

/* Purses are made by the main thread before the world that uses them is published. NULL if memory is short. */
struct purse *ledger_purse(struct ledger *l, const char *account);
/* The same of a package that an account has ordered. */
struct bundle *ledger_bundle(struct ledger *l, const char *account, const char *package);
void ledger_set_rule(struct ledger *l, const char *account, const struct account_rule *rule);
bool ledger_is_up(const struct ledger *l);
/*
 * Between the two no record moves from ledger.db to a month file; calls are booked as ever. For a thread that looks at all of the files
 * at one moment: milliseconds, since records wait.
 */
void ledger_hold(struct ledger *l);
void ledger_release(struct ledger *l);
/*
 * How much room there is. TIGHT: what is left is kept for the calls that are up. LOW: half of that is used, and the rest belongs to
 * answered calls; refused ones are counted, no more.
 */
enum ledger_room { LEDGER_ROOM, LEDGER_TIGHT, LEDGER_LOW };
void ledger_set_room(struct ledger *l, enum ledger_room room);
/* TIGHT or LOW. */
bool ledger_is_tight(const struct ledger *l);
bool ledger_is_low(const struct ledger *l);
struct ledger_stats {
	uint64_t commits, booked, failed_commits;
	uint64_t outbox;  /* CDRs not yet in a month file */
	uint32_t waiting; /* ends, answers and payments on their way to the file */
	char error[160];  /* why it is down, "" when up */
	int code;         /* the same as the store's own number (db_code), 0 when up */
};
void ledger_stats(struct ledger *l, struct ledger_stats *ret);

struct booking *ledger_desk(struct ledger *l, int desk);
/* Bytes of ring kept free for the ends of the calls this desk has open: ask before a call is taken, give back at its end. False: too many. */
bool booking_take_room(struct booking *b);
void booking_give_room(struct booking *b);

enum booked {
	BOOKED_ANSWER, /* the call is in the journal */
	BOOKED_END,    /* its CDR, charges and the journal's end are durable */
	BOOKED_PAYMENT,
	BOOKED_RERATE, /* all of a batch, in one transaction */
};
/*
 * error: 0; -ETIMEDOUT: the deadline passed before it could be made durable, nothing was booked. Of payments: -EEXIST: the key
 * was another one's; -EALREADY: it is taken back already; -ENODATA: the balance is 0; -ENOENT: no such account; -ERANGE.
 */
typedef void booked_fn(void *ctx, enum booked what, uint64_t ref, int error,
		       const struct payment_row *payment);
/* Completions arrive in the loop of the desk's thread; for the main thread (loop NULL) by booking_fd and booking_read. */
int booking_attach(struct booking *b, struct loop *loop, booked_fn *on_booked, void *ctx);
int booking_fd(const struct booking *b);
void booking_read(struct booking *b);

/*
 * An answer. cdr (a copy: handed over) as known now; legs: JSON of both dialogs (malloced, handed over); answer_mono: when the 200 came;
 * reach_ms: how long it may last on what is held, 0 = as long as it likes. Not booked after deadline_mono.
 */
bool booking_answer(struct booking *b, uint64_t ref, struct cdr_row *cdr, char *legs,
		    ms_t answer_mono, int64_t reach_ms, ms_t deadline_mono);
/* More is held now: a crash charges no further than this. */
bool booking_reach(struct booking *b, int64_t cdr_id, int64_t reach_ms);
/* The legs changed (re-INVITE); handed over unless it fails. */
bool booking_legs(struct booking *b, int64_t cdr_id, char *legs);
/* The media stopped then: the last proof of life, should a crash follow. 0: it is back, the heartbeat counts again. */
bool booking_heard(struct booking *b, int64_t cdr_id, ms_t heard_mono);
/* The end of any call, answered or not: cdr is handed over; its fee + tax and cost are booked on its accounts. was_answered: it stands in the journal. */
bool booking_end(struct booking *b, uint64_t ref, struct cdr_row *cdr, bool was_answered);
/* Calls of a crash whose peers still have to hear BYE: taken once at start by the first worker; done when both were told. */
struct orphan {
	int64_t id;
	char *legs;
};
size_t ledger_orphans(struct ledger *l, struct orphan **ret);
bool booking_orphan_done(struct booking *b, int64_t id);
/*
 * Main thread: row handed over; the completion carries it with id, time and balance. An account without a purse: -ENOENT. The amount
 * of a reset is found where it is booked.
 */
bool booking_payment(struct booking *b, uint64_t ref, struct payment_row *row);
/* A batch (ledger/rerate.h), which stays the caller's; it must be there until the receipt comes. */
bool booking_rerate(struct booking *b, uint64_t ref, struct rerate_batch *batch);
void booking_flush(struct booking *b);
/* Main thread: a fee that is due, handed over; booked once a period, if the account has the money, and nobody is told. */
bool booking_rent(struct booking *b, struct rent *x);
/* What packages hold for a call that is up, as the record has it (gift_put); handed over unless it fails. */
bool booking_gift(struct booking *b, int64_t cdr_id, char *packages);

/*
 * Closed records leave the switch by couriers (courier/courier.h), each with a number of its own below LEDGER_COURIERS. The table
 * posting numbers the records in the order they were booked; what every courier has delivered goes from it. fd: an eventfd
 * that is written when records were booked, -1 = none. Any thread.
 */
enum { LEDGER_COURIERS = 3 };
void ledger_listen(struct ledger *l, int courier, int fd);
void ledger_delivered(struct ledger *l, int courier, int64_t seq);
