#include "control/peer.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "control/sock.h"

#define API_USER "switch-api"

enum { GROUPS_MAX = 65536 };

static bool has_group(const gid_t *groups, size_t n, gid_t wanted)
{
	for (size_t i = 0; i < n; i++) {
		if (groups[i] == wanted)
			return true;
	}
	return false;
}

/* What the user database says, for kernels that do not tell a peer's groups (before 4.13). */
static int groups_of_user(uid_t uid, gid_t **ret, size_t *ret_n)
{
	const struct passwd *user = getpwuid(uid);
	int n = 0;

	if (!user)
		return -ENOENT;
	(void)getgrouplist(user->pw_name, user->pw_gid, NULL, &n);
	if (n <= 0 || n > GROUPS_MAX)
		return -ERANGE;

	CLEANUP(free) gid_t *groups = calloc((size_t)n, sizeof(*groups));
	if (!groups)
		return -ENOMEM;
	if (getgrouplist(user->pw_name, user->pw_gid, groups, &n) < 0)
		return -ERANGE;
	*ret_n = (size_t)n;
	*ret = TAKE(groups);
	return 0;
}

static int groups_of_socket(int fd, gid_t **ret, size_t *ret_n)
{
	socklen_t size = 0;

	if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, NULL, &size) < 0 && errno != ERANGE)
		return -errno;

	CLEANUP(free) gid_t *groups = calloc(1, size ? size : 1);
	if (!groups)
		return -ENOMEM;
	if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups, &size) < 0)
		return -errno;
	*ret_n = size / sizeof(*groups);
	*ret = TAKE(groups);
	return 0;
}

static bool is_member(int fd, const struct ucred *cred)
{
	const struct group *g = getgrnam(SOCK_GROUP);
	CLEANUP(free) gid_t *groups = NULL;
	size_t n = 0;

	if (!g)
		return false;

	gid_t wanted = g->gr_gid;
	if (cred->gid == wanted)
		return true;

	int r = groups_of_socket(fd, &groups, &n);
	if (r == -ENOPROTOOPT)
		r = groups_of_user(cred->uid, &groups, &n);
	return r == 0 && has_group(groups, n, wanted);
}

int peer_of(struct peer *ret, int fd)
{
	struct ucred cred;
	socklen_t size = sizeof(cred);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &size) < 0)
		return -errno;

	const struct passwd *api = getpwnam(API_USER);

	ret->uid = cred.uid;
	ret->may_name_actor = api && api->pw_uid == cred.uid;
	ret->is_admin = cred.uid == 0 || cred.uid == geteuid() || is_member(fd, &cred);
	return 0;
}
