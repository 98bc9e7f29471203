#include "control/sock.h"

#include <errno.h>
#include <grp.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/str.h"

enum { BACKLOG = 64, MODE = 0660 };

static int address(struct sockaddr_un *ret, const char *path)
{
	*ret = (struct sockaddr_un){ .sun_family = AF_UNIX };
	return str_copy(ret->sun_path, sizeof(ret->sun_path), str_of(path)) < 0 ? -ENAMETOOLONG : 0;
}

static const struct sockaddr *sa(const struct sockaddr_un *a)
{
	return (const struct sockaddr *)(const void *)a;
}

int sock_connect(const char *path)
{
	struct sockaddr_un a;

	int r = address(&a, path);
	if (r < 0)
		return r;

	CLEANUP(close) int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	if (connect(fd, sa(&a), sizeof(a)) < 0)
		return -errno;

	int connected = fd;
	fd = -1;
	return connected;
}

/* Is it a socket that nobody listens on any more? */
static bool is_stale(const char *path)
{
	struct stat st;

	if (lstat(path, &st) < 0 || !S_ISSOCK(st.st_mode))
		return false;

	CLEANUP(close) int fd = sock_connect(path);
	return fd == -ECONNREFUSED;
}

/* The mode is set before the name exists: at no moment may a stranger connect. */
static int bind_to(int fd, const struct sockaddr_un *a)
{
	if (fchmod(fd, MODE) < 0)
		return -errno;
	if (bind(fd, sa(a), sizeof(*a)) == 0)
		return 0;
	if (errno != EADDRINUSE || !is_stale(a->sun_path))
		return -errno;
	if (unlink(a->sun_path) < 0)
		return -errno;
	return bind(fd, sa(a), sizeof(*a)) < 0 ? -errno : 0;
}

int sock_open_to_group(const char *path, const char *group)
{
	const struct group *g = getgrnam(group);

	if (g && lchown(path, (uid_t)-1, g->gr_gid) < 0 && errno != EPERM)
		return -errno;
	return chmod(path, MODE) < 0 ? -errno : 0;
}

static int open_socket(const char *path)
{
	struct sockaddr_un a;

	int r = address(&a, path);
	if (r < 0)
		return r;

	CLEANUP(close) int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	r = bind_to(fd, &a);
	if (r < 0)
		return r;
	r = sock_open_to_group(path, SOCK_GROUP);
	if (r == 0 && listen(fd, BACKLOG) < 0)
		r = -errno;
	if (r < 0) {
		(void)unlink(path);
		return r;
	}

	int listening = fd;
	fd = -1;
	return listening;
}

static const char *advice(int r)
{
	switch (r) {
	case -EADDRINUSE:
		return "a path that no daemon listens on and no file is at";
	case -ENAMETOOLONG:
		return "a path of up to 107 bytes";
	case -ENOENT:
		return "a path in a folder that exists";
	default:
		return NULL;
	}
}

int sock_listen(const char *path, struct err *err)
{
	int r = open_socket(path);

	if (r >= 0)
		return r;
	return err_set(err, r == -EADDRINUSE ? ERR_IN_USE : ERR_BAD_VALUE, "control", str_of(path),
		       advice(r), "cannot listen on the control socket: %s", strerrordesc_np(-r));
}

int sock_path_of(const char *control, const char *owner, char **ret)
{
	CLEANUP(buf_done) struct buf path = BUF_INIT;
	struct str given = str_of(control);
	const char *slash = strrchr(control, '/');

	if (strcmp(owner, "switchd") == 0) {
		buf_put(&path, given);
	} else {
		buf_put(&path, str_head(given, slash ? (size_t)(slash + 1 - control) : 0));
		buf_putz(&path, strcmp(owner, "lockoutd") == 0 ? "lockout.sock" : "host.sock");
	}
	*ret = buf_steal(&path);
	return *ret ? 0 : -ENOMEM;
}
