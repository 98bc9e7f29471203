#include "rig.h"

#include <curses.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cmocka.h>

#include "oom.h"

static struct {
	int master, saved[2];
	int stop[2];
	pthread_t reader;
	struct buf sent;
	struct screen *screen;
	bool is_open;
} rig;

/* Somebody must read, or the terminal's buffer fills. */
static void *read_all(void *ctx)
{
	struct pollfd p[2] = { { .fd = rig.master, .events = POLLIN },
			       { .fd = rig.stop[0], .events = POLLIN } };
	char bytes[4096];

	(void)ctx;
	for (;;) {
		if (poll(p, 2, -1) < 0) {
			if (errno == EINTR)
				continue;
			break;
		}
		ssize_t n = p[0].revents ? read(rig.master, bytes, sizeof(bytes)) : 0;

		if (n > 0)
			buf_put(&rig.sent, str_n(bytes, (size_t)n));
		else if (p[1].revents)
			break;
	}
	return NULL;
}

static int terminal(int rows, int cols)
{
	struct winsize size = { .ws_row = (unsigned short)rows, .ws_col = (unsigned short)cols };

	(void)fflush(stdout);
	rig.master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (rig.master < 0 || grantpt(rig.master) < 0 || unlockpt(rig.master) < 0)
		return -1;
	int slave = open(ptsname(rig.master), O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (slave < 0 || ioctl(slave, TIOCSWINSZ, &size) < 0 || pipe(rig.stop) < 0)
		return -1;
	for (int fd = 0; fd < 2; fd++) {
		rig.saved[fd] = dup(fd);
		(void)dup2(slave, fd);
	}
	close(slave);
	setenv("TERM", "vt220", 1);
	rig.is_open = pthread_create(&rig.reader, NULL, read_all, NULL) == 0;
	return rig.is_open ? 0 : -1;
}

static void give_back(void)
{
	(void)fflush(stdout);
	(void)!write(rig.stop[1], "x", 1);
	pthread_join(rig.reader, NULL);
	for (int fd = 0; fd < 2; fd++) {
		(void)dup2(rig.saved[fd], fd);
		close(rig.saved[fd]);
		close(rig.stop[fd]);
	}
	close(rig.master);
	buf_done(&rig.sent);
	rig.is_open = false;
}

int rig_screen(struct screen **ret, struct screen_options o, int rows, int cols)
{
	o.program = "Test";
	if (terminal(rows, cols) < 0)
		fail_msg("no terminal");
	int r = screen_open(&rig.screen, &o);
	if (r < 0 && !oom_hit())
		fail_msg("no screen: %d", r);
	*ret = rig.screen;
	return r;
}

int rig_end(void **state)
{
	(void)state;
	rig.screen = screen_close(rig.screen);
	if (rig.is_open)
		give_back();
	return 0;
}

void rig_type(const char *bytes)
{
	(void)!write(rig.master, bytes, strlen(bytes));
}

void rig_resize(int rows, int cols)
{
	struct winsize size = { .ws_row = (unsigned short)rows, .ws_col = (unsigned short)cols };

	(void)ioctl(rig.master, TIOCSWINSZ, &size);
	(void)raise(SIGWINCH);
}

const char *rig_line(int y)
{
	static char line[512];

	if (mvinnstr(y, 0, line, (int)sizeof(line) - 1) == ERR)
		return "";
	for (size_t n = strlen(line); n > 0 && line[n - 1] == ' '; n--)
		line[n - 1] = 0;
	return line;
}

bool rig_has(const char *text)
{
	for (int y = 0; y < LINES; y++) {
		if (strstr(rig_line(y), text))
			return true;
	}
	return false;
}

bool rig_was_sent(const char *bytes)
{
	return str_find(buf_str(&rig.sent), str_of(bytes)) >= 0;
}
