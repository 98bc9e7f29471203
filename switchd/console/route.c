#include <errno.h>

#include "base/cleanup.h"
#include "opform.h"
#include "pages.h"
#include "steps.h"

struct route {
	struct app *app;
	json_t *asked; /* the form begins with what was asked last */
	json_t *answer;
};

static int take(void *ctx, json_t *params, struct err *err)
{
	struct route *r = ctx;

	json_decref(r->asked);
	r->asked = json_incref(params);
	int error = daemons_ask(&r->app->daemons, "route.explain", params, &r->answer, err);
	return error < 0 && error != -ENOMEM ? -EINVAL : error;
}

static int ask(struct route *r)
{
	const struct opform of = {
		.op = "route.explain",
		.title = "Explain a route",
		.intro = "What would a call get that comes by this gateway now? The code that "
			 "calls use looks; nobody is called and no money is held. with: changes "
			 "that are assumed and not saved, such as routing-gateway carrier-a down.",
		.button = "Explain",
		.preset = r->asked,
		.take = take,
		.ctx = r,
	};

	return opform_run(r->app, &of);
}

/* Form and answer in turns, until the form is left. */
int route_page(struct app *app)
{
	struct route r = { .app = app };
	int error;

	while ((error = ask(&r)) > 0) {
		error = steps_run(app, "Explain a route", r.answer);
		json_decref(TAKE(r.answer));
		if (error < 0)
			break;
	}
	json_decref(r.asked);
	return error;
}
