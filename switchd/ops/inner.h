/* inner: what the files of ops/ share. Private to this folder. */
#pragma once

#include <jansson.h>

#include "base/list.h"
#include "call/report.h"
#include "control/args.h"
#include "model/json.h"
#include "model/licence.h"
#include "ops/catalog.h"
#include "ops/ops.h"
#include "store/db.h"

struct alarms;

/* The licence in force, and what was wrong with the one that is not. */
struct permit {
	struct licence licence;
	bool is_licensed;
	char machine[LICENCE_BINDING]; /* what this machine is called; "" = not known */
	struct err problem;            /* of the file found at the start */
};

struct ops {
	struct ops_config c;
	struct hub *hub;
	struct db *db;
	struct catalog *catalog;
	struct alarms *alarms;
	struct report *report;
	struct permit permit;
	struct list waiting; /* requests that workers or the ledger have not answered yet */
	uint32_t next_ref;
	sd_event_source *booked, *second;
	sd_event_source **answers;
	ms_t started_mono;
	uint64_t last_invites; /* a second ago, for calls a second */
	uint32_t cps;
};

/* What a handler says beside 0 (done, *ret is the answer) and a negative errno (*err says why). */
enum { OP_LATER = 1 };

typedef int op_fn(struct ops *o, struct request *r, json_t **ret, struct err *err);

/* Every handler, by the operation it serves. */
op_fn account_recharge, payment_list;
op_fn entity_add, entity_set, entity_show, entity_list, entity_del;
op_fn rate_add, rate_set, rate_show, rate_list, rate_del, rate_quote;
op_fn gateway_addresses, gateway_status;
op_fn parameter_list, parameter_show, parameter_set, parameter_reset;
op_fn route_explain;
op_fn call_list, call_show, call_hangup;
op_fn cdr_list, cdr_show, cdr_explain, cdr_verify_op, cdr_export, ledger_verify_op;
op_fn alarm_list, log_list, status_show;
op_fn license_show, license_activate;

/* ---- changes (change.c) ---- */
/* A change of configuration: one transaction, a line in the log, a world that compiles, then it acts. */
struct change {
	unsigned changed;       /* enum changed */
	const char *group;      /* the rate group, or NULL */
	const char *key;        /* what was changed */
	json_t *before, *after; /* loans, may be NULL */
};
int change_begin(struct ops *o, struct err *err);
/* Commits and publishes, or rolls everything back: 0 or negative with *err. error: what the work in between came to. */
int change_end(struct ops *o, const struct request *r, const struct change *c, int error,
	       struct err *err);

/* ---- entity.c ---- */
/* Computed fields of a row (balance, lines in use, health) as they are now. */
void entity_fill(struct ops *o, enum entity_id id, void *row);

/* ---- waiting.c ---- */
/* Asks every worker (or the one whose number a call id carries); the request is answered when all have. */
int ask_workers(struct ops *o, struct request *r, enum ask_kind kind, int64_t call_id,
		struct err *err);
int waiting_start(struct ops *o);
void waiting_stop(struct ops *o);
/* A request that the ledger will answer; its ref for booking_payment. */
int wait_for_booking(struct ops *o, struct request *r, uint64_t *ret_ref);
void waiting_fail(struct ops *o, uint64_t ref, const struct err *err);

/* ---- alarms.c ---- */
int alarms_create(struct alarms **ret);
struct alarms *alarms_free(struct alarms *a);
/* Looks at everything that can be wrong; once a second. */
void alarms_look(struct ops *o);
int alarms_count(const struct alarms *a);

/* ---- license.c ---- */
/* Looks for a licence from an earlier day; one that is no good is an alarm, not a failure. */
void license_open(struct ops *o);
/* The lines allowed now; once a second, for licences end by themselves. */
void license_look(struct ops *o);
enum licence_state license_state(const struct ops *o);
/* New accounts and gateways: not once the licence has lapsed. 0 or -EINVAL with *err. */
int license_allows_more(const struct ops *o, struct err *err);
/* Adds licence, licence_lines and licence_expires to an object. */
void license_put(const struct ops *o, json_t *object);
