/*
 * screen: the terminal, and the views that are on it.
 *
 * A view is a picture with keys: a whole page, or a box over what is below. screen_run() shows one
 * and answers its keys until one of them ends it; a key's action may run further views on top, so a
 * dialog is an ordinary function call. Everything is drawn anew for every key into the area that
 * there is at that moment, which is what makes a change of size no case of its own; curses sends
 * only what differs.
 *
 * The first line is the title bar, the last two are a message and the keys of the view. Every page
 * has these keys besides its own: F1, ^G or ? help, ^L draw anew, Esc or ^X leave.
 *
 * The keyboard cannot end or stop the program: what the terminal makes a signal of are keys here.
 * A program has one screen.
 */
#pragma once

#include <stdbool.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/err.h"
#include "tui/draw.h"
#include "tui/keys.h"

struct screen;

/* Returned by an action: the view is done. Others above 0 do so too, and mean what the view says. */
enum { VIEW_STAYS = 0, VIEW_LEAVES = 1 };

enum binding_flag {
	BINDING_CHANGES = 1, /* not there when the screen is read-only */
	BINDING_QUIET = 2,   /* not in the line of keys, only in the help */
};

struct binding {
	int key;
	int alt;          /* for terminals without the first; 0 = none */
	const char *word; /* "Add" */
	const char *help; /* "Make an account" */
	unsigned flags;
	/* VIEW_STAYS; above 0: the result of the view; below: it ends with this errno. */
	int (*act)(void *ctx);
};

struct view {
	const char *title;
	const char *help;               /* a few sentences for the help window; NULL = none */
	const struct binding *bindings; /* the last one has no act; NULL = none */
	int rows, cols;                 /* of a box around what is drawn; 0 = a page */
	bool is_typing;                 /* letters are text: '?' is no help key */
	bool is_firm;                   /* Esc and ^X do not leave */
	ms_t period_ms;                 /* of tick */
	void (*draw)(void *ctx, struct area a);
	/* What no binding took: as a binding's act. NULL = such keys do nothing. */
	int (*key)(void *ctx, int key);
	/* At the begin and every period. NULL = nothing happens. */
	int (*tick)(void *ctx);
};

struct screen_options {
	const char *program; /* left in the title bar */
	const char *marks;   /* right: "UNLICENSED DEVELOPMENT"; NULL = none */
	ms_t idle_ms;        /* no key for that long and it is over; 0 = never */
	bool is_read_only;
	bool is_ascii; /* even if the locale has UTF-8 */
};

/*
 * Takes the terminal of stdin and stdout over. 0; -ENOTTY: that is no terminal; -ENOENT: a terminal
 * of which nothing is known; -ENOMEM.
 */
int screen_open(struct screen **ret, const struct screen_options *o);
/* Gives it back as it was. */
struct screen *screen_close(struct screen *s);
DEFINE_CLEANUP(struct screen *, screen_close);

/*
 * Shows the view until it is left: above 0 what its action returned (VIEW_LEAVES for Esc), below 0
 * its errno; -ECANCELED when the screen is over (then every view ends, from the top down).
 */
int screen_run(struct screen *s, const struct view *v, void *ctx);
/* Draws now what is on the screen. */
void screen_draw(struct screen *s);
/* Draws a view once and answers no keys: before something that takes a while. */
void screen_show(struct screen *s, const struct view *v, void *ctx);
/* Ends every view: nobody was there, the terminal hung up, or the program was asked to stop. */
bool screen_is_over(const struct screen *s);
/* -ETIMEDOUT: idle; -EPIPE: hung up; -EINTR: a signal; 0 while it is not over. */
int screen_why(const struct screen *s);
/* A new begin after it was over because of idleness. */
void screen_reset(struct screen *s);

bool screen_is_read_only(const struct screen *s);
/* The marks in the title bar; copied. */
void screen_set_marks(struct screen *s, struct str marks);
/* The line above the keys, until the next key. */
__attribute__((format(printf, 3, 4))) void screen_say(struct screen *s, enum role role,
						      const char *fmt, ...);
/* The same for a refusal: its sentence, and what would be accepted if there is room. */
void screen_say_err(struct screen *s, const struct err *err);
