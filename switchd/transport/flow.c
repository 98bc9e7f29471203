#include "transport/flow.h"

#include <assert.h>

static const struct {
	const char *name, *via;
} NAMES[PROTO_COUNT] = {
	[PROTO_UDP] = { "udp", "UDP" },
	[PROTO_TCP] = { "tcp", "TCP" },
	[PROTO_TLS] = { "tls", "TLS" },
};

const char *proto_name(enum proto p)
{
	assert(p < PROTO_COUNT);
	return NAMES[p].name;
}

const char *proto_via(enum proto p)
{
	assert(p < PROTO_COUNT);
	return NAMES[p].via;
}
