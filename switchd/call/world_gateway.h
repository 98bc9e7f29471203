/* world_gateway: compiles the lists and rules of one gateway; the checks at entry are the same code. */
#pragma once

#include "call/world.h"

int source_compile(struct source *s, struct err *err);
int vendor_compile(struct vendor *v, struct err *err);
/* Frees the row too. */
void source_done(struct source *s);
void vendor_done(struct vendor *v);
/* Two gateways that could claim the same call: same network, local address, transport and tech prefix. -EINVAL with *err. */
int sources_check_ambiguous(const struct source *s, size_t n, struct err *err);
