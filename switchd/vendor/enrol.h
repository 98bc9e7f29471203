/*
 * enrol: one registration of the switch at a vendor's registrar (RFC 3261 §10.2): made, refreshed before it ends, tried again
 * for ever when it fails, taken back when it is no longer wanted. What stands is in its reach.
 *
 * A refusal ends what stood; silence and 5xx do not: the binding lives until its own end, and is asked for sooner again.
 */
#pragma once

#include "base/cleanup.h"
#include "vendor/reach.h"
#include "vendor/redirect.h"
#include "vendor/sender.h"

enum { ENROL_WAIT_MS = 8000, ENROL_LEAVE_MS = 4000, ENROL_EXPIRES_MAX_S = 86400 };

/* Texts are loans for the call that takes them. */
struct enrol_config {
	struct means by;
	struct addr peer;
	struct str user;     /* of the digest */
	struct str password; /* of the digest */
	struct str realm;    /* empty: any */
	struct str name;     /* user of the address of record */
	struct str domain;   /* its host; empty: the peer's address */
	struct str contact;  /* user of our Contact */
	enum redirect_rule redirect;
	const struct addr *own; /* addresses that a redirect may lead to */
	int own_count;
};

/* What may change while it stands. */
struct enrol_terms {
	int64_t expire_s; /* asked for; 0 = what the registrar offers */
	ms_t retry_ms;
};

struct enrol;

struct enrol_user {
	/* A realm whose challenge was answered. */
	void (*on_realm)(void *ctx, struct str realm);
	/* Taken back, or given up: nothing more will be sent. Not called inside enrol_leave. */
	void (*on_gone)(void *ctx, struct enrol *e);
	void *ctx;
};

/* sender and reach are loans. 0 or -ENOMEM. */
int enrol_create(struct enrol **ret, const struct sender *s, struct reach *reach,
		 const struct enrol_config *c, const struct enrol_terms *terms,
		 const struct enrol_user *user, ms_t first_in_ms);
/* Another lifetime is asked for at once. */
void enrol_set_terms(struct enrol *e, const struct enrol_terms *terms);
/* Ends it: true if there is something to take back (on_gone follows), false if it can be freed at once. */
bool enrol_leave(struct enrol *e);
struct enrol *enrol_free(struct enrol *e);
DEFINE_CLEANUP(struct enrol *, enrol_free);

/* Our Contact as it stands there, "" before the first try; until: wall time, 0 = none stands. */
const char *enrol_contact(const struct enrol *e);
ms_t enrol_until(const struct enrol *e);
/* Why the last try failed, for people: "403 Forbidden", "no answer"; nothing for 0. */
void enrol_error_text(int error, struct buf *out);
