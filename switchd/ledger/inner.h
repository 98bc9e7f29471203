/*
 * inner: what the files of ledger/ share. Private to this folder.
 */
#pragma once

#include <pthread.h>

#include "base/loop.h"
#include "ledger/ledger.h"
#include "store/db.h"

/* A purse and what the ledger thread needs beside it. */
struct account {
	struct purse purse;
	struct list all;
	struct account_rule rule; /* under ledger->lock */
	bool has_rule;            /* the same; none is known yet while a crash is repaired */
	/* The ledger thread's own, of the transaction under way: */
	struct list touched;
	money_t next;   /* balance once it is durable */
	money_t paid;   /* payments in it: they become free money at the commit */
	money_t taken;  /* charges that no worker has settled: off what is free at the commit */
	money_t earned; /* income in it: the same */
	bool next_lock;
};

struct rerate_batch;

enum mail_kind {
	MAIL_ANSWER,
	MAIL_LEGS,
	MAIL_HEARD,
	MAIL_REACH,
	MAIL_END,
	MAIL_ORPHAN_DONE,
	MAIL_PAYMENT,
	MAIL_RERATE,
	MAIL_RENT,
	MAIL_GIFT
};

/* What a desk asks for. The rows and texts go with it. */
struct mail {
	enum mail_kind kind;
	bool was_answered;
	uint64_t ref;
	int64_t id;
	ms_t mono, deadline;
	int64_t reach_ms;
	struct cdr_row *cdr;
	char *legs;
	struct payment_row *payment;
	struct rerate_batch *batch; /* the asker's, who waits for the receipt */
	struct rent *rent;
};

/* What it is told when that is durable. */
struct receipt {
	enum booked what;
	int error;
	uint64_t ref;
	struct payment_row *payment;
};

struct booking {
	struct ledger *ledger;
	struct ring *to, *from;
	struct inbox in;  /* at the ledger: mail from this desk */
	struct inbox out; /* at the desk's loop */
	booked_fn *on_booked;
	void *ctx;
	uint32_t open, room; /* calls whose end has its place in the ring */
	bool has_loop;
};

/* One mail of the transaction under way, and the desk to tell. */
struct item {
	struct mail mail;
	struct booking *desk;
	struct receipt receipt;
	bool is_told;     /* a receipt is due */
	bool is_refused;  /* not booked: the receipt says why */
	money_t reserved; /* of the account, for a fee */
	bool is_poison;   /* the database will never take it: said aloud, and left out */
};

struct statements {
	struct stmt *call_add, *call_del, *call_heard, *call_reach, *call_legs;
	struct stmt *outbox_add, *entry_add, *turnover_add;
	struct stmt *payment_add, *payment_by_key, *payment_reversal;
	struct stmt *rerate_add, *rerate_last;
	struct stmt *allowance_find, *allowance_add, *allowance_use, *use_add, *call_gift;
	struct stmt *purse_set, *orphan_add, *orphan_del, *beat;
};

struct ledger {
	char *dir;
	struct db *db;
	struct statements sql;
	pthread_mutex_t moving; /* held while records move to their month files, or must not */
	pthread_mutex_t lock;   /* accounts, their rules, error: main and ledger thread only */
	struct htab table;      /* accounts by name */
	struct htab bundles;    /* packages by account and name */
	struct list accounts;
	struct booking *desk;
	int desks;
	struct orphan *orphan; /* until the first worker takes them */
	size_t orphans;
	/* the ledger thread's own */
	struct loop loop;
	struct timer second, retry;
	struct item *item;
	size_t items, item_room;
	struct list touched;
	ms_t beat_ms;
	int64_t trimmed; /* the posting, up to here */
	pthread_t thread;
	bool is_running;
	/* read by all */
	_Atomic bool is_up;
	_Atomic enum ledger_room room;
	_Atomic uint64_t commits, booked, failed, outbox;
	_Atomic uint32_t waiting;          /* mails sent and not yet booked */
	_Atomic int news[LEDGER_COURIERS]; /* descriptors of the couriers */
	_Atomic int64_t delivered[LEDGER_COURIERS];
	char error[160];
	int code;
};

/* ---- sql.c ---- */
int sql_prepare(struct statements *s, struct db *d);
void sql_free(struct statements *s);
/* reach_ms: 0 = not limited by its money. */
int sql_call_add(struct statements *s, const struct cdr_row *cdr, const char *legs,
		 ms_t answer_mono, int64_t reach_ms);
int sql_cdr(struct stmt *s, const struct cdr_row *cdr);
/* kind: "payment", "charge", "cost" or "income". cdr or payment is 0 for none. */
int sql_entry(struct statements *s, const char *account, ms_t at, const char *kind, money_t amount,
	      int64_t payment, int64_t cdr);

/* ---- accounts.c ---- */
/* NULL if there is none; takes the lock. */
struct account *account_find(struct ledger *l, const char *name);
struct account *account_make(struct ledger *l, const char *name);
int accounts_load(struct ledger *l);
void accounts_free(struct ledger *l);
/* Begins with its durable balance the first time a transaction touches it. */
void account_touch(struct ledger *l, struct account *a);
/* Writes every touched account's row; then, after the commit, what all threads see; or forgets it all. */
int accounts_write(struct ledger *l);
void accounts_publish(struct ledger *l);
void accounts_forget(struct ledger *l);

/* ---- book.c ---- */
/* Applies one mail inside the transaction. Negative errno: the transaction must be rolled back. */
int book_item(struct ledger *l, struct item *it);
/* The charges of a record on its accounts. */
int book_charges(struct ledger *l, const struct cdr_row *cdr);
/* ---- book_income.c ---- */
/* What the agents of a record earned by it. */
int book_income(struct ledger *l, const struct cdr_row *cdr);
/* What they earn by a talk of that length, by the rates that the journal kept with the record. */
int income_compute(struct cdr_row *cdr, int64_t hold_ms);
/* ---- book_rerate.c ---- */
int book_rerate(struct ledger *l, struct rerate_batch *b);
/* ---- book_payment.c ---- */
int book_payment(struct ledger *l, struct item *it);
/* Adds the row of a payment that is on a->next already. */
int payment_add(struct ledger *l, struct account *a, struct payment_row *p);
/* ---- bundles.c ---- */
int bundles_load(struct ledger *l);
void bundles_free(struct ledger *l);
int book_rent(struct ledger *l, struct item *it);
void rent_booked(struct ledger *l, struct item *it);
/* What the packages of a record gave it. */
int book_uses(struct ledger *l, const struct cdr_row *cdr);
int book_gift(struct ledger *l, const struct mail *m);
struct terms;
struct charge;
int gift_close(struct cdr_row *r, const struct terms *t, int64_t hold_ms, struct charge *ret);
/* ---- book.c ---- */
/* What the mail owned. */
void mail_done(struct mail *m);

/* ---- commit.c ---- */
int commit_begin(struct ledger *l);
void *commit_run(void *ledger);
void commit_end(struct ledger *l);
int beat(struct ledger *l, ms_t now_mono);

/* ---- move.c ---- */
/* Closed records from the outbox into their month files. 0 or negative errno; what did not move stays. */
int move_outbox(struct ledger *l);

/* ---- posting.c ---- */
/* Records have been booked: the couriers may look. */
void posting_tell(struct ledger *l);
/* What all of them have delivered is no longer needed. 0 or negative errno. */
int posting_trim(struct ledger *l);

/* ---- recover.c ---- */
int recover(struct ledger *l, struct err *err);
