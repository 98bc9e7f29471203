#include "control/rpc.h"

#include <errno.h>
#include <stdio.h>

#include "base/cleanup.h"

/* The numbers of JSON-RPC 2.0 §5.1; what it has no number for counts down from -32000. */
static int number_of(enum err_code code)
{
	switch (code) {
	case ERR_SYNTAX:
		return -32700;
	case ERR_USAGE:
		return -32600;
	case ERR_UNKNOWN_OPERATION:
		return -32601;
	case ERR_UNKNOWN_FIELD:
	case ERR_MISSING_FIELD:
	case ERR_BAD_VALUE:
		return -32602;
	case ERR_INTERNAL:
		return -32603;
	default:
		return -32000 - (int)code;
	}
}

static enum err_code code_of(const char *name)
{
	for (int c = ERR_NONE + 1; name && c < ERR_COUNT; c++) {
		if (str_eq(str_of(name), str_of(err_code_name((enum err_code)c))))
			return (enum err_code)c;
	}
	return ERR_INTERNAL;
}

/*
 * Nesting is counted before parsing, because jansson's parser recurses. Brackets inside strings are
 * no nesting; whether the rest is JSON at all is the parser's business.
 */
static bool is_too_deep(struct str line)
{
	bool in_string = false;
	int depth = 0;

	for (size_t i = 0; i < line.n; i++) {
		char c = line.p[i];

		if (c == '"')
			in_string = !in_string;
		else if (in_string)
			i += c == '\\';
		else if (c == '{' || c == '[')
			depth++;
		else if (c == '}' || c == ']')
			depth--;
		if (depth > RPC_DEPTH_MAX)
			return true;
	}
	return false;
}

/*
 * Parses a line into *ret; what is wrong is told without repeating the parser's own words, which
 * quote the line.
 */
static int parse_json(json_t **ret, struct str line, struct err *err)
{
	if (line.n > RPC_LINE_MAX)
		return err_set(err, ERR_SYNTAX, "", str_head(line, 32), "a line of up to 64 MiB",
			       "the line is too long");
	if (is_too_deep(line))
		return err_set(err, ERR_SYNTAX, "", str_head(line, 32), "at most 32 levels",
			       "the JSON is nested too deeply");

	json_error_t e = { 0 };
	errno = 0;
	json_t *doc = json_loadb(line.n ? line.p : "", line.n, JSON_REJECT_DUPLICATES, &e);
	if (doc) {
		*ret = doc;
		return 0;
	}
	/* Short of memory the parser mostly claims a syntax error; malloc tells the truth. */
	if (errno == ENOMEM || json_error_code(&e) == json_error_out_of_memory)
		return -ENOMEM;

	size_t at = e.position > 16 ? (size_t)e.position - 16 : 0;
	return err_set(err, ERR_SYNTAX, "", str_head(str_skip(line, at), 32),
		       "one JSON-RPC 2.0 object a line",
		       json_error_code(&e) == json_error_duplicate_key
			       ? "a name stands twice in one object, before byte %d"
			       : "the line is not valid JSON, at byte %d",
		       e.position);
}

static bool is_id(const json_t *id)
{
	return json_is_null(id) || json_is_integer(id) ||
	       (json_is_string(id) && json_string_length(id) <= RPC_ID_MAX);
}

static int read_actor(struct rpc_call *c, struct err *err)
{
	const json_t *actor = json_object_get(c->doc, "actor");
	struct str s = str_n(json_string_value(actor), json_string_length(actor));

	if (!actor)
		return 0;
	if (!json_is_string(actor) || str_has_control(s) ||
	    str_copy(c->actor, sizeof(c->actor), s) < 0)
		return err_set(err, ERR_BAD_VALUE, "actor", s, "up to 63 bytes of plain text",
			       "the actor cannot be used");
	return 0;
}

/* A missing params member is an empty object, so that no reader has to ask. */
static int read_params(struct rpc_call *c, struct err *err)
{
	c->params = json_object_get(c->doc, "params");
	if (!c->params) {
		if (json_object_set_new(c->doc, "params", json_object()) < 0)
			return -ENOMEM;
		c->params = json_object_get(c->doc, "params");
	}
	if (!json_is_object(c->params))
		return err_set(err, ERR_BAD_VALUE, "params", STR(""), "an object of named values",
			       "params is not an object");
	return 0;
}

static int read_envelope(struct rpc_call *c, struct err *err)
{
	const json_t *version = json_object_get(c->doc, "jsonrpc");
	const json_t *method = json_object_get(c->doc, "method");
	json_t *id = json_object_get(c->doc, "id");

	if (json_is_array(c->doc))
		return err_set(err, ERR_USAGE, "", STR(""),
			       "one object a line, any number of lines",
			       "batches are not supported");
	if (!json_is_object(c->doc))
		return err_set(err, ERR_USAGE, "", STR(""), "one JSON-RPC 2.0 object a line",
			       "the line is not a JSON object");
	if (id && !is_id(id))
		return err_set(err, ERR_USAGE, "id", STR(""),
			       "an integer, null or a string of up to 128 bytes",
			       "the id cannot be used");
	c->id = id;
	if (!json_is_string(version) || !str_eq(str_of(json_string_value(version)), STR("2.0")))
		return err_set(err, ERR_USAGE, "jsonrpc", str_of(json_string_value(version)),
			       "\"2.0\"", "the line is not a JSON-RPC 2.0 request");
	if (!json_is_string(method) || json_string_length(method) == 0)
		return err_set(err, ERR_USAGE, "method", STR(""), "the name of an operation",
			       "the request names no method");
	c->method = str_n(json_string_value(method), json_string_length(method));
	return 0;
}

