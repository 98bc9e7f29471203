#include "show.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/nearest.h"
#include "model/json.h"
#include "model/text.h"
#include "model/utf8.h"

enum { COLUMNS_MAX = 64 };

/*
 * What is worth a column where a line cannot hold everything. Of these, the ones that the rows
 * have are shown.
 */
static const struct {
	const char *op;
	const char *columns[16];
} usual[] = {
	{ "account.list",
	  { "id", "name", "kind", "billing", "currency", "balance", "holds", "available", "calls",
	    "lock_auto", "lock_manual", "rate_group" } },
	{ "payment.list", { "id", "at", "account", "kind", "amount", "balance", "memo", "actor" } },
	{ "rate.list",
	  { "group", "prefix", "origin", "price", "unit", "first", "step", "setup_fee", "effective",
	    "end", "status", "area" } },
	{ "mapping-gateway.list",
	  { "name", "account", "auth", "address", "tech_prefix", "line_limit", "rate_limit",
	    "calls", "status" } },
	{ "routing-gateway.list",
	  { "name", "account", "address", "prefix", "priority", "line_limit", "rate_limit", "calls",
	    "health", "registered", "status" } },
	{ "gateway.status",
	  { "name", "side", "calls", "line_limit", "free_lines", "calls_per_second", "rate_limit",
	    "health", "since", "registered", "held_s" } },
	{ "registration.list",
	  { "kind", "name", "address", "state", "contact", "expires", "last_error" } },
	{ "knock.list",
	  { "address", "transport", "messages", "last", "method", "caller", "callee", "agent",
	    "known_as" } },
	{ "alarm.list", { "type", "level", "object", "begin", "value", "info", "acked_by" } },
	{ "alarm.history",
	  { "id", "over", "type", "level", "object", "begin", "value", "info", "acked_by" } },
	{ "parameter.list", { "name", "value", "unit", "default", "effect", "help" } },
	{ "report.list", { "name", "nightly", "help" } },
	{ "report.kept", { "key", "bytes" } },
	{ "phone.list",
	  { "number", "numbers", "account", "status", "registered", "calls", "line_limit_out",
	    "line_limit_in", "memo" } },
	{ "rate-sheet.list",
	  { "id", "group", "at", "who", "mode", "effective", "lines", "added", "raised", "lowered",
	    "changed", "removed", "state" } },
	{ "call.list",
	  { "id", "start", "state", "caller", "callee", "account", "mapping_gateway",
	    "routing_gateway" } },
	{ "cdr.list",
	  { "id", "start", "caller", "callee", "account", "mapping_gateway", "routing_gateway",
	    "hold_ms", "billed_s", "fee", "tax", "cost", "reason", "sip_code", "hangup_side" } },
};

static json_t *writable(const json_t *j)
{
	/* jansson's iterators only read, yet want a pointer that may write. */
	return (json_t *)(uintptr_t)j;
}

/* --- choosing columns --- */

static int no_such_column(const json_t *row, struct str name, struct err *err)
{
	CLEANUP(buf_done) struct buf known = BUF_INIT;
	struct nearest n = nearest_to(name);
	const char *member;
	json_t *v;

	json_object_foreach(writable(row), member, v)
	{
		nearest_try(&n, member);
		buf_printf(&known, "%s%s", known.n ? ", " : "", member);
	}
	if (n.best)
		return err_set(err, ERR_UNKNOWN_FIELD, "fields", name, buf_cstr(&known),
			       "there is no such column; did you mean %s?", n.best);
	return err_set(err, ERR_UNKNOWN_FIELD, "fields", name, buf_cstr(&known),
		       "there is no such column");
}

static int choose_of_row(json_t **ret, const json_t *row, struct str columns, struct err *err)
{
	CLEANUP(json_decref) json_t *chosen = json_object();
	struct str name;

	if (!chosen)
		return -ENOMEM;
	while (str_split(&columns, ',', &name)) {
		CLEANUP(free) char *key = str_dup(name);

		if (!key)
			return -ENOMEM;
		json_t *v = json_object_get(row, key);
		if (!v)
			return no_such_column(row, name, err);
		if (json_object_set_nocheck(chosen, key, v) < 0)
			return -ENOMEM;
	}
	*ret = TAKE(chosen);
	return 0;
}

int show_choose(json_t **ret, const json_t *result, struct str columns, struct err *err)
{
	if (str_is_empty(columns) || !(json_is_object(result) || json_is_array(result))) {
		*ret = json_incref(writable(result));
		return 0;
	}
	if (json_is_object(result))
		return choose_of_row(ret, result, columns, err);

	CLEANUP(json_decref) json_t *rows = json_array();
	if (!rows)
		return -ENOMEM;
	for (size_t i = 0; i < json_array_size(result); i++) {
		json_t *row = NULL;

		int r = choose_of_row(&row, json_array_get(result, i), columns, err);
		if (r < 0)
			return r;
		if (json_array_append_new(rows, row) < 0)
			return -ENOMEM;
	}
	*ret = TAKE(rows);
	return 0;
}

/* --- for people --- */

static const char *const *usual_columns(const struct op_info *op)
{
	for (size_t i = 0; i < sizeof(usual) / sizeof(usual[0]); i++) {
		if (strcmp(usual[i].op, op->name) == 0)
			return usual[i].columns;
	}
	return NULL;
}

