#include "login.h"

#include <errno.h>
#include <syslog.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/password.h"
#include "marks.h"
#include "tui/line.h"

enum { HASH_FILE_MAX = 4096, TICK_MS = 500, MARKS = 20 /* ticks */, COLS = 50 };

struct login {
	struct app *app;
	struct screen *screen;
	int turn;
	const char *hash_file;
	struct line password;
	int failures;   /* in a row */
	ms_t locked_to; /* monotonic; no password is taken before */
};

static ms_t left(const struct login *l)
{
	return l->locked_to - clock_mono_ms();
}

static void draw(void *ctx, struct area a)
{
	const struct login *l = ctx;
	struct area box = area_middle(a, 7, COLS);
	int cursor;
	struct str stars = line_window(&l->password, COLS - 12, &cursor);

	(void)draw_text(box, 0, 0, ROLE_HEAD, STR("Tandem softswitch"));
	(void)draw_text(box, 2, 0, ROLE_PLAIN,
			STR("The administrator's password opens this console."));
	(void)draw_text(box, 4, 0, ROLE_PLAIN, STR("Password"));
	draw_stars(box, 4, 10, COLS - 12, ROLE_FOCUS, stars);
	if (left(l) > 0)
		(void)draw_format(box, 6, 0, ROLE_WARN, "Too many wrong ones: wait %d s",
				  (int)((left(l) + 999) / 1000));
	draw_cursor(box, 4, 10 + cursor);
}

/* 1: right; 0: wrong; -EINVAL: there is nothing to compare with, which was said. */
static int check(struct login *l)
{
	CLEANUP(buf_done) struct buf hash = BUF_INIT;
	struct err err = ERR_INIT;

	int r = file_read(l->hash_file, HASH_FILE_MAX, &hash, &err);
	if (r == 0)
		r = password_check(line_str(&l->password), str_trim(buf_str(&hash)));
	if (r < 0)
		screen_say(l->screen, ROLE_BAD, "%s cannot be used: %s", l->hash_file,
			   r == -EINVAL ? "it holds no password hash" : strerrordesc_np(-r));
	return r;
}

static void fail(struct login *l)
{
	syslog(LOG_AUTHPRIV | LOG_WARNING, "console: wrong administrator's password");
	screen_say(l->screen, ROLE_BAD, "That is not the password");
	if (++l->failures % LOGIN_FAILURES == 0)
		l->locked_to = clock_mono_ms() + LOGIN_PAUSE_MS;
}

static int enter(void *ctx)
{
	struct login *l = ctx;

	if (left(l) > 0)
		return VIEW_STAYS;
	screen_say(l->screen, ROLE_DIM, "Checking");
	screen_draw(l->screen);
	int r = check(l);
	line_done(&l->password);
	if (r == 0)
		fail(l);
	if (r != 1)
		return VIEW_STAYS;
	syslog(LOG_AUTHPRIV | LOG_NOTICE, "console: the administrator logged in");
	screen_say(l->screen, ROLE_DIM, "%s", "");
	return VIEW_LEAVES;
}

/* While it is locked what is typed is nothing. */
static int key(void *ctx, int k)
{
	struct login *l = ctx;

	if (left(l) <= 0)
		(void)line_key(&l->password, k);
	return VIEW_STAYS;
}

/* Draws the seconds that are left; and the marks come up with the switch. */
static int tick(void *ctx)
{
	struct login *l = ctx;

	if (l->turn++ % MARKS == 0)
		marks_update(l->app);
	return VIEW_STAYS;
}

int login_run(struct app *app, const char *hash_file)
{
	static const struct binding bindings[] = {
		{ K_ENTER, 0, "Log in", "Check the password", 0, enter },
		{ 0 },
	};
	const struct view v = {
		.title = "Login",
		.help = "The password was chosen when the machine was set up. After three wrong "
			"ones "
			"there is a pause of ten seconds.",
		.bindings = bindings,
		.is_typing = true,
		.is_firm = true,
		.period_ms = TICK_MS,
		.draw = draw,
		.key = key,
		.tick = tick,
	};
	struct login l = { .app = app,
			   .screen = app->screen,
			   .hash_file = hash_file,
			   .password = LINE_INIT(PASSWORD_MAX) };

	int r = screen_run(app->screen, &v, &l);
	line_done(&l.password);
	return r;
}
