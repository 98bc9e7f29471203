/* What no list of paths finds: set-uid programs, files that anybody may write, files of nobody. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "base/cleanup.h"
#include "check.h"
#include "users.h"

enum { DEPTH_MAX = 40, FILES_MAX = 2000000, NUMBERS_MAX = 256 };

struct walk {
	struct job *job;
	int (*judge)(struct walk *w, const char *path, const struct stat *st);
	dev_t device; /* other file systems have an entry of their own */
	unsigned files;
	uint32_t uid[NUMBERS_MAX], gid[NUMBERS_MAX];
	size_t uids, gids;
};

/* --- the three rules --- */

static int judge_set_id(struct walk *w, const char *path, const struct stat *st)
{
	if (S_ISREG(st->st_mode) && (st->st_mode & (S_ISUID | S_ISGID)))
		job_fault(w->job, "%s has mode %04o", path, st->st_mode & 07777);
	return 0;
}

static int judge_open(struct walk *w, const char *path, const struct stat *st)
{
	bool is_shared_folder = S_ISDIR(st->st_mode) && (st->st_mode & S_ISVTX);

	if (!S_ISLNK(st->st_mode) && !S_ISSOCK(st->st_mode) && (st->st_mode & S_IWOTH) &&
	    !is_shared_folder)
		job_fault(w->job, "%s has mode %04o", path, st->st_mode & 07777);
	return 0;
}

static bool has(const uint32_t *numbers, size_t count, uint32_t n)
{
	for (size_t i = 0; i < count; i++) {
		if (numbers[i] == n)
			return true;
	}
	return false;
}

static int judge_unowned(struct walk *w, const char *path, const struct stat *st)
{
	if (!has(w->uid, w->uids, st->st_uid) || !has(w->gid, w->gids, st->st_gid))
		job_fault(w->job, "%s belongs to %u:%u, who is nobody here", path, st->st_uid,
			  st->st_gid);
	return 0;
}

static const struct {
	const char *name;
	int (*judge)(struct walk *w, const char *path, const struct stat *st);
} rules[] = {
	{ "set-id", judge_set_id },
	{ "open", judge_open },
	{ "unowned", judge_unowned },
};

static int read_numbers(const struct tree *t, const char *file, uint32_t *numbers, size_t *ret)
{
	CLEANUP(buf_done) struct buf text = BUF_INIT;
	struct users_line line;
	size_t n = 0;
	int r = tree_read(t, file, &text);

	if (r < 0)
		return r;
	for (struct str rest = buf_str(&text); n < NUMBERS_MAX && users_next(&rest, &line);) {
		if (str_to_u32(line.field[2], UINT32_MAX, &numbers[n]) == 0)
			n++;
	}
	*ret = n;
	return 0;
}

/* --- the way --- */

static int enter(struct walk *w, int folder, struct buf *path, unsigned depth);

static int visit(struct walk *w, int folder, const char *name, struct buf *path, unsigned depth)
{
	struct stat st;

	/* What went meanwhile is no fault. */
	if (fstatat(folder, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : -errno;
	if (++w->files > FILES_MAX)
		return -EFBIG;
	if (st.st_dev != w->device)
		return 0;

	size_t before = path->n;
	int r;

	buf_printf(path, "/%s", name);
	if (!buf_cstr(path))
		return -ENOMEM;
	r = w->judge(w, path->p, &st);
	if (r == 0 && S_ISDIR(st.st_mode)) {
		int child = openat(folder, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

		r = child >= 0 ? enter(w, child, path, depth + 1) : errno == ENOENT ? 0 : -errno;
	}
	path->n = before;
	return r;
}

/* Takes the descriptor. */
static int enter(struct walk *w, int folder, struct buf *path, unsigned depth)
{
	CLEANUP(closedir) DIR *d = fdopendir(folder);
	const struct dirent *e;
	int r = 0;

	if (!d) {
		(void)close(folder);
		return -ENOMEM;
	}
	if (depth > DEPTH_MAX)
		return -ELOOP;
	while (r == 0 && (e = readdir(d))) {
		if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
			r = visit(w, dirfd(d), e->d_name, path, depth);
	}
	return r;
}

static int begin(struct walk *w, const char *path)
{
	CLEANUP(buf_done) struct buf text = BUF_INIT;
	int fd = tree_fd(w->job->tree, path, O_RDONLY | O_DIRECTORY);
	struct stat st;

	if (fd == -ENOENT)
		return 0;
	if (fd < 0)
		return fd;
	if (fstat(fd, &st) < 0) {
		(void)close(fd);
		return -EIO;
	}
	w->device = st.st_dev;
	buf_putz(&text, strcmp(path, "/") == 0 ? "" : path);
	return enter(w, fd, &text, 0);
}

int check_walk(struct job *j)
{
	struct walk w = { .job = j };
	char word[TREE_PATH];
	int r = 0;

	if (!job_word(j, word))
		return -EINVAL;
	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
		if (strcmp(word, rules[i].name) == 0)
			w.judge = rules[i].judge;
	}
	if (!w.judge)
		return -EINVAL;
	if (w.judge == judge_unowned && !j->tree->knows_owners) {
		job_skip(j, "only root can tell whose the files are");
		return 0;
	}
	r = read_numbers(j->tree, "/etc/passwd", w.uid, &w.uids);
	if (r == 0)
		r = read_numbers(j->tree, "/etc/group", w.gid, &w.gids);
	while (r == 0 && job_word(j, word))
		r = begin(&w, word);
	return r;
}
