#include "guide_page.h"

#include "base/cleanup.h"
#include "base/secret.h"

int guide_page_open(struct guide_page *p, struct guide *g, const char *title, const char *screen)
{
	*p = (struct guide_page){ .guide = g, .screen = screen };
	int r = form_create(&p->form, title);
	if (r < 0)
		return r;
	form_set_buttons(p->form, "Next page", "Page before");
	form_set_intro(p->form, p->intro, NULL);
	return 0;
}

void guide_page_done(struct guide_page *p)
{
	p->form = form_free(p->form);
	secret_wipe(p->intro, sizeof(p->intro));
}

void guide_page_say(struct guide_page *p, struct str text)
{
	if (str_copy(p->intro, sizeof(p->intro), str_head(text, sizeof(p->intro) - 1)) < 0)
		p->intro[0] = '\0';
}

int guide_page_run(struct guide_page *p, int (*submit)(void *ctx, struct form *f, struct err *err))
{
	int r = form_run(p->form, p->guide->screen, submit, p);

	return r < 0 ? r : r > 0 ? GUIDE_NEXT : GUIDE_BACK;
}
