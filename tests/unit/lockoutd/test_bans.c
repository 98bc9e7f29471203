#include "rig.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "lockoutd/bans_file.h"
#include "oom.h"

enum { T = 1000000 };
static const ms_t WALL = 1800000000000;

struct ends {
	int by_time, for_room;
	char last[ADDR_TEXT];
};

static void on_end(void *ctx, struct ban *b, bool made_room)
{
	struct ends *e = ctx;

	assert_false(b->is_active);
	*(made_room ? &e->for_room : &e->by_time) += 1;
	(void)ban_text(&b->terms.net, e->last);
}

static struct bans *make(size_t max, struct ends *ends)
{
	struct bans *b = NULL;

	*ends = (struct ends){ 0 };
	assert_int_equal(bans_create(&b, max, T, on_end, ends), 0);
	return b;
}

static struct terms terms(const char *address, int64_t seconds)
{
	return (struct terms){ .net = banned(address),
			       .ms = seconds * 1000,
			       .seconds = seconds,
			       .cause = CAUSE_FAILURES,
			       .since = WALL,
			       .reason = "ten failures",
			       .evidence = "what was seen",
			       .by = "lockoutd" };
}

static struct ban *put(struct bans *b, const char *address, int64_t seconds, ms_t now)
{
	struct terms t = terms(address, seconds);
	struct ban *x = NULL;

	assert_int_equal(bans_put(b, &t, now, &x), 0);
	return x;
}

static struct ban *get(const struct bans *b, const char *address)
{
	struct cidr net = banned(address);

	return bans_find(b, &net);
}

static void a_ban_ends_by_time_and_is_remembered_a_day(void **state)
{
	struct ends ends;
	CLEANUP(bans_free) struct bans *b = make(10, &ends);

	(void)state;
	(void)put(b, "192.0.2.7", 600, T);
	bans_advance(b, T + 599000);
	assert_true(get(b, "192.0.2.7")->is_active);
	bans_advance(b, T + 600000);
	assert_int_equal(ends.by_time, 1);
	assert_false(get(b, "192.0.2.7")->is_active);
	assert_int_equal(bans_count(b), 0);
	assert_int_equal(bans_memories(b), 1);
	bans_advance(b, T + 600000 + REMEMBER_MS - 1000);
	assert_non_null(get(b, "192.0.2.7"));
	bans_advance(b, T + 600000 + REMEMBER_MS);
	assert_null(get(b, "192.0.2.7"));
}

static void a_network_is_banned_beside_its_addresses(void **state)
{
	struct ends ends;
	CLEANUP(bans_free) struct bans *b = make(10, &ends);
	struct terms t = terms("192.0.2.0", 600);
	struct cidr inside = banned("192.0.2.77"), outside = banned("192.0.3.77");
	struct ban *wide = NULL;
	char text[ADDR_TEXT];

	(void)state;
	t.net = network("192.0.2.0/24");
	assert_int_equal(bans_put(b, &t, T, &wide), 0);
	assert_string_equal(ban_text(&wide->terms.net, text), "192.0.2.0/24");
	assert_null(get(b, "192.0.2.0"));
	assert_ptr_not_equal(put(b, "192.0.2.0", 600, T), wide);
	assert_ptr_equal(bans_covering(b, &inside), wide);
	assert_null(bans_covering(b, &outside));
	bans_end(wide, T, false); /* a memory covers nothing */
	assert_null(bans_covering(b, &inside));
}

static void the_oldest_makes_room(void **state)
{
	struct ends ends;
	CLEANUP(bans_free) struct bans *b = make(3, &ends);

	(void)state;
	(void)put(b, "192.0.2.1", 600, T);
	(void)put(b, "192.0.2.2", 600, T);
	(void)put(b, "192.0.2.3", 600, T);
	(void)put(b, "192.0.2.1", 600, T); /* renewed: not the oldest any more */
	(void)put(b, "192.0.2.4", 600, T);
	assert_int_equal(ends.for_room, 1);
	assert_string_equal(ends.last, "192.0.2.2");
	assert_int_equal(bans_count(b), 3);
	for (int i = 5; i < 50; i++) {
		char text[ADDR_TEXT];

		(void)snprintf(text, sizeof(text), "192.0.2.%d", i);
		(void)put(b, text, 600, T);
	}
	assert_int_equal(bans_count(b), 3);
	assert_int_equal(bans_memories(b), 3);
}

