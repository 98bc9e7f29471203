/*
 * reason: why a call ended or was refused (reasons.tsv): CDR name, SIP code, Q.850 cause, text.
 *
 * REASON_NONE = 0 means: go on. gen.py makes REASON_CALLER_HANGUP ... REASON_COUNT.
 */
#pragma once

#include "base/str.h"

#include "reasons.gen.h"

enum reason_failover { FAILOVER_NO, FAILOVER_NEXT, FAILOVER_BY_CODE };

struct reason_info {
	const char *name; /* "NoRate", as in CDRs; of REASON_NONE "" */
	int sip_code;     /* 0 = the vendor's own, or none */
	int q850;         /* 0 = none */
	enum reason_failover failover;
	const char *text;
};

extern const struct reason_info reason_infos[REASON_COUNT];

const char *reason_name(enum reason r);
int reason_sip_code(enum reason r);
/* REASON_NONE if there is none of that name. */
enum reason reason_find(struct str name);
/* The standard phrase of a SIP status code (sip_phrases.tsv), else one for its hundred. */
const char *sip_phrase(int code);
