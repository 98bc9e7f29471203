#include "save.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "base/base64.h"
#include "model/json.h"

struct saving {
	FILE *to;
	size_t bytes;
};

static int no_file(struct str name, int error, struct err *err)
{
	return err_set(err, ERR_BAD_VALUE, "file", name,
		       "a file that can be written, or - for standard output",
		       "the file cannot be written: %s", strerror(error));
}

/* For the owner alone: other people's calls are in it. */
static FILE *open_file(struct str name)
{
	CLEANUP(free) char *path = str_dup(name);
	int fd = path ? open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600) : -1;
	FILE *f = fd < 0 ? NULL : fdopen(fd, "w");

	if (fd >= 0 && !f)
		(void)close(fd);
	return f;
}

static int put_page(struct saving *s, const json_t *page, const struct words *w, struct err *err)
{
	CLEANUP(buf_done) struct buf bytes = BUF_INIT;
	const json_t *text = json_object_get(page, "content");
	struct str content = str_n(json_string_value(text), json_string_length(text));

	if (!content.p || base64_decode(content, &bytes) < 0)
		return err_set(err, ERR_INTERNAL, "", STR(""), NULL, "the answer has no content");
	if (!s->to)
		s->to = open_file(w->save);
	if (!s->to || fwrite(bytes.p, 1, bytes.n, s->to) != bytes.n)
		return no_file(w->save, errno, err);
	s->bytes += bytes.n;
	return 0;
}

static int fetch_all(struct client *c, const struct words *w, struct saving *s, struct err *err)
{
	for (;;) {
		CLEANUP(json_decref) json_t *page = NULL;
		int r = client_call(c, op_infos[w->op].name, w->params, &page, err);

		if (r == 0)
			r = put_page(s, page, w, err);
		if (r < 0)
			return r;
		json_t *next = json_object_get(page, "next");
		if (!next || json_is_null(next))
			return 0;
		if (json_object_set(w->params, "after", next) < 0)
			return -ENOMEM;
	}
}

int save_answer(struct client *c, const struct words *w, FILE *out, json_t **ret, struct err *err)
{
	bool is_out = str_eq(w->save, STR("-"));
	struct saving s = { .to = is_out ? out : NULL };
	int r = fetch_all(c, w, &s, err);
	int closed = is_out ? fflush(out) : s.to ? fclose(s.to) : 0;
	if (r == 0 && closed != 0)
		r = no_file(w->save, errno, err);
	if (r == 0 && !is_out) {
		*ret = json_pack("{s:s% s:I}", "file", w->save.p, w->save.n, "bytes",
				 (json_int_t)s.bytes);
		r = *ret ? 0 : -ENOMEM;
	}
	return r;
}
