#include "console.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "lock.h"
#include "model/text.h"
#include "setup.h"

#define LOG_FILE SETUP_DIR "/log"

enum { LOOK_MS = 200 };

static void flush(const struct console *c, FILE *to, const struct buf *text)
{
	if (buf_error(text) < 0)
		return;
	(void)fwrite(text->p, 1, text->n, to);
	(void)fflush(to);
	if (c->log >= 0)
		(void)!write(c->log, text->p, text->n);
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
	flush(c, stdout, &line);
}

struct tell console_tell(struct console *c)
{
	*c = (struct console){ clock_mono_ms(), -1 };
	return (struct tell){ print, c };
}

void console_open_log(struct console *c, const struct place *p)
{
	CLEANUP(free) char *path = place_path(p, LOG_FILE);

	if (path)
		c->log = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
}

void console_close_log(struct console *c)
{
	if (c->log >= 0)
		(void)close(c->log);
	c->log = -1;
}

/* --- the other console --- */

/* What the log has got since; a new set-up begins it anew. */
static void show_more(const char *path, off_t *at)
{
	CLEANUP(close) int fd = open(path, O_RDONLY | O_CLOEXEC);
	char piece[4096];
	ssize_t n;

	if (fd < 0)
		return;
	if (lseek(fd, 0, SEEK_END) < *at)
		*at = 0;
	while ((n = pread(fd, piece, sizeof(piece), *at)) > 0) {
		(void)fwrite(piece, 1, (size_t)n, stdout);
		*at += n;
	}
	(void)fflush(stdout);
}

int console_lock(const struct console *c, const struct place *p)
{
	CLEANUP(free) char *path = place_path(p, LOG_FILE);
	const struct tell t = { print, (void *)(uintptr_t)c };
	off_t shown = 0;
	bool is_told = false;
	int r;

	if (!path)
		return -ENOMEM;
	while ((r = lock_take(p)) == -EBUSY) {
		if (!is_told)
			tell_say(&t, TELL_STEP, "a set-up goes on at another console; it says:");
		is_told = true;
		show_more(path, &shown);
		(void)poll(NULL, 0, LOOK_MS);
	}
	if (is_told)
		show_more(path, &shown);
	return r;
}

/* --- refusals --- */

static FILE *where_people_look(void)
{
	return isatty(STDOUT_FILENO) ? stdout : stderr;
}

static void put_part(struct buf *out, const char *name, const char *text)
{
	if (!text[0])
		return;
	buf_printf(out, "  %-9s ", name);
	text_put(out, str_of(text));
	buf_putc(out, '\n');
}

void console_err(const struct console *c, const struct err *err)
{
	CLEANUP(buf_done) struct buf out = BUF_INIT;

	buf_putz(&out, "switch-setup: ");
	text_put(&out, str_n(err->message, strlen(err->message)));
	buf_putc(&out, '\n');
	put_part(&out, "field:", err->field);
	put_part(&out, "given:", err->given);
	put_part(&out, "accepted:", err->accepted);
	flush(c, where_people_look(), &out);
}

void console_report(const struct console *c, const char *name, const struct answers_report *report)
{
	CLEANUP(buf_done) struct buf out = BUF_INIT;

	buf_printf(&out, "switch-setup: %s is refused:\n", name);
	answers_report_print(report, &out);
	flush(c, where_people_look(), &out);
}
