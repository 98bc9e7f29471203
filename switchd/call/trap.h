/*
 * trap: numbers of honeypot lists, which nobody has a reason to call. Whoever does is told to
 * switch-lockoutd (security.md F5); a call of a known source is refused, too.
 */
#pragma once

#include "call/inquiry.h"

struct msg;
struct worker;

/* A stranger's INVITE or REGISTER, before anything is asked about it. */
void trap_stranger(struct worker *w, const struct msg *m);
/* A step of admission, once the numbers are known. The white list passes. */
enum reason trap_check(struct inquiry *q);
/* What the step found is counted and told. */
void trap_tell(struct worker *w, const struct msg *m, const struct inquiry *q);
