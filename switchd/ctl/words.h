/*
 * words: the grammar of design.md §5, ENTITY VERB [KEY] [name=value ...], read by the table of
 * operations.
 *
 * A word without a name goes to the operation's key, then to its required arguments in their
 * order, then to an argument called `text`. Values are sent as they were typed; what they may be
 * is for the daemon to say.
 */
#pragma once

#include <jansson.h>

#include "base/err.h"
#include "model/op.h"

/* The word that chooses columns of what is answered; it is for us, not for the daemon. */
#define WORDS_COLUMNS "fields"

/* The largest file that an argument may name. */
enum { WORDS_FILE_MAX = 48 << 20 };

struct words {
	enum op op;
	json_t *params;     /* an object */
	struct str columns; /* of fields=a,b,c; empty: as usual. A loan of the words */
	struct str
		save; /* the file that gets the answer, of an operation that has such a thing. A loan too */
	struct str send;        /* the file that is sent in pieces. A loan too */
	const char *send_param; /* and its argument */
};

/*
 * 0; -EINVAL with *err: these words are no operation; -ENOENT with *err: a file that they name cannot be
 * read; -ENOMEM. words_done must follow in every case.
 */
int words_parse(struct words *ret, const char *const *word, int n, struct err *err);
void words_done(struct words *w);

/* Is there an operation of this entity? */
bool words_is_entity(struct str name);
/*
 * The operation of ENTITY VERB, OP_COUNT with *err if there is none. No verb (empty): show, where
 * that needs no key.
 */
enum op words_op(struct str entity, struct str verb, struct err *err);
/* The name of bare word number n (from 0), NULL if it has no place. */
const char *words_slot(const struct op_info *op, int n);
/* Does the operation take a value of that name? */
bool words_takes(const struct op_info *op, struct str name);
/* Splits "name=value" where the left side can be a name; false: a bare word. */
bool words_split(struct str word, struct str *ret_name, struct str *ret_value);

static inline void words_done_cleanup(struct words *w)
{
	words_done(w);
}
