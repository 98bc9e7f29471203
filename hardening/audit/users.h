/* users: the lines of passwd, shadow and group of the machine that is looked at. */
#pragma once

#include "base/cleanup.h"
#include "tree.h"

enum { USERS_FIELDS = 9 };

/* Fields between the colons, loans of the text that users_line walks; missing ones are empty. */
struct users_line {
	struct str field[USERS_FIELDS];
	size_t count;
};

/* The next line that is not blank; false at the end. */
bool users_next(struct str *rest, struct users_line *ret);
/* The number behind a name of /etc/passwd or /etc/group. 0, -ENOENT, or why it cannot be read. */
int users_number(const struct tree *t, const char *file, const char *name, uint32_t *ret);
