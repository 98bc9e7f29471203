#include "bans_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "model/json.h"

enum {
	FILE_MODE = 0600,
	FILE_BYTES_MAX = 256 * 1024 * 1024,
	LINES_SPARE = 1024, /* lines of the past that are not worth a rewrite */
	LEVELS = 16,
};

struct bans_file {
	struct bans *bans; /* loan */
	char *path;
	int fd;
	size_t lines, bad;
	bool is_behind; /* a line could not be written */
};

/* ---- a line ---- */

json_t *bans_file_line(const struct terms *t, ms_t until_wall)
{
	char text[ADDR_TEXT];

	return json_pack("{s:s s:I s:I s:I s:s s:i s:o s:o s:o}", "address",
			 ban_text(&t->net, text), "since", (json_int_t)t->since, "until",
			 (json_int_t)until_wall, "seconds", (json_int_t)t->seconds, "cause",
			 cause_name(t->cause), "level", t->level, "reason",
			 json_of_text(str_of(t->reason)), "evidence",
			 json_of_text(str_of(t->evidence)), "by", json_of_text(str_of(t->by)));
}

static bool read_int(const json_t *o, const char *name, int64_t max, int64_t *ret)
{
	const json_t *v = json_object_get(o, name);

	if (!json_is_integer(v) || json_integer_value(v) < 0 || json_integer_value(v) > max)
		return false;
	*ret = json_integer_value(v);
	return true;
}

/* Absent is empty; too long is cut. */
static void read_text(const json_t *o, const char *name, char *out, size_t size)
{
	const json_t *v = json_object_get(o, name);
	struct str s = str_n(json_string_value(v), json_string_length(v));

	if (str_copy(out, size, str_head(s, size - 1)) < 0)
		out[0] = '\0';
}

static bool read_net(const json_t *o, struct cidr *ret)
{
	const json_t *v = json_object_get(o, "address");
	struct cidr c;

	if (!json_is_string(v) ||
	    cidr_parse(str_n(json_string_value(v), json_string_length(v)), &c) < 0)
		return false;
	return ban_of(&c, ret) == 0 && ret->bits == c.bits;
}

static bool read_terms(const json_t *o, struct terms *t, ms_t *ret_until)
{
	static const ms_t year_9999 = 253402300799999;
	const json_t *cause = json_object_get(o, "cause");
	int64_t level;

	t->cause = cause_find(str_of(json_string_value(cause)));
	if (t->cause == CAUSE_COUNT || !read_int(o, "level", LEVELS, &level) ||
	    !read_int(o, "seconds", BAN_SECONDS_MAX, &t->seconds) ||
	    !read_int(o, "since", year_9999, &t->since) ||
	    !read_int(o, "until", year_9999, ret_until) || *ret_until == 0)
		return false;
	t->level = (int)level;
	read_text(o, "reason", t->reason, sizeof(t->reason));
	read_text(o, "evidence", t->evidence, sizeof(t->evidence));
	read_text(o, "by", t->by, sizeof(t->by));
	return true;
}

int bans_file_parse(struct str line, struct terms *ret, ms_t *ret_until_wall)
{
	CLEANUP(json_decref) json_t *o = json_loadb(line.p, line.n, JSON_REJECT_DUPLICATES, NULL);
	struct terms t = { 0 };
	ms_t until = 0;

	if (!json_is_object(o) || !read_net(o, &t.net))
		return -EINVAL;
	if (!json_is_true(json_object_get(o, "lifted")) && !read_terms(o, &t, &until))
		return -EINVAL;
	*ret = t;
	*ret_until_wall = until;
	return 0;
}

/* ---- reading ---- */

/* A clock that was set back must not make a ban longer than it was. */
static int restore(struct bans *b, struct terms *t, ms_t until_wall, ms_t now, ms_t now_wall)
{
	struct ban *made = bans_find(b, &t->net);
	ms_t left = until_wall - now_wall;

	if (until_wall == 0) {
		if (made)
			bans_end(made, now, true);
		return 0;
	}
	if (left > t->seconds * 1000)
		left = t->seconds * 1000;
	t->ms = left;
	if (left > 0)
		return bans_put(b, t, now, &made);
	return left + REMEMBER_MS > 0 ? bans_remember(b, t, now + left + REMEMBER_MS) : 0;
}

static int take_lines(struct bans_file *f, struct str rest, ms_t now, ms_t now_wall)
{
	struct str line;
	struct terms t;
	ms_t until;

	while (str_line(&rest, &line)) {
		f->lines++;
		if (bans_file_parse(line, &t, &until) < 0) {
			f->bad++;
			continue;
		}
		if (restore(f->bans, &t, until, now, now_wall) < 0)
			return -ENOMEM;
	}
	return 0;
}

/* ---- writing ---- */

