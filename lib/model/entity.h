/*
 * entity: what operators enter and see, as tables of field descriptors (entities.tsv).
 *
 * gen.py makes from each entity a struct (account_row, with char *id, money_t limit_money ...), an
 * index for each field (ACCOUNT_LIMIT_MONEY), constants for each enum value
 * (ACCOUNT_KIND_CLEARING) and the descriptors. SQL, JSON, CLI arguments, forms and the reference
 * are produced by walking the descriptors: adding a field is adding a row.
 *
 * In a row struct a text or list is a char * owned by the row (NULL = absent); everything else is
 * an int64_t (bool 0/1, enum the index of its value, money 1e-8, time wall ms), FIELD_ABSENT =
 * absent. A field with a default is never absent: cleared, it is back at its default.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/money.h"
#include "base/str.h"

#define FIELD_ABSENT INT64_MIN

enum field_type {
	FIELD_TEXT, /* char * */
	FIELD_LIST, /* char *, comma separated, no blanks; a JSON array outside */
	FIELD_INT,
	FIELD_BOOL,
	FIELD_ENUM,
	FIELD_MONEY, /* also other exact decimals */
	FIELD_TIME,
	FIELD_ID, /* int64, 16 hex digits outside */
};

enum field_flag {
	FIELD_KEY = 1,    /* part of the key, in the order of the rows */
	FIELD_SUBKEY = 2, /* part of the primary key, not of the name operators use */
	FIELD_REQUIRED = 4,
	FIELD_AUTO = 8,      /* stored, set by the switch, refused from outside */
	FIELD_COMPUTED = 16, /* shown only, not stored */
	FIELD_SECRET = 32,   /* never shown */
	FIELD_NUMBER = 64,   /* a text or list of phone numbers or prefixes: digits, * and # */
	FIELD_AMOUNT =
		128, /* money that was counted, not a price: lists show it rounded (text.h) */
};

struct field {
	const char *name;
	enum field_type type;
	unsigned flags;
	size_t offset;
	int64_t min, max; /* of the number, or of a text's length; FIELD_ABSENT = none */
	const char *unit;
	const char *default_text;  /* NULL = absent unless given */
	int64_t default_int;       /* the same, as a row holds it; FIELD_ABSENT for texts */
	const char *const *values; /* of an enum, NULL-terminated */
	const char *ref;           /* name of the entity it must be a key of */
	const char *help;
};

/* Which file the rows live in: switch.db, or ledger.db (and a month file). */
enum entity_home { HOME_SWITCH, HOME_LEDGER };

struct entity {
	const char *name;  /* "mapping-gateway" */
	const char *table; /* "mapping_gateway" */
	enum entity_home home;
	size_t row_size;
	int fields;
	const struct field *field;
	const char *help;
};

#include "entities.gen.h" /* ENTITY_ACCOUNT ... ENTITY_COUNT, row structs, field indices, enums */

extern const struct entity entities[ENTITY_COUNT];

/* NULL if there is none of that name. */
const struct entity *entity_find(struct str name);
/* Index of the field or -1. */
int entity_field(const struct entity *e, struct str name);

/* A row with every field at its default or absent; a struct x_row. NULL if memory is short. */
void *row_create(const struct entity *e);
void *row_copy(const struct entity *e, const void *row);
/* Frees the row and its texts; NULL is accepted. Returns NULL. */
void *row_free(const struct entity *e, void *row);

/* Field access by descriptor. row_int of a text and row_text of another are mistakes (assert). */
int64_t row_int(const struct field *f, const void *row);
const char *row_text(const struct field *f, const void *row);
bool row_is_absent(const struct field *f, const void *row);
void row_set_int(const struct field *f, void *row, int64_t v);
/* Copies; an empty slice makes it absent. 0 or -ENOMEM: the old text then stays. */
int row_set_text(const struct field *f, void *row, struct str v);
/* Back to the default, or absent. 0 or -ENOMEM. */
int row_reset(const struct field *f, void *row);

/*
 * Sets a field from an operator's text, validated by type, range, length, characters and values;
 * nothing at all resets it. -EINVAL with *err filled, -ENOMEM; the field then stays as it was.
 */
int row_parse(const struct field *f, void *row, struct str text, struct err *err);
/* Is everything there that must be? -EINVAL with *err naming the first required field or key
 * that is absent. AUTO fields are not asked for. */
int row_check(const struct entity *e, const void *row, struct err *err);
/* The field's text for people: money exact, time ISO, bool true/false, absent = nothing. */
void row_print(const struct field *f, const void *row, struct buf *out);
/* The key as operators write it: "acme", "wholesale/880". */
void row_key(const struct entity *e, const void *row, struct buf *out);
/* What a field accepts, for errors and help: "0 to 1000 calls", "ip, ip_port or password". */
void field_accepts(const struct field *f, struct buf *out);
