/*
 * op: everything that can be asked of the switch (operations.tsv): name, owner, permission,
 * arguments, help.
 *
 * The same table serves the control socket, switchctl, its completion and the reference.
 */
#pragma once

#include <stdbool.h>

#include "base/str.h"
#include "model/entity.h"

#include "ops.gen.h" /* enum op { OP_ACCOUNT_ADD, ... OP_COUNT } */

enum op_permission { PERM_READ, PERM_MONEY, PERM_ADMIN };

struct op_arg {
	const char *name;
	enum field_type type;
	bool is_required;
	bool is_file; /* a person names a file; what is sent is its content, as text */
	/*
	 * A person names a file, which is not sent: it gets what is answered, {content, next}: the content in base64 and,
	 * unless null, what `after` is to be for the page that follows.
	 */
	bool is_save;
	/*
	 * A person names a file, which is sent in pieces, one request each: the argument has a piece in base64, `more` says that
	 * others follow, `token` (as the first piece was answered) which file it belongs to. The last one is answered with
	 * the operation's result (control/upload.h).
	 */
	bool is_send;
};

struct op_info {
	const char *name;   /* "account.add" */
	const char *entity; /* "account" */
	const char *verb;   /* "add" */
	const char *owner;  /* "switchd" */
	enum op_permission permission;
	const char *key;             /* name of the argument given as a bare word, "" = none */
	const struct entity *fields; /* takes the fields of this entity, or NULL */
	const struct op_arg *args;   /* further arguments, or NULL */
	int arg_count;
	const char *result; /* "object", "array", "text" */
	const char *help;
};

extern const struct op_info op_infos[OP_COUNT];

/* OP_COUNT if there is none. */
enum op op_find(struct str name);
enum op op_find_verb(struct str entity, struct str verb);
/* The argument of that name, or NULL; the fields of `fields` are not among them. */
const struct op_arg *op_arg_find(const struct op_info *op, struct str name);
