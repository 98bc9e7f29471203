/*
 * ext: the headers of SIP's extensions, read strictly: what cannot be read is as if it were not there.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "sip/msg.h"

enum refresher { REFRESHER_ANY, REFRESHER_UAC, REFRESHER_UAS };

/* Session-Expires in seconds, at most a day; 0: none (RFC 4028 §4). */
uint32_t ext_session_expires(const struct msg *m, enum refresher *ret_role);
/* Min-SE likewise (§5). */
uint32_t ext_min_se(const struct msg *m);
/* The number of a response that asks to be acknowledged (RFC 3262 §7.1); 0: it does not ask. */
uint32_t ext_rseq(const struct msg *m);
/* Does this PRACK acknowledge response `rseq` of the INVITE with that CSeq (§7.2)? */
bool ext_acknowledges(const struct msg *prack, uint32_t rseq, uint32_t cseq);
/* Seconds of Retry-After, whatever stands behind them; `otherwise` if there is none or more than max. */
uint32_t ext_retry_after(const struct msg *m, uint32_t max, uint32_t otherwise);
/* The Q.850 cause of its Reason header (RFC 3326, 6432), 1 to 127; 0: none. */
uint32_t ext_cause(const struct msg *m);
/* Reason lines (RFC 3326) as they may be shown to others: protocols that we know, their causes, no text. */
void ext_put_reasons(const struct msg *m, struct buf *out);
/* Extensions that one peer may require and another may not (RFC 4028, 3262, 3891). */
enum { EXT_TIMER = 1, EXT_100REL = 2, EXT_REPLACES = 4 };
/*
 * An Unsupported line with what Require and Proxy-Require ask for beyond privacy (RFC 3323) and known_here (EXT_*); false, and nothing
 * written, if that is nothing.
 */
bool ext_put_unsupported(const struct msg *m, unsigned known_here, struct buf *out);
