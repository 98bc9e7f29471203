#include "formats/slots_file.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "../base/unit.h"
#include "../oom.h"
#include "base/file.h"

static char folder[] = "/tmp/slots-XXXXXX";
static char path[64];

static int open_folder(void **state)
{
	(void)state;
	if (!mkdtemp(folder))
		return -1;
	(void)snprintf(path, sizeof(path), "%s/file", folder);
	return 0;
}

static int remove_folder(void **state)
{
	(void)state;
	(void)unlink(path);
	return rmdir(folder);
}

static void put(const char *text)
{
	(void)unlink(path);
	FILE *f = fopen(path, "we");
	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
}

static void the_block_is_overwritten_in_place_and_keeps_its_size(void **state)
{
	struct slots s = slots_fresh(), back;

	(void)state;
	put("");
	s.is_ok[1] = true;
	s.order[0] = 'B';
	s.order[1] = 'A';
	int r = slots_store(path, &s);
	if (oom_refused(r))
		return;
	assert_int_equal(r, 0);
	r = slots_load(path, &back);
	if (oom_refused(r))
		return;
	assert_int_equal(r, 0);
	assert_memory_equal(back.order, s.order, sizeof(s.order));
	assert_true(back.is_ok[1]);
	put("nonsense");
	r = slots_load(path, &back);
	assert_int_equal(r, -EINVAL);
}

static void notes_are_read_as_they_were_written(void **state)
{
	struct slot_note note[SLOTS_COUNT] = {
		{ .version = "1.0", .built = 1700000000 },
		{ .version = "1.1 \"b\"", .built = 1800000000, .installed = 5, .is_trial = true },
	};
	struct slot_note back[SLOTS_COUNT];
	struct err err = ERR_INIT;

	(void)state;
	(void)unlink(path);
	int r = slot_notes_write(path, note, &err);
	if (oom_refused(r))
		return;
	assert_int_equal(r, 0);
	assert_int_equal(slot_notes_read(path, back), 0);
	if (oom_refused(back[0].version[0] && back[1].version[0] ? 0 : -ENOMEM))
		return;
	for (int i = 0; i < SLOTS_COUNT; i++) {
		assert_string_equal(back[i].version, note[i].version);
		assert_int_equal(back[i].built, note[i].built);
		assert_int_equal(back[i].installed, note[i].installed);
		assert_int_equal(back[i].is_trial, note[i].is_trial);
	}
}

static void what_is_no_note_says_nothing(void **state)
{
	static const char *const texts[] = {
		"",
		"{",
		"[1]",
		"{\"A\":7}",
		"{\"A\":{\"version\":5}}",
		"{\"A\":{\"version\":\"\\u001b[2J\",\"trial\":true}}"
	};
	struct slot_note back[SLOTS_COUNT];
	struct slot_note image;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(texts); i++) {
		struct err err = ERR_INIT;

		put(texts[i]);
		assert_int_equal(slot_notes_read(path, back), 0);
		assert_string_equal(back[0].version, "");
		assert_false(back[0].is_trial);
		assert_int_equal(slot_image_read(path, &image, &err), -EINVAL);
		assert_true(err_is_set(&err));
	}
	(void)unlink(path);
	assert_int_equal(slot_notes_read(path, back), 0);
	assert_string_equal(back[1].version, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_block_is_overwritten_in_place_and_keeps_its_size),
		cmocka_unit_test(notes_are_read_as_they_were_written),
		cmocka_unit_test(what_is_no_note_says_nothing),
	};

	return cmocka_run_group_tests(tests, open_folder, remove_folder);
}
