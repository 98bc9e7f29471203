/*
 * mapping: which table and column of another system becomes which field here: a text of lines that operators edit (lib/model/vos3000.tsv
 * says how they are written, and is the one in force when none is given).
 */
#pragma once

#include "base/buf.h"
#include "base/err.h"
#include "model/entity.h"

enum { MAPPING_BYTES_MAX = 1 << 20, MAPPING_LINES_MAX = 2000 };

/* What a line fills in. */
enum mapping_target {
	TARGET_FIELD,     /* of an entity */
	TARGET_CDR,       /* of a call */
	TARGET_ID,        /* what other tables call the row */
	TARGET_OF,        /* the row that a further table belongs to */
	TARGET_BALANCE,   /* of an account */
	TARGET_PORT,      /* of addresses that name none */
	TARGET_LEAVE_OUT, /* rows with one of the words are left out */
};

enum mapping_how {
	HOW_TEXT,
	HOW_MONEY,
	HOW_LIST,
	HOW_MS,
	HOW_SECONDS,
	HOW_DATE,
	HOW_REF,
	HOW_WORDS
};

/* X(NAME, word): what a call is compared by. */
#define MAPPING_CDR(X)        \
	X(ID, "id")           \
	X(ACCOUNT, "account") \
	X(CALLEE, "callee")   \
	X(CALLER, "caller")   \
	X(START, "start")     \
	X(SECONDS, "seconds") \
	X(BILLED, "billed")   \
	X(FEE, "fee")         \
	X(TAX, "tax")         \
	X(PACKAGE_S, "package_s")

enum mapping_cdr {
#define MAPPING_ENUM(name, word) OTHER_##name,
	MAPPING_CDR(MAPPING_ENUM)
#undef MAPPING_ENUM
		OTHER_COUNT
};

enum { MAPPING_CALLS = ENTITY_COUNT }; /* the entity of calls */

/* Slices of the text. */
struct mapping_line {
	int entity; /* enum entity_id or MAPPING_CALLS */
	enum mapping_target target;
	enum mapping_how how;
	enum mapping_cdr cdr;      /* TARGET_CDR */
	const struct field *field; /* TARGET_FIELD */
	struct str table, column;  /* a column that begins with '=': that text */
	struct str words;          /* HOW_WORDS: 0=normal,*=locked */
	struct str otherwise, note;
};

struct mapping {
	struct mapping_line *line;
	size_t lines;
};

/* The one that comes with the switch. 0 or -ENOMEM. */
int mapping_default(struct buf *out);
/* text must outlive the mapping. 0; -EINVAL with *err; -ENOMEM. mapping_done follows in every case. */
int mapping_parse(struct mapping *ret, struct str text, struct err *err);
void mapping_done(struct mapping *m);
/* Does the line speak of that table? */
bool mapping_is_of(const struct mapping_line *l, struct str table);

static inline void mapping_done_cleanup(struct mapping *m)
{
	mapping_done(m);
}
