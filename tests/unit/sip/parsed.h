/*
 * parsed: messages for tests, from a source that is always the same: UDP, 192.0.2.9:5062.
 */
#pragma once

#include "sip/msg.h"

/* Parses "INVITE ...\n..." with its line feeds turned into CR LF, and behind the empty line left as they are. */
int parse_lines(struct msg **ret, const char *lines, struct msg_fault *fault);
/* The same of bytes as they are. */
int parse_bytes(struct msg **ret, struct str bytes, struct msg_fault *fault);
/* A message that has to be good. NULL only when memory ran out on purpose (oom.h). */
struct msg *parsed(const char *lines);
/*
 * An INVITE with these lines put in place of or added to the usual ones: a header that is named in
 * `lines` replaces the usual one of that name. "" gives the usual one.
 */
struct msg *invite_with(const char *lines);
/* The code that such an INVITE is refused with; 0 if it is taken. */
int code_of_invite_with(const char *lines);
/* What the buffer holds, for assert_string_equal. */
const char *text_of(struct buf *b);

extern const struct flow source;
