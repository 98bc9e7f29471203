/* A line of the control socket: it is a request or it is refused with words, and the answer is one line. */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>

#include "control/rpc.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

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
	return 0;
}
