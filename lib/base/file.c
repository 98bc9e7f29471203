#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"

static int failed(struct err *err, const char *path, const char *what)
{
	int r = -errno;

	(void)err_set(err, ERR_NOT_FOUND, "", str_of(path), NULL, "cannot %s %s: %s", what, path,
		      strerror(-r));
	return r;
}

int file_read(const char *path, size_t max, struct buf *out, struct err *err)
{
	CLEANUP(close) int fd = open(path, O_RDONLY | O_CLOEXEC);
	size_t begin = out->n;
	char piece[4096];
	ssize_t n;

	if (fd < 0)
		return failed(err, path, "open");
	while ((n = read(fd, piece, sizeof(piece))) > 0) {
		buf_put(out, str_n(piece, (size_t)n));
		if (out->n - begin > max) {
			errno = EFBIG;
			return failed(err, path, "read");
		}
	}
	if (n < 0)
		return failed(err, path, "read");
	return buf_error(out);
}

int file_put(int fd, struct str s)
{
	while (s.n > 0) {
		ssize_t n = write(fd, s.p, s.n);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		s = str_skip(s, (size_t)n);
	}
	return 0;
}

int file_sync_folder(const char *path)
{
	CLEANUP(close) int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return fd < 0 || fsync(fd) < 0 ? -errno : 0;
}

/* The name is on the disk only when its folder is. */
static int sync_folder_of(const char *path)
{
	const char *slash = strrchr(path, '/');
	CLEANUP(free)
	char *folder = slash ? str_dup(str_n(path, (size_t)(slash - path) + 1)) : strdup(".");

	return folder && file_sync_folder(folder) == 0 ? 0 : -1;
}

int file_write(const char *path, struct str content, mode_t mode, bool may_be, struct err *err)
{
	CLEANUP(buf_done) struct buf beside = BUF_INIT;

	if (!may_be && access(path, F_OK) == 0) {
		errno = EEXIST;
		return failed(err, path, "write");
	}
	buf_printf(&beside, "%s.new", path);
	const char *name = buf_cstr(&beside);
	if (!name)
		return -ENOMEM;
	(void)unlink(name);
	CLEANUP(close) int fd = open(name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
	if (fd < 0)
		return failed(err, name, "make");
	(void)fchmod(fd, mode); /* whatever the umask is; FAT has none */
	if (file_put(fd, content) < 0 || fsync(fd) < 0 || rename(name, path) < 0 ||
	    sync_folder_of(path) < 0) {
		int r = failed(err, path, "write");

		(void)unlink(name);
		return r;
	}
	return 0;
}

int file_pread(int fd, uint64_t at, void *p, size_t n)
{
	char *to = p;

	while (n > 0) {
		ssize_t got = pread(fd, to, n, (off_t)at);

		if (got <= 0)
			return got < 0 ? -errno : -ENODATA;
		to += got;
		at += (uint64_t)got;
		n -= (size_t)got;
	}
	return 0;
}

bool file_is_root(int folder)
{
	struct stat here, machine;

	return fstat(folder, &here) == 0 && stat("/", &machine) == 0 &&
	       here.st_dev == machine.st_dev && here.st_ino == machine.st_ino;
}
