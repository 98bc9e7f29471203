#include "model/tries.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "model/param.h"

enum { FILE_MAX = 512, SECOND = 1000, MINUTE_S = 60, LIMIT = 1000 * 1000 };

static uint32_t default_of(enum param id)
{
	uint32_t n = 0;

	/* The table's own default is a number: gen.py has checked it. */
	(void)str_to_u32(str_of(param_infos[id].default_text), UINT32_MAX, &n);
	return n;
}

void tries_begin(struct tries *t)
{
	*t = (struct tries){
		.limits = { .failures = default_of(PARAM_SS_MAX_LOGIN_FAILED),
			    .pause_s = default_of(PARAM_SERVER_LOGIN_FAILED_DISABLE_TIME),
			    .longest_s = default_of(PARAM_SS_LOGIN_LOCK_TIME) * MINUTE_S },
	};
}

static void forget(struct tries *t)
{
	*t = (struct tries){ .limits = t->limits };
}

static ms_t longest(const struct tries *t)
{
	return (ms_t)t->limits.longest_s * SECOND;
}

static ms_t lock_length(const struct tries *t)
{
	ms_t length = (ms_t)t->limits.pause_s * SECOND;

	for (uint32_t i = 0; i < t->locks && length < longest(t); i++)
		length *= 2;
	return length < longest(t) ? length : longest(t);
}

void tries_fail(struct tries *t, ms_t wall)
{
	ms_t from = t->until > t->last ? t->until : t->last;

	if (wall - from >= longest(t))
		forget(t);
	t->last = wall;
	t->wrong++;
	if (++t->failures < t->limits.failures)
		return;
	t->failures = 0;
	t->until = wall + lock_length(t);
	t->locks++;
}

ms_t tries_left(const struct tries *t, ms_t wall)
{
	ms_t left = t->until - wall;

	/* More than there can be: the clock was set back meanwhile. */
	return left > 0 && left <= longest(t) ? left : 0;
}

/* --- the file --- */

static bool take(struct str *rest, int64_t max, int64_t *ret)
{
	struct str word;

	return str_split(rest, ' ', &word) && str_to_i64(word, 0, max, ret) == 0;
}

/* failures wrong locks last until, then the limits */
static bool parse(struct str text, struct tries *ret)
{
	int64_t n[8];

	text = str_trim(text);
	for (int i = 0; i < 8; i++) {
		if (!take(&text, i == 3 || i == 4 ? INT64_MAX / 2 : LIMIT, &n[i]))
			return false;
	}
	if (!str_is_empty(text) || n[5] == 0)
		return false;
	*ret = (struct tries){ .failures = (uint32_t)n[0],
			       .wrong = (uint32_t)n[1],
			       .locks = (uint32_t)n[2],
			       .last = n[3],
			       .until = n[4],
			       .limits = { (uint32_t)n[5], (uint32_t)n[6], (uint32_t)n[7] } };
	return true;
}

int tries_read(const char *path, struct tries *ret, struct err *err)
{
	CLEANUP(buf_done) struct buf text = BUF_INIT;
	int r = file_read(path, FILE_MAX, &text, err);

	tries_begin(ret);
	if (r < 0)
		return r == -ENOENT ? 0 : r;
	(void)parse(buf_str(&text), ret);
	return 1;
}

static int write_it(const char *path, const struct tries *t, struct err *err)
{
	CLEANUP(buf_done) struct buf text = BUF_INIT;

	buf_printf(&text, "%u %u %u %lld %lld %u %u %u\n", t->failures, t->wrong, t->locks,
		   (long long)t->last, (long long)t->until, t->limits.failures, t->limits.pause_s,
		   t->limits.longest_s);
	if (buf_error(&text) < 0)
		return -ENOMEM;
	return file_write(path, buf_str(&text), 0600, true, err);
}

/* The folder, locked until it is closed; negative errno. */
static int lock_folder(const char *path, struct err *err)
{
	CLEANUP(free) char *copy = str_dup(str_of(path));
	int fd = copy ? open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
	int r = copy ? -errno : -ENOMEM;

	if (fd >= 0 && flock(fd, LOCK_EX) == 0)
		return fd;
	if (fd >= 0) {
		r = -errno;
		(void)close(fd);
	}
	(void)err_set(err, ERR_STORE, "", str_of(path), NULL, "its folder cannot be opened: %s",
		      strerror(-r));
	return r;
}

int tries_note(const char *path, const struct tries_limits *l, bool is_right, ms_t wall,
	       struct tries *ret, struct err *err)
{
	CLEANUP(close) int folder = lock_folder(path, err);
	struct tries now;
	int r = folder < 0 ? folder : tries_read(path, &now, err);

	if (r <= 0 || ret->is_only_here)
		now = *ret;
	if (l)
		now.limits = *l;
	if (is_right)
		forget(&now);
	else
		tries_fail(&now, wall);
	if (r >= 0)
		r = write_it(path, &now, err);
	now.is_only_here = r < 0;
	*ret = now;
	return r < 0 ? r : 0;
}
