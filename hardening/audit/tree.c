#include "tree.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <linux/openat2.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"

struct names {
	char **name;
	size_t count, room;
};

int tree_open(struct tree *ret, const char *root, struct err *err)
{
	bool is_here = !root[0] || strcmp(root, "/") == 0;
	int fd = open(is_here ? "/" : root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return err_set(err, ERR_NOT_FOUND, "--root", str_of(root), "a folder",
			       "cannot open it: %s", strerror(errno));
	*ret = (struct tree){ .fd = fd, .is_here = is_here, .knows_owners = geteuid() == 0 };
	return 0;
}

void tree_done(struct tree *t)
{
	if (t->fd > 0)
		(void)close(t->fd);
	t->fd = -1;
}

int tree_fd(const struct tree *t, const char *path, int flags)
{
	struct open_how how = { .flags = (uint64_t)(flags | O_CLOEXEC),
				.resolve = RESOLVE_IN_ROOT };
	long fd = syscall(SYS_openat2, t->fd, path, &how, sizeof(how));

	return fd < 0 ? -errno : (int)fd;
}

int tree_stat(const struct tree *t, const char *path, struct stat *ret)
{
	CLEANUP(close) int fd = tree_fd(t, path, O_PATH);

	if (fd < 0)
		return fd;
	return fstat(fd, ret) < 0 ? -errno : 0;
}

int tree_read(const struct tree *t, const char *path, struct buf *out)
{
	CLEANUP(close) int fd = tree_fd(t, path, O_RDONLY | O_NONBLOCK | O_NOCTTY);
	size_t before = out->n;
	char part[16384];
	ssize_t n;

	if (fd < 0)
		return fd;
	while ((n = read(fd, part, sizeof(part))) > 0) {
		buf_put(out, str_n(part, (size_t)n));
		if (out->n - before > TREE_FILE_MAX)
			return -EFBIG;
	}
	return n < 0 ? -errno : buf_error(out);
}

/* --- patterns --- */

static void names_done_cleanup(struct names *n)
{
	for (size_t i = 0; i < n->count; i++)
		free(n->name[i]);
	free(n->name);
}

static int add_name(struct names *n, const char *name)
{
	if (n->count >= TREE_NAMES_MAX)
		return -EFBIG;
	if (n->count == n->room) {
		size_t room = n->room ? n->room * 2 : 32;
		char **more = reallocarray(n->name, room, sizeof(*more));

		if (!more)
			return -ENOMEM;
		n->name = more;
		n->room = room;
	}
	n->name[n->count] = str_dup(str_of(name));
	return n->name[n->count] ? (void)n->count++, 0 : -ENOMEM;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static int list(const struct tree *t, const char *folder, const char *pattern, struct names *ret)
{
	int fd = tree_fd(t, folder, O_RDONLY | O_DIRECTORY);
	CLEANUP(closedir) DIR *d = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *e;
	int r = 0;

	if (fd >= 0 && !d)
		(void)close(fd);
	while (d && r == 0 && (e = readdir(d))) {
		if (fnmatch(pattern, e->d_name, FNM_PERIOD) == 0)
			r = add_name(ret, e->d_name);
	}
	if (ret->count)
		qsort(ret->name, ret->count, sizeof(*ret->name), by_name);
	return r;
}

int tree_each(const struct tree *t, const char *pattern, tree_fn *fn, void *ctx)
{
	CLEANUP(names_done) struct names names = { 0 };
	const char *last = strrchr(pattern, '/');
	char folder[TREE_PATH], path[TREE_PATH];
	struct stat st;
	int r;

	if (!last || !strchr(pattern, '*')) {
		r = tree_stat(t, pattern, &st);
		return r == 0 ? fn(ctx, pattern) : 0;
	}
	r = str_copy(folder, sizeof(folder), str_n(pattern, (size_t)(last - pattern) + 1));
	if (r == 0)
		r = list(t, folder, last + 1, &names);
	for (size_t i = 0; r == 0 && i < names.count; i++) {
		struct buf text = buf_fixed(path, sizeof(path));

		buf_printf(&text, "%s%s", folder, names.name[i]);
		r = buf_error(&text) ? -ENAMETOOLONG : fn(ctx, path);
	}
	return r;
}
