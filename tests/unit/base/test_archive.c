#include "base/archive.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include "base/buf.h"
#include "oom.h"
#include "unit.h"

/* A file in memory that several descriptors can be had of. */
static int fresh(void)
{
	int fd = memfd_create("archive", MFD_CLOEXEC);

	assert_true(fd >= 0);
	return fd;
}

static int again(int fd)
{
	int copy = dup(fd);

	assert_true(copy >= 0 && lseek(copy, 0, SEEK_SET) == 0);
	return copy;
}

static int put_file(struct archive *a, const char *name, struct str content)
{
	int r = archive_begin(a, name, (int64_t)content.n);

	if (r == 0)
		r = archive_put(a, content);
	return r < 0 ? r : archive_end_file(a, NULL);
}

static int write_two(int fd)
{
	CLEANUP(archive_free) struct archive *a = NULL;
	int r = archive_create(&a, again(fd));

	if (r == 0)
		r = put_file(a, "one", STR("content of one"));
	if (r == 0)
		r = put_file(a, "cdr/2026-11.db", STR(""));
	return r < 0 ? r : archive_end(a);
}

/* How many files there are until the end; negative errno if it is not whole. What was in them goes to *all, which may be NULL. */
static int read_all(int fd, struct buf *all)
{
	CLEANUP(unarchive_free) struct unarchive *u = NULL;
	char name[ARCHIVE_NAME], piece[5];
	int64_t bytes;
	int files = 0, r = unarchive_create(&u, again(fd));

	while (r == 0 && (r = unarchive_next(u, name, &bytes)) == 1) {
		files++;
		if (all)
			buf_printf(all, "%s %d ", name, (int)bytes);
		while ((r = unarchive_read(u, piece, sizeof(piece))) > 0) {
			if (all)
				buf_put(all, str_n(piece, (size_t)r));
		}
	}
	return r < 0 ? r : files;
}

static void what_is_put_in_comes_out(void **state)
{
	CLEANUP(close) int fd = fresh();
	CLEANUP(unarchive_free) struct unarchive *u = NULL;
	char name[ARCHIVE_NAME], content[32], hash[ARCHIVE_HASH];
	int64_t bytes;

	(void)state;
	if (oom_refused(write_two(fd)) || oom_refused(unarchive_create(&u, again(fd))))
		return;
	assert_int_equal(unarchive_next(u, name, &bytes), 1);
	assert_string_equal(name, "one");
	assert_int_equal(bytes, 14);
	assert_int_equal(unarchive_read(u, content, sizeof(content)), 14);
	assert_memory_equal(content, "content of one", 14);
	unarchive_hash(u, hash);
	assert_string_equal(hash,
			    "70fcb0ddfafe8b932696f597564ec22d27c3045c6a0452fd08c92e38461ae3ef");
	assert_int_equal(unarchive_next(u, name, &bytes), 1);
	assert_string_equal(name, "cdr/2026-11.db");
	assert_int_equal(unarchive_next(u, name, &bytes), 0);
}

static void every_cut_is_seen(void **state)
{
	CLEANUP(close) int fd = fresh();

	(void)state;
	if (oom_refused(write_two(fd)))
		return;
	off_t whole = lseek(fd, 0, SEEK_END);
	if (!oom_hit())
		assert_int_equal(read_all(fd, NULL), 2);
	for (off_t n = whole - 1; n >= 0; n--) {
		assert_int_equal(ftruncate(fd, n), 0);
		assert_true(read_all(fd, NULL) < 0);
	}
}

/* Deflate can say the same in two ways, so a changed byte may leave the content as it was. */
static void every_changed_byte_is_seen_or_changes_nothing(void **state)
{
	CLEANUP(close) int fd = fresh();
	CLEANUP(buf_done) struct buf right = BUF_INIT, now = BUF_INIT;

	(void)state;
	if (oom_refused(write_two(fd)) || read_all(fd, &right) < 0)
		return;
	off_t whole = lseek(fd, 0, SEEK_END);
	for (off_t i = 10; i < whole; i++) {
		char c;

		assert_int_equal(pread(fd, &c, 1, i), 1);
		c ^= 0x41;
		assert_int_equal(pwrite(fd, &c, 1, i), 1);
		buf_clear(&now);
		if (read_all(fd, &now) >= 0)
			assert_true(str_eq(buf_str(&now), buf_str(&right)));
		c ^= 0x41;
		assert_int_equal(pwrite(fd, &c, 1, i), 1);
	}
}

static void a_file_has_as_many_bytes_as_it_said(void **state)
{
	CLEANUP(close) int fd = fresh();
	CLEANUP(archive_free) struct archive *a = NULL;

	(void)state;
	if (oom_refused(archive_create(&a, again(fd))))
		return;
	assert_int_equal(archive_begin(a, "x", 3), 0);
	assert_int_equal(archive_end_file(a, NULL), -EINVAL);
	assert_int_equal(archive_put(a, STR("four")), -EINVAL);
	assert_int_equal(archive_put(a, STR("abc")), 0);
	assert_int_equal(archive_end_file(a, NULL), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_put_in_comes_out),
		cmocka_unit_test(every_cut_is_seen),
		cmocka_unit_test(every_changed_byte_is_seen_or_changes_nothing),
		cmocka_unit_test(a_file_has_as_many_bytes_as_it_said),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
