#include "base/err.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/buf.h"

const char *err_code_name(enum err_code c)
{
	static const char *const name[] = {
#define ERR_NAME(id, text) [ERR_##id] = (text),
		ERR_CODES(ERR_NAME)
#undef ERR_NAME
	};

	return (unsigned)c < ERR_COUNT ? name[c] : "unknown";
}

/* As much as fits, ending with a whole character. */
static void keep(char *dst, size_t size, struct str s)
{
	struct buf b = buf_fixed(dst, size - 1);

	buf_put_printable(&b, s);
	dst[b.n] = 0;
}

int err_set(struct err *e, enum err_code code, const char *field, struct str given,
	    const char *accepted, const char *fmt, ...)
{
	char text[sizeof(e->message)];
	va_list ap;

	if (!e || err_is_set(e))
		return -EINVAL;

	va_start(ap, fmt);
	if (vsnprintf(text, sizeof(text), fmt, ap) < 0)
		text[0] = 0;
	va_end(ap);

	e->code = code;
	keep(e->field, sizeof(e->field), str_of(field));
	keep(e->given, sizeof(e->given), given);
	keep(e->accepted, sizeof(e->accepted), str_of(accepted));
	keep(e->message, sizeof(e->message), str_of(text));
	return -EINVAL;
}