static void newest_come_first_in_a_list(void **state)
{
	struct ends ends;
	CLEANUP(bans_free) struct bans *b = make(10, &ends);

	(void)state;
	(void)put(b, "192.0.2.1", 600, T);
	struct ban *second = put(b, "2001:db8::7", 600, T);
	assert_ptr_equal(bans_prev(b, NULL), second);
	assert_ptr_equal(bans_next(b, true, bans_next(b, true, NULL)), second);
	assert_string_equal(ban_text(&second->terms.net, (char[ADDR_TEXT]){ 0 }), "2001:db8::/64");
	bans_end(second, T, true);
	assert_null(get(b, "2001:db8::7"));
	assert_int_equal(bans_memories(b), 0);
}

/* ---- the file ---- */

struct home {
	char dir[64], path[96];
};

static struct home make_home(void)
{
	struct home h = { .dir = "/tmp/test-lockoutd-XXXXXX" };

	assert_non_null(mkdtemp(h.dir));
	(void)snprintf(h.path, sizeof(h.path), "%s/bans.jsonl", h.dir);
	return h;
}

static void remove_home(const struct home *h)
{
	(void)unlink(h->path);
	assert_int_equal(rmdir(h->dir), 0);
}

static struct bans_file *open_file(const struct home *h, struct bans *b, ms_t now, ms_t wall)
{
	struct bans_file *f = NULL;
	struct err err = ERR_INIT;

	assert_int_equal(bans_file_open(&f, h->dir, b, now, wall, &err), 0);
	return f;
}

/* The monotonic clock begins anew with the machine; what counts is the wall clock. */
static void bans_survive_with_the_time_they_have_left(void **state)
{
	struct home h = make_home();
	struct ends ends;
	struct bans *b = make(10, &ends);
	struct bans_file *f = open_file(&h, b, T, WALL);

	(void)state;
	assert_int_equal(bans_file_add(f, put(b, "192.0.2.1", 600, T), T, WALL), 0);
	assert_int_equal(bans_file_add(f, put(b, "192.0.2.2", 60, T), T, WALL), 0);
	assert_int_equal(bans_file_add(f, put(b, "2001:db8::1", 600, T), T, WALL), 0);
	bans_end(get(b, "2001:db8::1"), T, true);
	struct cidr lifted = banned("2001:db8::1");
	assert_int_equal(bans_file_lift(f, &lifted), 0);
	bans_file_close(f);
	bans_free(b);

	b = make(10, &ends);
	f = open_file(&h, b, 5, WALL + 100000);
	assert_int_equal(bans_file_bad(f), 0);
	assert_int_equal(bans_count(b), 1);
	assert_int_equal(get(b, "192.0.2.1")->until, 5 + 500000);
	assert_string_equal(get(b, "192.0.2.1")->terms.evidence, "what was seen");
	/* the short one is over, and remembered until a day after its end */
	assert_false(get(b, "192.0.2.2")->is_active);
	assert_int_equal(get(b, "192.0.2.2")->until, 5 - 40000 + REMEMBER_MS);
	assert_null(get(b, "2001:db8::1"));
	bans_file_close(f);
	bans_free(b);
	remove_home(&h);
}

static void a_clock_that_was_set_back_makes_no_ban_longer(void **state)
{
	struct home h = make_home();
	struct ends ends;
	CLEANUP(bans_free) struct bans *b = make(10, &ends);
	struct bans_file *f = open_file(&h, b, T, WALL);

	(void)state;
	assert_int_equal(bans_file_add(f, put(b, "192.0.2.1", 600, T), T, WALL), 0);
	bans_file_close(f);
	f = open_file(&h, b, T, WALL - 3600 * 1000);
	assert_int_equal(get(b, "192.0.2.1")->until, T + 600000);
	bans_file_close(f);
	remove_home(&h);
}

