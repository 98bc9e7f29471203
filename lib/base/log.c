/*
 * Where to: systemd tells in JOURNAL_STREAM which file stderr was when it started us. If that is
 * still so, lines go to the journal with their fields; else (by hand, under test) stderr gets one
 * line:
 *
 *	warning gateway berlin: no answer in 500 ms gateway=berlin call_id=9f3a
 *
 * Both see the same text, and neither can be made to show two lines for one.
 */
#define SD_JOURNAL_SUPPRESS_LOCATION
#include "base/log.h"

#include <errno.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <systemd/sd-journal.h>
#include <unistd.h>

#include "base/buf.h"

/* A line has 1 kB; the text leaves room for the three fields, which say whom it is about. */
enum { LINE = 1024, TEXT = 600, VALUE = 100, FIELD_COUNT = 3 };

struct field {
	const char *journal_name;
	const char *line_name;
	const char *value; /* NULL: not given */
};

static atomic_int max_level = LOG_INFO;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static bool is_journal;

void log_set_level(int level)
{
	atomic_store_explicit(&max_level, level, memory_order_relaxed);
}

static void find_journal(void)
{
	const char *stream = getenv("JOURNAL_STREAM");
	unsigned long long device, inode;
	struct stat st;

	is_journal = stream && sscanf(stream, "%llu:%llu", &device, &inode) == 2 &&
		     fstat(STDERR_FILENO, &st) == 0 && st.st_dev == device && st.st_ino == inode;
}

/* As much as fits, ending with a whole character. */
static struct str printable(const char *z, char *mem, size_t size)
{
	struct buf b = buf_fixed(mem, size);

	buf_put_printable(&b, str_of(z));
	return buf_str(&b);
}

/* In quotes if it could be taken for more than one thing. */
static void put_value(struct buf *b, const char *z)
{
	char mem[VALUE];
	struct str s = printable(z, mem, sizeof(mem));
	bool quoted =
		s.n == 0 || str_chr(s, ' ') >= 0 || str_chr(s, '"') >= 0 || str_chr(s, '=') >= 0;
	if (quoted)
		buf_putc(b, '"');
	for (size_t i = 0; i < s.n; i++)
		buf_putc(b, s.p[i] == '"' ? '\'' : s.p[i]);
	if (quoted)
		buf_putc(b, '"');
}

static void to_stderr(int level, struct str text, const struct field *field)
{
	static const char *const name[] = { "emerg",   "alert",  "crit", "err",
					    "warning", "notice", "info", "debug" };
	char mem[LINE];
	struct buf line = buf_fixed(mem, sizeof(mem));

	buf_printf(&line, "%s ", name[level & LOG_PRIMASK]);
	buf_put(&line, text);
	for (int i = 0; i < FIELD_COUNT; i++) {
		if (!field[i].value)
			continue;
		buf_printf(&line, " %s=", field[i].line_name);
		put_value(&line, field[i].value);
	}
	buf_putc(&line, '\n');
	(void)!write(STDERR_FILENO, line.p, line.n);
}

static int to_journal(int level, struct str text, const struct field *field)
{
	char mem[LINE], value[VALUE];
	struct buf b = buf_fixed(mem, sizeof(mem));
	struct iovec iov[2 + FIELD_COUNT];
	int n = 0;
	size_t from = 0;

	buf_printf(&b, "PRIORITY=%d", level & LOG_PRIMASK);
	iov[n++] = (struct iovec){ mem, b.n };
	from = b.n;
	buf_putz(&b, "MESSAGE=");
	buf_put(&b, text);
	iov[n++] = (struct iovec){ mem + from, b.n - from };
	for (int i = 0; i < FIELD_COUNT; i++) {
		if (!field[i].value)
			continue;
		from = b.n;
		buf_printf(&b, "%s=", field[i].journal_name);
		buf_put(&b, printable(field[i].value, value, sizeof(value)));
		iov[n++] = (struct iovec){ mem + from, b.n - from };
	}
	return sd_journal_sendv(iov, n);
}

void log_at(int level, const struct log_fields *fields, const char *fmt, ...)
{
	static const struct log_fields none;
	const struct log_fields *f = fields ? fields : &none;
	const struct field field[FIELD_COUNT] = {
		{ "CALL_ID", "call_id", f->call_id },
		{ "GATEWAY", "gateway", f->gateway },
		{ "ACCOUNT", "account", f->account },
	};
	char raw[TEXT], mem[TEXT];
	int saved = errno;
	va_list ap;

	if (level > atomic_load_explicit(&max_level, memory_order_relaxed))
		return;
	(void)pthread_once(&once, find_journal);

	va_start(ap, fmt);
	if (vsnprintf(raw, sizeof(raw), fmt, ap) < 0)
		raw[0] = 0;
	va_end(ap);

	struct str text = printable(raw, mem, sizeof(mem));
	if (!is_journal || to_journal(level, text, field) < 0)
		to_stderr(level, text, field);
	errno = saved;
}

void log_failure(const struct err *err, int error)
{
	log_at(LOG_ERR, NULL, "cannot start: %s%s%s%s%s%s",
	       err->message[0] ? err->message : strerror(-error), err->field[0] ? " (" : "",
	       err->field, err->given[0] ? " " : "", err->given, err->field[0] ? ")" : "");
	if (err->accepted[0])
		log_at(LOG_ERR, NULL, "what would do: %s", err->accepted);
}
