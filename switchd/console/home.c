#include "home.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "cell.h"
#include "history.h"
#include "marks.h"
#include "model/json.h"
#include "pages.h"
#include "tui/dialog.h"

enum {
	MENU = 25,
	FOOT = 3,
	PERIOD_MS = 2000,
	SLOW = 5 /* every how many turns the slow questions */
};

struct home {
	struct app *app;
	bool is_login;
	int at; /* page that Enter opens */
	int turn;
	json_t *status, *alarms;
	int64_t bans; /* -1: unknown */
	struct err trouble, bans_trouble;
	struct history calls;
};

/* --- what is known --- */

static int64_t number(const json_t *o, const char *name)
{
	return json_integer_value(json_object_get(o, name));
}

static int replace(struct home *h, const char *op, json_t **old, struct err *err)
{
	json_t *new = NULL;

	*err = ERR_INIT;
	int r = daemons_ask(&h->app->daemons, op, NULL, &new, err);
	json_decref(*old);
	*old = new;
	return r;
}

static void ask_slowly(struct home *h)
{
	CLEANUP(json_decref) json_t *bans = NULL;
	struct err ignored;

	(void)replace(h, "alarm.list", &h->alarms, &ignored);
	h->bans = replace(h, "ban.list", &bans, &h->bans_trouble) < 0
			  ? -1
			  : (int64_t)json_array_size(bans);
	marks_update(h->app);
}

static int tick(void *ctx)
{
	struct home *h = ctx;

	int r = replace(h, "status.show", &h->status, &h->trouble);
	if (r == -ENOMEM)
		return r;
	if (r == 0)
		history_add(&h->calls, number(h->status, "calls"));
	if (r == 0 && h->turn++ % SLOW == 0)
		ask_slowly(h);
	/* Back again, everything is asked anew. */
	if (r < 0)
		h->turn = 0;
	return 0;
}

/* --- the picture --- */

/* The pages around the selected one that fit above what says what it is for. */
static void draw_menu(const struct home *h, struct area a)
{
	int room = a.rows - FOOT - 2, first = h->at < room ? 0 : h->at - room + 1, i;

	for (i = first; pages[i].run && i < first + room; i++) {
		enum role role = i == h->at ? ROLE_SELECTED : ROLE_PLAIN;
		int y = i - first + 1;

		draw_cell(a, y, 0, a.cols, role, STR(""), false);
		(void)draw_format(a, y, 1, i == h->at ? role : ROLE_HEAD, "%c", pages[i].key);
		(void)draw_text(a, y, 4, role, str_of(pages[i].title));
	}
	if (first > 0)
		(void)draw_text(a, 0, 4, ROLE_DIM, STR("more above"));
	if (pages[i].run)
		(void)draw_text(a, room + 1, 4, ROLE_DIM, STR("more below"));
	struct area foot = area_part(a, a.rows - FOOT, 1, FOOT, a.cols - 2);
	(void)draw_wrapped(foot, 0, ROLE_DIM, str_of(pages[h->at].help));
}

static void put_uptime(int64_t s, struct buf *out)
{
	if (s >= 86400)
		buf_printf(out, "%lld d ", (long long)s / 86400);
	buf_printf(out, "%02lld:%02lld:%02lld", (long long)s / 3600 % 24, (long long)s / 60 % 60,
		   (long long)s % 60);
}

static void draw_label(struct area a, int y, const char *label)
{
	(void)draw_text(a, y, 0, ROLE_DIM, str_of(label));
}

enum { VALUE = 12 };

static void draw_switch(const struct home *h, struct area a, int y)
{
	CLEANUP(buf_done) struct buf up = BUF_INIT;
	const json_t *s = h->status;

	put_uptime(number(s, "uptime_s"), &up);
	draw_label(a, y, "Switch");
	(void)draw_format(a, y, VALUE, ROLE_PLAIN, "%s, up %.*s, %lld worker%s%s",
			  cell_text(s, "version", "-"), STR_ARG(buf_str(&up)),
			  (long long)number(s, "workers"), number(s, "workers") == 1 ? "" : "s",
			  json_is_true(json_object_get(s, "draining")) ? ", DRAINING" : "");
}

