/*
 * msg_head: the first look at a message's bytes: lines, header names, values; nothing is understood
 * yet.
 *
 * Every line ends in CR LF, a folded one becomes one line, a name is a token, and the only control
 * octet is HTAB (security.md P5, P6). What is wrong is noted, and reading goes on, so that there is
 * something to answer to.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/str.h"

struct msg_fault;

enum header_kind {
	HEADER_OTHER,
	/* At most one of each. */
	HEADER_FROM,
	HEADER_TO,
	HEADER_CALL_ID,
	HEADER_CSEQ,
	HEADER_MAX_FORWARDS,
	HEADER_CONTENT_TYPE,
	HEADER_CONTENT_LENGTH,
	HEADER_SINGLES,
	/* Any number. */
	HEADER_VIA = HEADER_SINGLES,
	HEADER_CONTACT,
	HEADER_ROUTE,
	HEADER_RECORD_ROUTE,
	HEADER_KINDS
};

struct header {
	enum header_kind kind;
	struct str name; /* of a compact form: the long one */
	struct str value;
};

struct head {
	struct str start; /* the first line */
	/* Value of the first header of that kind; p is NULL if there is none. */
	struct str first[HEADER_SINGLES];
	struct str body;            /* all that stands behind the empty line */
	int elements[HEADER_KINDS]; /* how many msg_check found of Via, Contact and the routes */
	int count, max;
	struct header header[]; /* max of them */
};

/*
 * How many headers `raw` has room for: line ends up to the empty line, but no more than
 * MSG_HEADERS_MAX.
 */
int head_room(struct str raw);
/*
 * text[n] is changed in place: folds become blanks, control octets that were quoted become '?'.
 * h->max is given.
 */
void head_read(struct head *h, char *text, size_t n, struct msg_fault *fault);
/* "c" → "Content-Type"; a name that is not compact comes back as it is. */
struct str header_long_name(struct str name);
/* The next header of that kind from *at on; NULL at the end. */
const struct header *head_next(const struct head *h, enum header_kind kind, int *at);

/*
 * The elements of all headers of a kind, lists split: struct elements e = { h, HEADER_VIA }; while
 * (element_next(&e, &s))
 */
struct elements {
	const struct head *head;
	enum header_kind kind;
	int at;
	struct str rest;
};
bool element_next(struct elements *e, struct str *ret);
