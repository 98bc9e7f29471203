/*
 * msg_check: fills the fields of a message from its head, and notes what breaks a rule of
 * security.md P1-P7.
 */
#pragma once

#include "sip/msg.h"

void msg_check(struct msg *m, struct msg_fault *fault);
