/*
 * rpc: JSON-RPC 2.0, one object a line (design.md §5): framing, limits and errors, for both ends.
 *
 * A line is at most RPC_LINE_MAX bytes, JSON nesting at most RPC_DEPTH_MAX. An error carries data
 * {code, field, given, accepted}. Batches are refused: a client sends its lines one after another.
 */
#pragma once

#include <jansson.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

enum { RPC_LINE_MAX = 64 * 1024 * 1024, RPC_DEPTH_MAX = 32, RPC_ID_MAX = 128 };

struct rpc_call {
	json_t *id; /* a text of at most RPC_ID_MAX bytes, an integer, null; NULL: a notification */
	struct str method;
	json_t *params; /* an object, never NULL */
	char actor[64]; /* "" unless given */
	json_t *doc;    /* owns all of the above */
};

/*
 * 0; -EINVAL with *err and whatever id could be read in ret->id; -ENOMEM. rpc_call_done must
 * follow in every case.
 */
int rpc_parse(struct rpc_call *ret, struct str line, struct err *err);
void rpc_call_done(struct rpc_call *c);

/*
 * Append one line with its newline. id may be NULL (null), result too; their references are not
 * taken. 0; -ENOMEM; -EMSGSIZE if a result is longer than RPC_LINE_MAX. On failure nothing is
 * appended.
 */
int rpc_put_call(struct buf *out, json_int_t id, const char *method, json_t *params);
int rpc_put_result(struct buf *out, const json_t *id, json_t *result);
int rpc_put_error(struct buf *out, const json_t *id, const struct err *err);

/*
 * The other end: an answer to the call `id`. 0 with a new reference in *ret; -EINVAL with *err as
 * the answerer said; -EPROTO if it is no such answer; -ENOMEM.
 */
int rpc_parse_answer(struct str line, json_int_t id, json_t **ret, struct err *err);
