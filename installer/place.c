#include "place.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file.h"

char *place_path(const struct place *p, const char *path)
{
	CLEANUP(buf_done) struct buf b = BUF_INIT;

	buf_putz(&b, p->root);
	buf_putz(&b, path);
	return buf_steal(&b);
}

int place_read(const struct place *p, const char *path, size_t max, struct buf *out)
{
	CLEANUP(free) char *full = place_path(p, path);
	size_t begin = out->n;

	if (!full)
		return -ENOMEM;
	CLEANUP(close) int fd = open(full, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	struct stat st;
	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -EMEDIUMTYPE;
	for (;;) {
		int r = buf_reserve(out, 4096);
		if (r < 0)
			return r;
		ssize_t n = read(fd, out->p + out->n, 4096);
		if (n <= 0)
			return n < 0 ? -errno : 0;
		out->n += (size_t)n;
		if (out->n - begin > max)
			return -EFBIG;
	}
}

/* Makes every folder that `full` stands in; path is cut and mended on the way. */
static int make_parents(char *full, mode_t mode)
{
	for (char *at = strchr(full + 1, '/'); at; at = strchr(at + 1, '/')) {
		*at = '\0';
		int r = mkdir(full, mode) < 0 && errno != EEXIST ? -errno : 0;
		*at = '/';
		if (r < 0)
			return r;
	}
	return 0;
}

int place_make_dir(const struct place *p, const char *path, mode_t mode)
{
	CLEANUP(free) char *full = place_path(p, path);

	if (!full)
		return -ENOMEM;
	int r = make_parents(full, 0755);
	if (r < 0)
		return r;
	if (mkdir(full, mode) < 0 && errno != EEXIST)
		return -errno;
	return chmod(full, mode) < 0 ? -errno : 0;
}

/* The rename is durable once its folder is. */
static int sync_parent(char *full)
{
	char *slash = strrchr(full, '/');

	*slash = '\0';
	CLEANUP(close) int fd = open(full[0] ? full : "/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	*slash = '/';
	if (fd < 0)
		return -errno;
	return fsync(fd) < 0 ? -errno : 0;
}

enum { TRIES = 8 };

static bool is_same(const char *full, mode_t mode, struct str content)
{
	const struct place here = { "" };
	CLEANUP(buf_done) struct buf old = BUF_INIT;
	struct stat st;

	return lstat(full, &st) == 0 && S_ISREG(st.st_mode) && (st.st_mode & 07777) == mode &&
	       (size_t)st.st_size == content.n && place_read(&here, full, content.n, &old) == 0 &&
	       str_eq(buf_str(&old), content);
}

static int replace(const char *full, const char *fresh, mode_t mode, struct str content)
{
	/* The umask has no say in who may read a file of the system. */
	CLEANUP(close)
	int fd = open(fresh, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	int r = fchmod(fd, mode) < 0 ? -errno : file_put(fd, content);
	if (r == 0 && fsync(fd) < 0)
		r = -errno;
	if (r == 0 && rename(fresh, full) < 0)
		r = -errno;
	if (r < 0)
		(void)unlink(fresh);
	return r;
}

/* full.setup, where the new one is made; what a killed run left there is taken away. */
static char *fresh_name(const char *full)
{
	CLEANUP(buf_done) struct buf b = BUF_INIT;

	buf_printf(&b, "%s.setup", full);
	if (buf_cstr(&b))
		(void)unlink(b.p);
	return buf_steal(&b);
}

int place_write(const struct place *p, const char *path, mode_t mode, struct str content)
{
	CLEANUP(free) char *full = place_path(p, path);

	if (!full)
		return -ENOMEM;
	if (is_same(full, mode, content))
		return 0;
	int r = make_parents(full, 0755);
	if (r < 0)
		return r;
	/* Both consoles may begin at once, and each takes the other's new file away. */
	for (int i = 0; i < TRIES && (i == 0 || r == -ENOENT || r == -EEXIST); i++) {
		CLEANUP(free) char *fresh = fresh_name(full);

		r = fresh ? replace(full, fresh, mode, content) : -ENOMEM;
	}
	if (r == 0)
		r = sync_parent(full);
	return r < 0 ? r : 1;
}

int place_link(const struct place *p, const char *path, const char *target)
{
	CLEANUP(free) char *full = place_path(p, path);
	char old[512];

	if (!full)
		return -ENOMEM;
	ssize_t n = readlink(full, old, sizeof(old));
	if (n > 0 && str_eq(str_n(old, (size_t)n), str_of(target)))
		return 0;
	int r = make_parents(full, 0755);
	if (r < 0)
		return r;
	CLEANUP(free) char *fresh = fresh_name(full);
	if (!fresh)
		return -ENOMEM;
	if (symlink(target, fresh) < 0 || rename(fresh, full) < 0)
		return -errno;
	r = sync_parent(full);
	return r < 0 ? r : 1;
}

int place_remove(const struct place *p, const char *path)
{
	CLEANUP(free) char *full = place_path(p, path);

	if (!full)
		return -ENOMEM;
	if (unlink(full) < 0)
		return errno == ENOENT ? 0 : -errno;
	return 1;
}

bool place_has(const struct place *p, const char *path)
{
	CLEANUP(free) char *full = place_path(p, path);

	return full && access(full, F_OK) == 0;
}
