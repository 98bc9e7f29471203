/*
 * rig: a test's own run of a program that is a function (run.h), and a folder that it finds its files
 * in. What it printed stands in `out` and `err` until the next run.
 */
#pragma once

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Both want the headers above. */
#include <setjmp.h>

#include <cmocka.h>
#include <ftw.h>
#include <sys/stat.h>

static char *out, *err;

typedef int rig_fn(int argc, const char *const *argv, FILE *out, FILE *err);

/* first: the words before those of the line, which blanks stand between. Its exit status. */
static inline int rig_run(rig_fn *run, const char *const first[3], const char *line)
{
	enum { WORDS = 16 };
	const char *word[WORDS + 1] = { first[0], first[1], first[2] };
	char copy[512];
	char *rest = copy;
	size_t n;
	int words = 3;

	free(out);
	free(err);
	FILE *o = open_memstream(&out, &n), *e = open_memstream(&err, &n);
	(void)snprintf(copy, sizeof(copy), "%s", line);
	while (rest && line[0] && words < WORDS)
		word[words++] = strsep(&rest, " ");
	int status = run(words, word, o, e);
	(void)fclose(o);
	(void)fclose(e);
	return status;
}

static inline void rig_forget(void)
{
	free(out);
	free(err);
	out = err = NULL;
}

static inline void assert_has(const char *text, const char *part)
{
	if (!text || !strstr(text, part))
		fail_msg("'%s' is not in '%s'", part, text ? text : "nothing");
}

/* The folders on the way to a path. */
static inline void make_parents(char *path)
{
	for (char *p = strchr(path + 1, '/'); p; p = strchr(p + 1, '/')) {
		*p = '\0';
		(void)mkdir(path, 0755);
		*p = '/';
	}
}

static inline int remove_one(const char *path, const struct stat *st, int type, struct FTW *f)
{
	(void)st;
	(void)type;
	(void)f;
	return remove(path);
}

/* A folder with all that is in it. */
static inline int remove_all(const char *path)
{
	return nftw(path, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}
