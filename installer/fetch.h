/* fetch: one small file by plain HTTP, within a time and a size. Blocks. */
#pragma once

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"

/* Appends the file, at most max bytes. 0 or negative errno with *err. */
int fetch_url(struct str url, size_t max, ms_t limit, struct buf *out, struct err *err);
