#include <string.h>

#include "base/cleanup.h"
#include "finish.h"
#include "guide_inner.h"

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

static void draw_summary(void *ctx, struct area a)
{
	const struct buf *text = ctx;
	struct area in = area_part(a, 1, 3, a.rows - 1, a.cols - 6);
	struct str line, rest = buf_str(text);
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

int guide_summary(struct guide *g, struct err *err)
{
	static const struct binding bindings[] = {
		{ K_ENTER, K_F(2), "Finish", "The set-up is done", 0, finish },
		{ 0 },
	};
	static const struct view v = { .title = "Ready",
				       .bindings = bindings,
				       .draw = draw_summary };
	CLEANUP(buf_done) struct buf text = BUF_INIT;

	summarise(g, &text);
	int r = screen_run(g->screen, &v, &text);
	if (r < 0 || r == VIEW_LEAVES)
		return r < 0 ? r : GUIDE_BACK;
	r = finish_done(g->setup, err);
	return r < 0 ? r : GUIDE_NEXT;
}
