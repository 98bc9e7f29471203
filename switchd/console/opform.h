/*
 * opform: a form of an operation's own arguments (operations.tsv), such as those of a payment or a
 * filter; what an argument accepts comes from the field of that name, where an entity has one.
 */
#pragma once

#include <jansson.h>

#include "app.h"

struct opform {
	const char *op; /* "account.recharge" */
	const char *title;
	const char *intro;    /* NULL = none */
	const char *entity;   /* whose fields describe the arguments; NULL = none */
	const char *button;   /* "Book" */
	const json_t *preset; /* values to begin with; a loan, NULL = none */
	struct str key; /* of the row it is about: shown, cannot be changed; empty = asked for */
	/* What to do with the arguments when it is saved; NULL: ask the operation. 0, or -EINVAL with
	 * *err. params is a loan. */
	int (*take)(void *ctx, json_t *params, struct err *err);
	void *ctx;
};

/* 1: done; 0: left; below 0: the page must end. */
int opform_run(struct app *app, const struct opform *of);
/*
 * A question: the answer is shown, and the form stands until it is left, so the same again is one key. `take` is not used. As an action:
 * VIEW_STAYS or below 0.
 */
int opform_ask(struct app *app, const struct opform *of);
