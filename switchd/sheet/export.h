/* export: the rates of a group written as a sheet that sheet_read takes: an import of it changes nothing. */
#pragma once

#include "base/buf.h"
#include "base/clock.h"
#include "store/db.h"

/*
 * One page of whole prefixes. A rate in force at that moment has no `effective`, one to come has its own. after: "" for the
 * first page, which has the header, or what *ret_next was; at is of the first page only. *ret_next is left empty at the end.
 * 0; -EINVAL: no such page; db's errors.
 */
int export_page(struct db *d, struct str group, ms_t at, struct str after, struct buf *out,
		struct buf *ret_next);
