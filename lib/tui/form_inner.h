/* form_inner: what the files of a form share. */
#pragma once

#include "tui/form.h"
#include "tui/line.h"

struct form_field {
	struct form_item item;
	char *accepts;    /* own */
	struct line line; /* of a choice: the chosen word */
	struct buf begin; /* what it began with */
	bool is_hidden;
	bool was_refused;
	struct err err;
};

struct form {
	const char *title, *intro, *help;
	const char *button[2];
	struct form_field *field;
	int count;
	int at;         /* the field with the cursor; count + 0 and + 1: the buttons */
	int top;        /* first row of the fields on the page */
	struct err err; /* of none of the fields */
	void (*on_change)(void *ctx, struct form *f, const char *name);
	void *change_ctx;
	int (*submit)(void *ctx, struct form *f, struct err *err);
	void *submit_ctx;
	struct screen *screen; /* while it runs */
};

static inline bool form_field_can_be_edited(const struct form_field *f)
{
	return !f->is_hidden && f->item.kind != FORM_FIXED && f->item.kind != FORM_TITLE;
}

void form_draw(void *ctx, struct area a);