static int put_table(struct buf *out, const struct op_info *op, const json_t *rows, bool is_chosen)
{
	const char *columns[COLUMNS_MAX] = { NULL };
	const char *const *wanted = is_chosen ? NULL : usual_columns(op);
	const json_t *first = json_array_get(rows, 0);
	const struct entity *e = entity_find(str_of(op->entity));
	int n = 0;

	for (int i = 0; wanted && wanted[i]; i++) {
		if (!first || json_object_get(first, wanted[i]))
			columns[n++] = wanted[i];
	}
	for (int i = 0;
	     !first && !wanted && !is_chosen && e && i < e->fields && n < COLUMNS_MAX - 1; i++) {
		if (!(e->field[i].flags & FIELD_SECRET))
			columns[n++] = e->field[i].name;
	}
	if (!first && n == 0)
		return 0;
	return text_table(rows, n ? columns : NULL, e, out);
}

/* A text of several lines, each made harmless. */
static void put_lines(struct buf *out, struct str text)
{
	struct str line;

	while (str_line(&text, &line)) {
		text_put(out, line);
		buf_putc(out, '\n');
	}
}

static int put_verdict(struct buf *out, const json_t *result)
{
	size_t n = json_array_size(json_object_get(result, "differences"));

	if (n == 0)
		buf_putz(out, "no differences\n");
	else
		buf_printf(out, "%zu difference%s\n", n, n == 1 ? "" : "s");
	return buf_error(out);
}

/* --- what is text or a whole row in the answer, as a person reads it --- */

static int put_change(json_t *row, const char *name, const json_t *of, const json_t *other)
{
	CLEANUP(buf_done) struct buf text = BUF_INIT;

	text_put_changes(of, other, &text);
	if (buf_error(&text))
		return buf_error(&text);
	return json_object_set_new(row, name, json_stringn(text.n ? text.p : "", text.n)) < 0
		       ? -ENOMEM
		       : 0;
}

/* Of a change what has changed: the rows before and after are whole. */
static int unfold_change(json_t *row)
{
	CLEANUP(json_decref) json_t *before = json_incref(json_object_get(row, "before"));
	CLEANUP(json_decref) json_t *after = json_incref(json_object_get(row, "after"));
	int r = 0;

	if (json_is_object(before))
		r = put_change(row, "before", before, after);
	if (r == 0 && json_is_object(after))
		r = put_change(row, "after", after, before);
	return r;
}

/* *ret: the answer, or a copy of it that reads better. */
static int unfold(json_t **ret, const struct op_info *op, const json_t *result)
{
	bool is_log = strcmp(op->name, "log.list") == 0;
	bool is_call = strcmp(op->name, "cdr.show") == 0 || strcmp(op->name, "call.show") == 0;
	json_t *row;
	size_t i;
	int r = 0;

	if (!is_log && !is_call) {
		*ret = json_incref(writable(result));
		return 0;
	}
	*ret = json_deep_copy(result);
	if (!*ret)
		return -ENOMEM;
	if (!is_log)
		return text_unfold_decisions(*ret);
	json_array_foreach(*ret, i, row) r = r ? r : unfold_change(row);
	return r;
}

static int put_answer(struct buf *out, const struct op_info *op, const json_t *result,
		      bool is_chosen)
{
	if (json_is_array(result) &&
	    (json_is_object(json_array_get(result, 0)) || !json_array_size(result)))
		return put_table(out, op, result, is_chosen);
	if (text_is_report(result))
		return text_report(result, out);
	if (json_is_object(result)) {
		int r = text_object(result, out);
		bool is_verdict = json_is_array(json_object_get(result, "differences"));

		return r == 0 && is_verdict ? put_verdict(out, result) : r;
	}
	if (json_is_string(result)) {
		put_lines(out, str_n(json_string_value(result), json_string_length(result)));
		return buf_error(out);
	}
	return json_is_null(result) ? 0 : show_json(out, result);
}

int show_text(struct buf *out, const struct op_info *op, const json_t *result, bool is_chosen)
{
	CLEANUP(json_decref) json_t *readable = NULL;
	int r = unfold(&readable, op, result);

	return r == 0 ? put_answer(out, op, readable, is_chosen) : r;
}

/* --- for programs --- */

/* \uXXXX, in two halves beyond the first plane. Such characters only ever stand inside strings. */
static void put_escaped(struct buf *out, int32_t c)
{
	if (c < 0x10000) {
		buf_printf(out, "\\u%04x", (unsigned)c);
		return;
	}
	c -= 0x10000;
	buf_printf(out, "\\u%04x\\u%04x", 0xd800u + (unsigned)(c >> 10),
		   0xdc00u + (unsigned)(c & 0x3ff));
}

int show_json(struct buf *out, const json_t *result)
{
	CLEANUP(free) char *dump = json_dumps(result, JSON_INDENT(2) | JSON_ENCODE_ANY);
	struct str rest = str_of(dump);
	int32_t c;

	if (!dump)
		return -ENOMEM;
	for (struct str before = rest; utf8_next(&rest, &c); before = rest) {
		if (c != '\n' && utf8_width(c) < 0)
			put_escaped(out, c);
		else
			buf_put(out, str_head(before, before.n - rest.n));
	}
	buf_putc(out, '\n');
	return buf_error(out);
}

bool show_has_differences(const struct op_info *op, const json_t *result)
{
	const char *state = json_string_value(json_object_get(result, "state"));

	if (strcmp(op->verb, "import") == 0 || strcmp(op->entity, "migrate") == 0)
		return state && strcmp(state, "refused") == 0;
	return strcmp(op->verb, "verify") == 0 &&
	       json_array_size(json_object_get(result, "differences")) > 0;
}
