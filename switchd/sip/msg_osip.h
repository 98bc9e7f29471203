/*
 * msg_osip: libosip2's reading of a message beside ours. Two parsers that were written apart have
 * to see the same Vias, Contacts, routes, tags and branch; what they differ on has two meanings,
 * and is refused (security.md P5).
 */
#pragma once

#include "sip/msg.h"

/* 0, with a fault set if they differ; -ENOMEM. Of a message that msg_check found no fault in. */
int msg_osip_agrees(const struct msg *m, struct msg_fault *fault);
