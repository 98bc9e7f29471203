#include "courier/inner.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/file.h"
#include "courier/line.h"

/* 2026-11-26T13:59:00Z, a minute before the hour ends. */
#define BEFORE_TWO ((ms_t)1795701540000)
enum { HOUR_S = 3600 };

struct desk {
	char dir[64];
	struct courier c;
};

static const char *path_of(const struct desk *d, const char *name, char out[160])
{
	(void)snprintf(out, 160, "%s/cdr/%s", d->dir, name);
	return out;
}

static void append(const struct desk *d, const char *name, const char *text)
{
	char path[160];
	FILE *f = fopen(path_of(d, name, path), "a");

	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
}

static int make(void **state)
{
	struct desk *d = calloc(1, sizeof(*d));

	assert_non_null(d);
	(void)snprintf(d->dir, sizeof(d->dir), "/tmp/courier-XXXXXX");
	assert_non_null(mkdtemp(d->dir));
	char path[160];

	assert_int_equal(mkdir(path_of(d, "", path), 0700), 0);
	d->c = (struct courier){ .kind = COURIER_FILES, .data_dir = d->dir, .file = -1 };
	d->c.wish = (struct wish){ .is_on = true, .interval_s = HOUR_S, .keep_files = 10 };
	*state = d;
	return 0;
}

static int take_away(void **state)
{
	struct desk *d = *state;

	if (d->c.file >= 0)
		(void)close(d->c.file);
	char command[80];

	(void)snprintf(command, sizeof(command), "rm -r %s", d->dir);
	assert_int_equal(system(command), 0);
	free(d);
	return 0;
}

static int write_lines(struct desk *d, const char *lines, int64_t seq, ms_t now)
{
	struct batch b = { .courier = &d->c, .last_seq = seq, .numbers = 1 };

	buf_putz(&b.content, lines);
	int r = text_deliver(&d->c, &b, now);
	buf_done(&b.content);
	return r;
}

static void check_file(struct desk *d, const char *name, const char *content)
{
	CLEANUP(buf_done) struct buf text = BUF_INIT;
	char path[160];

	path_of(d, name, path);
	if (!content) {
		assert_int_equal(access(path, F_OK), -1);
		return;
	}
	assert_int_equal(file_read(path, 10000, &text, NULL), 0);
	assert_string_equal(text.n ? buf_cstr(&text) : "", content);
}

/* As after SIGKILL: what is known is what the place says. */
static void begin_anew(struct desk *d, ms_t now)
{
	if (d->c.file >= 0)
		(void)close(d->c.file);
	d->c.file = -1;
	d->c.place = (struct place){ 0 };
	assert_int_equal(place_read(&d->c, &d->c.place), 0);
	assert_int_equal(text_resume(&d->c, now), 0);
}

static void a_file_gets_its_name_when_its_hour_is_over(void **state)
{
	struct desk *d = *state;

	assert_int_equal(write_lines(d, "one\n", 1, BEFORE_TWO), 0);
	assert_int_equal(text_publish(&d->c, BEFORE_TWO + MINUTE_MS - 1, false), 0);
	check_file(d, "2026112613.txt.part", "one\n");
	check_file(d, "2026112613.txt", NULL);
	assert_int_equal(text_publish(&d->c, BEFORE_TWO + MINUTE_MS, false), 0);
	check_file(d, "2026112613.txt", "one\n");
	check_file(d, "2026112613.txt.part", NULL);
	assert_int_equal(write_lines(d, "two\n", 2, BEFORE_TWO + MINUTE_MS), 0);
	check_file(d, "2026112614.txt.part", "two\n");
}

static void what_no_place_knows_is_cut_off(void **state)
{
	struct desk *d = *state;

	assert_int_equal(write_lines(d, "one\n", 1, BEFORE_TWO), 0);
	append(d, "2026112613.txt.part", "two|ha");
	append(d, "2026112610.txt.part", "x");
	begin_anew(d, BEFORE_TWO);
	assert_int_equal(d->c.place.seq, 1);
	check_file(d, "2026112610.txt.part", NULL);
	assert_int_equal(write_lines(d, "two\n", 2, BEFORE_TWO), 0);
	check_file(d, "2026112613.txt.part", "one\ntwo\n");
}

