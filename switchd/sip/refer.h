/*
 * refer: what REFER and NOTIFY carry, read so that it can be said to somebody else: which call is to be replaced (RFC 3891), how far it has
 * come (RFC 3515), and how many messages wait (RFC 3842). Nothing of the first speaker's words, hosts and ids gets through.
 */
#pragma once

#include <stdbool.h>

#include "base/buf.h"

struct replaces {
	struct str call_id, to_tag, from_tag;
	bool is_early_only;
};

/* "a@b;to-tag=1;from-tag=2;early-only", in slices of it (RFC 3891 §6.1). 0 or -EINVAL. */
int refer_read_replaces(struct str value, struct replaces *ret);

/*
 * The Replaces among the headers of a URI ("Replaces=a%40b%3Bto-tag%3D1%3Bfrom-tag%3D2&..."), its text put into the empty buffer. 1; 0: there
 * is none; -EINVAL.
 */
int refer_replaces(struct str headers, struct buf *text, struct replaces *ret);
/* "active;expires=60", "terminated;reason=noresource" (RFC 6665 §4.1.3), as a line; false if it is none. */
bool refer_put_state(struct str value, struct buf *out, bool *ret_is_over);
/* The code of "SIP/2.0 486 Busy Here" in our words; false if it is none. */
bool refer_put_progress(struct str sipfrag, struct buf *out);
/* "Messages-Waiting: yes", "Voice-Message: 2/8 (0/2)"; not Message-Account, which names a host, nor what is said of single ones. */
void refer_put_summary(struct str body, struct buf *out);
