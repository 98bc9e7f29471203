/*
 * retry: after a vendor failed, is the next one tried; and what does the caller hear in the end?
 * (behaviour.md "Choosing and trying vendors")
 *
 * Presets and the gateway's own stop_codes are lists in one form, and a list says everything: what
 * it names ends the hunt, all other answers go on; continue_codes are exceptions from all of it.
 */
#pragma once

#include <stdbool.h>

#include "base/err.h"
#include "base/str.h"
#include "model/entity.h"

/* How far the failed try had come. */
enum try_stage { TRY_SENT, TRY_RINGING, TRY_EARLY_MEDIA, TRY_ANSWERED };

/* What the parameters say where a gateway leaves it to them. */
struct retry_rules {
	bool until_connect;      /* SS_GATEWAY_SWITCH_UNTIL_CONNECT; else until it rings */
	bool stop_after_busy;    /* SS_GATEWAY_SWITCH_STOP_AFTER_USER_BUSY */
	bool stop_after_sdp;     /* SS_SIP_STOP_SWITCH_AFTER_SDP */
	bool stop_after_rtp;     /* SS_GATEWAY_SWITCH_STOP_AFTER_RTP_START */
	bool stop_after_silence; /* SS_SIP_USER_AGENT_STOP_SWITCH_AFTER_INVITE_TIMEOUT */
};

/* What came of the try. */
struct retry_case {
	enum try_stage stage;
	int code;      /* its final code */
	bool is_local; /* it gave none: a time-out of ours or a transport error, which no list stops */
	bool is_silent; /* ... for it said nothing at all */
	bool relayed;   /* the media of the call runs through us */
	bool had_rtp;   /* the vendor has sent media */
};

/* gw: the gateway that failed. */
bool retry_goes_on(const struct routing_gateway_row *gw, const struct retry_rules *rules,
		   const struct retry_case *what);

/* Checks stop_codes or continue_codes (field) as entered: "4xx,503,600". 0, or -EINVAL with *err. */
int retry_check_codes(struct str list, const char *field, struct err *err);

/* The code for the caller out of the codes of all tries, in order. Starts as zeros. */
struct verdict {
	int best; /* on the called party: 486, 600, 404, 410, 484, 480, best first; 0 = none */
	int last; /* the last try's, made fit for a caller */
};

/* code: the vendor's final code, or ours for a try that got none (408, 503). */
void verdict_add(struct verdict *v, int code);
/* 401, 402, 403, 407 and 3xx of a vendor become 503. 0 if no try was made. */
int verdict_code(const struct verdict *v);
