#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "guide_inner.h"
#include "lock.h"
#include "tui/dialog.h"

struct welcome {
	struct guide *guide;
	struct buf machine; /* a line a fact */
	bool is_waiting;    /* for the end of a set-up at another console */
};

static void put_file(const char *name, const char *path, struct buf *out)
{
	const struct place here = { "" };
	CLEANUP(buf_done) struct buf text = BUF_INIT;

	if (place_read(&here, path, 4096, &text) < 0)
		return;
	struct str value = str_trim(buf_str(&text));
	buf_printf(out, "%-10s ", name);
	buf_put_printable(out, str_head(value, 60));
	buf_putc(out, '\n');
}

static void describe(struct guide *g, struct buf *out)
{
	struct machine *m = &g->setup->machine;
	CLEANUP(buf_done) struct buf cards = BUF_INIT;
	struct str line, rest;

	machine_look(m, g->setup->answers);
	put_file("machine", "/sys/class/dmi/id/product_name", out);
	put_file("maker", "/sys/class/dmi/id/sys_vendor", out);
	buf_printf(out, "processors %u\nmemory     %llu MB\n", m->cores,
		   (unsigned long long)m->memory_mb);
	machine_interfaces(&cards);
	rest = buf_str(&cards);
	while (str_line(&rest, &line))
		buf_printf(out, "network    %.*s\n", STR_ARG(line));
	buf_printf(out, "version    %s\n", TANDEM_VERSION);
}

static void draw(void *ctx, struct area a)
{
	const struct welcome *w = ctx;
	struct area in = area_part(a, 1, 3, a.rows - 1, a.cols - 6);
	struct str line, rest = buf_str(&w->machine);
	int y = 0;

	(void)draw_text(in, y++, 0, ROLE_HEAD, STR("Tandem, a Class 4 softswitch"));
	y++;
	while (str_line(&rest, &line) && y < in.rows - 6)
		(void)draw_text(in, y++, 0, ROLE_PLAIN, line);
	y++;
	(void)draw_wrapped(
		in, y, ROLE_PLAIN,
		STR("These pages ask for the network, the ports, the administrator, the "
		    "licence and the way of billing, make the machine so, and prove with "
		    "test calls that it is ready. Each page can be left; the set-up goes "
		    "on there the next time.\n\nPress Enter to begin."));
	if (w->is_waiting)
		(void)draw_wrapped(
			area_part(in, in.rows - 2, 0, 2, in.cols), 0, ROLE_WARN,
			STR("The set-up is going on at another console of this machine. This "
			    "one begins when that one has ended."));
}

static int begin(void *ctx)
{
	struct welcome *w = ctx;
	struct guide *g = w->guide;

	if (g->lock < 0)
		g->lock = lock_take(&g->setup->place);
	if (g->lock >= 0)
		return VIEW_LEAVES + 1;
	if (g->lock != -EBUSY)
		return g->lock;
	w->is_waiting = true;
	return VIEW_STAYS;
}

/* It may have been done at the other console, or been left there. */
static int look(void *ctx)
{
	struct welcome *w = ctx;

	if (w->guide->lock < 0 && place_has(&w->guide->setup->place, SETUP_DONE))
		return -EBUSY;
	return w->is_waiting ? begin(w) : VIEW_STAYS;
}

static bool is_left(struct guide *g)
{
	return dialog_confirm(g->screen, "Leave",
			      STR("Leave the set-up? It goes on here the next time."), "Leave");
}

int guide_welcome(struct guide *g, struct err *err)
{
	static const struct binding bindings[] = {
		{ K_ENTER, K_F(2), "Begin", "Go to the first page", 0, begin },
		{ 0 },
	};
	static const struct view v = { .title = "Welcome",
				       .bindings = bindings,
				       .period_ms = 1000,
				       .draw = draw,
				       .tick = look };
	struct welcome w = { .guide = g, .machine = BUF_INIT };

	(void)err;
	describe(g, &w.machine);
	int r;
	do
		r = screen_run(g->screen, &v, &w);
	while (r == VIEW_LEAVES && !is_left(g));
	buf_done(&w.machine);
	return r < 0 ? r : r == VIEW_LEAVES ? GUIDE_BACK : GUIDE_NEXT;
}
