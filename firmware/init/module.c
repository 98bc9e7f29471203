#include "module.h"

#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <ftw.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file.h"

enum {
	TABLE_MAX = 4 << 20,
	MODALIAS_MAX = 4096,
	SYS_FOLDERS = 16, /* that nftw keeps open */
};

/* "kernel/drivers/ata/ahci.ko" is ahci; a file's '-' is the '_' of a name. */
static bool is_called(struct str path, struct str name)
{
	ptrdiff_t slash;

	while ((slash = str_chr(path, '/')) >= 0)
		path = str_skip(path, (size_t)slash + 1);
	if (!str_has_suffix(path, STR(".ko")) || path.n - 3 != name.n)
		return false;
	for (size_t i = 0; i < name.n; i++) {
		char a = path.p[i] == '-' ? '_' : path.p[i];
		char b = name.p[i] == '-' ? '_' : name.p[i];
		if (a != b)
			return false;
	}
	return true;
}

static int insert(const struct modules *m, struct str path)
{
	CLEANUP(buf_done) struct buf full = BUF_INIT;

	buf_printf(&full, "%s/%.*s", m->dir, STR_ARG(path));
	const char *z = buf_cstr(&full);
	if (!z)
		return buf_error(&full);
	CLEANUP(close) int fd = open(z, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (syscall(SYS_finit_module, fd, "", 0) < 0 && errno != EEXIST)
		return -errno;
	return 0;
}

/* The last word of the line is needed first. */
static int insert_line(const struct modules *m, struct str path, struct str needs)
{
	needs = str_trim(needs);
	while (needs.n > 0) {
		size_t start = needs.n;
		while (start > 0 && needs.p[start - 1] != ' ')
			start--;
		int r = insert(m, str_skip(needs, start));
		if (r < 0)
			return r;
		needs = str_trim(str_head(needs, start));
	}
	return insert(m, path);
}

int modules_load(struct modules *m, struct str name)
{
	struct str rest = buf_str(&m->dep), line;

	while (str_line(&rest, &line)) {
		ptrdiff_t colon = str_chr(line, ':');
		if (colon < 0)
			continue;
		struct str path = str_head(line, (size_t)colon);
		if (is_called(path, name))
			return insert_line(m, path, str_skip(line, (size_t)colon + 1));
	}
	return -ENOENT;
}

static bool matches(struct str pattern, struct str modalias)
{
	char text[MODALIAS_MAX], glob[MODALIAS_MAX];
	size_t fixed = 0;

	while (fixed < pattern.n && !strchr("*?[\\", pattern.p[fixed]))
		fixed++;
	if (!str_eq(str_head(modalias, fixed), str_head(pattern, fixed)))
		return false;
	if (str_copy(glob, sizeof(glob), pattern) < 0 || str_copy(text, sizeof(text), modalias) < 0)
		return false;
	return fnmatch(glob, text, 0) == 0;
}

int modules_load_alias(struct modules *m, struct str modalias)
{
	struct str rest = buf_str(&m->alias), line, word, pattern;
	int r = -ENOENT;

	while (str_line(&rest, &line)) {
		if (!str_split(&line, ' ', &word) || !str_eq(word, STR("alias")) ||
		    !str_split(&line, ' ', &pattern) || !matches(pattern, modalias))
			continue;
		int loaded = modules_load(m, str_trim(line));
		if (r == -ENOENT || loaded == 0)
			r = loaded;
	}
	return r;
}

/* nftw hands nothing through to its visitor; the initrd has one thread and one visit at a time. */
static struct modules *visiting;

static int visit(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	CLEANUP(buf_done) struct buf modalias = BUF_INIT;

	(void)st;
	if (type != FTW_F || strcmp(path + ftw->base, "modalias") != 0)
		return 0;
	if (file_read(path, MODALIAS_MAX - 1, &modalias, NULL) == 0)
		(void)modules_load_alias(visiting, str_trim(buf_str(&modalias)));
	return 0;
}

void modules_coldplug(struct modules *m)
{
	visiting = m;
	(void)nftw("/sys/devices", visit, SYS_FOLDERS, FTW_PHYS);
	visiting = NULL;
}

static int read_table(const char *dir, const char *name, struct buf *to)
{
	CLEANUP(buf_done) struct buf path = BUF_INIT;

	buf_printf(&path, "%s/%s", dir, name);
	const char *z = buf_cstr(&path);
	return z ? file_read(z, TABLE_MAX, to, NULL) : buf_error(&path);
}

int modules_init(struct modules *m, const char *dir)
{
	*m = (struct modules){ .dir = dir };
	int r = read_table(dir, "modules.alias", &m->alias);
	return r < 0 ? r : read_table(dir, "modules.dep", &m->dep);
}

void modules_done(struct modules *m)
{
	buf_done(&m->alias);
	buf_done(&m->dep);
}
