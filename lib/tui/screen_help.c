#include "tui/screen_help.h"

#include "base/cleanup.h"
#include "tui/pager.h"

static void put_key(struct buf *out, int key, int alt, const char *help)
{
	CLEANUP(buf_done) struct buf name = BUF_INIT;

	keys_name(key, &name);
	if (alt) {
		buf_putz(&name, ", ");
		keys_name(alt, &name);
	}
	buf_printf(out, "  %-14.*s %s\n", STR_ARG(buf_str(&name)), help);
}

int screen_help(struct screen *s, const struct view *v)
{
	CLEANUP(buf_done) struct buf text = BUF_INIT;

	if (v->help)
		buf_printf(&text, "%s\n\n", v->help);
	for (const struct binding *b = v->bindings; b && b->act; b++) {
		if (b->flags & BINDING_CHANGES && screen_is_read_only(s))
			continue;
		put_key(&text, b->key, b->alt, b->help ? b->help : b->word);
	}
	if (!v->is_firm)
		put_key(&text, K_ESC, K_CTRL('x'), "Back, changing nothing");
	put_key(&text, K_CTRL('l'), 0, "Draw the screen anew");
	put_key(&text, K_F(1), K_CTRL('g'), "This help");
	buf_putz(&text,
		 "\nWhere there are no function keys, Esc and a digit typed together are F1 to "
		 "F10.\nNothing on the keyboard stops this program.\n");

	int r = pager_run(s, v->title, buf_str(&text));
	return r < 0 ? r : VIEW_STAYS;
}
