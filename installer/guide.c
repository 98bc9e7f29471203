#include "guide.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "guide_inner.h"
#include "model/answers_file.h"
#include "model/licence.h"
#include "tui/dialog.h"

#define GUIDE_FILE SETUP_DIR "/guide"

static guide_page_fn *const pages[] = {
	guide_welcome, guide_machine, guide_ports,  guide_administrator, guide_licence,
	guide_profile, guide_apply,   guide_market, guide_proof,         guide_summary,
};

enum { PAGES = sizeof(pages) / sizeof(pages[0]) };

/* --- what is kept: a line of numbers, then the answers --- */

int guide_save(struct guide *g, struct err *err)
{
	const struct place *p = &g->setup->place;
	CLEANUP(buf_done) struct buf text = BUF_INIT;

	buf_printf(&text, "%d", g->page);
	for (int i = 0; i < GUIDE_ENTRIES; i++)
		buf_printf(&text, " %u", g->entered[i]);
	buf_putc(&text, '\n');
	answers_print(g->setup->answers, false, &text);
	int r = buf_error(&text);
	if (r == 0)
		r = place_make_dir(p, SETUP_DIR, 0700);
	if (r == 0)
		r = place_write(p, GUIDE_FILE, 0600, buf_str(&text));
	return r < 0 ? SETUP_FAIL(err, r, "cannot write " GUIDE_FILE) : 0;
}

static void take_numbers(struct guide *g, struct str line)
{
	struct str word;
	uint32_t n;

	if (str_split(&line, ' ', &word) && str_to_u32(word, PAGES - 1, &n) == 0)
		g->page = (int)n;
	for (int i = 0; i < GUIDE_ENTRIES && str_split(&line, ' ', &word); i++) {
		if (str_to_u32(word, UINT32_MAX, &n) == 0)
			g->entered[i] = n;
	}
}

/* A file that cannot be used is one that is not there: the set-up begins at its begin. */
static int restore(struct guide *g)
{
	CLEANUP(buf_done) struct buf text = BUF_INIT;
	CLEANUP(answers_free) struct answers *a = answers_create();
	struct answers_report report;
	struct str line, rest;

	if (!a)
		return -ENOMEM;
	if (place_read(&g->setup->place, GUIDE_FILE, ANSWERS_FILE_MAX, &text) < 0)
		return 0;
	rest = buf_str(&text);
	if (!str_line(&rest, &line) || answers_parse(a, rest, &report) < 0)
		return 0;
	take_numbers(g, line);
	answers_free(g->setup->answers);
	g->setup->answers = TAKE(a);
	return 0;
}

/* --- the way through --- */

/* UNLICENSED until a licence is there; DEVELOPMENT if the build's own key signs licences. */
static void set_marks(struct guide *g)
{
	bool has_licence = answers_is_set(g->setup->answers, ANSWER_LICENCE) ||
			   place_has(&g->setup->place, "/var/lib/tandem/licence.json");
	CLEANUP(buf_done) struct buf marks = BUF_INIT;

	buf_putz(&marks, has_licence ? "" : "UNLICENSED");
	if (licence_key_is_development)
		buf_putz(&marks, has_licence ? "DEVELOPMENT" : " DEVELOPMENT");
	screen_set_marks(g->screen, buf_str(&marks));
}

static int walk(struct guide *g, struct err *err)
{
	for (;;) {
		int r = guide_save(g, err);
		if (r < 0)
			return r;
		set_marks(g);
		r = pages[g->page](g, err);
		if (r < 0)
			return r;
		if (r == GUIDE_BACK && g->page == 0)
			return -ECANCELED;
		g->page += r == GUIDE_NEXT ? 1 : -1;
		if (g->page == PAGES)
			return 0;
	}
}

/* Not a fault of a step, which the page itself has shown: the program cannot go on. */
static int end(struct guide *g, int r, struct err *err)
{
	if (r == -ECANCELED || r == -EBUSY)
		return r;
	if (r == 0)
		(void)place_remove(&g->setup->place, GUIDE_FILE);
	if (r < 0 && err_is_set(err))
		dialog_err(g->screen, "The set-up cannot go on", err);
	return r;
}

int guide_run(struct setup *s, struct err *err)
{
	const struct screen_options o = { .program = "Tandem set-up" };
	CLEANUP(screen_close) struct screen *screen = NULL;
	CLEANUP(free) struct guide *g = calloc(1, sizeof(*g));

	if (!g)
		return -ENOMEM;
	g->setup = s;
	g->lock = -1;
	int r = screen_open(&screen, &o);
	if (r < 0)
		return SETUP_FAIL(err, r, "the screens need a terminal; see --unattended");
	g->screen = screen;
	r = restore(g);
	if (r == 0)
		r = end(g, walk(g, err), err);
	if (g->lock >= 0)
		(void)close(g->lock);
	return r;
}
