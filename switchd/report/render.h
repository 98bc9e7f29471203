/* render: a report, or a statement of several, as a file: CSV for programs, a page of HTML for printing. */
#pragma once

#include <jansson.h>

#include "base/buf.h"

/* doc: what report_make gives. A line of names, then the rows; totals are left to the reader. 0 or -ENOMEM. */
int render_csv(const json_t *doc, struct buf *out);
/* One page by itself: no other file, no script. doc: the same, or {title, facts: {...}, sections: [doc ...], notes: [...]}. 0 or -ENOMEM. */
int render_html(const json_t *doc, struct buf *out);
