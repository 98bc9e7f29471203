/* inner: what the files of golive/ share: a run, and the words that tests are written in. */
#pragma once

#include <jansson.h>

#include "control/client.h"
#include "golive/golive.h"
#include "golive/price.h"
#include "golive/stage.h"
#include "model/json.h"

/* The tests, in the order of the run: one function each. */
#define CHECKS(X)        \
	X(switch)        \
	X(licence)       \
	X(basic_call)    \
	X(audio)         \
	X(pcma)          \
	X(pcmu)          \
	X(g729)          \
	X(codec_choice)  \
	X(caller_id)     \
	X(caller_bye)    \
	X(callee_bye)    \
	X(busy)          \
	X(cancel)        \
	X(per_second)    \
	X(increments)    \
	X(setup_fee)     \
	X(sections)      \
	X(record)        \
	X(failover)      \
	X(no_route)      \
	X(no_rate)       \
	X(stranger)      \
	X(rate_limit)    \
	X(overdraft)     \
	X(registration)  \
	X(own_customers) \
	X(own_routes)    \
	X(own_call)      \
	X(own_billing)   \
	X(own_vendors)   \
	X(firewall)      \
	X(load)          \
	X(books)

enum check {
#define CHECK_ENUM(name) CHECK_##name,
	CHECKS(CHECK_ENUM)
#undef CHECK_ENUM
		CHECK_COUNT
};

struct golive {
	struct golive_config c;
	struct client *client;
	struct stage stage;
	struct golive_outcome outcome[CHECK_COUNT];
	struct golive_outcome *now; /* of the test that runs */
	struct err err;             /* of the last ask() */
	bool is_lost;               /* the switch cannot be asked any more */
	bool is_stopped;
	bool is_made;    /* our things stand in the switch */
	uint32_t serial; /* of numbers, so that each call has its own */
	struct price_rules rules;
	json_t *status;     /* as the run began */
	json_t *own_record; /* of the call over the operator's own route */
	ms_t began, ended;
};

typedef void check_fn(struct golive *g);
#define CHECK_FN(name) check_fn check_##name;
CHECKS(CHECK_FN)
#undef CHECK_FN

/* ---- verdicts (golive.c): a test has passed unless it says otherwise; the first word stands ---- */
__attribute__((format(printf, 2, 3))) void fail(struct golive *g, const char *fmt, ...);
__attribute__((format(printf, 3, 4))) void leave(struct golive *g, enum golive_result result,
						 const char *fmt, ...);
/* Better advice than the test's own. */
__attribute__((format(printf, 2, 3))) void advise(struct golive *g, const char *fmt, ...);
/* One more piece of evidence. */
__attribute__((format(printf, 2, 3))) void note(struct golive *g, const char *fmt, ...);
bool is_failed(const struct golive *g);

/* ---- waiting (golive.c) ---- */
typedef bool is_so_fn(void *ctx);
/* Turns the loop until it is so; false after ms, or when the run is stopped. */
bool await(struct golive *g, is_so_fn *is_so, void *ctx, int64_t ms);
/* Lets time pass: the length of a talk. */
void pass(struct golive *g, int64_t ms);

/* ---- the switch (desk.c) ---- */
/* Takes the reference of params. A new reference, or NULL with g->err. */
json_t *ask(struct golive *g, const char *method, json_t *params);
/* The same for what answers nothing of interest; false if it was refused. */
bool tell(struct golive *g, const char *method, json_t *params);
/* A member of an object: "" or 0 if it is not there or null. */
const char *text_in(const json_t *o, const char *name);
int64_t int_in(const json_t *o, const char *name);
money_t money_in(const json_t *o, const char *name);
bool is_ours(const char *name); /* begins with golive- */
/* Makes what the calls need; and takes away whatever begins with golive-. */
int desk_make(struct golive *g, struct err *err);
int desk_clean(struct golive *g, struct err *err);
/* An account's balance; 0 with the test failed if it cannot be had. */
money_t balance_of(struct golive *g, const char *account);
bool pay(struct golive *g, const char *account, const char *amount);

/* ---- calls (trial.c) ---- */
struct trial {
	struct party *caller, *callee; /* callee: NULL unless it came to one of our vendors */
	json_t *cdr;
	char number[STAGE_NUMBER];
};

enum { TRIAL_WAIT_MS = 10000 };

void trial_done(struct trial *t);
static inline void trial_done_cleanup(struct trial *t)
{
	trial_done(t);
}
/* A number with that prefix that no other call has. */
void number_make(struct golive *g, const char *prefix, char ret[STAGE_NUMBER]);
/* INVITE from an end to a number of that prefix; PCMA and PCMU are offered. False: the test failed. */
bool trial_dial(struct golive *g, struct trial *t, enum end end, const char *prefix);
bool trial_dial_as(struct golive *g, struct trial *t, const struct dial *d);
/* Waits for the answer. False with the test failed, and the switch's reason, if it is a refusal. */
bool trial_up(struct golive *g, struct trial *t);
/* Waits for a refusal with that code and, in the record, that reason. */
bool trial_refused(struct golive *g, struct trial *t, int code, const char *reason);
/* BYE from one side; waits until both ends know. */
bool trial_hang_up(struct golive *g, struct trial *t, bool by_caller);
/* The closed record, by the caller's Call-ID. */
bool trial_record(struct golive *g, struct trial *t);
/* The record's fee and tax are what we work out from that rate of golive-sell, the cost too. */
bool trial_charged(struct golive *g, struct trial *t, const char *prefix);
/* Talks until both ends have heard so many frames of the other's tone, or it takes too long. */
void trial_listen(struct golive *g, struct trial *t, uint64_t frames);
/* Both ends have heard the other's tone, in so many frames at least; else the test fails. */
bool trial_heard(struct golive *g, const struct trial *t, uint64_t frames);
/* dial, up, talk, hang up, record: false if one of them failed. */
bool trial_whole(struct golive *g, struct trial *t, const char *prefix, int64_t talk_ms,
		 bool by_caller);