static void torn_and_foreign_lines_are_passed_over(void **state)
{
	struct home h = make_home();
	struct ends ends;
	CLEANUP(bans_free) struct bans *b = make(10, &ends);
	static const char text[] =
		"{\"address\":\"192.0.2.1\",\"since\":1,\"until\":1800000600000,\"seconds\":600,"
		"\"cause\":\"failures\",\"level\":2}\n"
		"not json\n"
		"{\"address\":\"192.0.2.2\",\"since\":1,\"until\":1800000600000,\"seconds\":-1,"
		"\"cause\":\"failures\",\"level\":0}\n"
		"{\"address\":\"192.0.0.0/7\",\"lifted\":true}\n"
		"{\"address\":\"192.0.2.3\",\"since\":1,\"until\":18000006";
	struct err err = ERR_INIT;

	(void)state;
	assert_int_equal(file_write(h.path, STR(text), 0600, false, &err), 0);
	struct bans_file *f = open_file(&h, b, T, WALL);
	assert_int_equal(bans_file_bad(f), 4);
	assert_int_equal(bans_count(b), 1);
	assert_int_equal(get(b, "192.0.2.1")->terms.level, 2);
	bans_file_close(f);
	remove_home(&h);
}

static void a_file_of_the_past_is_written_anew(void **state)
{
	struct home h = make_home();
	struct ends ends;
	CLEANUP(bans_free) struct bans *b = make(10, &ends);
	struct bans_file *f = open_file(&h, b, T, WALL);
	CLEANUP(buf_done) struct buf text = BUF_INIT;
	struct str rest, line;
	int lines = 0;

	(void)state;
	for (int i = 0; i < 3000; i++)
		assert_int_equal(bans_file_add(f, put(b, "192.0.2.1", 600, T), T, WALL), 0);
	assert_int_equal(bans_file_tend(f, T, WALL), 0);
	assert_int_equal(bans_file_add(f, put(b, "192.0.2.2", 600, T), T, WALL), 0);
	bans_file_close(f);
	assert_int_equal(file_read(h.path, 1 << 20, &text, NULL), 0);
	for (rest = buf_str(&text); str_line(&rest, &line);)
		lines++;
	assert_int_equal(lines, 2);
	remove_home(&h);
}

static void a_folder_that_is_not_there_is_said(void **state)
{
	struct ends ends;
	CLEANUP(bans_free) struct bans *b = make(10, &ends);
	struct bans_file *f = NULL;
	struct err err = ERR_INIT;

	(void)state;
	assert_true(bans_file_open(&f, "/nonexistent", b, T, WALL, &err) < 0);
	assert_true(err_is_set(&err));
	assert_null(f);
}

static void one_life(void)
{
	struct ends ends = { 0 };
	CLEANUP(bans_free) struct bans *b = NULL;
	struct terms t = terms("192.0.2.1", 60);
	struct ban *x;

	if (oom_refused(bans_create(&b, 2, T, on_end, &ends)))
		return;
	if (oom_refused(bans_put(b, &t, T, &x)))
		return;
	t.net = banned("192.0.2.2");
	(void)oom_refused(bans_remember(b, &t, T + 5));
	bans_advance(b, T + 60000);
}

static void memory_may_run_out(void **state)
{
	(void)state;
	oom_each(one_life);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_ban_ends_by_time_and_is_remembered_a_day),
		cmocka_unit_test(a_network_is_banned_beside_its_addresses),
		cmocka_unit_test(the_oldest_makes_room),
		cmocka_unit_test(newest_come_first_in_a_list),
		cmocka_unit_test(bans_survive_with_the_time_they_have_left),
		cmocka_unit_test(a_clock_that_was_set_back_makes_no_ban_longer),
		cmocka_unit_test(torn_and_foreign_lines_are_passed_over),
		cmocka_unit_test(a_file_of_the_past_is_written_anew),
		cmocka_unit_test(a_folder_that_is_not_there_is_said),
		cmocka_unit_test(memory_may_run_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
