/*
 * key: the key of an entity as operators write it ("acme", "wholesale/880"), in SQL.
 */
#pragma once

#include <stdbool.h>

#include "base/buf.h"
#include "base/str.h"
#include "model/entity.h"
#include "store/db.h"

enum { KEY_PARTS = 4 };

struct key {
	const struct field *field[KEY_PARTS];
	int parts;
};

/* The fields with one of these flags, in the order of the table: FIELD_KEY, with FIELD_SUBKEY
 * for the whole primary key. */
struct key key_of(const struct entity *e, unsigned flags);
/* "a" = ?1 AND "b" = ?2 */
void key_put_match(const struct key *k, struct buf *sql);
/* "a", "b" */
void key_put_names(const struct key *k, struct buf *sql);
/*
 * Binds the parts of a written key to ?1, ?2, ... The last '/' parts two of them: behind it stands
 * a prefix, which has none. False if there are too few parts, or no number where one must be.
 */
bool key_bind(const struct key *k, struct str text, struct stmt *s);
/*
 * Of an entity whose versions have a name among their subkeys (rate: GROUP/PREFIX/ORIGIN): what stands behind the last '/', if it is no
 * prefix but a name, comes off *text and is returned. Empty: none.
 */
struct str key_take_name(const struct entity *e, struct str *text);
