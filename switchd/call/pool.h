/*
 * pool: the number that a vendor is told as the caller, drawn from a number list (routing-gateway caller_pool): one after the other or at
 * random, and none more often at once than caller_pool_lines says.
 */
#pragma once

#include "call/inquiry.h"

/*
 * Sets c->caller, and takes what c->pool gives back; dry it shows the number whose turn it is. REASON_NONE also without a pool;
 * REASON_ALL_GATEWAY_BUSY with a line in the trail: all that were looked at are in use.
 */
enum reason pool_draw(struct inquiry *q, struct choice *c);
void pool_give(struct pool_line *l);
