/*
 * A line of the control socket: it is a request or it is refused with words, and the answer is one
 * line.
 */
#include <assert.h>
#include <errno.h>
#include <stddef.h>
#include <stdint.h>

#include "control/rpc.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/*
 * What a client makes of the same line: an answer to its call 1, an error with words, or neither.
 */
static void read_as_answer(struct str line)
{
	struct err err = ERR_INIT;
	json_t *result = NULL;
	int r = rpc_parse_answer(line, 1, &result, &err);

	assert((r == 0) == (result != NULL));
	assert((r == -EINVAL) == err_is_set(&err));
	json_decref(result);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rpc_call call;
	struct err err = ERR_INIT;
	struct buf out = BUF_INIT;
	int r = rpc_parse(&call, str_n(data, size), &err);

	assert((r < 0) == err_is_set(&err));
	if (r == 0) {
		assert(call.params && call.method.n > 0);
		(void)rpc_put_result(&out, call.id, call.params);
	} else {
		(void)rpc_put_error(&out, call.id, &err);
	}
	if (!buf_error(&out)) {
		assert(out.n > 0 && out.p[out.n - 1] == '\n');
		assert(str_chr(str_head(buf_str(&out), out.n - 1), '\n') < 0);
	}
	buf_done(&out);
	rpc_call_done(&call);
	read_as_answer(str_n(data, size));
	return 0;
}
