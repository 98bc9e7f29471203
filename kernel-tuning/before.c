#include "before.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "base/file.h"

#define FILE_NAME BEFORE_FOLDER "/before"
#define NEW_NAME  BEFORE_FOLDER "/before.new"

enum { FILE_MAX = 1024 * 1024, HEX = 16 };

struct before {
	int root;
	struct buf lines; /* "path<TAB>value", a line each */
	bool is_changed;
};

/* Counters, by the words of a table in /proc: a line of names, a line of numbers. */
static const struct {
	const char *what;
	struct str table, name;
} counters[] = {
	{ "proc/net/snmp Udp RcvbufErrors", STR_INIT("Udp:"), STR_INIT("RcvbufErrors") },
	{ "proc/net/snmp Udp SndbufErrors", STR_INIT("Udp:"), STR_INIT("SndbufErrors") },
	{ "proc/net/snmp Udp MemErrors", STR_INIT("Udp:"), STR_INIT("MemErrors") },
};

static const char SOFTNET[] = "proc/net/softnet_stat dropped";

static int read_below(int root, const char *path, struct buf *out)
{
	CLEANUP(close) int fd = openat(root, path, O_RDONLY | O_CLOEXEC);
	char part[4096];
	ssize_t n;

	if (fd < 0)
		return -errno;
	while ((n = read(fd, part, sizeof(part))) > 0 && out->n < FILE_MAX)
		buf_put(out, str_n(part, (size_t)n));
	return n < 0 ? -errno : buf_error(out);
}

int before_open(struct before **ret, int root)
{
	CLEANUP(before_close) struct before *b = calloc(1, sizeof(*b));
	int r;

	if (!b)
		return -ENOMEM;
	b->root = root;
	r = read_below(root, FILE_NAME, &b->lines);
	if (r < 0 && r != -ENOENT && r != -ENOTDIR)
		return r;
	*ret = TAKE(b);
	return 0;
}

struct before *before_close(struct before *b)
{
	if (!b)
		return NULL;
	buf_done(&b->lines);
	free(b);
	return NULL;
}

/* --- lines --- */

static bool find(const struct before *b, struct str path, struct str *ret_line, struct str *ret)
{
	struct str rest = buf_str(&b->lines), line, key;

	while (str_line(&rest, &line)) {
		struct str value = line;

		if (!str_split(&value, '\t', &key) || !str_eq(key, path))
			continue;
		*ret_line = line;
		*ret = value;
		return true;
	}
	return false;
}

bool before_value(const struct before *b, const char *path, struct str *ret)
{
	struct str line;

	return find(b, str_of(path), &line, ret);
}

int before_note(struct before *b, const char *path, const char *value)
{
	struct str line, old;

	if (find(b, str_of(path), &line, &old))
		return 0;
	buf_printf(&b->lines, "%s\t%s\n", path, value);
	b->is_changed = true;
	return buf_error(&b->lines);
}

/* --- counters --- */

/* The number under a name. False: this kernel has none. */
static bool number_under(struct str text, struct str table, struct str name, uint64_t *ret)
{
	struct str names, numbers, n, v;

	while (str_line(&text, &names)) {
		if (!str_has_prefix(names, table) || !str_line(&text, &numbers))
			continue;
		while (str_split(&names, ' ', &n) && str_split(&numbers, ' ', &v)) {
			if (str_eq(n, name))
				return str_to_u64(v, UINT64_MAX, ret) == 0;
		}
	}
	return false;
}

static uint64_t hex_of(struct str s)
{
	uint64_t n = 0;

	for (size_t i = 0; i < s.n && i < HEX; i++) {
		char c = s.p[i];

		n = n << 4 | (unsigned)(c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10);
	}
	return n;
}

/* A line for each processor: the second number is of packets that found its queue full. */
static uint64_t sum_dropped(struct str text)
{
	struct str line, word;
	uint64_t sum = 0;

	while (str_line(&text, &line)) {
		if (str_split(&line, ' ', &word) && str_split(&line, ' ', &word))
			sum += hex_of(word);
	}
	return sum;
}

static int each_counter(const struct before *b, lost_fn *fn, void *ctx)
{
	CLEANUP(buf_done) struct buf snmp = BUF_INIT;
	CLEANUP(buf_done) struct buf softnet = BUF_INIT;
	uint64_t now;
	int r = read_below(b->root, "proc/net/snmp", &snmp);

	for (size_t i = 0; r == 0 && i < sizeof(counters) / sizeof(counters[0]); i++) {
		if (number_under(buf_str(&snmp), counters[i].table, counters[i].name, &now))
			r = fn(ctx, counters[i].what, 0, now);
	}
	if (r < 0 && r != -ENOENT)
		return r;
	r = read_below(b->root, "proc/net/softnet_stat", &softnet);
	if (r == 0)
		r = fn(ctx, SOFTNET, 0, sum_dropped(buf_str(&softnet)));
	return r == -ENOENT ? 0 : r;
}

struct counting {
	const struct before *before;
	struct buf *out; /* of the lines that are made */
	lost_fn *fn;
	void *ctx;
};

static int put_counter(void *ctx, const char *what, uint64_t since, uint64_t now)
{
	const struct counting *c = ctx;

	(void)since;
	buf_printf(c->out, "%s\t%llu\n", what, (unsigned long long)now);
	return buf_error(c->out);
}

/* Lines of counters are made anew each time; those of settings stay. */
int before_note_lost(struct before *b)
{
	CLEANUP(buf_done) struct buf lines = BUF_INIT;
	struct counting c = { .before = b, .out = &lines };
	struct str rest = buf_str(&b->lines), line;

	while (str_line(&rest, &line)) {
		if (!str_has_prefix(line, STR("proc/net/")))
			buf_printf(&lines, "%.*s\n", STR_ARG(line));
	}

	int r = each_counter(b, put_counter, &c);

	if (r < 0 || buf_error(&lines))
		return -ENOMEM;

	struct buf old = b->lines;

	b->lines = lines;
	lines = old;
	b->is_changed = true;
	return 0;
}

static int tell_counter(void *ctx, const char *what, uint64_t none, uint64_t now)
{
	const struct counting *c = ctx;
	struct str line, value;
	uint64_t since = none;

	if (find(c->before, str_of(what), &line, &value))
		(void)str_to_u64(value, UINT64_MAX, &since);
	return c->fn(c->ctx, what, since, now);
}

int before_each_lost(const struct before *b, lost_fn *fn, void *ctx)
{
	struct counting c = { .before = b, .fn = fn, .ctx = ctx };

	return each_counter(b, tell_counter, &c);
}

/* --- the file --- */

int before_save(struct before *b)
{
	if (!b->is_changed)
		return 0;
	if ((mkdirat(b->root, "run", 0755) < 0 && errno != EEXIST) ||
	    (mkdirat(b->root, BEFORE_FOLDER, 0755) < 0 && errno != EEXIST))
		return -errno;

	CLEANUP(close)
	int fd = openat(b->root, NEW_NAME, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	if (fd < 0)
		return -errno;

	int r = file_put(fd, buf_str(&b->lines));

	if (r == 0 && renameat(b->root, NEW_NAME, b->root, FILE_NAME) < 0)
		r = -errno;
	b->is_changed = r < 0;
	return r;
}

int before_forget(struct before *b)
{
	buf_clear(&b->lines);
	return unlinkat(b->root, FILE_NAME, 0) < 0 && errno != ENOENT ? -errno : 0;
}
