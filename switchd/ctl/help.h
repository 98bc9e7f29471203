/* help: what can be asked, from the tables of operations and entities. */
#pragma once

#include "base/buf.h"
#include "base/err.h"
#include "model/op.h"

/* "switchctl account recharge ID amount=MONEY [kind=TEXT] ..." */
void help_put_usage(struct buf *out, const struct op_info *op);
/*
 * The options and all entities; an entity's operations; one operation with its fields. n words: 0
 * to 2. -EINVAL with *err.
 */
int help_put(struct buf *out, const char *const *word, int n, struct err *err);
