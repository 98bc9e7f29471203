/*
 * switch-shell: the log-in shell of the administrator's SSH account. It is no shell.
 *
 *	ssh admin@host				the operator's console
 *	ssh admin@host switchctl call list	exactly that program with exactly these words
 *
 * Nothing is expanded and no other program can be named. The environment is made anew, so that what
 * a client sends cannot reach what we start.
 */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "command.h"

enum { REFUSED = 126, TERM_SIZE = 64 };

static const char CONSOLE[] = "/usr/bin/switch-console";
static const char CONTROL[] = "/usr/bin/switchctl";

/* TERM=name, if the client's is one that a terminal could have. */
static void put_term(char term[TERM_SIZE])
{
	struct buf b = buf_fixed(term, TERM_SIZE);
	const char *given = getenv("TERM");

	for (const char *p = given; p && *p; p++)
		if (!isalnum((unsigned char)*p) && !strchr("-+._", *p))
			given = NULL;
	buf_printf(&b, "TERM=%s", given ? given : "vt220");
	if (buf_error(&b) < 0)
		(void)str_copy(term, TERM_SIZE, STR("TERM=vt220"));
}

static int become(const char *path, char *const argv[])
{
	char term[TERM_SIZE], home[] = "HOME=/", lang[] = "LANG=C.UTF-8";
	char folders[] = "PATH=/usr/bin:/usr/sbin";

	put_term(term);
	(void)execve(path, argv, (char *[]){ term, home, lang, folders, NULL });
	(void)fprintf(stderr, "%s: %s\n", path, strerror(errno));
	return REFUSED;
}

static int console(void)
{
	char name[] = "switch-console";

	if (!isatty(STDIN_FILENO)) {
		(void)fprintf(stderr, "The console needs a terminal: ssh -t\n");
		return REFUSED;
	}
	return become(CONSOLE, (char *[]){ name, NULL });
}

static int control(const char *line)
{
	struct command c;

	int r = command_parse(&c, str_of(line));
	if (r == 0)
		(void)become(CONTROL, c.word);
	else if (r == -EPERM)
		(void)fprintf(stderr,
			      "Only switchctl may be run here: switchctl ENTITY VERB ...\n");
	else
		(void)fprintf(stderr, "This command line cannot be read: %s\n", strerror(-r));
	command_done(&c);
	return REFUSED;
}

int main(int argc, char **argv)
{
	if (argc == 1)
		return console();
	if (argc == 3 && strcmp(argv[1], "-c") == 0)
		return control(argv[2]);
	(void)fprintf(stderr, "usage: switch-shell [-c 'switchctl ...']\n");
	return REFUSED;
}
