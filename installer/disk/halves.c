#include "halves.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <spawn.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "formats/mirror.h"

static const char MDADM[] = "/usr/sbin/mdadm", NOTHING[] = "/dev/null", DEVICE[] = MIRROR_DEVICE;

enum { WORDS = 16 };

/* Its exit status; negative errno. posix_spawn takes words that it does not change. */
static int mdadm(const char *const words[])
{
	char *const env[] = { NULL };
	char *argv[WORDS] = { strdupa(MDADM) };
	posix_spawn_file_actions_t files;
	pid_t pid = -1;
	int status;

	for (int i = 0; words[i] && i + 2 < WORDS; i++)
		argv[i + 1] = strdupa(words[i]);
	int r = -posix_spawn_file_actions_init(&files);
	if (r < 0)
		return r;
	/* Its questions are answered by words; what it says is no more than its exit status. */
	for (int fd = STDIN_FILENO; r == 0 && fd <= STDERR_FILENO; fd++)
		r = -posix_spawn_file_actions_addopen(&files, fd, NOTHING, O_RDWR, 0);
	if (r == 0)
		r = -posix_spawn(&pid, MDADM, &files, NULL, argv, env);
	(void)posix_spawn_file_actions_destroy(&files);
	if (r < 0)
		return r;
	if (waitpid(pid, &status, 0) < 0)
		return -errno;
	return WIFEXITED(status) ? WEXITSTATUS(status) : -EIO;
}

static int failed(struct err *err, int r, const char *device, const char *what)
{
	(void)err_set(err, ERR_STORE, "mirror", str_of(device), NULL, "the mirror cannot be %s: %s",
		      what, r < 0 ? strerror(-r) : "mdadm refuses");
	return r < 0 ? r : -EIO;
}

/*
 * Nothing is copied from one half to the other at first (--assume-clean): whatever is read later was written through the mirror
 * before, by the image or by a file system. The bitmap spares a power cut the comparing of whole disks.
 */
int halves_join(const struct disk *a, const struct disk *b, struct disk *ret, struct err *err)
{
	const char *const words[] = { "--create",
				      DEVICE,
				      "--run",
				      "--quiet",
				      "--homehost=tandem",
				      "--metadata=1.0",
				      "--level=1",
				      "--raid-devices=2",
				      "--assume-clean",
				      "--bitmap=internal",
				      a->path,
				      b->path,
				      NULL };
	int r = mdadm(words);

	if (r != 0)
		return failed(err, r, b->path, "made");
	*ret = (struct disk){ 0 };
	r = str_copy(ret->path, sizeof(ret->path), str_of(DEVICE));
	CLEANUP(close) int fd = r < 0 ? -1 : open(ret->path, O_RDONLY | O_CLOEXEC);
	if (r == 0 && (fd < 0 || ioctl(fd, BLKGETSIZE64, &ret->bytes) < 0))
		r = -errno;
	return r < 0 ? failed(err, r, b->path, "opened") : 0;
}

int halves_part(const struct disk *mirror, struct err *err)
{
	int r = mdadm((const char *const[]){ "--stop", mirror->path, NULL });

	return r == 0 ? 0 : failed(err, r, mirror->path, "closed");
}
