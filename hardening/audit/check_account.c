/*
 * Accounts. Rules:
 *
 *   one-root      only root has number 0
 *   locked-root   root has no password
 *   passwords     nobody has an empty password, none in passwd, none hashed by less than SHA-512
 *   unique        names and numbers of users and groups stand once
 *   members       the group of every user is there
 *   shells        accounts of programs have no shell
 */
#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "check.h"
#include "users.h"

enum { FIRST_PERSON = 1000, NOBODY = 65534 };

static const char PASSWD[] = "/etc/passwd", SHADOW[] = "/etc/shadow", GROUP[] = "/etc/group";

/* Both files at most a few kilobytes: a rule reads what it wants. */
typedef void line_fn(struct job *j, const struct users_line *line);

static int each(struct job *j, const char *file, line_fn *fn)
{
	CLEANUP(buf_done) struct buf text = BUF_INIT;
	struct users_line line;
	int r = tree_read(j->tree, file, &text);

	if (r < 0)
		return r;
	for (struct str rest = buf_str(&text); users_next(&rest, &line);)
		fn(j, &line);
	return 0;
}

static void no_second_root(struct job *j, const struct users_line *line)
{
	if (str_eq(line->field[2], STR("0")) && !str_eq(line->field[0], STR("root")))
		job_fault(j, "%.*s has number 0", STR_ARG(line->field[0]));
}

static int one_root(struct job *j)
{
	return each(j, PASSWD, no_second_root);
}

static void root_is_locked(struct job *j, const struct users_line *line)
{
	if (str_eq(line->field[0], STR("root")) && !str_has_prefix(line->field[1], STR("!")) &&
	    !str_eq(line->field[1], STR("*")))
		job_fault(j, "root has a password");
}

static int locked_root(struct job *j)
{
	return each(j, SHADOW, root_is_locked);
}

static void password_is_shadowed(struct job *j, const struct users_line *line)
{
	if (!str_eq(line->field[1], STR("x")) && !str_eq(line->field[1], STR("*")))
		job_fault(j, "%.*s has a password in passwd", STR_ARG(line->field[0]));
}

static void hash_is_strong(struct job *j, const struct users_line *line)
{
	static const struct str good[] = { STR_INIT("!"), STR_INIT("*"), STR_INIT("$y$"),
					   STR_INIT("$7$"), STR_INIT("$6$") };

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		if (str_has_prefix(line->field[1], good[i]))
			return;
	}
	job_fault(j,
		  str_is_empty(line->field[1]) ? "%.*s has an empty password"
					       : "%.*s has a weakly hashed password",
		  STR_ARG(line->field[0]));
}

static int passwords(struct job *j)
{
	int r = each(j, PASSWD, password_is_shadowed);

	return r < 0 ? r : each(j, SHADOW, hash_is_strong);
}

/* Tens of lines: looking at each pair is quick enough. */
static int unique_in(struct job *j, const char *file)
{
	CLEANUP(buf_done) struct buf text = BUF_INIT;
	struct users_line one, other;
	int r = tree_read(j->tree, file, &text);

	if (r < 0)
		return r;
	for (struct str rest = buf_str(&text); users_next(&rest, &one);) {
		for (struct str later = rest; users_next(&later, &other);) {
			if (str_eq(one.field[0], other.field[0]))
				job_fault(j, "%s has %.*s twice", file, STR_ARG(one.field[0]));
			if (str_eq(one.field[2], other.field[2]))
				job_fault(j, "%s has number %.*s twice", file,
					  STR_ARG(one.field[2]));
		}
	}
	return 0;
}

static int unique(struct job *j)
{
	int r = unique_in(j, PASSWD);

	return r < 0 ? r : unique_in(j, GROUP);
}

static int members(struct job *j)
{
	CLEANUP(buf_done) struct buf users = BUF_INIT;
	CLEANUP(buf_done) struct buf groups = BUF_INIT;
	struct users_line user, group;
	int r = tree_read(j->tree, PASSWD, &users);

	if (r == 0)
		r = tree_read(j->tree, GROUP, &groups);
	for (struct str rest = buf_str(&users); r == 0 && users_next(&rest, &user);) {
		bool is_there = false;

		for (struct str g = buf_str(&groups); users_next(&g, &group);)
			is_there |= str_eq(group.field[2], user.field[3]);
		if (!is_there)
			job_fault(j, "%.*s is in group %.*s, which there is not",
				  STR_ARG(user.field[0]), STR_ARG(user.field[3]));
	}
	return r;
}

static void program_has_no_shell(struct job *j, const struct users_line *line)
{
	struct str shell = line->field[6];
	uint32_t uid;

	if (str_to_u32(line->field[2], UINT32_MAX, &uid) < 0)
		job_fault(j, "%.*s has no number", STR_ARG(line->field[0]));
	else if (uid != 0 && (uid < FIRST_PERSON || uid == NOBODY) &&
		 !str_has_suffix(shell, STR("/nologin")) && !str_has_suffix(shell, STR("/false")))
		job_fault(j, "%.*s has the shell %.*s", STR_ARG(line->field[0]), STR_ARG(shell));
}

static int shells(struct job *j)
{
	return each(j, PASSWD, program_has_no_shell);
}

static const struct {
	const char *name;
	int (*check)(struct job *j);
} rules[] = {
	{ "one-root", one_root }, { "locked-root", locked_root }, { "passwords", passwords },
	{ "unique", unique },     { "members", members },         { "shells", shells },
};

int check_account(struct job *j)
{
	char word[TREE_PATH];
	int r = 0;

	while (r == 0 && job_word(j, word)) {
		size_t i = 0, n = sizeof(rules) / sizeof(rules[0]);

		while (i < n && strcmp(word, rules[i].name) != 0)
			i++;
		r = i < n ? rules[i].check(j) : -EINVAL;
	}
	return r;
}
