/*
 * flow: the way a message came, and the way to send one back or on.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/addr.h"

enum proto { PROTO_UDP, PROTO_TCP, PROTO_TLS, PROTO_COUNT };

struct flow {
	uint8_t proto;     /* enum proto */
	uint8_t worker;    /* who owns the connection, for streams */
	uint16_t listener; /* index of the listening address it belongs to */
	uint32_t conn; /* the connection's number at its owner; 0: UDP, or a stream to be opened */
	uint64_t cert; /* TLS: htab_hash of the pin of the peer's certificate; 0: it showed none */
	struct addr peer;
	uint32_t policy; /* TLS, if it is to be opened: whom to believe (transport_secure) */
};

/* "udp", "tcp", "tls"; and as Via writes it: "UDP", ... */
const char *proto_name(enum proto p);
const char *proto_via(enum proto p);

/* The port where none is written (RFC 3261 §19.1.2). */
static inline uint16_t proto_port(enum proto p)
{
	return p == PROTO_TLS ? 5061 : 5060;
}

static inline bool proto_is_stream(enum proto p)
{
	return p != PROTO_UDP;
}
