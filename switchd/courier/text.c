#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"
#include "courier/inner.h"

/*
 * A file is written as NAME.part and gets its name when its time is over, so whoever collects files finds whole ones. The place knows
 * how long the part was when its last records were marked as delivered; what is beyond was written by a turn that did not get so
 * far, and is cut off before anything else is written.
 */

enum { HOUR_S = 3600, NAMES = 100, STEM = 32 };

static const char *put_path(const struct courier *c, const char *file, const char *suffix,
			    struct buf *path)
{
	buf_clear(path);
	buf_printf(path, "%s/cdr/%s%s", c->data_dir, file, suffix);
	return buf_cstr(path);
}

static int sync_folder(const struct courier *c)
{
	CLEANUP(buf_done) struct buf path = BUF_INIT;
	const char *name = put_path(c, "", "", &path);

	return name ? file_sync_folder(name) : -ENOMEM;
}

/* "2026112613", or to the second where files are not hourly. */
static int put_stem(const struct courier *c, ms_t begins, char stem[STEM])
{
	struct buf b = buf_fixed(stem, STEM);
	time_t at = begins / 1000;
	struct tm tm;

	if (!gmtime_r(&at, &tm))
		return -ERANGE;
	buf_printf(&b, "%04d%02d%02d%02d", tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday,
		   tm.tm_hour);
	if (c->wish.interval_s != HOUR_S)
		buf_printf(&b, "%02d%02d", tm.tm_min, tm.tm_sec);
	return buf_cstr(&b) ? 0 : -ERANGE;
}

/* "-2" behind it if that time has had one. */
static int choose_name(struct courier *c, ms_t begins)
{
	CLEANUP(buf_done) struct buf path = BUF_INIT;
	char stem[STEM];
	int r = put_stem(c, begins, stem);

	if (r < 0)
		return r;
	for (int i = 1; i < NAMES; i++) {
		struct buf name = buf_fixed(c->place.file, sizeof(c->place.file));
		const char *whole;

		buf_printf(&name, i == 1 ? "%s.txt" : "%s-%d.txt", stem, i);
		whole = put_path(c, c->place.file, "", &path);
		if (!whole)
			return -ENOMEM;
		if (access(whole, F_OK) < 0)
			return 0;
	}
	return -EEXIST;
}

static int open_part(struct courier *c, ms_t now)
{
	CLEANUP(buf_done) struct buf path = BUF_INIT;
	ms_t interval = c->wish.interval_s * 1000, begins = now - now % interval;
	int r = choose_name(c, begins);
	const char *part = r == 0 ? put_path(c, c->place.file, ".part", &path) : NULL;

	if (r == 0)
		c->file = part ? open(part, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0640) : -1;
	if (r == 0 && c->file < 0)
		r = part ? -errno : -ENOMEM;
	if (r == 0)
		r = sync_folder(c);
	if (r < 0) {
		c->place.file[0] = '\0';
		return r;
	}
	c->place.length = 0;
	c->file_ends = begins + interval;
	return 0;
}

static void close_part(struct courier *c)
{
	if (c->file >= 0)
		(void)close(c->file);
	c->file = -1;
	c->place.file[0] = '\0';
	c->place.length = 0;
}

static int put_durably(int fd, struct str s)
{
	int r = file_put(fd, s);

	return r == 0 && fsync(fd) < 0 ? -errno : r;
}

int text_deliver(struct courier *c, const struct batch *b, ms_t now)
{
	struct place next;
	int r = 0;

	if (c->file < 0 && b->content.n > 0)
		r = open_part(c, now);
	if (r < 0)
		return r;
	next = c->place;
	next.seq = b->last_seq;
	if (b->content.n > 0)
		r = put_durably(c->file, buf_str(&b->content));
	next.length += (int64_t)b->content.n;
	if (r == 0)
		r = place_write(c, &next);
	if (r == 0)
		c->place = next;
	else if (c->file >= 0 && (ftruncate(c->file, c->place.length) < 0 ||
				  lseek(c->file, c->place.length, SEEK_SET) < 0))
		log_at(LOG_ERR, NULL, "%s cannot be cut back: %s", c->place.file, strerror(errno));
	return r;
}

/* ---- whole files ---- */

static int is_ours(const struct dirent *e)
{
	struct str name = str_of(e->d_name);

	return str_has_prefix(name, STR("2")) && str_has_suffix(name, STR(".txt"));
}

/* The names say how old they are. */
static void prune(const struct courier *c)
{
	CLEANUP(buf_done) struct buf path = BUF_INIT;
	const char *folder = put_path(c, "", "", &path);
	struct dirent **list = NULL;
	int n = folder ? scandir(folder, &list, is_ours, alphasort) : -1;

	for (int i = 0; i < n; i++) {
		const char *file =
			n - i > c->wish.keep_files ? put_path(c, list[i]->d_name, "", &path) : NULL;

		if (file && unlink(file) == 0)
			log_at(LOG_NOTICE, NULL, "%s is removed: %lld record files are kept",
			       list[i]->d_name, (long long)c->wish.keep_files);
		free(list[i]);
	}
	free(list);
}

int text_publish(struct courier *c, ms_t now, bool is_forced)
{
	CLEANUP(buf_done) struct buf from = BUF_INIT, to = BUF_INIT;
	const char *part, *whole;

	if (c->file < 0 || (now < c->file_ends && !is_forced))
		return 0;
	part = put_path(c, c->place.file, ".part", &from);
	whole = put_path(c, c->place.file, "", &to);
	if (!part || !whole)
		return -ENOMEM;
	if (rename(part, whole) < 0)
		return -errno;
	close_part(c);
	(void)sync_folder(c);
	prune(c);
	return place_write(c, &c->place);
}

/* ---- the start ---- */

/* Parts that no place knows were begun by a turn that got no further. */
static void drop_strays(const struct courier *c)
{
	CLEANUP(buf_done) struct buf path = BUF_INIT, known = BUF_INIT;
	const char *folder = put_path(c, "", "", &path);
	DIR *d = folder ? opendir(folder) : NULL;
	struct dirent *e;

	buf_printf(&known, "%s.part", c->place.file);
	while (d && buf_error(&known) == 0 && (e = readdir(d))) {
		struct str name = str_of(e->d_name);

		if (str_has_suffix(name, STR(".txt.part")) && !str_eq(name, buf_str(&known)) &&
		    put_path(c, e->d_name, "", &path))
			(void)unlink(path.p);
	}
	if (d)
		(void)closedir(d);
}

int text_resume(struct courier *c, ms_t now)
{
	CLEANUP(buf_done) struct buf path = BUF_INIT;
	ms_t interval = c->wish.interval_s * 1000;
	char stem[STEM];
	const char *part;

	drop_strays(c);
	if (!c->place.file[0])
		return 0;
	part = put_path(c, c->place.file, ".part", &path);
	c->file = part ? open(part, O_WRONLY | O_CLOEXEC) : -1;
	if (c->file < 0) { /* it has its name already */
		close_part(c);
		return part ? 0 : -ENOMEM;
	}
	/* Of an earlier interval: its time is over. */
	c->file_ends = put_stem(c, now - now % interval, stem) == 0 &&
				       str_has_prefix(str_of(c->place.file), str_of(stem))
			       ? now - now % interval + interval
			       : 0;
	if (ftruncate(c->file, c->place.length) < 0 ||
	    lseek(c->file, c->place.length, SEEK_SET) < 0)
		return -errno;
	return 0;
}
