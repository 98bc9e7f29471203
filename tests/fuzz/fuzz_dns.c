/*
 * What a name server answers: every question of one look-up gets the same octets. Whatever they are, what comes out are addresses that calls
 * may be sent to, in order of priority, each once.
 */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "vendor/dns.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int answer(void *ctx, const char *name, enum dns_type type, uint8_t *out, int size)
{
	const struct str *bytes = ctx;

	(void)type;
	assert(strlen(name) < 1025);
	if (bytes->n > (size_t)size)
		return -1;
	memcpy(out, bytes->p, bytes->n);
	return (int)bytes->n;
}

static void locate(struct str bytes, enum proto proto, uint16_t port)
{
	struct dns_place place = {
		.host = "a.example", .port = port, .proto = proto, .with_v6 = true
	};
	struct dns_answer found;
	int r = dns_locate(&place, answer, &bytes, &found);

	assert(r <= 0 && (r < 0 || found.count > 0) && found.count <= DNS_TARGETS_MAX);
	for (int i = 0; r == 0 && i < found.count; i++) {
		const struct dns_target *t = &found.target[i];

		assert(addr_is_set(&t->addr) && !addr_is_any(&t->addr) && addr_port(&t->addr));
		assert(i == 0 || t[-1].priority <= t->priority);
		for (int k = 0; k < i; k++)
			assert(!addr_eq(&found.target[k].addr, &t->addr));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str bytes = str_n(data, size), host;
	uint16_t port;

	locate(bytes, PROTO_UDP, 0);
	locate(bytes, PROTO_TLS, 5061);
	if (dns_name_parse(bytes, &host, &port) == 0)
		assert(host.n > 0 && host.n <= DNS_NAME_MAX && host.p == bytes.p);
	return 0;
}
