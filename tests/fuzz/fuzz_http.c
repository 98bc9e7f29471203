/*
 * The reply of whoever answers at the address of the answers file; its first line also as that
 * address. A body is part of the reply, and refusing must say why.
 */
#include <assert.h>
#include <errno.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/http.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void ask(struct str text)
{
	CLEANUP(buf_done) struct buf request = BUF_INIT;
	struct err err = ERR_INIT;
	struct http_url u;

	if (http_url_parse(text, &u, &err) < 0) {
		assert(err_is_set(&err));
		return;
	}
	assert(u.port > 0 && u.host.n > 0 && u.path.p[0] == '/');
	http_put_get(&u, &request);
	/* Five lines and the empty one: nothing of the address makes another. */
	struct str line, rest = buf_str(&request);
	int lines = 0;
	while (str_line(&rest, &line))
		lines++;
	assert(lines == 5);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str reply = str_n(data, size), body, line, rest = reply;
	struct err err = ERR_INIT;

	int r = http_reply_parse(reply, &body, &err);
	assert(r == 0 || (r == -EINVAL && err.message[0]));
	if (r == 0)
		assert(body.p >= reply.p && body.p + body.n == reply.p + reply.n);
	if (str_line(&rest, &line))
		ask(line);
	return 0;
}
