/*
 * settings: what operators say of bans in switchd's parameters, by the notions of fail2ban (maxretry,
 * findtime, bantime, ignoreip), the honeypot ports, and the ports of media.
 *
 * The last answer of switchd is kept in the state folder, so that a start without it is no start with other
 * rules.
 */
#pragma once

#include <jansson.h>

#include "exempt.h"
#include "judge.h"

enum { HONEYPOTS_MAX = 16 };

/* Ports where switchd listens for those who have no business there. */
struct honeypots {
	uint16_t port[HONEYPOTS_MAX];
	uint8_t n;
};

struct settings {
	uint16_t media_first, media_last; /* 0: not known */
	struct honeypots tcp_traps, udp_traps;
	struct limits limits;
};

#define SETTINGS_DEFAULT ((struct settings){ .limits = LIMITS_DEFAULT })

/* The parameters, for who asks for them; NULL-terminated. */
extern const char *const settings_names[];
/*
 * From an object {name: value}, values as text. What is missing or makes no sense stays as it is; the
 * addresses of ignoreip become exempt. True if those are others than before.
 */
bool settings_take(struct settings *s, struct exempt *e, const json_t *values);