int rpc_parse(struct rpc_call *ret, struct str line, struct err *err)
{
	*ret = (struct rpc_call){ 0 };

	int r = parse_json(&ret->doc, line, err);
	if (r == 0)
		r = read_envelope(ret, err);
	if (r == 0)
		r = read_params(ret, err);
	if (r == 0)
		r = read_actor(ret, err);
	return r;
}

void rpc_call_done(struct rpc_call *c)
{
	json_decref(c->doc);
	*c = (struct rpc_call){ 0 };
}

struct sink {
	struct buf *out;
	size_t most; /* how long out may get */
	bool is_full;
};

static int put_piece(const char *p, size_t n, void *ctx)
{
	struct sink *s = ctx;

	s->is_full = n > s->most - s->out->n;
	if (!s->is_full)
		buf_put(s->out, str_n(p, n));
	return s->is_full || buf_error(s->out) ? -1 : 0;
}

/* Takes the reference of doc, NULL standing for one that could not be made. */
static int put_line(struct buf *out, json_t *doc)
{
	struct sink s = { .out = out, .most = out->n + RPC_LINE_MAX };
	size_t before = out->n;
	int r = -ENOMEM;

	if (doc && json_dump_callback(doc, put_piece, &s, JSON_COMPACT) == 0) {
		buf_putc(out, '\n');
		r = buf_error(out);
	} else if (s.is_full) {
		r = -EMSGSIZE;
	}
	if (r < 0)
		out->n = before;
	json_decref(doc);
	return r;
}

int rpc_put_call(struct buf *out, json_int_t id, const char *method, json_t *params)
{
	return put_line(out, json_pack("{s:s, s:I, s:s, s:O*}", "jsonrpc", "2.0", "id", id,
				       "method", method, "params", params));
}

/* A reference to the id; jansson's references have no const. */
static json_t *id_again(const json_t *id)
{
	return id ? json_incref((json_t *)(uintptr_t)id) : json_null();
}

int rpc_put_result(struct buf *out, const json_t *id, json_t *result)
{
	return put_line(out, json_pack("{s:s, s:o, s:O?}", "jsonrpc", "2.0", "id", id_again(id),
				       "result", result));
}

/* A member's text: null if it is empty, and cleaned if a cut has left half a UTF-8 character. */
static json_t *text_of(const char *z)
{
	CLEANUP(buf_done) struct buf clean = BUF_INIT;

	if (!z[0])
		return json_null();
	buf_put_printable(&clean, str_of(z));
	return buf_error(&clean) ? NULL : json_stringn(clean.p, clean.n);
}

int rpc_put_error(struct buf *out, const json_t *id, const struct err *err)
{
	json_t *data = json_pack("{s:s, s:o, s:o, s:o}", "code", err_code_name(err->code), "field",
				 text_of(err->field), "given", text_of(err->given), "accepted",
				 text_of(err->accepted));

	return put_line(out, json_pack("{s:s, s:o, s:{s:i, s:o, s:o}}", "jsonrpc", "2.0", "id",
				       id_again(id), "error", "code", number_of(err->code),
				       "message", text_of(err->message), "data", data));
}

static void copy_text(char *dst, size_t size, const json_t *object, const char *name)
{
	const char *s = json_string_value(json_object_get(object, name));

	(void)snprintf(dst, size, "%s", s ? s : "");
}

/* What the other side said is wrong, as far as it fits. */
static int read_error(const json_t *error, struct err *err)
{
	const json_t *data = json_object_get(error, "data");

	err->code = code_of(json_string_value(json_object_get(data, "code")));
	copy_text(err->message, sizeof(err->message), error, "message");
	copy_text(err->field, sizeof(err->field), data, "field");
	copy_text(err->given, sizeof(err->given), data, "given");
	copy_text(err->accepted, sizeof(err->accepted), data, "accepted");
	return -EINVAL;
}

int rpc_parse_answer(struct str line, json_int_t id, json_t **ret, struct err *err)
{
	struct err ignored = ERR_INIT;
	json_t *doc = NULL;

	int r = parse_json(&doc, line, &ignored);
	if (r < 0)
		return r == -ENOMEM ? r : -EPROTO;

	const json_t *its_id = json_object_get(doc, "id");
	json_t *result = json_object_get(doc, "result");
	const json_t *error = json_object_get(doc, "error");

	/* An error about a line that could not be read has no id to repeat. */
	if (json_is_object(error) && (json_is_null(its_id) || json_integer_value(its_id) == id)) {
		r = read_error(error, err);
	} else if (result && json_is_integer(its_id) && json_integer_value(its_id) == id) {
		*ret = json_incref(result);
	} else {
		r = -EPROTO;
	}
	json_decref(doc);
	return r;
}
