/*
 * msg_check: fills the fields of a message from its head, and notes what breaks a rule of
 * security.md P1-P7. Below the first function stands what its two sources share.
 */
#pragma once

#include "sip/msg.h"

void msg_check(struct msg *m, struct msg_fault *fault);

/* The Via fields (msg_via.c). */
void check_vias(struct msg *m, struct msg_fault *fault);
/*
 * So few parameters that nobody can be made to work hard: osip looks through all of a list to add
 * one more, which for a datagram full of them takes a second.
 */
bool check_simple(struct str s);
/* Takes the piece before c off the front of *s, both trimmed; false if there is no c. */
bool check_take_before(struct str *s, char c, struct str *ret);
/*
 * "host : 5060" → "host:5060  ", in place: s is part of m's text. The blanks that remain are left
 * out of what is returned.
 */
struct str check_squeeze(struct msg *m, struct str s);
