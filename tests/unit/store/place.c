#include "place.h"

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

int place_make(void **state)
{
	struct place *p = calloc(1, sizeof(*p));

	if (!p)
		return -1;
	*state = p;
	/* In memory if there is such a place: there are many commits, and each waits for a disk. */
	(void)snprintf(p->dir, sizeof(p->dir), "/dev/shm/tandem-store-XXXXXX");
	if (mkdtemp(p->dir))
		return 0;
	(void)snprintf(p->dir, sizeof(p->dir), "/tmp/tandem-store-XXXXXX");
	return mkdtemp(p->dir) ? 0 : -1;
}

int place_remove(void **state)
{
	struct place *p = *state;
	DIR *d = opendir(p->dir);
	struct dirent *e;

	while (d && (e = readdir(d)) != NULL)
		(void)unlinkat(dirfd(d), e->d_name, 0);
	if (d)
		(void)closedir(d);
	(void)rmdir(p->dir);
	free(p);
	return 0;
}

const char *place_path(struct place *p, const char *name)
{
	(void)snprintf(p->path, sizeof(p->path), "%s/%s", p->dir, name);
	return p->path;
}

struct db *place_open(struct place *p, const char *name, enum db_mode mode)
{
	struct db *d = NULL;
	int r = db_open(&d, place_path(p, name), mode, 0);

	if (r < 0)
		fail_msg("%s: cannot be opened (%s)", name, strerror(-r));
	return d;
}

int64_t place_ask(struct db *d, const char *sql)
{
	CLEANUP(stmt_free) struct stmt *s = NULL;

	if (stmt_prepare(&s, d, sql) < 0 || stmt_step(s) != 1)
		fail_msg("%s: %s", sql, db_error(d));
	return s ? stmt_int(s, 0) : 0;
}

void place_run(struct db *d, const char *sql)
{
	if (db_exec(d, sql) < 0)
		fail_msg("%s: %s", sql, db_error(d));
}
