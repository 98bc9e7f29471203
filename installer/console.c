#include "console.h"

#include <stdio.h>

#include "base/cleanup.h"
#include "model/text.h"

static void flush(FILE *to, const struct buf *line)
{
	if (buf_error(line) == 0)
		(void)fwrite(line->p, 1, line->n, to);
	(void)fflush(to);
}

static void print(void *ctx, enum tell_kind kind, struct str text)
{
	static const char *const marks[] = {
		[TELL_STEP] = "",
		[TELL_CHANGE] = "  ",
		[TELL_NOTE] = "  ",
		[TELL_BAD] = "FAILED: ",
	};
	const struct console *c = ctx;
	CLEANUP(buf_done) struct buf line = BUF_INIT;
	ms_t passed = clock_mono_ms() - c->began;

	buf_printf(&line, "[%4lld.%lld s] %s", (long long)(passed / 1000),
		   (long long)(passed % 1000 / 100), marks[kind]);
	text_put(&line, text);
	buf_putc(&line, '\n');
	flush(stdout, &line);
}

struct tell console_tell(struct console *c)
{
	c->began = clock_mono_ms();
	return (struct tell){ print, c };
}

static void put_part(struct buf *out, const char *name, const char *text)
{
	if (!text[0])
		return;
	buf_printf(out, "  %-9s ", name);
	text_put(out, str_of(text));
	buf_putc(out, '\n');
}

void console_err(const struct err *err)
{
	CLEANUP(buf_done) struct buf out = BUF_INIT;

	buf_putz(&out, "switch-setup: ");
	text_put(&out, str_of(err->message));
	buf_putc(&out, '\n');
	put_part(&out, "field:", err->field);
	put_part(&out, "given:", err->given);
	put_part(&out, "accepted:", err->accepted);
	flush(stderr, &out);
}

void console_report(const char *name, const struct answers_report *report)
{
	CLEANUP(buf_done) struct buf out = BUF_INIT;

	buf_printf(&out, "switch-setup: %s is refused:\n", name);
	answers_report_print(report, &out);
	flush(stderr, &out);
}
