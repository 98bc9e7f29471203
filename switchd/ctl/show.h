/*
 * show: an answer of the daemon as text: for people in columns and lines, for programs as one JSON
 * document.
 */
#pragma once

#include <jansson.h>

#include "base/buf.h"
#include "base/err.h"
#include "model/op.h"

/*
 * The columns that were asked for (a,b,c), of an object or an array of them: the same value with
 * those members alone. Empty: everything. 0 with a new reference; -EINVAL with *err if there is no
 * such column; -ENOMEM.
 */
int show_choose(json_t **ret, const json_t *result, struct str columns, struct err *err);
/* For people. is_chosen: the columns were asked for, so all are shown. 0 or -ENOMEM. */
int show_text(struct buf *out, const struct op_info *op, const json_t *result, bool is_chosen);
/*
 * One document with a newline. What a terminal might act on stands escaped in it, which is the
 * same JSON. 0 or -ENOMEM.
 */
int show_json(struct buf *out, const json_t *result);
/* Did a verification find differences? */
bool show_has_differences(const struct op_info *op, const json_t *result);