static void draw_licence(const struct home *h, struct area a, int y)
{
	const json_t *s = h->status, *lines = json_object_get(s, "licence_lines");
	int x = VALUE;

	draw_label(a, y, "Licence");
	x += draw_text(a, y, x, ROLE_PLAIN, str_of(cell_text(s, "licence", "-")));
	if (json_is_integer(lines))
		x += draw_format(a, y, x, ROLE_PLAIN, ", %lld lines",
				 (long long)number(s, "licence_lines"));
	if (json_is_string(json_object_get(s, "licence_expires")))
		(void)draw_format(a, y, x, ROLE_PLAIN, ", until %.10s",
				  cell_text(s, "licence_expires", "-"));
}

/* "58.3 %", "-" where there is nothing to say. */
static void draw_figure(struct area a, int y, int x, const char *label, const json_t *v,
			const char *unit)
{
	CLEANUP(buf_done) struct buf b = BUF_INIT;

	(void)json_to_text(v, &b);
	x += draw_format(a, y, x, ROLE_DIM, "%s ", label);
	(void)draw_format(a, y, x, ROLE_HEAD, "%.*s%s%s", STR_ARG(b.n ? buf_str(&b) : STR("-")),
			  b.n ? " " : "", b.n ? unit : "");
}

static void draw_calls(const struct home *h, struct area a, int y)
{
	const json_t *s = h->status;

	draw_label(a, y, "Calls");
	(void)draw_format(a, y, VALUE, ROLE_HEAD, "%lld", (long long)number(s, "calls"));
	draw_figure(a, y, VALUE + 10, "per second", json_object_get(s, "cps"), "");
	draw_figure(a, y + 1, VALUE, "ASR", json_object_get(s, "asr"), "%");
	draw_figure(a, y + 1, VALUE + 13, "ACD", json_object_get(s, "acd_s"), "s");
	draw_figure(a, y + 1, VALUE + 26, "PDD", json_object_get(s, "pdd_ms"), "ms");
}

static void draw_sums(const struct home *h, struct area a, int y)
{
	const json_t *s = h->status, *l = json_object_get(s, "ledger");
	bool is_up = json_is_true(json_object_get(l, "up"));

	draw_label(a, y, "Since start");
	(void)draw_format(a, y, VALUE, ROLE_PLAIN, "%lld admitted, %lld answered, %lld refused",
			  (long long)number(s, "admitted"), (long long)number(s, "answered"),
			  (long long)number(s, "refused"));
	draw_label(a, y + 1, "Strangers");
	(void)draw_format(a, y + 1, VALUE, ROLE_PLAIN, "%lld unknown, %lld wrong passwords",
			  (long long)number(s, "unknown_sources"),
			  (long long)number(s, "auth_failures"));
	draw_label(a, y + 2, "Media");
	(void)draw_format(a, y + 2, VALUE, ROLE_PLAIN, "%lld relays, %lld packets, %lld refused",
			  (long long)number(s, "relays"), (long long)number(s, "rtp_packets"),
			  (long long)number(s, "rtp_refused"));
	draw_label(a, y + 3, "Ledger");
	(void)draw_format(a, y + 3, VALUE, is_up ? ROLE_PLAIN : ROLE_BAD,
			  is_up ? "up, %lld commits, %lld waiting%s%s"
				: "DOWN, %lld commits, %lld waiting%s%s",
			  (long long)number(l, "commits"), (long long)number(l, "outbox"),
			  is_up ? "" : ": ", is_up ? "" : cell_text(l, "error", "-"));
}

static void draw_bans(const struct home *h, struct area a, int y)
{
	draw_label(a, y, "Bans");
	if (h->bans >= 0)
		(void)draw_format(a, y, VALUE, ROLE_PLAIN, "%lld", (long long)h->bans);
	else
		(void)draw_text(a, y, VALUE, ROLE_DIM, str_of(h->bans_trouble.message));
}

