/*
 * scan: which ports of an address answer, seen from another network namespace.
 *
 * A port answers if a TCP connection is accepted or refused, or if a UDP datagram is: whatever shows
 * a stranger that a machine is there. A firewall that drops shows nothing. All TCP ports are asked;
 * of UDP, where the kernel refuses only a few times a second, those of usual services.
 *
 * A child process enters the namespace and asks; the parent looks whether it is done.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/addr.h"
#include "base/err.h"

enum scan_answer { SCAN_SILENT, SCAN_REFUSED, SCAN_OPEN };

struct scan_result {
	uint8_t tcp[65536]; /* enum scan_answer of each port */
	uint8_t udp[65536];
	int error; /* a negative errno: the scan was not done */
};

struct scan {
	struct scan_result *result; /* shared with the child */
	pid_t child;                /* 0: none */
};

/*
 * netns: its path. NULL: one of our own, joined to ours by a pair of interfaces that goes with it;
 * a target that is not set is then our end of that pair. 0; -EPERM: not allowed to; other negative
 * errno with *err.
 */
int scan_start(struct scan *s, const char *netns, const struct addr *target, struct err *err);
/* True once the child has ended. */
bool scan_is_done(struct scan *s);
/* Ends the child if it still runs. */
void scan_done(struct scan *s);
