/*
 * field: walks the header fields of a message that nobody has parsed yet.
 *
 * Lines end with LF or CR LF; a line that begins with SP or HTAB continues the one before it
 * (folding); blanks before the colon do not belong to the name. In slices of the message.
 */
#pragma once

#include <stdbool.h>

#include "base/str.h"

struct field {
	struct str name;  /* empty: a line without a colon */
	struct str value; /* trimmed; a folded one still holds its line ends */
};

/* Takes the request or status line off *rest; empty lines before it do not count (§7.5). */
struct str field_start_line(struct str *rest);
/* Takes the next field off *rest; false at the blank line or the end of the bytes. */
bool field_next(struct str *rest, struct field *ret);
/* The value of a parameter in ";a=b;c=d" (any blanks around); empty if it is not there. */
struct str field_param(struct str params, struct str name);
/* The parameters behind a name-addr or addr-spec: `"a;b" <sip:x;y>;tag=z` → `;tag=z`. */
struct str field_address_params(struct str value);
