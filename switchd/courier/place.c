#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "base/file.h"
#include "courier/inner.h"

static const char *const names[] = { "files", "post", "collector" };

static const char *put_path(const struct courier *c, struct buf *path)
{
	buf_printf(path, "%s/cdr/%s.place", c->data_dir, names[c->kind]);
	return buf_cstr(path);
}

int place_read(const struct courier *c, struct place *ret)
{
	CLEANUP(buf_done) struct buf path = BUF_INIT, text = BUF_INIT;
	struct place p = { 0 };
	struct str rest, seq, file, length;
	const char *name = put_path(c, &path);
	int r = name ? file_read(name, 1024, &text, NULL) : -ENOMEM;

	if (r < 0)
		return r;
	rest = str_trim(buf_str(&text));
	if (!str_split(&rest, ' ', &seq) || !str_split(&rest, ' ', &file) ||
	    !str_split(&rest, ' ', &length) || str_to_i64(seq, 0, INT64_MAX, &p.seq) < 0 ||
	    str_to_i64(length, 0, INT64_MAX, &p.length) < 0 || str_chr(file, '/') >= 0)
		return -EUCLEAN;
	if (!str_eq(file, STR("-")) && str_copy(p.file, sizeof(p.file), file) < 0)
		return -EUCLEAN;
	*ret = p;
	return 0;
}

int place_write(const struct courier *c, const struct place *p)
{
	CLEANUP(buf_done) struct buf path = BUF_INIT, text = BUF_INIT;
	const char *name = put_path(c, &path);

	buf_printf(&text, "%lld %s %lld\n", (long long)p->seq, p->file[0] ? p->file : "-",
		   (long long)p->length);
	if (!name || buf_error(&text) < 0)
		return -ENOMEM;
	return file_write(name, buf_str(&text), 0600, true, NULL);
}

void place_forget(const struct courier *c)
{
	CLEANUP(buf_done) struct buf path = BUF_INIT;
	const char *name = put_path(c, &path);

	if (name)
		(void)unlink(name);
}
