#include <errno.h>

#include "base/cleanup.h"
#include "model/text.h"
#include "opform.h"
#include "pages.h"
#include "shape.h"
#include "tui/dialog.h"

static int put(struct app *app, const char *op, const char *head, struct buf *out)
{
	CLEANUP(json_decref) json_t *answer = NULL;
	struct err err = ERR_INIT;

	buf_printf(out, "%s\n", head);
	int r = daemons_ask(&app->daemons, op, NULL, &answer, &err);
	CLEANUP(json_decref) json_t *filled = r == 0 ? shape_filled(answer) : NULL;
	if (r == 0)
		return filled ? text_object(filled, out) : -ENOMEM;
	buf_printf(out, "%s\n", err.message);
	return r == -ENOMEM ? r : 0;
}

int about_page(struct app *app)
{
	CLEANUP(buf_done) struct buf text = BUF_INIT;

	buf_putz(&text, "Tandem, a Class 4 softswitch. Console " TANDEM_VERSION ".\n\n");
	int r = put(app, "license.show", "LICENCE", &text);
	buf_putc(&text, '\n');
	if (r == 0)
		r = put(app, "status.show", "SWITCH", &text);
	if (r < 0 || buf_error(&text))
		return -ENOMEM;
	dialog_message(app->screen, "About", buf_str(&text));
	return VIEW_STAYS;
}

int licence_page(struct app *app)
{
	static const struct opform of = {
		.op = "license.activate",
		.title = "Activate a licence",
		.intro =
			"Paste the text of the licence file as one line. A licence is made for one "
			"machine; what it is called is on the page About. A file is taken by: "
			"switchctl license activate FILE",
		.button = "Activate",
	};
	int r = opform_run(app, &of);

	return r < 0 ? r : r == 1 ? about_page(app) : VIEW_STAYS;
}
