#include "call/trail.h"

#include <stdarg.h>
#include <stdio.h>

void trail_done(struct trail *t)
{
	buf_done(&t->json);
}

/* Details are our own sentences around names and numbers that were checked when they came in; quotes can still be in a name. */
static void put_escaped(struct buf *b, const char *text)
{
	for (; *text; text++) {
		if (*text == '"' || *text == '\\')
			buf_putc(b, '\\');
		buf_putc(b, (unsigned char)*text < 0x20 ? ' ' : *text);
	}
}

__attribute__((format(printf, 4, 0))) static void put_step(struct trail *t, const char *step,
							   const char *verdict, const char *fmt,
							   va_list ap)
{
	char detail[256];

	int n = vsnprintf(detail, sizeof(detail), fmt, ap);
	/* Cut between characters: half of one would spoil the whole array. */
	if (n >= (int)sizeof(detail)) {
		n = sizeof(detail) - 2;
		while (n > 0 && ((unsigned char)detail[n] & 0xc0) == 0x80)
			n--;
		detail[n] = '\0';
	}

	if (t->json.n > 0)
		buf_putc(&t->json, ',');
	buf_putz(&t->json, "{\"step\":\"");
	put_escaped(&t->json, step);
	buf_putz(&t->json, "\",\"verdict\":\"");
	put_escaped(&t->json, verdict);
	buf_putz(&t->json, "\",\"detail\":\"");
	put_escaped(&t->json, detail);
	buf_putc(&t->json, '"');
}

void trail_add(struct trail *t, const char *step, const char *verdict, const char *fmt, ...)
{
	va_list ap;

	if (t->is_off)
		return;
	va_start(ap, fmt);
	put_step(t, step, verdict, fmt, ap);
	va_end(ap);
	buf_putc(&t->json, '}');
}

void trail_try(struct trail *t, const char *gateway, const char *verdict, const struct attempt *a,
	       const char *fmt, ...)
{
	va_list ap;

	if (t->is_off)
		return;
	va_start(ap, fmt);
	put_step(t, gateway, verdict, fmt, ap);
	va_end(ap);
	buf_printf(&t->json, ",\"try\":%u,\"ms\":%lld", a->n, (long long)a->ms);
	if (a->code)
		buf_printf(&t->json, ",\"code\":%d", a->code);
	if (a->reason)
		buf_printf(&t->json, ",\"reason\":\"%s\"", a->reason);
	buf_putc(&t->json, '}');
}

struct str trail_text(struct trail *t, struct buf *scratch)
{
	buf_clear(scratch);
	buf_putc(scratch, '[');
	if (buf_error(&t->json) == 0)
		buf_put(scratch, buf_str(&t->json));
	buf_putc(scratch, ']');
	return buf_error(scratch) ? (struct str){ NULL, 0 } : buf_str(scratch);
}
