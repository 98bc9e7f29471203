#include "sshd_conf.h"

#include <errno.h>

#include "base/cleanup.h"

struct reading {
	struct sshd_conf *conf;
	const struct tree *tree;
	unsigned depth;
	bool is_in_match;
};

static int read_file(struct reading *r, const char *path);

static int on_included(void *ctx, const char *path)
{
	return read_file(ctx, path);
}

/* Of a keyword, blanks or one `=` follow it. */
static void cut(struct str line, struct str *ret_key, struct str *ret_value)
{
	size_t n = 0;

	while (n < line.n && line.p[n] != ' ' && line.p[n] != '\t' && line.p[n] != '=')
		n++;
	*ret_key = str_head(line, n);

	struct str value = str_trim(str_skip(line, n));

	if (!str_is_empty(value) && value.p[0] == '=')
		value = str_trim(str_skip(value, 1));
	if (value.n >= 2 && value.p[0] == '"' && value.p[value.n - 1] == '"')
		value = str_n(value.p + 1, value.n - 2);
	*ret_value = value;
}

static int include(struct reading *r, struct str patterns)
{
	struct str pattern;
	char path[TREE_PATH];
	int e = 0;

	while (e == 0 && str_split(&patterns, ' ', &pattern)) {
		if (str_is_empty(pattern))
			continue;

		struct buf text = buf_fixed(path, sizeof(path) - 1);

		if (pattern.p[0] != '/')
			buf_putz(&text, "/etc/ssh/");
		buf_put(&text, pattern);
		if (buf_error(&text))
			return -ENAMETOOLONG;
		path[text.n] = '\0';
		e = tree_each(r->tree, path, on_included, r);
	}
	return e;
}

static void put(struct buf *out, struct str key, struct str value)
{
	for (size_t i = 0; i < key.n; i++) {
		char c = key.p[i];

		buf_putc(out, c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c);
	}
	buf_putc(out, ' ');
	buf_put(out, value);
	buf_putc(out, '\n');
}

static int take(struct reading *r, struct str line)
{
	struct str key, value;

	line = str_trim(line);
	if (str_is_empty(line) || line.p[0] == '#')
		return 0;
	cut(line, &key, &value);
	if (str_ieq(key, STR("Match")))
		r->is_in_match = !str_ieq(value, STR("all"));
	else if (str_ieq(key, STR("Include")))
		return r->is_in_match ? 0 : include(r, value);
	else if (!r->is_in_match)
		put(&r->conf->text, key, value);
	return buf_error(&r->conf->text);
}

static int read_file(struct reading *r, const char *path)
{
	CLEANUP(buf_done) struct buf text = BUF_INIT;
	struct str line;
	bool was_in_match = r->is_in_match;

	if (r->depth >= SSHD_DEPTH_MAX)
		return -ELOOP;

	int e = tree_read(r->tree, path, &text);

	r->depth++;
	for (struct str rest = buf_str(&text); e == 0 && str_line(&rest, &line);)
		e = take(r, line);
	r->depth--;
	/* A Match ends with the file that it stands in. */
	r->is_in_match = was_in_match;
	return e;
}

int sshd_conf_read(struct sshd_conf *ret, const struct tree *t, const char *path)
{
	struct reading r = { .conf = ret, .tree = t };

	*ret = (struct sshd_conf){ 0 };
	return read_file(&r, path);
}

void sshd_conf_done(struct sshd_conf *c)
{
	buf_done(&c->text);
}

bool sshd_conf_get(const struct sshd_conf *c, struct str keyword, struct str *ret)
{
	struct str rest = buf_str(&c->text), line, key, value;

	while (str_line(&rest, &line)) {
		cut(line, &key, &value);
		if (str_ieq(key, keyword)) {
			*ret = value;
			return true;
		}
	}
	return false;
}
