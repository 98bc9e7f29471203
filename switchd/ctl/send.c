#include "send.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/base64.h"
#include "control/args.h"
#include "model/json.h"

enum { PIECE = 384 * 1024 };

static int no_file(struct str name, struct err *err)
{
	return err_set(err, ERR_BAD_VALUE, "file", name,
		       "a file that can be read, or - for standard input",
		       "the file cannot be read: %s", strerror(errno));
}

/* The piece into the operation's arguments. */
static int put_piece(const struct words *w, struct str bytes, bool has_more)
{
	CLEANUP(buf_done) struct buf text = BUF_INIT;

	buf_put_base64(&text, bytes, true);
	if (buf_error(&text) < 0 ||
	    json_object_set_new(w->params, w->send_param,
				json_stringn(text.n ? text.p : "", text.n)) < 0 ||
	    json_object_set_new(w->params, ARG_MORE, json_boolean(has_more)) < 0)
		return -ENOMEM;
	return 0;
}

static int keep_token(const struct words *w, const json_t *answer, struct err *err)
{
	json_t *token = json_object_get(answer, ARG_TOKEN);

	if (!json_is_string(token))
		return err_set(err, ERR_INTERNAL, "", STR(""), NULL,
			       "the answer to a piece of the file is none");
	return json_object_set(w->params, ARG_TOKEN, token) < 0 ? -ENOMEM : 0;
}

static int send_all(struct client *c, const struct words *w, FILE *f, char *piece, json_t **ret,
		    struct err *err)
{
	for (;;) {
		CLEANUP(json_decref) json_t *answer = NULL;
		size_t n = fread(piece, 1, PIECE, f);
		int next = n == PIECE ? getc(f) : EOF;

		if (ferror(f))
			return no_file(w->send, err);
		if (next != EOF)
			(void)ungetc(next, f);
		int r = put_piece(w, str_n(piece, n), next != EOF);
		if (r == 0)
			r = client_call(c, op_infos[w->op].name, w->params, &answer, err);
		if (r == 0 && next != EOF)
			r = keep_token(w, answer, err);
		if (r < 0)
			return r;
		if (next == EOF) {
			*ret = TAKE(answer);
			return 0;
		}
	}
}

int send_file(struct client *c, const struct words *w, json_t **ret, struct err *err)
{
	bool is_in = str_eq(w->send, STR("-"));
	CLEANUP(free) char *path = str_dup(w->send);
	CLEANUP(free) char *piece = malloc(PIECE);
	FILE *f = is_in ? stdin : path ? fopen(path, "re") : NULL;

	if (!path || !piece) {
		if (f && !is_in)
			(void)fclose(f);
		return -ENOMEM;
	}
	if (!f)
		return no_file(w->send, err);
	int r = send_all(c, w, f, piece, ret, err);
	if (!is_in)
		(void)fclose(f);
	return r;
}
