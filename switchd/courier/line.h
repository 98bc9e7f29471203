/*
 * line: a record as the text line that collectors of the product being replaced read: 18 fields, parted by a vertical bar
 * (features.md §8.1):
 *
 *	caller|callee|start|stop|seconds|reason|side|gateway in|gateway out|address in|address out|caller sent|callee sent|
 *	phone or gateway in|the same out|who pays|kind|id
 *
 * Times are milliseconds since 1970. side: 0 caller, 1 callee, 2 switch; who pays: 0, the caller; kind: -1 not billed, 0 a
 * phone's call, 1 a gateway's. What a record lacks is "-": every field is filled.
 */
#pragma once

#include "base/buf.h"
#include "model/entity.h"

void line_put(const struct cdr_row *r, struct buf *out);
