#include "program.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"

static char path_variable[] = "PATH=/usr/sbin:/usr/bin:/sbin:/bin";
static char language[] = "LC_ALL=C.UTF-8";
static char *const environment[] = { path_variable, language, NULL };

static int set_up(posix_spawn_file_actions_t *files, posix_spawnattr_t *attr, int out)
{
	sigset_t none, all;

	(void)sigemptyset(&none);
	(void)sigfillset(&all);
	int r = posix_spawn_file_actions_addopen(files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
	if (r == 0)
		r = posix_spawn_file_actions_adddup2(files, out, STDOUT_FILENO);
	if (r == 0)
		r = posix_spawn_file_actions_adddup2(files, out, STDERR_FILENO);
	if (r == 0)
		r = posix_spawnattr_setsigmask(attr, &none);
	if (r == 0)
		r = posix_spawnattr_setsigdefault(attr, &all);
	if (r == 0)
		r = posix_spawnattr_setflags(attr, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF |
							   POSIX_SPAWN_SETPGROUP);
	return -r;
}

static int spawn(const char *const *argv, int out, pid_t *ret)
{
	posix_spawn_file_actions_t files;
	posix_spawnattr_t attr;
	/* posix_spawn does not change them; its prototype is older than const. */
	char *const *words = (char *const *)(uintptr_t)argv;

	if (posix_spawn_file_actions_init(&files) != 0)
		return -ENOMEM;
	if (posix_spawnattr_init(&attr) != 0) {
		(void)posix_spawn_file_actions_destroy(&files);
		return -ENOMEM;
	}
	int r = set_up(&files, &attr, out);
	if (r == 0)
		r = -posix_spawn(ret, argv[0], &files, &attr, words, environment);
	(void)posix_spawnattr_destroy(&attr);
	(void)posix_spawn_file_actions_destroy(&files);
	return r;
}

/* Reads until the end of the pipe. What is over the limit is read and dropped. */
static int drain(int fd, ms_t until, struct buf *output)
{
	size_t begin = output->n;
	char piece[4096];

	for (;;) {
		ms_t left = until - clock_mono_ms();
		struct pollfd p = { .fd = fd, .events = POLLIN };

		if (left <= 0)
			return -ETIMEDOUT;
		int ready = poll(&p, 1, (int)(left < 1000 ? left : 1000));
		if (ready < 0 && errno != EINTR)
			return -errno;
		if (ready <= 0)
			continue;
		ssize_t n = read(fd, piece, sizeof(piece));
		if (n == 0)
			return 0;
		if (n < 0 && errno != EINTR)
			return -errno;
		if (n > 0 && output->n - begin + (size_t)n <= PROGRAM_OUTPUT_MAX)
			buf_put(output, str_n(piece, (size_t)n));
	}
}

static int wait_for(pid_t pid)
{
	int status;

	while (waitpid(pid, &status, 0) < 0) {
		if (errno != EINTR)
			return -errno;
	}
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int program_run(const char *const *argv, ms_t limit, struct buf *output)
{
	int ends[2];
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return -errno;
	int r = spawn(argv, ends[1], &pid);
	(void)close(ends[1]);
	if (r == 0) {
		int drained = drain(ends[0], clock_mono_ms() + limit, output);

		if (drained < 0)
			(void)kill(-pid, SIGKILL);
		r = wait_for(pid);
		if (drained < 0)
			r = drained;
	}
	(void)close(ends[0]);
	return r;
}
