/* Files: which there are, who may do what with them, what stands in them. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "check.h"
#include "users.h"

enum { RIGHTS = 07777, USER_MAX = 64 };

/* --- absent --- */

static int on_present(void *ctx, const char *path)
{
	job_fault(ctx, "%s is there", path);
	return 0;
}

int check_absent(struct job *j)
{
	char word[TREE_PATH];
	int r = 0;

	while (r == 0 && job_word(j, word))
		r = tree_each(j->tree, word, on_present, j);
	return r;
}

/* --- file --- */

struct wanted {
	struct job *job;
	unsigned mode;
	char owner[USER_MAX], group[USER_MAX];
	uint32_t uid, gid;
	bool has_owner, has_group, must_be;
};

/* A descriptor of O_PATH cannot be changed by itself, but by its name in /proc. */
static int change(int fd, const struct wanted *w, const struct stat *st)
{
	char path[64];
	struct buf text = buf_fixed(path, sizeof(path));

	buf_printf(&text, "/proc/self/fd/%d", fd);
	if (buf_error(&text))
		return -EINVAL;
	if ((w->has_owner || w->has_group) &&
	    chown(path, w->has_owner ? w->uid : (uid_t)-1, w->has_group ? w->gid : (gid_t)-1) < 0)
		return -errno;
	return chmod(path, st->st_mode & w->mode) < 0 ? -errno : 0;
}

static bool is_wrong(const struct wanted *w, const struct stat *st)
{
	return (st->st_mode & RIGHTS & ~w->mode) || (w->has_owner && st->st_uid != w->uid) ||
	       (w->has_group && st->st_gid != w->gid);
}

static int on_file(void *ctx, const char *path)
{
	struct wanted *w = ctx;
	CLEANUP(close) int fd = tree_fd(w->job->tree, path, O_PATH);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return fd < 0 ? fd : -errno;
	w->job->looked_at++;
	if (!is_wrong(w, &st))
		return 0;
	if (w->job->may_fix && change(fd, w, &st) == 0) {
		job_fixed(w->job, "%s had mode %04o and owner %u:%u", path, st.st_mode & RIGHTS,
			  st.st_uid, st.st_gid);
		return 0;
	}
	job_fault(w->job, "%s has mode %04o and owner %u:%u, not %04o %s:%s", path,
		  st.st_mode & RIGHTS, st.st_uid, st.st_gid, w->mode,
		  w->has_owner ? w->owner : "any", w->has_group ? w->group : "any");
	return 0;
}

static int number_of(const struct job *j, const char *file, const char *name, uint32_t *ret)
{
	int r = users_number(j->tree, file, name, ret);

	if (r == -ENOENT && strcmp(name, "root") == 0) {
		*ret = 0;
		return 0;
	}
	return r;
}

/* The rules stand behind the paths that they are for. */
static int read_rules(struct job *j, struct wanted *w)
{
	struct job rules = *j;
	char word[TREE_PATH];
	const char *value;
	int r = 0;

	while (r == 0 && job_word(&rules, word)) {
		if (job_value(word, "mode", &value)) {
			w->mode = (unsigned)strtoul(value, NULL, 8);
		} else if (strcmp(word, "must") == 0) {
			w->must_be = true;
		} else if (j->tree->knows_owners && job_value(word, "owner", &value)) {
			w->has_owner = true;
			r = str_copy(w->owner, sizeof(w->owner), str_of(value));
			r = r < 0 ? r : number_of(j, "/etc/passwd", value, &w->uid);
		} else if (j->tree->knows_owners && job_value(word, "group", &value)) {
			w->has_group = true;
			r = str_copy(w->group, sizeof(w->group), str_of(value));
			r = r < 0 ? r : number_of(j, "/etc/group", value, &w->gid);
		}
	}
	return r;
}

int check_file(struct job *j)
{
	struct wanted w = { .job = j, .mode = RIGHTS };
	char word[TREE_PATH];
	int r = read_rules(j, &w);

	while (r == 0 && job_word(j, word)) {
		unsigned before = j->looked_at;

		if (word[0] != '/')
			continue;
		r = tree_each(j->tree, word, on_file, &w);
		if (r == 0 && w.must_be && j->looked_at == before)
			job_fault(j, "%s is not there", word);
	}
	if (r == 0 && j->looked_at == 0)
		job_skip(j, "no such file here");
	return r;
}

/* --- text --- */

struct reading {
	struct job *job;
	struct str rules;
};

static int on_text(void *ctx, const char *path)
{
	const struct reading *reading = ctx;
	CLEANUP(buf_done) struct buf text = BUF_INIT;
	struct job rules = { .args = reading->rules };
	char word[TREE_PATH];
	const char *value;
	int r = tree_read(reading->job->tree, path, &text);

	reading->job->looked_at++;
	while (r == 0 && job_word(&rules, word)) {
		if (job_value(word, "has", &value) && str_find(buf_str(&text), str_of(value)) < 0)
			job_fault(reading->job, "%s does not say %s", path, value);
		if (job_value(word, "lacks", &value) &&
		    str_find(buf_str(&text), str_of(value)) >= 0)
			job_fault(reading->job, "%s says %s", path, value);
	}
	return r;
}

int check_text(struct job *j)
{
	struct reading reading = { .job = j, .rules = j->args };
	char word[TREE_PATH];
	int r = 0;

	while (r == 0 && job_word(j, word)) {
		if (word[0] == '/')
			r = tree_each(j->tree, word, on_text, &reading);
		else if (strcmp(word, "must") == 0 && j->looked_at == 0)
			job_fault(j, "there is no such file");
	}
	if (r == 0 && j->looked_at == 0)
		job_skip(j, "no such file here");
	return r;
}

/* --- lines --- */

static bool is_one_of(struct str word, struct str words)
{
	struct str one;

	while (str_split(&words, ' ', &one)) {
		if (!str_is_empty(one) && str_eq(one, word))
			return true;
	}
	return false;
}

int check_lines(struct job *j)
{
	static const struct str mark = STR_INIT(" least=");
	CLEANUP(buf_done) struct buf text = BUF_INIT;
	char path[TREE_PATH];
	struct str words, rest, line, first;
	uint32_t least, n = 0;
	int r = job_word(j, path) ? tree_read(j->tree, path, &text) : -EINVAL;
	ptrdiff_t at = str_find(j->args, mark);

	if (r == -ENOENT) {
		job_skip(j, "no such file here");
		return 0;
	}
	if (r < 0 || at < 0)
		return r < 0 ? r : -EINVAL;
	r = str_to_u32(str_skip(j->args, (size_t)at + mark.n), UINT16_MAX, &least);
	if (r < 0)
		return r;
	words = str_head(j->args, (size_t)at);
	for (rest = buf_str(&text); str_line(&rest, &line);)
		n += str_split(&line, ' ', &first) && is_one_of(first, words);
	j->looked_at++;
	if (n < least)
		job_fault(j, "%s names %u, not %u", path, n, least);
	return 0;
}
