#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "guide_answers.h"
#include "guide_page.h"
#include "load.h"
#include "profile.h"
#include "tui/dialog.h"

/* --- machine and network --- */

static int take_machine(void *ctx, struct form *f, struct err *err)
{
	struct guide_page *p = ctx;
	const struct place here = { "" };
	CLEANUP(buf_done) struct buf zone = BUF_INIT;
	struct str name = form_value(f, "timezone");

	buf_printf(&zone, "/usr/share/zoneinfo/%.*s", STR_ARG(name));
	if (name.n > 0 && buf_cstr(&zone) && !place_has(&here, zone.p))
		return err_set(err, ERR_BAD_VALUE, "timezone", name,
			       "UTC, America/Bogota, Europe/Madrid, Asia/Dhaka ...",
			       "this machine does not know this time zone");
	return guide_answers_take(p->guide, f, p->screen, err);
}

int guide_machine(struct guide *g, struct err *err)
{
	CLEANUP(guide_page_done) struct guide_page p = { 0 };
	CLEANUP(buf_done) struct buf cards = BUF_INIT;
	struct str line, rest;

	(void)err;
	int r = guide_page_open(&p, g, "Machine and network", "machine");
	if (r < 0)
		return r;
	machine_interfaces(&cards);
	rest = buf_str(&cards);
	CLEANUP(buf_done) struct buf intro = BUF_INIT;
	buf_putz(&intro, "Network cards:");
	while (str_line(&rest, &line))
		buf_printf(&intro, " %.*s;", STR_ARG(line));
	guide_page_say(&p, buf_str(&intro));
	r = guide_answers_add(g, p.form, p.screen);
	return r < 0 ? r : guide_page_run(&p, take_machine);
}

/* --- ports --- */

/* With what the form says now, as far as that can be read. */
static uint32_t look_at_load(struct guide_page *p, struct form *f, struct buf *what)
{
	static const enum answer ids[] = { ANSWER_LINES, ANSWER_CPS, ANSWER_MEDIA_PORTS };
	CLEANUP(answers_free) struct answers *a = answers_create();

	(void)p;
	for (size_t i = 0; a && i < sizeof(ids) / sizeof(ids[0]); i++)
		(void)answers_set(a, ids[i], form_value(f, answer_infos[ids[i]].name), 0, NULL);
	return a ? load_missing(a, what) : 0;
}

static void show_load(void *ctx, struct form *f, const char *name)
{
	struct guide_page *p = ctx;
	CLEANUP(buf_done) struct buf what = BUF_INIT;

	(void)name;
	uint32_t missing = look_at_load(p, f, &what);
	if (missing > 0)
		buf_printf(&what, ": TOO FEW, %u are missing", missing);
	buf_putc(&what, '.');
	guide_page_say(p, buf_str(&what));
}

static int take_ports(void *ctx, struct form *f, struct err *err)
{
	struct guide_page *p = ctx;
	CLEANUP(buf_done) struct buf what = BUF_INIT;
	uint32_t missing = look_at_load(p, f, &what);

	if (missing > 0) {
		buf_printf(&what, ". %u are missing: calls beyond will be refused (NoMediaPort).",
			   missing);
		if (!dialog_confirm(p->guide->screen, "Too few media ports", buf_str(&what),
				    "Keep them"))
			return err_set(
				err, ERR_BAD_VALUE, "media_ports", form_value(f, "media_ports"),
				"a wider range, or fewer lines", "%u ports are missing", missing);
	}
	return guide_answers_take(p->guide, f, p->screen, err);
}

int guide_ports(struct guide *g, struct err *err)
{
	CLEANUP(guide_page_done) struct guide_page p = { 0 };

	(void)err;
	int r = guide_page_open(&p, g, "SIP and media ports", "ports");
	if (r == 0)
		r = guide_answers_add(g, p.form, p.screen);
	if (r < 0)
		return r;
	form_on_change(p.form, show_load, &p);
	show_load(&p, p.form, NULL);
	return guide_page_run(&p, take_ports);
}

/* --- profile --- */

static void show_profile(void *ctx, struct form *f, const char *name)
{
	struct guide_page *p = ctx;
	CLEANUP(buf_done) struct buf text = BUF_INIT;
	const struct profile *profile = profile_find(form_value(f, "profile"));

	(void)name;
	if (profile)
		profile_describe(profile, &text);
	buf_putc(&text, '.');
	guide_page_say(p, buf_str(&text));
}

static int take_profile(void *ctx, struct form *f, struct err *err)
{
	struct guide_page *p = ctx;

	return guide_answers_take(p->guide, f, p->screen, err);
}

int guide_profile(struct guide *g, struct err *err)
{
	CLEANUP(guide_page_done) struct guide_page p = { 0 };

	(void)err;
	int r = guide_page_open(&p, g, "Business model", "profile");
	if (r == 0)
		r = guide_answers_add(g, p.form, p.screen);
	if (r < 0)
		return r;
	form_on_change(p.form, show_profile, &p);
	show_profile(&p, p.form, NULL);
	return guide_page_run(&p, take_profile);
}
