/*
 * referral: who asked for the call that somebody is about to make, and pays for it (security.md B9).
 *
 * A REFER that is passed on names a number of ours with a token behind it. The INVITE that follows brings the token back, to
 * whatever worker, and takes the referral with it: once, and only while it is fresh. Any thread; no locks.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "call/inquiry.h"
#include "transport/steer.h"

enum {
	REFERRAL_PLACES = 1024,
	REFERRAL_LIFE_MS = 180000,
	REFERRAL_NAME = 64,
	REFERRAL_CALL_ID = 256,
	REFERRAL_TAG = 128,
};

struct referral {
	char payer[REFERRAL_NAME + 1]; /* a mapping gateway, or a phone's number */
	bool is_phone;
	struct number callee; /* as the one who asked has written it */
	/* Of the call to be replaced (RFC 3891), as its other end sees it; call_id empty: of none. */
	char call_id[REFERRAL_CALL_ID + 1], our_tag[STEER_TOKEN], their_tag[REFERRAL_TAG + 1];
};

struct referrals;

int referrals_create(struct referrals **ret);
struct referrals *referrals_free(struct referrals *r);
DEFINE_CLEANUP(struct referrals *, referrals_free);
/* The token leads the INVITE to that worker. 0; -EAGAIN: too many are open. */
int referral_put(struct referrals *all, int worker, const struct referral *r, int64_t now_ms,
		 char token[STEER_TOKEN]);
/* True: it was there and is no longer. */
bool referral_take(struct referrals *all, struct str token, int64_t now_ms, struct referral *ret);
