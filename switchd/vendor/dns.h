/*
 * dns: where is the SIP server of a name (RFC 3263 §4)? The transport is the gateway's; so of NAPTR only what leads to SRV records of that
 * transport counts, then the SRV records themselves, then the addresses of the name. A port that is given leaves only the addresses.
 *
 * Questions are asked by a function of the caller's, answers are read here: any bytes give some result.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/addr.h"
#include "transport/flow.h"

enum { DNS_PORT = 53, DNS_NAME_MAX = 253, DNS_TARGETS_MAX = 32, DNS_ANSWER_BYTES = 16384 };

struct dns_place {
	const char *host;
	uint16_t port; /* 0: none given */
	enum proto proto;
	bool with_v6; /* AAAA, too */
};

struct dns_target {
	struct addr addr;
	uint16_t priority, weight; /* of SRV, 0 without */
};

/* By priority, then in an order that is the same for the same answers. */
struct dns_answer {
	struct dns_target target[DNS_TARGETS_MAX];
	int count;
};

enum dns_type { DNS_A = 1, DNS_AAAA = 28, DNS_SRV = 33, DNS_NAPTR = 35 };

/* Octets of the answer in out; -ENOENT: there is no such name or record; -EAGAIN: nobody knows now. */
typedef int dns_ask_fn(void *ctx, const char *name, enum dns_type type, uint8_t *out, int size);

/* 0; -ENOENT: the name leads nowhere; -EAGAIN: it could not be found out. */
int dns_locate(const struct dns_place *p, dns_ask_fn *ask, void *ctx, struct dns_answer *ret);
bool dns_answer_eq(const struct dns_answer *a, const struct dns_answer *b);

/* "carrier.example.com" or "carrier.example.com:5070": letters, digits and hyphens, not all of them digits. 0 or -EINVAL. */
int dns_name_parse(struct str text, struct str *ret_host, uint16_t *ret_port);
