/*
 * ini: one of systemd's files with its drop-ins, as systemd.syntax(7) says they are put together.
 */
#pragma once

#include "tree.h"

struct ini {
	struct buf text; /* lines "Section.Key=value", those that count later behind */
	unsigned files;
};

/*
 * name: "switchd.service" in the unit folders, "system.conf" in systemd's own. A name that no file has
 * gives an empty one with files 0. 0 or negative errno. The caller releases it in any case.
 */
int ini_read(struct ini *ret, const struct tree *t, const char *name, bool is_unit);
void ini_done(struct ini *i);
static inline void ini_done_cleanup(struct ini *i)
{
	ini_done(i);
}
/*
 * The value that counts, of a list all of them with a comma between. key: "Manager.DumpCore", or
 * without a section: that of any. Appends to out; false if it is not set.
 */
bool ini_get(const struct ini *i, struct str key, struct buf *out);
