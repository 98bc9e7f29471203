#include <string.h>

#include "base/cleanup.h"
#include "finish.h"
#include "guide_inner.h"
#include "tui/pager.h"

static void put_line(struct buf *out, const char *name, struct str value)
{
	buf_printf(out, "%-14s ", name);
	buf_put_printable(out, value);
	buf_putc(out, '\n');
}

static void summarise(struct guide *g, struct buf *out)
{
	const struct answers *a = g->setup->answers;
	bool has_licence = answers_is_set(a, ANSWER_LICENCE);

	put_line(out, "machine", answers_str(a, ANSWER_HOSTNAME));
	put_line(out, "address", answers_str(a, ANSWER_IPV4));
	put_line(out, "SIP port", answers_str(a, ANSWER_SIP_PORT));
	put_line(out, "media ports", answers_str(a, ANSWER_MEDIA_PORTS));
	put_line(out, "SSH port", answers_str(a, ANSWER_SSH_PORT));
	put_line(out, "licence", has_licence ? STR("active") : STR("UNLICENSED"));
	put_line(out, "profile", answers_str(a, ANSWER_PROFILE));
	put_line(out, "go-live test", g->is_proved ? STR("passed") : STR("not passed"));
	if (g->record[0])
		buf_printf(out, "\nThe record is %s.txt and .html.\n", g->record);
}

struct summary {
	struct guide *guide;
	struct buf text;
};

static void draw_summary(void *ctx, struct area a)
{
	const struct summary *s = ctx;
	struct area in = area_part(a, 1, 3, a.rows - 1, a.cols - 6);
	struct str line, rest = buf_str(&s->text);
	int y = 0;

	while (str_line(&rest, &line))
		y += draw_wrapped(in, y, ROLE_PLAIN, line);
	(void)draw_wrapped(in, y + 1, ROLE_HEAD,
			   STR("Press Enter to finish; the operator's console comes next."));
}

static int finish(void *ctx)
{
	(void)ctx;
	return VIEW_LEAVES + 1;
}

static int show_record(void *ctx)
{
	const struct summary *s = ctx;
	const struct place here = { "" };
	CLEANUP(buf_done) struct buf path = BUF_INIT;
	CLEANUP(buf_done) struct buf text = BUF_INIT;
	enum { RECORD_MAX = 256 * 1024 };

	buf_printf(&path, "%s.txt", s->guide->record);
	if (!s->guide->record[0] || !buf_cstr(&path) ||
	    place_read(&here, path.p, RECORD_MAX, &text) < 0) {
		screen_say(s->guide->screen, ROLE_DIM, "There is no record of a go-live test");
		return VIEW_STAYS;
	}
	int r = pager_run(s->guide->screen, "Deployment record", buf_str(&text));
	return r < 0 ? r : VIEW_STAYS;
}

int guide_summary(struct guide *g, struct err *err)
{
	static const struct binding bindings[] = {
		{ K_ENTER, K_F(2), "Finish", "The set-up is done", 0, finish },
		{ 'r', K_F(3), "Record", "Read the record of the go-live test", 0, show_record },
		{ 0 },
	};
	static const struct view v = { .title = "Ready",
				       .bindings = bindings,
				       .draw = draw_summary };
	struct summary s = { g, BUF_INIT };

	summarise(g, &s.text);
	int r = screen_run(g->screen, &v, &s);
	buf_done(&s.text);
	if (r < 0 || r == VIEW_LEAVES)
		return r < 0 ? r : GUIDE_BACK;
	r = finish_done(g->setup, err);
	return r < 0 ? r : GUIDE_NEXT;
}
