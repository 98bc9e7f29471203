/*
 * rollup: sums of CDRs and of booked entries by the quarter of an hour, in ledger.db, so that a report reads thousands of rows where
 * there are millions of calls.
 *
 * A record counts in the quarter in which its call ended, which is when it was booked: so what a report says of a span is what the
 * balances moved by in that span. Four tables are summed from records, each at the moment a record leaves the outbox, in the
 * transaction that takes it out: a record is in the outbox or in the sums, never in both. turnover is summed from entries, in the
 * transaction that books them.
 *
 * What a column is made of is said once, here: tables, sums, views over the outbox and the check come from these lists.
 */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>

#include "base/buf.h"
#include "base/clock.h"
#include "store/db.h"

enum { ROLLUP_MS = 900000 };

#define ROLLUP_SLOT "coalesce(\"end\", start) / 900000"
/* A try that was given up and answered late has a record of its own for its cost: it is no call of a customer's. */
#define ROLLUP_CALL "(reason IS NOT 'LateAnswer')"
/* A stranger's attempt is nobody's: it counts among the endings alone. */
#define ROLLUP_CUSTOMER "reason IS NOT 'UnknownSource'"
#define ROLLUP_ANSWERED "(answer IS NOT NULL AND sip_code IS 200)"
/* The called side was reached (ITU-T E.425): answered, busy, no answer, declined. */
#define ROLLUP_REACHED \
	"(" ROLLUP_ANSWERED " OR coalesce(vendor_code, 0) IN (480, 486, 487, 600, 603))"

/* Keys: X(column, type, SQL of a CDR); sums: X(column, SQL of a CDR) */
#define ROLLUP_SALE_KEYS(X)                               \
	X(slot, INTEGER, ROLLUP_SLOT)                     \
	X(account, TEXT, "coalesce(account, '')")         \
	X(gateway, TEXT, "coalesce(mapping_gateway, '')") \
	X(phone, TEXT, "coalesce(caller_phone, '')")      \
	X(prefix, TEXT, "coalesce(rate_prefix, '')")
#define ROLLUP_SALE_SUMS(X)                                \
	X(calls, ROLLUP_CALL)                              \
	X(sent, "(tries > 0 AND " ROLLUP_CALL ")")         \
	X(answered, ROLLUP_ANSWERED)                       \
	X(reached, ROLLUP_REACHED)                         \
	X(hold_ms, "iif(" ROLLUP_ANSWERED ", hold_ms, 0)") \
	X(billed_s, "billed_s")                            \
	X(fee, "fee")                                      \
	X(tax, "tax")                                      \
	X(agent_income, "agent_income")                    \
	X(cost, "cost")                                    \
	X(pdd_ms, "coalesce(pdd_ms, 0)")                   \
	X(rung, "(pdd_ms IS NOT NULL)")

#define ROLLUP_PURCHASE_KEYS(X)                           \
	X(slot, INTEGER, ROLLUP_SLOT)                     \
	X(account, TEXT, "coalesce(vendor_account, '')")  \
	X(gateway, TEXT, "coalesce(routing_gateway, '')") \
	X(prefix, TEXT, "coalesce(cost_prefix, '')")
#define ROLLUP_PURCHASE_SUMS(X)                           \
	X(sent, "1")                                      \
	X(answered, "(answer IS NOT NULL)")               \
	X(reached, ROLLUP_REACHED)                        \
	X(hold_ms, "iif(answer IS NOT NULL, hold_ms, 0)") \
	X(billed_s, "cost_billed_s")                      \
	X(cost, "cost")                                   \
	X(fee, "fee")                                     \
	X(tax, "tax")                                     \
	X(agent_income, "agent_income")                   \
	X(pdd_ms, "coalesce(pdd_ms, 0)")                  \
	X(rung, "(pdd_ms IS NOT NULL)")

#define ROLLUP_ENDING_KEYS(X)                             \
	X(slot, INTEGER, ROLLUP_SLOT)                     \
	X(account, TEXT, "coalesce(account, '')")         \
	X(gateway, TEXT, "coalesce(mapping_gateway, '')") \
	X(vendor, TEXT, "coalesce(routing_gateway, '')")  \
	X(reason, TEXT, "coalesce(reason, '')")           \
	X(code, INTEGER, "coalesce(sip_code, 0)")
#define ROLLUP_ENDING_SUMS(X) X(calls, ROLLUP_CALL) X(hold_ms, "hold_ms")

/* One row for each agent above the account of a record (column agents, rating/share.h), which is `share` here; account is the agent. */
#define ROLLUP_SHARE_KEYS(X)                               \
	X(slot, INTEGER, ROLLUP_SLOT)                      \
	X(account, TEXT, "json_extract(share, '$.agent')") \
	X(customer, TEXT, "coalesce(account, '')")         \
	X(prefix, TEXT, "coalesce(json_extract(share, '$.prefix'), '')")
#define ROLLUP_SHARE_SUMS(X)                                                         \
	X(calls, ROLLUP_CALL)                                                        \
	X(billed_s, "json_extract(share, '$.billed_s')")                             \
	X(sold, "json_extract(share, '$.charge') + json_extract(share, '$.income')") \
	X(own, "json_extract(share, '$.charge')")                                    \
	X(income, "json_extract(share, '$.income')")

enum rollup { ROLLUP_SALE, ROLLUP_PURCHASE, ROLLUP_ENDING, ROLLUP_SHARE, ROLLUP_COUNT };

const char *rollup_name(enum rollup r);
/* Comma separated names of the columns that make up a key (slot first), and of the sums. */
void rollup_put_keys(enum rollup r, struct buf *sql);
/* Sums over a query that has these columns: "sum(calls) AS calls, ..." */
void rollup_put_sums(enum rollup r, struct buf *sql);
/* SELECT of keys and values from a table of CDRs; where: a condition on its columns, or NULL. */
void rollup_put_select(enum rollup r, const char *table, const char *where, struct buf *sql);

/* Adds these records of the outbox (ids rising), in the open transaction. 0 or negative errno. */
int rollup_add(struct db *ledger, const int64_t *ids, int count);
/*
 * Everything anew from the entries and the month files in dir, in one transaction. What ended before the oldest month
 * that is kept stays as it was summed then.
 */
int rollup_rebuild(struct db *ledger, const char *dir);
/* The same if there is nothing summed yet: a ledger that an older program has kept. */
int rollup_adopt(struct db *ledger, const char *dir);

/* One sum that differs: its table, account, day (UTC, days since 1970) and column. 0 to go on. */
struct rollup_difference {
	const char *table, *column;
	struct str account;
	int64_t day, stored, computed;
};
typedef int rollup_fn(void *ctx, const struct rollup_difference *d);
/*
 * Sums everything again from the entries and from the records that are kept, on a connection of its own, and names what differs.
 * What ended before the oldest kept month or in the day after its start is not compared, nor is the half hour before now_ms
 * while records are on the move. *ret_records: how many were read. 0, what on_difference returned, or negative errno.
 * stop: may be NULL; -ECANCELED once it is true.
 */
int rollup_check(const char *data_dir, ms_t now_ms, const atomic_bool *stop,
		 rollup_fn *on_difference, void *ctx, int64_t *ret_records);
