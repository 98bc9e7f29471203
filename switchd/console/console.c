#include "console.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "app.h"
#include "home.h"
#include "login.h"
#include "marks.h"

/* An idle operator is logged out, and the next one asked for the password. */
static void log_in_for_ever(struct app *app, const struct options *o)
{
	for (;;) {
		if (login_run(app, o->hash_file, o->tries_file) >= 0)
			(void)home_run(app, true);
		if (screen_is_over(app->screen) && screen_why(app->screen) != -ETIMEDOUT)
			return;
		screen_reset(app->screen);
	}
}

static const char *farewell(int why)
{
	return why == -ETIMEDOUT ? "switch-console: closed, as no key was pressed for a while\n"
				 : "";
}

int console_run(const struct options *o)
{
	const struct screen_options so = { .program = "Tandem",
					   .marks = marks_of_build(),
					   .idle_ms = o->idle_ms,
					   .is_read_only = o->is_read_only,
					   .is_ascii = o->is_ascii };
	struct app app = { .daemons = { o->socket, o->is_read_only } };

	int r = screen_open(&app.screen, &so);
	if (r < 0) {
		(void)fprintf(stderr, "switch-console: this terminal cannot be used: %s\n",
			      strerrordesc_np(-r));
		return 1;
	}
	if (o->is_login)
		log_in_for_ever(&app, o);
	else
		(void)home_run(&app, false);
	int why = screen_why(app.screen);
	app.screen = screen_close(app.screen);
	(void)fputs(farewell(why), stdout);
	return 0;
}
