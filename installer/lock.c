#include "lock.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>

#include "base/cleanup.h"
#include "setup.h"

int lock_take(const struct place *p)
{
	CLEANUP(free) char *path = place_path(p, SETUP_DIR "/lock");

	int r = path ? place_make_dir(p, SETUP_DIR, 0700) : -ENOMEM;
	if (r < 0)
		return r;
	CLEANUP(close) int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	if (flock(fd, LOCK_EX | LOCK_NB) < 0)
		return errno == EWOULDBLOCK ? -EBUSY : -errno;
	r = fd;
	fd = -1;
	return r;
}
