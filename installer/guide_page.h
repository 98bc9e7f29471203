/* guide_page: a page of the guide that is one form, with a sentence above it that may change. */
#pragma once

#include "guide_inner.h"
#include "tui/form.h"

enum { GUIDE_INTRO = 400 };

struct guide_page {
	struct guide *guide;
	struct form *form;
	const char *screen; /* of answers.tsv */
	char intro[GUIDE_INTRO];
};

/* title and screen are loans. 0 or -ENOMEM; guide_page_done must follow in every case. */
int guide_page_open(struct guide_page *p, struct guide *g, const char *title, const char *screen);
void guide_page_done(struct guide_page *p);
/* What stands above the fields; cut if it is too long. */
void guide_page_say(struct guide_page *p, struct str text);
/* Until it is accepted or left: a guide_move, or negative errno. submit's ctx is the page. */
int guide_page_run(struct guide_page *p, int (*submit)(void *ctx, struct form *f, struct err *err));

static inline void guide_page_done_cleanup(struct guide_page *p)
{
	guide_page_done(p);
}