/* The most important ones; all stand on their own page. Rows that it took. */
static int draw_alarms(const struct home *h, struct area a, int y, int rows)
{
	size_t n = json_array_size(h->alarms);

	draw_label(a, y, "Alarms");
	if (n == 0) {
		(void)draw_text(a, y, VALUE, ROLE_GOOD, STR("none"));
		return 1;
	}
	for (size_t i = 0; i < n && (int)i < rows; i++) {
		const json_t *alarm = json_array_get(h->alarms, i);

		(void)draw_format(a, y + (int)i, VALUE, ROLE_BAD, "%s: %s %s, %s",
				  cell_text(alarm, "level", "-"), cell_text(alarm, "type", "-"),
				  cell_text(alarm, "object", "-"), cell_text(alarm, "info", "-"));
	}
	return (int)n < rows ? (int)n : rows;
}

static void draw_status(const struct home *h, struct area a)
{
	enum { ALARMS_MAX = 3 };

	if (!h->status) {
		(void)draw_wrapped(
			area_part(a, 2, 0, 4, a.cols), 0, ROLE_BAD,
			str_of(err_is_set(&h->trouble) ? h->trouble.message : "asking the switch"));
		return;
	}
	draw_switch(h, a, 1);
	draw_licence(h, a, 2);
	draw_calls(h, a, 4);
	draw_sums(h, a, 7);
	draw_bans(h, a, 11);
	int y = 12 + draw_alarms(h, a, 12, ALARMS_MAX);
	history_draw(&h->calls, area_part(a, y + 1, 0, a.rows - y - 1, a.cols - 1),
		     "Calls, every 2 seconds");
}

static void draw(void *ctx, struct area a)
{
	const struct home *h = ctx;

	draw_menu(h, area_part(a, 0, 0, a.rows, MENU));
	draw_status(h, area_part(a, 0, MENU + 2, a.rows, a.cols - MENU - 2));
}

/* --- keys --- */

static int move(struct home *h, int by)
{
	int last = 0;

	while (pages[last + 1].run)
		last++;
	h->at += by;
	if (h->at < 0)
		h->at = last;
	if (h->at > last)
		h->at = 0;
	return VIEW_STAYS;
}

static int open_page(struct home *h, int i)
{
	h->at = i;
	int r = pages[i].run(h->app);
	if (r < 0 && !screen_is_over(h->app->screen))
		screen_say(h->app->screen, ROLE_BAD, "%s: %s", pages[i].title, strerrordesc_np(-r));
	return tick(h);
}

static int enter(void *ctx)
{
	struct home *h = ctx;

	return open_page(h, h->at);
}

static int quit(void *ctx)
{
	const struct home *h = ctx;
	bool is_sure = dialog_confirm(h->app->screen, h->is_login ? "Log out" : "Leave",
				      h->is_login ? STR("Log out of the console?")
						  : STR("Leave the console? The switch goes on."),
				      h->is_login ? "Log out" : "Leave");

	return is_sure ? VIEW_LEAVES : VIEW_STAYS;
}

static int key(void *ctx, int k)
{
	struct home *h = ctx;

	if (k == K_UP || k == K_BACK_TAB)
		return move(h, -1);
	if (k == K_DOWN || k == K_TAB)
		return move(h, 1);
	for (int i = 0; pages[i].run; i++) {
		if (pages[i].key == k)
			return open_page(h, i);
	}
	return k == K_ESC || k == K_CTRL('x') ? quit(h) : VIEW_STAYS;
}

int home_run(struct app *app, bool is_login)
{
	static const struct binding bindings[] = {
		{ K_ENTER, 0, "Open", "Open the selected page; its letter does so too", 0, enter },
		{ K_F(10), 'q', "Quit", "Leave the console; asks first", 0, quit },
		{ 0 },
	};
	const struct view v = {
		.title = "Console",
		.help = "The menu is on the left: a letter opens its page, Esc comes back. ASR is "
			"the "
			"share of calls that were answered, ACD their average length, PDD the "
			"average "
			"time until it rang, all since the start of the switch.",
		.bindings = bindings,
		.is_firm = true,
		.period_ms = PERIOD_MS,
		.draw = draw,
		.key = key,
		.tick = tick,
	};
	struct home h = { .app = app, .is_login = is_login, .bans = -1 };

	int r = screen_run(app->screen, &v, &h);
	json_decref(h.status);
	json_decref(h.alarms);
	return r;
}
