#include "tell.h"

#include <stdarg.h>

#include "base/buf.h"
#include "base/cleanup.h"

void tell_say(const struct tell *t, enum tell_kind kind, const char *fmt, ...)
{
	CLEANUP(buf_done) struct buf text = BUF_INIT;
	va_list ap;

	if (!t->fn)
		return;
	va_start(ap, fmt);
	buf_vprintf(&text, fmt, ap);
	va_end(ap);
	t->fn(t->ctx, kind, buf_str(&text));
}