static int put_line(struct buf *out, json_t *line)
{
	char *text = line ? json_dumps(line, JSON_COMPACT) : NULL;

	json_decref(line);
	if (!text)
		return -ENOMEM;
	buf_putz(out, text);
	buf_putc(out, '\n');
	free(text);
	return buf_error(out);
}

/* Takes the line. */
static int append(struct bans_file *f, json_t *line)
{
	CLEANUP(buf_done) struct buf out = BUF_INIT;
	int r = put_line(&out, line);

	if (r == 0)
		r = file_put(f->fd, buf_str(&out));
	if (r < 0)
		f->is_behind = true;
	else
		f->lines++;
	return r;
}

/* A memory fades REMEMBER_MS after its ban, so that says when the ban ended. */
static ms_t until_wall(const struct ban *b, ms_t now, ms_t now_wall)
{
	ms_t at = now_wall + b->until - now - (b->is_active ? 0 : REMEMBER_MS);

	return at > 0 ? at : 1;
}

int bans_file_add(struct bans_file *f, const struct ban *b, ms_t now, ms_t now_wall)
{
	return append(f, bans_file_line(&b->terms, until_wall(b, now, now_wall)));
}

int bans_file_lift(struct bans_file *f, const struct cidr *net)
{
	char text[ADDR_TEXT];

	return append(f, json_pack("{s:s s:b}", "address", ban_text(net, text), "lifted", 1));
}

static int put_bans(struct bans_file *f, struct buf *out, bool is_active, ms_t now, ms_t now_wall)
{
	int r = 0;

	for (const struct ban *b = bans_next(f->bans, is_active, NULL); r == 0 && b;
	     b = bans_next(f->bans, is_active, b))
		r = put_line(out, bans_file_line(&b->terms, until_wall(b, now, now_wall)));
	return r;
}

static int open_end(struct bans_file *f)
{
	int fd = open(f->path, O_WRONLY | O_APPEND | O_CLOEXEC | O_NOFOLLOW);

	return fd < 0 ? -errno : fd;
}

static int rewrite(struct bans_file *f, ms_t now, ms_t now_wall, struct err *err)
{
	CLEANUP(buf_done) struct buf out = BUF_INIT;
	int r = put_bans(f, &out, false, now, now_wall), fd;

	if (r == 0)
		r = put_bans(f, &out, true, now, now_wall);
	if (r == 0)
		r = file_write(f->path, buf_str(&out), FILE_MODE, true, err);
	fd = r < 0 ? r : open_end(f);
	if (fd < 0)
		return fd;
	if (f->fd >= 0)
		(void)close(f->fd);
	f->fd = fd;
	f->lines = bans_count(f->bans) + bans_memories(f->bans);
	f->is_behind = false;
	return 0;
}

int bans_file_tend(struct bans_file *f, ms_t now, ms_t now_wall)
{
	size_t live = bans_count(f->bans) + bans_memories(f->bans);

	if (!f->is_behind && f->lines <= 2 * live + LINES_SPARE)
		return 0;
	return rewrite(f, now, now_wall, NULL);
}

/* ---- opening ---- */

static int open_file(struct bans_file *f, const char *dir, ms_t now, ms_t now_wall, struct err *err)
{
	CLEANUP(buf_done) struct buf path = BUF_INIT;
	CLEANUP(buf_done) struct buf all = BUF_INIT;
	int r;

	buf_printf(&path, "%s/bans.jsonl", dir);
	f->path = buf_steal(&path);
	if (!f->path)
		return -ENOMEM;
	r = access(f->path, F_OK) < 0 ? 0 : file_read(f->path, FILE_BYTES_MAX, &all, err);
	if (r == 0)
		r = take_lines(f, buf_str(&all), now, now_wall);
	return r < 0 ? r : rewrite(f, now, now_wall, err);
}

int bans_file_open(struct bans_file **ret, const char *dir, struct bans *b, ms_t now, ms_t now_wall,
		   struct err *err)
{
	CLEANUP(bans_file_close) struct bans_file *f = calloc(1, sizeof(*f));
	int r;

	if (!f)
		return -ENOMEM;
	f->bans = b;
	f->fd = -1;
	r = open_file(f, dir, now, now_wall, err);
	if (r < 0)
		return err_set(err, ERR_STORE, "--state", str_of(dir),
			       "a folder that switch-lockoutd may write in",
			       "the bans of before cannot be read and kept: %s", strerror(-r));
	*ret = TAKE(f);
	return 0;
}

struct bans_file *bans_file_close(struct bans_file *f)
{
	if (!f)
		return NULL;
	if (f->fd >= 0)
		(void)close(f->fd);
	free(f->path);
	free(f);
	return NULL;
}

size_t bans_file_bad(const struct bans_file *f)
{
	return f->bad;
}
