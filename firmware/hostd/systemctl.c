#include "systemctl.h"

#include <errno.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>

#include "base/cleanup.h"
#include "base/str.h"

int systemctl(const char *verb, const char *unit)
{
	CLEANUP(free) char *first = str_dup(str_of(verb));
	CLEANUP(free) char *second = unit ? str_dup(str_of(unit)) : NULL;
	char *const argv[] = { (char[]){ "systemctl" }, (char[]){ "--no-block" }, first, second,
			       NULL };
	int status = 0;
	pid_t pid;

	if (!first || (unit && !second))
		return -ENOMEM;

	int r = posix_spawn(&pid, "/usr/bin/systemctl", NULL, NULL, argv, NULL);

	if (r != 0)
		return -r;
	return waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0
												: 1;
}
