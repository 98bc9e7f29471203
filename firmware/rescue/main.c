/*
 * tandem-rescue: a root shell for whoever stands at the machine and knows the administrator's password.
 *
 * tandem-rescue@.service starts it on the screen and on the serial line, when "Rescue shell" was chosen in the boot loader's
 * menu; rescue.service and emergency.service start it as sulogin, with a limit (-t SECONDS), when a start has failed. There is no
 * other way to it. A machine without a password (set up with SSH keys alone, or not yet) gives no shell.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "base/password.h"
#include "base/secret.h"
#include "model/tries.h"

enum { HASH_MAX = 4096, LINE = 256, PAUSE_S = 3, LIMIT_MAX_S = 3600 };

static const char HASH[] = "/etc/tandem/admin.hash";

/* A line of the terminal, with or without it being seen. 0; -EPIPE: the terminal is gone. */
static int ask(const char *question, bool is_seen, char line[LINE])
{
	struct termios was, now;
	bool is_terminal = tcgetattr(STDIN_FILENO, &was) == 0;

	(void)fputs(question, stdout);
	(void)fflush(stdout);
	now = was;
	now.c_lflag &= ~(tcflag_t)ECHO;
	if (is_terminal && !is_seen)
		(void)tcsetattr(STDIN_FILENO, TCSAFLUSH, &now);
	char *got = fgets(line, LINE, stdin);
	if (is_terminal && !is_seen)
		(void)tcsetattr(STDIN_FILENO, TCSAFLUSH, &was);
	if (!is_seen)
		(void)fputs("\n", stdout);
	return got ? 0 : -EPIPE;
}

/* While the consoles take no password, neither do we. In a start that failed there may be no file: then it is counted here. */
static void wait_out(struct tries *t)
{
	struct err ignored = ERR_INIT;
	struct tries kept;
	ms_t left;

	if (!t->is_only_here && tries_read(TRIES_PATH, &kept, &ignored) > 0)
		*t = kept;
	while ((left = tries_left(t, clock_wall_ms())) > 0) {
		(void)printf("Too many wrong passwords: none is taken for %d s.\n",
			     (int)(left / 1000) + 1);
		(void)sleep((unsigned)(left / 1000) + 1);
	}
}

/* 1: it is the password; 0: it is not; negative errno. */
static int try_once(struct str hash, struct tries *t)
{
	char line[LINE];
	struct err ignored = ERR_INIT;
	int r;

	wait_out(t);
	r = ask("Administrator's password: ", false, line);
	if (r == 0)
		r = password_check(str_trim(str_of(line)), hash);
	secret_wipe(line, sizeof(line));
	if (r >= 0)
		(void)tries_note(TRIES_PATH, NULL, r == 1, clock_wall_ms(), t, &ignored);
	return r;
}

static int become_shell(void)
{
	char *const argv[] = { (char[]){ "-sh" }, NULL };
	char *const env[] = { (char[]){ "HOME=/root" }, (char[]){ "PATH=/usr/sbin:/usr/bin" },
			      (char[]){ "TERM=linux" }, (char[]){ "LANG=C.UTF-8" }, NULL };

	(void)puts("The root file system is read-only and verified; /data holds what this machine "
		   "knows.\n"
		   "`exit` restarts the machine.");
	(void)execve("/bin/sh", argv, env);
	return -errno;
}

/* -t SECONDS: so long for the password; then SIGALRM ends us, and the unit restarts the machine. */
static int take_limit(int argc, char **argv)
{
	uint32_t limit;

	if (argc == 1)
		return 0;
	if (argc != 3 || strcmp(argv[1], "-t") != 0 ||
	    str_to_u32(str_of(argv[2]), LIMIT_MAX_S, &limit) < 0 || limit == 0)
		return -EINVAL;
	(void)printf("The system did not start. In %u s it is tried again.\n", limit);
	(void)alarm(limit);
	return 0;
}

int main(int argc, char **argv)
{
	CLEANUP(buf_done) struct buf hash = BUF_INIT;
	struct tries tries;
	char line[LINE];
	int r = file_read(HASH, HASH_MAX, &hash, NULL);

	(void)setvbuf(stdin, NULL, _IONBF, 0);
	(void)puts("\nTandem: rescue");
	if (take_limit(argc, argv) < 0) {
		(void)fprintf(stderr, "usage: tandem-rescue [-t SECONDS]\n");
		return EXIT_FAILURE;
	}
	if (r < 0 || !password_hash_is_valid(str_trim(buf_str(&hash)))) {
		(void)puts("This machine has no administrator's password, so it gives no shell. "
			   "Factory reset, in the same menu, makes it a new machine.");
		(void)ask("Enter restarts the machine.", true, line);
		return EXIT_FAILURE;
	}
	tries_begin(&tries);
	while ((r = try_once(str_trim(buf_str(&hash)), &tries)) == 0) {
		(void)sleep(PAUSE_S);
		(void)puts("That is not the password.");
	}
	if (r < 0)
		return EXIT_FAILURE;
	(void)alarm(0);
	r = become_shell();
	(void)fprintf(stderr, "tandem-rescue: /bin/sh: %s\n", strerror(-r));
	return EXIT_FAILURE;
}
