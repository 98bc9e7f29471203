#include "knob.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "ethtool.h"
#include "thread.h"

/* The kernel separates several numbers by tabs. */
static void put_words(struct buf *out, struct str text)
{
	bool was_blank = false;

	text = str_trim(text);
	for (size_t i = 0; i < text.n; i++) {
		bool is_blank = text.p[i] == ' ' || text.p[i] == '\t' || text.p[i] == '\n';

		if (!is_blank || !was_blank)
			buf_putc(out, is_blank ? ' ' : text.p[i]);
		was_blank = is_blank;
	}
}

/* Cards are asked of the kernel; below another root, in a test, they are files as all else is. */
static bool is_of_card(int folder, const char *path)
{
	return str_has_prefix(str_of(path), STR(ETHTOOL)) && file_is_root(folder);
}

static bool is_of_thread(const char *path)
{
	return str_has_prefix(str_of(path), STR(THREAD));
}

int knob_read(int folder, const char *path, char **ret)
{
	if (is_of_card(folder, path))
		return ethtool_read(str_of(path), ret);
	if (is_of_thread(path))
		return thread_read(folder, str_of(path), ret);

	CLEANUP(close) int fd = openat(folder, path, O_RDONLY | O_CLOEXEC);
	CLEANUP(buf_done) struct buf value = BUF_INIT;
	char text[KNOB_VALUE + 1];

	if (fd < 0)
		return -errno;

	ssize_t n = read(fd, text, sizeof(text));

	if (n < 0)
		return -errno;
	if (n > KNOB_VALUE)
		return -EMSGSIZE;
	put_words(&value, str_n(text, (size_t)n));

	char *made = buf_steal(&value);

	if (!made)
		return -ENOMEM;
	*ret = made;
	return 0;
}

int knob_write(int folder, const char *path, const char *value)
{
	if (is_of_card(folder, path))
		return ethtool_write(str_of(path), str_of(value));
	if (is_of_thread(path))
		return thread_write(folder, str_of(path), str_of(value));

	CLEANUP(close) int fd = openat(folder, path, O_WRONLY | O_TRUNC | O_CLOEXEC);
	size_t n;

	if (fd < 0)
		return -errno;
	if (!value[0])
		value = "\n"; /* no octet at all would change nothing */
	n = strlen(value);

	ssize_t done = write(fd, value, n);

	if (done < 0)
		return -errno;
	return (size_t)done == n ? 0 : -EIO;
}

/* Words of a key become folders. A folder's own name may hold dots: it is put as it is. */
static void put_path(struct buf *path, struct str key)
{
	for (size_t i = 0; i < key.n; i++)
		buf_putc(path, key.p[i] == '.' ? '/' : key.p[i]);
}

static int tell(struct str before, struct str name, struct str after, knob_fn *fn, void *ctx)
{
	char text[KNOB_PATH];
	struct buf path = buf_fixed(text, sizeof(text) - 1);

	put_path(&path, before);
	buf_put(&path, name);
	put_path(&path, after);
	if (buf_error(&path))
		return -ENAMETOOLONG;
	text[path.n] = '\0';
	return fn(ctx, text);
}

static DIR *open_folder(int folder, struct str key)
{
	char text[KNOB_PATH];
	struct buf path = buf_fixed(text, sizeof(text) - 1);

	put_path(&path, key);
	if (buf_error(&path))
		return NULL;
	text[path.n] = '\0';

	int fd = openat(folder, text, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);

	if (fd >= 0 && !d)
		(void)close(fd);
	return d;
}

int knob_each(int folder, struct str key, knob_fn *fn, void *ctx)
{
	ptrdiff_t star = str_chr(key, '*');

	if (star < 0)
		return tell(key, STR(""), STR(""), fn, ctx);

	struct str before = str_head(key, (size_t)star), after = str_skip(key, (size_t)star + 1);
	CLEANUP(closedir) DIR *d = open_folder(folder, before);
	const struct dirent *e;
	size_t found = 0;

	while (d && (e = readdir(d))) {
		if (e->d_name[0] == '.')
			continue;

		int r = tell(before, str_of(e->d_name), after, fn, ctx);

		if (r < 0)
			return r;
		found++;
	}
	return found ? 0 : tell(before, STR("*"), after, fn, ctx);
}
