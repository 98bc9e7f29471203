/*
 * list: a page with what an operation lists: read again every so often, searched, shown, and with
 * the keys of its own that its spec has.
 */
#pragma once

#include <jansson.h>

#include "app.h"
#include "base/cleanup.h"
#include "tui/table.h"

struct list;

struct list_spec {
	const char *title;
	const char *help;
	const char *op;             /* "account.list" */
	const char *entity;         /* of its rows; NULL = of none */
	const char *const *columns; /* NULL-terminated */
	const char *const *keys;    /* members that tell rows apart */
	ms_t period_ms;             /* between two readings; 0 = only when asked to */
	/* LIST_KEYS and those of its own; ctx is a struct list. */
	const struct binding *bindings;
	/* Changes a row into what is to be seen. NULL = as it is. */
	void (*shape)(json_t *row);
	enum role (*look)(const json_t *row);
};

/* args: of the operation, a loan; NULL = none. As an action: VIEW_STAYS or below 0. */
int list_run(struct app *app, const struct list_spec *spec, const json_t *args);

/* --- for the actions of its keys --- */

struct app *list_app(struct list *l);
/* Of the spec. */
const char *list_entity(struct list *l);
/* The selected row as it was answered, or NULL: it then says so itself. */
const json_t *list_row(struct list *l);
/* The arguments, to be changed before list_read. */
json_t *list_args(struct list *l);
/*
 * Asks for an operation, says what came of it (fmt, or the refusal), and reads again: what a key does to a row. params: taken; NULL = none.
 * What list_read returns.
 */
__attribute__((format(printf, 4, 5))) int list_ask(struct list *l, const char *operation,
						   json_t *params, const char *fmt, ...);
/* Other columns than the spec's from the next reading on: a NULL-terminated loan. 0 or -ENOMEM. */
int list_set_columns(struct list *l, const char *const *columns);
/* Reads again. What goes wrong stands on the page. VIEW_STAYS or -ENOMEM. */
int list_read(struct list *l);
/* The last row: a loan until the next reading; NULL if there is none. */
const json_t *list_last_row(const struct list *l);
/* Rows that there are. */
size_t list_count(const struct list *l);

/* Of lists whose operation takes `after`, an id: the rows behind the last one of the page, and the first page again. */
int list_older(void *ctx);
int list_newest(void *ctx);

/* The keys that every list has. */
int list_search(void *ctx);
int list_refresh(void *ctx);
#define LIST_KEYS                                                                              \
	{ '/', K_F(7), "Search", "Only rows that hold a text; nothing: all", 0, list_search }, \
	{                                                                                      \
		'r', K_F(5), "Refresh", "Read again now", BINDING_QUIET, list_refresh          \
	}
