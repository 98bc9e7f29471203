/* What a mail relay answers, and what stands in a mail: a reply has a code of 200 to 599 or none, and no text makes a line of its own dot. */
#include <assert.h>
#include <errno.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "courier/smtp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str text = str_n(data, size), line, all;
	struct smtp_mail m = {
		.from = STR("a@b"), .to = STR("c@d"), .subject = text, .text = text
	};
	CLEANUP(buf_done) struct buf out = BUF_INIT;
	struct err err = ERR_INIT;
	uint16_t port = 0;
	int code = smtp_reply(text);

	assert(code == 0 || code == -EINVAL || (code >= 200 && code <= 599));
	if (smtp_relay_parse(text, &line, &port, &err) == 0)
		assert(line.n > 0 && port > 0);
	smtp_put_mail(&m, 0, &out);
	assert(buf_error(&out) == 0);
	all = buf_str(&out);
	while (str_line(&all, &line))
		assert(!str_eq(line, STR(".")) && line.n <= 998);
	return 0;
}
