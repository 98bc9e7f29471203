/*
 * param: the system parameters (parameters.tsv): names, aliases, types, ranges, defaults; and a set
 * of their values.
 *
 * gen.py makes enum param { PARAM_SS_MAX_CALL_PER_SECOND, ... PARAM_COUNT } sorted by name.
 * A `struct params` is a plain value set: built by the main thread, immutable once it is part of a
 * world.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/money.h"
#include "base/str.h"

#include "params.gen.h"

#define PARAM_UNSET INT64_MIN

enum param_type {
	PARAM_T_INT,
	PARAM_T_BOOL,     /* On or Off; also true, yes, 1 and their opposites */
	PARAM_T_DURATION, /* a whole number of the unit */
	PARAM_T_DECIMAL,  /* exact, in 1e-8 */
	PARAM_T_ENUM,
	PARAM_T_STRING,
	PARAM_T_LIST,    /* texts, comma separated; if there are values, of those */
	PARAM_T_INTS,    /* a list of whole numbers from min to max */
	PARAM_T_NUMBERS, /* a list of phone numbers: digits, * and # */
	PARAM_T_RANGE,   /* "first,last", both from min to max */
};
enum param_effect { EFFECT_NONE_YET, EFFECT_LIVE, EFFECT_NOT_SUPPORTED };

struct param_info {
	const char *name;
	const char *const *aliases; /* NULL-terminated, or NULL */
	const char *category;
	enum param_type type;
	const char *default_text; /* "" = unset */
	int64_t min, max;         /* of a number (a decimal in 1e-8); of a text's length */
	const char *unit;
	const char *const *values; /* of an enum or list; of a number: words that leave it unset */
	const char *applies;       /* "immediately" or "restart" */
	enum param_effect effect;
	const char *help;
};

extern const struct param_info param_infos[PARAM_COUNT];

/* By name or alias, any case. PARAM_COUNT if there is none. */
enum param param_find(struct str name);
/* No parameter has that name: *err of this code and field says so, and which one was probably meant. -EINVAL. */
int param_unknown(struct str name, enum err_code code, const char *field, const char *accepted,
		  struct err *err);
/* "int", "duration" ... ; "live", "none yet", "not supported". */
const char *param_type_name(enum param_type t);
const char *param_effect_name(enum param_effect e);
/* What it accepts, for errors and help: "1 to 120 s", "401 or 407". */
void param_accepts(enum param id, struct buf *out);

struct params;

/* All at their defaults. NULL if memory is short. */
struct params *params_create(void);
struct params *params_copy(const struct params *p);
struct params *params_free(struct params *p);
DEFINE_CLEANUP(struct params *, params_free);

/* -EINVAL with *err saying what would be accepted; -ENOMEM. The old value then stays. */
int params_set(struct params *p, enum param id, struct str text, struct err *err);
void params_reset(struct params *p, enum param id);

/* int, bool (0/1), duration (in the parameter's unit), decimal (1e-8), enum (index of its value).
 * What is unset ("Auto", "None", "") is PARAM_UNSET. Of another type it is a mistake (assert). */
int64_t param_int(const struct params *p, enum param id);
bool param_bool(const struct params *p, enum param id);
/* The text of any parameter as it is shown and stored. Never NULL; of a list comma separated. */
struct str param_str(const struct params *p, enum param id);
/* The two ends of a range. */
void param_range(const struct params *p, enum param id, int64_t *ret_first, int64_t *ret_last);
bool param_is_default(const struct params *p, enum param id);
/* Is `item` in a list parameter? */
bool param_list_has(const struct params *p, enum param id, struct str item);
