/*
 * daemons: asks the daemons behind the control sockets, one connection a question, so that one that
 * was started again is found again without a word about it.
 */
#pragma once

#include "base/err.h"
#include "model/entity.h"
#include "model/json.h"

struct daemons {
	const char *control; /* the socket of switchd; the others' stand beside it */
	bool is_read_only;   /* nothing that changes anything is asked, whatever a page does */
};

/*
 * Asks the operation of that name (operations.tsv) of its owner. params is a loan; NULL: none. 0
 * with a new reference in *ret (NULL: not wanted); -EINVAL: refused, *err says why; other negative
 * errno: the daemon cannot be reached or gave no answer, *err says that, too.
 */
int daemons_ask(const struct daemons *d, const char *operation, json_t *params, json_t **ret,
		struct err *err);
/* The keys of an entity as a new array of strings: for form_entity.h. ctx: struct daemons. */
int daemons_keys(void *ctx, const struct entity *e, json_t **ret);
/* The key of a row as operators write it: "acme", "wholesale/880". */
void daemons_key(const struct entity *e, const json_t *row, struct buf *out);
