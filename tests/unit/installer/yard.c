#include "yard.h"

#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"

static char root[] = "/tmp/tandem-setup-XXXXXX";

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *at)
{
	(void)st;
	(void)kind;
	(void)at;
	return remove(path);
}

void yard_open(struct place *p)
{
	memset(root + sizeof(root) - 7, 'X', 6);
	assert_non_null(mkdtemp(root));
	p->root = root;
}

void yard_close(struct place *p)
{
	(void)nftw(p->root, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

void yard_expect(const struct place *p, const char *path, const char *text)
{
	CLEANUP(buf_done) struct buf b = BUF_INIT;

	int r = place_read(p, path, 65536, &b);
	if (!text) {
		assert_int_not_equal(r, 0);
		return;
	}
	assert_int_equal(r, 0);
	if (!str_eq(buf_str(&b), str_of(text)))
		fail_msg("%s holds:\n%.*s", path, STR_ARG(buf_str(&b)));
}
