#include <errno.h>

#include "base/base64.h"
#include "ops/inner.h"

int page_of(struct str page, int64_t next, json_t **ret)
{
	CLEANUP(buf_done) struct buf text = BUF_INIT;

	buf_put_base64(&text, page, true);
	if (buf_error(&text) < 0)
		return -ENOMEM;
	*ret = json_pack("{s:o s:o}", "content", json_stringn(text.n ? text.p : "", text.n), "next",
			 next ? json_integer((json_int_t)next) : json_null());
	return *ret ? 0 : -ENOMEM;
}
