/*
 * sock: the UNIX stream socket that a daemon listens on and its clients connect to, by path.
 */
#pragma once

#include "base/err.h"

/* The group whose members may use the control socket. */
#define SOCK_GROUP "tandem-admin"

/*
 * A non-blocking listening descriptor, or -EINVAL with *err. The socket has mode 0660 and, where
 * that exists and the caller may, group tandem-admin. One left behind by a daemon that died is
 * replaced; one that somebody answers on is not.
 */
int sock_listen(const char *path, struct err *err);
/*
 * Mode 0660 (the umask may have taken the group's bits at the bind) and that group, where it exists. A daemon that is not a member
 * cannot give the socket to it; others than root and itself then stay out, which is the safe side. 0 or negative errno.
 */
int sock_open_to_group(const char *path, const char *group);
/* A blocking connected descriptor, or negative errno. */
int sock_connect(const char *path);
/*
 * The socket of the daemon that owns an operation (model/op.h): that of switchd as given, the others
 * beside it. The caller frees it. 0 or -ENOMEM.
 */
int sock_path_of(const char *control, const char *owner, char **ret);
