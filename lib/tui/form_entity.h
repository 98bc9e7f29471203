/*
 * form_entity: a form made of an entity's field descriptors, so that a field added to entities.tsv
 * is on the screen without code.
 */
#pragma once

#include <jansson.h>

#include "model/entity.h"
#include "tui/form.h"

/* Where names of other entities come from: a new array of the keys of `entity`. 0 or negative
 * errno. */
typedef int form_keys_fn(void *ctx, const struct entity *entity, json_t **ret);

struct form_entity {
	const struct entity *entity;
	void *trial; /* row that values are checked with */
	form_keys_fn *keys;
	void *keys_ctx;
};

/* keys may be NULL. 0 or -ENOMEM; form_entity_done must follow in every case, after form_free. */
int form_entity_init(struct form_entity *fe, const struct entity *e, form_keys_fn *keys, void *ctx);
void form_entity_done(struct form_entity *fe);
/*
 * Adds an item for each field that can be set from outside, with the values of `row` (an object as
 * the daemon answers it) or, if that is NULL, the defaults. Keys of an existing row are fixed. fe
 * must outlive the form. 0 or -ENOMEM.
 */
int form_entity_add(struct form_entity *fe, struct form *f, const json_t *row);
/*
 * What is to be sent: a new object of the fields that are not as they were at the begin, null for
 * those that were emptied. For a new row (is_new) also what was left at a value. NULL if memory is
 * short.
 */
json_t *form_entity_changes(const struct form_entity *fe, const struct form *f, bool is_new);

static inline void form_entity_done_cleanup(struct form_entity *fe)
{
	form_entity_done(fe);
}
