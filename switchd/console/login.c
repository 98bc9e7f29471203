#include "login.h"

#include <errno.h>
#include <syslog.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/password.h"
#include "marks.h"
#include "model/param.h"
#include "model/tries.h"
#include "tui/line.h"

enum { HASH_FILE_MAX = 4096, TICK_MS = 500, MARKS = 20 /* ticks */, COLS = 62, MINUTE_S = 60 };

struct login {
	struct app *app;
	struct screen *screen;
	int turn;
	const char *hash_file, *tries_file;
	struct line password;
	struct tries tries;
};

static ms_t left(const struct login *l)
{
	return tries_left(&l->tries, clock_wall_ms());
}

static void draw_lock(const struct login *l, struct area box)
{
	int s = (int)((left(l) + 999) / 1000);

	if (s <= 0)
		return;
	(void)draw_format(box, 6, 0, ROLE_WARN, "%u wrong in a row: none is taken for %d min %d s",
			  l->tries.wrong, s / MINUTE_S, s % MINUTE_S);
	(void)draw_text(box, 7, 0, ROLE_DIM,
			STR("An administrator ends this over SSH: switchctl login unlock"));
}

static void draw(void *ctx, struct area a)
{
	const struct login *l = ctx;
	struct area box = area_middle(a, 8, COLS);
	int cursor;
	struct str stars = line_window(&l->password, COLS - 12, &cursor);

	(void)draw_text(box, 0, 0, ROLE_HEAD, STR("Tandem softswitch"));
	(void)draw_text(box, 2, 0, ROLE_PLAIN,
			STR("The administrator's password opens this console."));
	(void)draw_text(box, 4, 0, ROLE_PLAIN, STR("Password"));
	draw_stars(box, 4, 10, COLS - 12, ROLE_FOCUS, stars);
	draw_lock(l, box);
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

/* A number that switchd has; what it was before, if switchd does not say. */
static void ask(const struct login *l, enum param id, uint32_t *value)
{
	CLEANUP(json_decref) json_t *answer = NULL;
	json_t *params = json_pack("{s:s}", "name", param_infos[id].name);
	struct err ignored = ERR_INIT;
	uint32_t n;

	if (params &&
	    daemons_ask(&l->app->daemons, "parameter.show", params, &answer, &ignored) == 0 &&
	    str_to_u32(str_of(json_string_value(json_object_get(answer, "value"))), UINT32_MAX,
		       &n) == 0)
		*value = n;
	json_decref(params);
}

static struct tries_limits limits(const struct login *l)
{
	struct tries_limits now = l->tries.limits;
	uint32_t minutes = now.longest_s / MINUTE_S;

	ask(l, PARAM_SS_MAX_LOGIN_FAILED, &now.failures);
	ask(l, PARAM_SERVER_LOGIN_FAILED_DISABLE_TIME, &now.pause_s);
	ask(l, PARAM_SS_LOGIN_LOCK_TIME, &minutes);
	now.longest_s = minutes * MINUTE_S;
	return now;
}

/* A count that cannot be kept is kept here, as long as this console runs. */
static void note(struct login *l, const struct tries_limits *limits, bool is_right)
{
	struct err err = ERR_INIT;

	if (tries_note(l->tries_file, limits, is_right, clock_wall_ms(), &l->tries, &err) < 0)
		syslog(LOG_AUTHPRIV | LOG_ERR,
		       "console: wrong passwords are not counted beyond this console: %s",
		       err.message);
}

static void fail(struct login *l)
{
	struct tries_limits now = limits(l);

	note(l, &now, false);
	screen_say(l->screen, ROLE_BAD, "That is not the password");
	if (left(l) > 0)
		syslog(LOG_AUTHPRIV | LOG_WARNING,
		       "console: wrong administrator's password, the %u. in a row: none is taken "
		       "for %d s",
		       l->tries.wrong, (int)(left(l) / 1000));
	else
		syslog(LOG_AUTHPRIV | LOG_WARNING, "console: wrong administrator's password");
}

static void let_in(struct login *l)
{
	uint32_t wrong = l->tries.wrong;

	note(l, NULL, true);
	syslog(LOG_AUTHPRIV | LOG_NOTICE, "console: the administrator logged in");
	if (wrong > 0)
		screen_say(l->screen, ROLE_WARN, "%u wrong password%s before this one", wrong,
			   wrong == 1 ? "" : "s");
	else
		screen_say(l->screen, ROLE_DIM, "%s", "");
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
	let_in(l);
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

/* Draws the seconds that are left, also of a lock that another console caused or an administrator ended; and the marks come up
 * with the switch. */
static int tick(void *ctx)
{
	struct login *l = ctx;
	struct err ignored = ERR_INIT;
	struct tries now;

	if (!l->tries.is_only_here && tries_read(l->tries_file, &now, &ignored) > 0)
		l->tries = now;
	if (l->turn++ % MARKS == 0)
		marks_update(l->app);
	return VIEW_STAYS;
}

int login_run(struct app *app, const char *hash_file, const char *tries_file)
{
	static const struct binding bindings[] = {
		{ K_ENTER, 0, "Log in", "Check the password", 0, enter },
		{ 0 },
	};
	const struct view v = {
		.title = "Login",
		.help = "The password was chosen when the machine was set up. After too many wrong "
			"ones in a row "
			"(SS_MAX_LOGIN_FAILED) none is taken for a while "
			"(SERVER_LOGIN_FAILED_DISABLE_TIME, then "
			"twice as long each time, up to SS_LOGIN_LOCK_TIME). An administrator who "
			"has come by SSH "
			"ends that: switchctl login unlock.",
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
			   .tries_file = tries_file,
			   .password = LINE_INIT(PASSWORD_MAX) };

	tries_begin(&l.tries);
	(void)tick(&l);
	int r = screen_run(app->screen, &v, &l);
	line_done(&l.password);
	return r;
}
