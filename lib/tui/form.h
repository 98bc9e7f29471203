/*
 * form: fields to fill in, checked one by one, with what is wrong at the field itself.
 *
 * Each item has a label, a value and a sentence of help; its check is the same code that checks the
 * value everywhere else (form_entity.h makes items of an entity's fields). Texts are typed, choices
 * turned with Left, Right and Space, and what names something that exists can be picked from a list
 * (F4 or ^F). Tab, Down and Enter go to the next field, Up to the one before; behind the last field
 * stand the buttons. F2 or ^O saves from anywhere.
 *
 * A field is checked when it is left; saving checks them all, then asks `submit`, whose refusal is
 * shown at the field that it names.
 */
#pragma once

#include <jansson.h>
#include <stdbool.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "tui/screen.h"

enum form_kind {
	FORM_TEXT,
	FORM_CHOICE, /* of values */
	FORM_SECRET, /* shown as stars */
	FORM_FIXED,  /* shown, cannot be changed */
	FORM_TITLE,  /* a heading between fields; has no value */
};

struct form_item {
	const char *name;  /* what errors and form_value call it */
	const char *label; /* NULL = the name */
	enum form_kind kind;
	const char *help;          /* what it is for; NULL = none */
	const char *accepts;       /* what is accepted; NULL = none. Copied, unlike the others */
	const char *const *values; /* of a choice, NULL-terminated */
	bool is_required;          /* marked, and not left empty */
	size_t max;                /* characters; 0 = 4096 */
	/* 0, or -EINVAL with *err. NULL: anything goes. An empty text is passed too. */
	int (*check)(void *ctx, const char *name, struct str text, struct err *err);
	/* Names to choose from: a new array of strings in *ret, 0 or negative errno. NULL = none. */
	int (*lookup)(void *ctx, const char *name, json_t **ret);
	void *ctx;
};

struct form;

/* title: of the page; a loan, as are the texts of its items. 0 or -ENOMEM. */
int form_create(struct form **ret, const char *title);
struct form *form_free(struct form *f);
DEFINE_CLEANUP(struct form *, form_free);
/* A few sentences above the fields, and for the help window. Loans; NULL = none. */
void form_set_intro(struct form *f, const char *intro, const char *help);
/* The words of the buttons ("Save", "Cancel" otherwise). Loans. */
void form_set_buttons(struct form *f, const char *save, const char *cancel);
/* The item is copied, with the value it begins with. 0 or -ENOMEM. */
int form_add(struct form *f, const struct form_item *item, struct str value);

/* The text of a field as it stands now: a loan until the next key. Empty if there is none. */
struct str form_value(const struct form *f, const char *name);
/* Does it differ from what it began with? */
bool form_is_changed(const struct form *f, const char *name);
/* 0 or -ENOMEM; a choice takes only one of its values (-EINVAL). */
int form_set_value(struct form *f, const char *name, struct str value);
/* Hides a field, or shows it again, as other fields decide. */
void form_set_hidden(struct form *f, const char *name, bool is_hidden);
/* Called after each change of a value: to hide fields, fill in others. */
void form_on_change(struct form *f, void (*on_change)(void *ctx, struct form *f, const char *name),
		    void *ctx);
/* Checks every field that is not hidden. 0; -EINVAL: the first one at fault has the cursor. */
int form_check(struct form *f);
/* Shows a refusal at its field, or above the buttons if it names none. */
void form_refuse(struct form *f, const struct err *err);

/*
 * Shows the form until it is saved or left. submit: 0: saved, the form closes; -EINVAL with *err:
 * refused, it stays; other errno: ends the form with it. NULL: anything is taken. Returns 1: saved,
 * 0: left, negative errno.
 */
int form_run(struct form *f, struct screen *s,
	     int (*submit)(void *ctx, struct form *f, struct err *err), void *ctx);
