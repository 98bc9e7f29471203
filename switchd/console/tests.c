#include "tests.h"

#include <errno.h>

#include "base/cleanup.h"
#include "list.h"
#include "model/text.h"
#include "opform.h"
#include "tui/dialog.h"

struct test {
	struct app *app;
	const char *op, *title;
};

/* The form stands until it is left: the same test again is one key. */
static int take(void *ctx, json_t *params, struct err *err)
{
	const struct test *t = ctx;
	CLEANUP(json_decref) json_t *answer = NULL;
	CLEANUP(buf_done) struct buf text = BUF_INIT;
	int r;

	screen_say(t->app->screen, ROLE_PLAIN, "%s is under way ...", t->title);
	r = daemons_ask(&t->app->daemons, t->op, params, &answer, err);
	if (r < 0)
		return r != -ENOMEM ? -EINVAL : r;
	r = json_is_array(answer) ? text_table(answer, NULL, NULL, &text)
				  : text_object(answer, &text);
	if (r == 0)
		dialog_message(t->app->screen, t->title, buf_str(&text));
	return r;
}

static int run(void *list, const char *op, const char *title, const char *intro, const char *arg)
{
	const char *name = json_string_value(json_object_get(list_row(list), "name"));
	struct test t = { .app = list_app(list), .op = op, .title = title };
	CLEANUP(json_decref) json_t *preset = name ? json_pack("{s:s}", arg, name) : NULL;
	const struct opform of = { .op = op,
				   .title = title,
				   .intro = intro,
				   .button = "Begin",
				   .preset = preset,
				   .take = take,
				   .ctx = &t };
	int r = preset ? opform_run(t.app, &of) : VIEW_STAYS;

	return r > 0 ? VIEW_STAYS : r;
}

int tests_gateway(void *list)
{
	return run(
		list, "routing-gateway.test", "Test a gateway",
		"Is it there, and how long does it take? No key acts until the last answer came.",
		"name");
}

int tests_call(void *list)
{
	return run(
		list, "call.test", "Test call",
		"A real call to that number; its vendor may charge for it. It gives up after ring "
		"seconds (30) and hangs up after talk seconds (3); no key acts until then.",
		"gateway");
}
