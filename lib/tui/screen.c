#include "tui/screen.h"

#include <assert.h>
#include <curses.h>
#include <errno.h>
#include <langinfo.h>
#include <locale.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "model/text.h"
#include "tui/bar.h"
#include "tui/screen_help.h"
#include "tui/terminal.h"

enum { DEPTH = 16, CLOCK_MS = 5000, WARN_MS = 30000, ROWS_MIN = 24, COLS_MIN = 80 };

struct shown {
	const struct view *view;
	void *ctx;
	ms_t due; /* of the next tick */
};

struct screen {
	struct screen_options o;
	SCREEN *term;
	struct termios before;
	struct shown stack[DEPTH];
	int depth;
	ms_t last_key;
	int why;
	char marks[64];
	enum role role; /* of the message */
	char message[256];
};

/* --- signals --- */

static volatile sig_atomic_t is_asked_to_stop;

static void on_stop(int signal)
{
	(void)signal;
	is_asked_to_stop = 1;
}

/* The keyboard's signals are off in raw mode; from elsewhere they are not obeyed either. */
static void take_signals(void)
{
	static const int ignored[] = { SIGINT, SIGQUIT, SIGTSTP, SIGTTIN, SIGTTOU, SIGPIPE };
	static const int obeyed[] = { SIGTERM, SIGHUP };
	struct sigaction a = { .sa_handler = SIG_IGN };

	for (size_t i = 0; i < sizeof(ignored) / sizeof(ignored[0]); i++)
		(void)sigaction(ignored[i], &a, NULL);
	a.sa_handler = on_stop;
	for (size_t i = 0; i < sizeof(obeyed) / sizeof(obeyed[0]); i++)
		(void)sigaction(obeyed[i], &a, NULL);
}

/* --- open and close --- */

static bool locale_has_utf8(void)
{
	if (!setlocale(LC_CTYPE, ""))
		(void)setlocale(LC_CTYPE, "C.UTF-8");
	return strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
}

/*
 * Flow control stays as it was, since a real terminal on a slow line needs it; but any key, not
 * only ^Q, goes on after a ^S by mistake.
 */
static void keep_flow_control(const struct termios *before)
{
	struct termios t;

	if (!(before->c_iflag & IXON) || tcgetattr(STDIN_FILENO, &t) < 0)
		return;
	t.c_iflag |= IXON | IXANY;
	(void)tcsetattr(STDIN_FILENO, TCSADRAIN, &t);
}

static int begin(struct screen *s)
{
	bool has_utf8 = locale_has_utf8();

	s->term = newterm(terminal_name(), stdout, stdin);
	if (!s->term)
		return -ENOENT;
	take_signals();
	(void)raw();
	(void)noecho();
	(void)nonl();
	(void)intrflush(stdscr, FALSE);
	keep_flow_control(&s->before);
	keys_init();
	theme_init();
	draw_init(has_utf8, s->o.is_ascii);
	return 0;
}

int screen_open(struct screen **ret, const struct screen_options *o)
{
	struct screen *s;

	if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO))
		return -ENOTTY;
	s = calloc(1, sizeof(*s));
	if (!s)
		return -ENOMEM;
	s->o = *o;
	screen_set_marks(s, str_of(o->marks));
	screen_reset(s);
	int r = tcgetattr(STDIN_FILENO, &s->before) < 0 ? -errno : begin(s);
	if (r < 0) {
		free(s);
		return r;
	}
	*ret = s;
	return 0;
}

struct screen *screen_close(struct screen *s)
{
	if (!s)
		return NULL;
	(void)endwin();
	delscreen(s->term);
	(void)tcsetattr(STDIN_FILENO, TCSADRAIN, &s->before);
	free(s);
	return NULL;
}

/* --- the picture --- */

static struct area whole(void)
{
	int rows, cols;

	getmaxyx(stdscr, rows, cols);
	return (struct area){ 0, 0, rows, cols };
}

static void draw_bars(struct screen *s, struct area all)
{
	const struct shown *top = &s->stack[s->depth - 1];
	const char *title = top->view->title;

	/* A box has its title in its frame; the bar then keeps that of the page below. */
	for (int i = s->depth - 1; i >= 0; i--) {
		if (!s->stack[i].view->rows) {
			title = s->stack[i].view->title;
			break;
		}
	}
	bar_draw_title(area_part(all, 0, 0, 1, all.cols), s->o.program, title, s->marks,
		       clock_wall_ms());
	draw_cell(all, all.rows - 2, 0, all.cols, s->role, str_of(s->message), false);
	bar_draw_keys(area_part(all, all.rows - 1, 0, 1, all.cols), top->view, s->o.is_read_only);
}

static void draw_view(const struct shown *sh, struct area a)
{
	const struct view *v = sh->view;

	if (v->rows)
		a = draw_box(area_middle(a, v->rows + 2, v->cols + 4), str_of(v->title));
	v->draw(sh->ctx, a);
}