/* Killed between the name and the place: the file is whole, the next one begins. */
static void a_file_that_has_its_name_is_left_alone(void **state)
{
	struct desk *d = *state;

	assert_int_equal(write_lines(d, "one\n", 1, BEFORE_TWO), 0);
	char part[160], whole[160];

	assert_int_equal(rename(path_of(d, "2026112613.txt.part", part),
				path_of(d, "2026112613.txt", whole)),
			 0);
	begin_anew(d, BEFORE_TWO);
	assert_int_equal(write_lines(d, "two\n", 2, BEFORE_TWO), 0);
	check_file(d, "2026112613.txt", "one\n");
	check_file(d, "2026112613-2.txt.part", "two\n");
}

/* Stopped for a day: the part of yesterday is whole. */
static void a_part_of_an_earlier_hour_is_published(void **state)
{
	struct desk *d = *state;

	assert_int_equal(write_lines(d, "one\n", 1, BEFORE_TWO), 0);
	begin_anew(d, BEFORE_TWO + 24 * HOUR_S * 1000);
	assert_int_equal(text_publish(&d->c, BEFORE_TWO + 24 * HOUR_S * 1000, false), 0);
	check_file(d, "2026112613.txt", "one\n");
}

static void records_that_are_not_for_files_move_the_place_alone(void **state)
{
	struct desk *d = *state;

	assert_int_equal(write_lines(d, "", 7, BEFORE_TWO), 0);
	assert_int_equal(d->c.file, -1);
	begin_anew(d, BEFORE_TWO);
	assert_int_equal(d->c.place.seq, 7);
}

/* A disk that takes nothing: nothing is marked as delivered, and the next try is whole. */
static void what_cannot_be_written_comes_again(void **state)
{
	struct desk *d = *state;

	assert_int_equal(write_lines(d, "one\n", 1, BEFORE_TWO), 0);
	int fd = d->c.file;
	d->c.file = open("/dev/full", O_WRONLY | O_CLOEXEC);
	assert_int_equal(write_lines(d, "two\n", 2, BEFORE_TWO), -ENOSPC);
	(void)close(d->c.file);
	d->c.file = fd;
	assert_int_equal(d->c.place.seq, 1);
	assert_int_equal(write_lines(d, "two\n", 2, BEFORE_TWO), 0);
	check_file(d, "2026112613.txt.part", "one\ntwo\n");
}

static void a_place_that_is_damaged_is_said(void **state)
{
	static const char *const bad[] = { "x - 0", "1", "1 -", "1 ../x 0", "-1 - 0", "1 - y" };
	struct desk *d = *state;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		char path[160];
		struct place p;

		assert_int_equal(file_write(path_of(d, "files.place", path), str_of(bad[i]), 0600,
					    true, NULL),
				 0);
		assert_int_equal(place_read(&d->c, &p), -EUCLEAN);
	}
}

static void a_line_has_eighteen_fields_whatever_is_in_them(void **state)
{
	const struct entity *cdr = &entities[ENTITY_CDR];
	CLEANUP(buf_done) struct buf line = BUF_INIT;
	struct cdr_row *r = row_create(cdr);
	int bars = 0;

	(void)state;
	assert_non_null(r);
	r->id = 0x1234;
	r->start = 5;
	r->hangup_side = CDR_HANGUP_SIDE_CALLEE;
	assert_int_equal(row_set_text(&cdr->field[CDR_CALLER], r, STR("10|01\r\n")), 0);
	line_put(r, &line);
	assert_string_equal(buf_cstr(&line), "10?01\?\?|-|5|-|0|-|1|-|-|-|-|10?01\?\?|-|-|-|0|-1|"
					     "0000000000001234\n");
	for (size_t i = 0; i < line.n; i++)
		bars += line.p[i] == '|';
	assert_int_equal(bars, 17);
	row_free(cdr, r);
}

#define TEST(t) cmocka_unit_test_setup_teardown(t, make, take_away)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_file_gets_its_name_when_its_hour_is_over),
		TEST(what_no_place_knows_is_cut_off),
		TEST(a_file_that_has_its_name_is_left_alone),
		TEST(a_part_of_an_earlier_hour_is_published),
		TEST(records_that_are_not_for_files_move_the_place_alone),
		TEST(what_cannot_be_written_comes_again),
		TEST(a_place_that_is_damaged_is_said),
		cmocka_unit_test(a_line_has_eighteen_fields_whatever_is_in_them),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
