#include "ini.h"

#include <errno.h>
#include <string.h>

#include "base/cleanup.h"

/* Earlier ones win: an administrator's file stands for that of the image. */
static const char *const unit_folders[] = { "/etc/systemd/system", "/run/systemd/system",
					    "/usr/lib/systemd/system", NULL };
static const char *const own_folders[] = { "/etc/systemd", "/run/systemd", "/usr/lib/systemd",
					   NULL };
/* A second line of these adds to the first, and an empty one forgets them. */
static const struct str lists[] = {
	STR_INIT("AmbientCapabilities"),
	STR_INIT("CapabilityBoundingSet"),
	STR_INIT("DeviceAllow"),
	STR_INIT("ReadWritePaths"),
	STR_INIT("RestrictAddressFamilies"),
	STR_INIT("SupplementaryGroups"),
	STR_INIT("SystemCallFilter"),
	STR_INIT("NTP"),
	STR_INIT("FallbackNTP"),
};

struct reading {
	struct ini *ini;
	const struct tree *tree;
	const char *const *folders;
	const char *folder; /* whose drop-ins are walked */
	const char *name;
};

static void put_lines(struct ini *ini, struct str text)
{
	struct str section = STR(""), line;

	while (str_line(&text, &line)) {
		line = str_trim(line);
		if (str_is_empty(line) || line.p[0] == '#' || line.p[0] == ';')
			continue;
		if (line.p[0] == '[' && line.p[line.n - 1] == ']') {
			section = str_n(line.p + 1, line.n - 2);
			continue;
		}
		buf_put(&ini->text, section);
		buf_putc(&ini->text, '.');
		buf_put(&ini->text, line);
		buf_putc(&ini->text, '\n');
	}
}

static int read_one(struct reading *r, const char *path)
{
	CLEANUP(buf_done) struct buf text = BUF_INIT;
	int e = tree_read(r->tree, path, &text);

	if (e < 0)
		return e;
	put_lines(r->ini, buf_str(&text));
	r->ini->files++;
	return buf_error(&r->ini->text);
}

static int path_of(char path[TREE_PATH], const char *folder, const char *name, const char *rest)
{
	struct buf text = buf_fixed(path, TREE_PATH);

	buf_printf(&text, "%s/%s%s", folder, name, rest);
	return buf_error(&text) ? -ENAMETOOLONG : 0;
}

static int read_main(struct reading *r)
{
	char path[TREE_PATH];
	int e = -ENOENT;

	for (size_t i = 0; e == -ENOENT && r->folders[i]; i++) {
		e = path_of(path, r->folders[i], r->name, "");
		e = e < 0 ? e : read_one(r, path);
	}
	return e == -ENOENT ? 0 : e;
}

/* A drop-in of the same name in a folder that wins stands for this one. */
static int on_drop_in(void *ctx, const char *path)
{
	struct reading *r = ctx;
	char other[TREE_PATH];
	struct stat st;

	for (size_t i = 0; r->folders[i] != r->folder; i++) {
		struct buf text = buf_fixed(other, sizeof(other));

		buf_printf(&text, "%s%s", r->folders[i], path + strlen(r->folder));
		if (buf_error(&text))
			return -ENAMETOOLONG;
		if (tree_stat(r->tree, other, &st) == 0)
			return 0;
	}
	return read_one(r, path);
}

/* systemd sorts them by name over all folders; ours never depend on that order. */
static int read_drop_ins(struct reading *r)
{
	char pattern[TREE_PATH];
	size_t n = 0;
	int e = 0;

	while (r->folders[n])
		n++;
	while (e == 0 && n > 0) {
		r->folder = r->folders[--n];
		e = path_of(pattern, r->folder, r->name, ".d/*.conf");
		e = e < 0 ? e : tree_each(r->tree, pattern, on_drop_in, r);
	}
	return e;
}

int ini_read(struct ini *ret, const struct tree *t, const char *name, bool is_unit)
{
	struct reading r = {
		.ini = ret, .tree = t, .folders = is_unit ? unit_folders : own_folders, .name = name
	};
	int e;

	*ret = (struct ini){ 0 };
	e = read_main(&r);
	return e < 0 ? e : read_drop_ins(&r);
}

void ini_done(struct ini *i)
{
	buf_done(&i->text);
}

static bool is_list(struct str key)
{
	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
		if (str_eq(key, lists[i]))
			return true;
	}
	return false;
}

static void put_words(struct buf *out, struct str value)
{
	struct str word;

	while (str_split(&value, ' ', &word)) {
		if (!str_is_empty(word))
			buf_printf(out, "%s%.*s", out->n ? "," : "", STR_ARG(word));
	}
}

bool ini_get(const struct ini *i, struct str key, struct buf *out)
{
	struct str rest = buf_str(&i->text), line;
	bool has_section = str_chr(key, '.') >= 0, is_set = false;
	struct str bare = has_section ? str_skip(key, (size_t)str_chr(key, '.') + 1) : key;

	while (str_line(&rest, &line)) {
		ptrdiff_t dot = str_chr(line, '.'), sign = str_chr(line, '=');

		if (dot < 0 || sign < dot)
			continue;

		struct str full = str_trim(str_head(line, (size_t)sign));

		if (!str_eq(has_section ? full : str_skip(full, (size_t)dot + 1), key))
			continue;

		struct str value = str_trim(str_skip(line, (size_t)sign + 1));

		if (!is_list(bare) || str_is_empty(value))
			buf_clear(out);
		put_words(out, value);
		is_set = true;
	}
	return is_set;
}
