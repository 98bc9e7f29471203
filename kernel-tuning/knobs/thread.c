#include "thread.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/file.h"

enum {
	TEXT_MAX = 512, /* of a line of /proc/PID/stat */
	NICE_WORD = 16, /* of that line, behind the name; proc(5) */
	NICE_MIN = -20,
	NICE_MAX = 19,
};

/* What is to be done with a thread; negative ends the walk. */
typedef int thread_fn(void *ctx, int task, uint32_t id);

struct walk {
	struct str program, thread;
	thread_fn *fn;
	void *ctx;
	bool is_found;
};

static int read_line(int folder, const char *name, char text[TEXT_MAX], struct str *ret)
{
	CLEANUP(close) int fd = openat(folder, name, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, text, TEXT_MAX);

	if (n < 0)
		return -errno;
	*ret = str_trim(str_n(text, (size_t)n));
	return 0;
}

static bool is_called(int folder, struct str name)
{
	char text[TEXT_MAX];
	struct str line = { 0 };

	return read_line(folder, "comm", text, &line) == 0 && str_eq(line, name);
}

/* Each folder with a number for its name: fn's first negative result, or 0. */
static int each_number(int parent, const char *name, int (*fn)(struct walk *w, int fd, uint32_t id),
		       struct walk *w)
{
	int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	CLEANUP(closedir) DIR *d = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *e;
	uint32_t id;
	int r = 0;

	if (fd >= 0 && !d)
		(void)close(fd);
	while (d && r >= 0 && (e = readdir(d))) {
		if (str_to_u32(str_of(e->d_name), INT32_MAX, &id) < 0)
			continue;

		CLEANUP(close) int one = openat(fd, e->d_name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (one >= 0)
			r = fn(w, one, id);
	}
	return r;
}

static int on_task(struct walk *w, int fd, uint32_t id)
{
	if (!is_called(fd, w->thread))
		return 0;
	w->is_found = true;
	return w->fn(w->ctx, fd, id);
}

static int on_process(struct walk *w, int fd, uint32_t id)
{
	(void)id;
	return is_called(fd, w->program) ? each_number(fd, "task", on_task, w) : 0;
}

static int each(int root, struct str path, thread_fn *fn, void *ctx)
{
	struct walk w = { .fn = fn, .ctx = ctx };
	int r;

	path = str_skip(path, STR(THREAD).n);
	if (!str_split(&path, '/', &w.program) || !str_split(&path, '/', &w.thread) ||
	    !str_eq(path, STR("nice")))
		return -ENOENT;
	r = each_number(root, "proc", on_process, &w);
	return r < 0 || w.is_found ? r : -ENOENT;
}

/* "78 (media) S 1 ...": a name may hold anything, a bracket too. */
static int nice_of(struct str line, int *ret)
{
	struct str word = { 0 };
	size_t end = line.n;
	uint32_t n;
	bool is_less;

	while (end > 0 && line.p[end - 1] != ')')
		end--;
	line = str_trim(str_skip(line, end));
	for (int i = 0; i <= NICE_WORD; i++) {
		if (!str_split(&line, ' ', &word))
			return -EINVAL;
	}
	is_less = str_has_prefix(word, STR("-"));
	if (str_to_u32(is_less ? str_skip(word, 1) : word, -NICE_MIN, &n) < 0)
		return -EINVAL;
	*ret = is_less ? -(int)n : (int)n;
	return 0;
}

static int take_highest(void *ctx, int task, uint32_t id)
{
	int *highest = ctx, nice = 0;
	char text[TEXT_MAX];
	struct str line = { 0 };
	int r = read_line(task, "stat", text, &line);

	(void)id;
	if (r == 0)
		r = nice_of(line, &nice);
	if (r == 0 && nice > *highest)
		*highest = nice;
	return r == -ESRCH ? 0 : r; /* it has ended meanwhile */
}

int thread_read(int root, struct str path, char **ret)
{
	CLEANUP(buf_done) struct buf text = BUF_INIT;
	int highest = NICE_MIN, r = each(root, path, take_highest, &highest);

	if (r < 0)
		return r;
	buf_printf(&text, "%d", highest);
	*ret = buf_steal(&text);
	return *ret ? 0 : -ENOMEM;
}

static int set(void *ctx, int task, uint32_t id)
{
	const int *nice = ctx;

	(void)task;
	return setpriority(PRIO_PROCESS, id, *nice) < 0 && errno != ESRCH ? -errno : 0;
}

int thread_write(int root, struct str path, struct str value)
{
	bool is_less = str_has_prefix(value, STR("-"));
	uint32_t n;
	int nice;

	if (!file_is_root(root))
		return -EPERM;
	if (str_to_u32(is_less ? str_skip(value, 1) : value, is_less ? -NICE_MIN : NICE_MAX, &n) <
	    0)
		return -EINVAL;
	nice = is_less ? -(int)n : (int)n;
	return each(root, path, set, &nice);
}
