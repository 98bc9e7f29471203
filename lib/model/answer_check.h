/* answer_check: what each type of answer accepts, and the one form a value is kept in. */
#pragma once

#include "model/answers.h"

/*
 * Appends the value's form to *form. 0; -EINVAL with *err saying what would be accepted; -ENOMEM.
 * What is appended after a failure means nothing.
 */
int answer_check(enum answer id, struct str given, struct buf *form, struct err *err);
/* For errors and help: "1024 to 65535", "an IPv4 address with its prefix length, or dhcp". */
void answer_accepts(enum answer id, struct buf *out);
