/*
 * pcap: traced messages as a capture file that tshark and sngrep open.
 *
 * Link type RAW: IP packets from the true addresses and ports, at the true times. A datagram is one packet, however long. What
 * came by a stream is cut into segments with made-up sequence numbers, counted over the messages that the file has (clear
 * text, of TLS too).
 */
#pragma once

#include "base/htab.h"
#include "trace/store.h"

struct pcap {
	struct buf *out;
	struct htab streams;
	bool with_secrets;
	uint16_t last_id;
};

/* 0 or -ENOMEM. */
int pcap_init(struct pcap *p, struct buf *out, bool with_secrets);
/* What every file begins with; a further page of one has none. */
void pcap_put_head(struct pcap *p);
/* is_before: only counts what an earlier page has. */
void pcap_put(struct pcap *p, const struct traced *t, bool is_before);
void pcap_done(struct pcap *p);
