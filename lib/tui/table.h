/*
 * table: rows under column names, of which one is selected; scrolls both ways, and can be filtered.
 *
 * The rows are a JSON array of objects, as the daemons answer; a column is the name of a member.
 * When they are replaced the same row stays selected, found by its key members. What is cut or
 * scrolled away at the right comes with Right and Left; the first column stays.
 */
#pragma once

#include <jansson.h>
#include <stdbool.h>

#include "base/cleanup.h"
#include "model/entity.h"
#include "tui/draw.h"

struct table;

/*
 * columns, keys: NULL-terminated names; keys are the members that tell rows apart. entity: says
 * which columns hold numbers; NULL: their cells do. All are loans. 0 or -ENOMEM.
 */
int table_create(struct table **ret, const char *const *columns, const char *const *keys,
		 const struct entity *entity);
struct table *table_free(struct table *t);
DEFINE_CLEANUP(struct table *, table_free);

/* Other columns, a loan; to be followed by rows. 0 or -ENOMEM: it has the old ones. */
int table_set_columns(struct table *t, const char *const *columns);
/* rows: an array; its reference is taken over, in every case. 0 or -ENOMEM: the old ones stay. */
int table_set_rows(struct table *t, json_t *rows);
/* Only rows of which a shown cell holds the text (any case); empty = all. 0 or -ENOMEM. */
int table_set_filter(struct table *t, struct str text);
struct str table_filter(const struct table *t);
/* Rows that there are, and that the filter leaves. */
size_t table_count(const struct table *t);
size_t table_visible(const struct table *t);
/* A loan until the rows are replaced; NULL if there is none. */
const json_t *table_selected(const struct table *t);
/* How a row looks as a whole (locked, failed ...). NULL: plain. */
void table_set_look(struct table *t, enum role (*look)(const json_t *row));

/* No line of column names: a plain list. */
void table_hide_head(struct table *t);

void table_draw(struct table *t, struct area a);
/* Was it a key that moves the selection? */
bool table_key(struct table *t, int key);