void screen_draw(struct screen *s)
{
	struct area all = whole(), a = area_part(all, 1, 0, all.rows - 3, all.cols);
	int from = s->depth - 1;

	draw_begin();
	if (s->depth == 0 || all.rows < ROWS_MIN || all.cols < COLS_MIN) {
		if (s->depth)
			(void)draw_format(all, 0, 0, ROLE_PLAIN,
					  "%d x %d: the screen must have %d x %d or more", all.cols,
					  all.rows, COLS_MIN, ROWS_MIN);
		draw_end();
		return;
	}
	while (from > 0 && s->stack[from].view->rows)
		from--;
	for (int i = from; i < s->depth; i++)
		draw_view(&s->stack[i], a);
	draw_bars(s, all);
	draw_end();
}

void screen_show(struct screen *s, const struct view *v, void *ctx)
{
	assert(s->depth < DEPTH);
	s->stack[s->depth++] = (struct shown){ v, ctx, 0 };
	screen_draw(s);
	s->depth--;
}

/* --- the loop --- */

static void look_at_clock(struct screen *s, ms_t now)
{
	ms_t left = s->o.idle_ms - (now - s->last_key);

	if (is_asked_to_stop)
		s->why = -EINTR;
	if (!s->o.idle_ms || s->why)
		return;
	if (left <= 0)
		s->why = -ETIMEDOUT;
	else if (left <= WARN_MS)
		screen_say(s, ROLE_WARN,
			   "No key was pressed for a while: this screen closes in %d s",
			   (int)((left + 999) / 1000));
}

/* How long a key may be waited for. */
static ms_t patience(const struct screen *s, const struct shown *sh, ms_t now)
{
	ms_t wait = CLOCK_MS;

	if (sh->view->tick && sh->due - now < wait)
		wait = sh->due - now;
	if (s->o.idle_ms && s->last_key + s->o.idle_ms - now < wait)
		wait = s->last_key + s->o.idle_ms - now;
	return wait < 0 ? 0 : wait;
}

static int tick(struct shown *sh)
{
	if (!sh->view->tick || clock_mono_ms() < sh->due)
		return 0;

	int r = sh->view->tick(sh->ctx);
	sh->due = clock_mono_ms() + sh->view->period_ms;
	return r;
}

static const struct binding *binding_of(const struct screen *s, const struct view *v, int key)
{
	for (const struct binding *b = v->bindings; b && b->act; b++) {
		if (b->key != key && b->alt != key)
			continue;
		return b->flags & BINDING_CHANGES && s->o.is_read_only ? NULL : b;
	}
	return NULL;
}

static bool is_help_key(const struct view *v, int key)
{
	return key == K_F(1) || key == K_CTRL('g') || (key == '?' && !v->is_typing);
}

static int answer(struct screen *s, const struct shown *sh, int key)
{
	const struct view *v = sh->view;
	const struct binding *b = binding_of(s, v, key);

	if (b)
		return b->act(sh->ctx);
	if (is_help_key(v, key))
		return screen_help(s, v);
	if ((key == K_ESC || key == K_CTRL('x')) && !v->is_firm)
		return VIEW_LEAVES;
	return v->key ? v->key(sh->ctx, key) : VIEW_STAYS;
}

/* Keys that belong to no view. */
static bool is_ours(struct screen *s, int key)
{
	switch (key) {
	case K_NONE:
		return true;
	case K_GONE:
		s->why = -EPIPE;
		return true;
	case K_CTRL('l'):
	case K_RESIZE:
		(void)clearok(curscr, TRUE);
		return true;
	default:
		s->last_key = clock_mono_ms();
		s->message[0] = 0;
		return false;
	}
}

static int turn(struct screen *s, struct shown *sh)
{
	int r = tick(sh);

	if (r != 0)
		return r;
	look_at_clock(s, clock_mono_ms());
	if (s->why)
		return 0;
	screen_draw(s);
	int key = keys_read(patience(s, sh, clock_mono_ms()));
	return is_ours(s, key) ? 0 : answer(s, sh, key);
}

int screen_run(struct screen *s, const struct view *v, void *ctx)
{
	int r = 0;

	assert(s->depth < DEPTH);
	struct shown *sh = &s->stack[s->depth++];
	*sh = (struct shown){ v, ctx, 0 };
	while (r == 0 && !s->why)
		r = turn(s, sh);
	s->depth--;
	return s->why ? -ECANCELED : r;
}

/* --- state --- */

bool screen_is_over(const struct screen *s)
{
	return s->why != 0;
}

int screen_why(const struct screen *s)
{
	return s->why;
}

void screen_reset(struct screen *s)
{
	s->why = 0;
	s->message[0] = 0;
	s->last_key = clock_mono_ms();
}

bool screen_is_read_only(const struct screen *s)
{
	return s->o.is_read_only;
}

void screen_set_marks(struct screen *s, struct str marks)
{
	(void)str_copy(s->marks, sizeof(s->marks), str_head(marks, sizeof(s->marks) - 1));
}

void screen_say(struct screen *s, enum role role, const char *fmt, ...)
{
	va_list ap;

	s->role = role;
	va_start(ap, fmt);
	(void)vsnprintf(s->message, sizeof(s->message), fmt, ap);
	va_end(ap);
}

void screen_say_err(struct screen *s, const struct err *err)
{
	if (err->accepted[0])
		screen_say(s, ROLE_BAD, "%s (%s)", err->message, err->accepted);
	else
		screen_say(s, ROLE_BAD, "%s", err->message);
}
