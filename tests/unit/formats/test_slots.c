#include "formats/slots.h"

#include <errno.h>

#include "../base/unit.h"
#include "base/buf.h"
#include "base/cleanup.h"

#define HEAD "# GRUB Environment Block\n"
#define GOOD "ORDER=A B\nA_OK=1\nA_TRY=0\nB_OK=0\nB_TRY=0\nRESET=0\n"

static struct slots parsed(const char block[SLOTS_BLOCK])
{
	struct slots s;

	assert_int_equal(slots_parse(&s, str_n(block, SLOTS_BLOCK)), 0);
	return s;
}

/* A block as grub-editenv pads it. */
static int parse_text(struct slots *s, const char *text)
{
	char block[SLOTS_BLOCK];
	size_t n = strlen(text);

	memset(block, '#', sizeof(block));
	memcpy(block, text, n);
	return slots_parse(s, str_n(block, sizeof(block)));
}

static void a_new_machine_boots_from_a(void **state)
{
	struct slots s = slots_fresh();
	char block[SLOTS_BLOCK];

	(void)state;
	slots_print(&s, block);
	assert_memory_equal(block, HEAD GOOD, sizeof(HEAD GOOD) - 1);
	assert_int_equal(block[SLOTS_BLOCK - 1], '#');
	s = parsed(block);
	assert_int_equal(s.order[0], 'A');
	assert_true(s.is_ok[0] && !s.is_ok[1] && s.tries[0] == 0 && s.tries[1] == 0);
}

static void every_state_is_read_as_it_was_written(void **state)
{
	char block[SLOTS_BLOCK];

	(void)state;
	for (unsigned bits = 0; bits < 256; bits++) {
		struct slots s = {
			.order = { (bits & 1) ? 'B' : 'A', (bits & 1) ? 'A' : 'B' },
			.is_ok = { bits & 2, bits & 4 },
			.tries = { bits >> 3 & 3, bits >> 5 & 3 },
			.is_reset = bits & 128,
		};

		slots_print(&s, block);
		struct slots back = parsed(block);
		assert_memory_equal(back.order, s.order, sizeof(s.order));
		assert_memory_equal(back.is_ok, s.is_ok, sizeof(s.is_ok));
		assert_memory_equal(back.tries, s.tries, sizeof(s.tries));
		assert_int_equal(back.is_reset, s.is_reset);
	}
}

static void words_of_others_are_passed_over(void **state)
{
	struct slots s;

	(void)state;
	assert_int_equal(parse_text(&s, HEAD "saved_entry=0\n" GOOD "x=\n"), 0);
	assert_true(s.is_ok[0]);
	/* A boot loader of an earlier release says nothing of a reset. */
	assert_int_equal(parse_text(&s, HEAD "ORDER=B A\nA_OK=1\nA_TRY=3\nB_OK=1\nB_TRY=2\n"), 0);
	assert_true(s.tries[0] == 3 && s.tries[1] == 2 && !s.is_reset);
}

static void what_is_not_a_whole_block_is_refused(void **state)
{
	static const char *const BAD[] = {
		"",
		HEAD,
		GOOD,
		"# GRUB environment block\n" GOOD,
		HEAD "ORDER=A B\nA_OK=1\nA_TRY=0\nB_OK=0\n",
		HEAD "ORDER=A A\nA_OK=1\nA_TRY=0\nB_OK=0\nB_TRY=0\n",
		HEAD "ORDER=\nA_OK=1\nA_TRY=0\nB_OK=0\nB_TRY=0\n",
		HEAD "ORDER=A B\nA_OK=2\nA_TRY=0\nB_OK=0\nB_TRY=0\n",
		HEAD "ORDER=A B\nA_OK=\nA_TRY=0\nB_OK=0\nB_TRY=0\n",
		HEAD "ORDER=A B\nA_OK=1\nA_TRY=4\nB_OK=0\nB_TRY=0\n",
		HEAD "ORDER=A B\nA_OK=1\nA_TRY=\nB_OK=0\nB_TRY=0\n",
		HEAD "ORDER=A B\nA_OK=1\nA_TRY=0\nB_OK=0\nB_TRY=0\nRESET=2\n",
		HEAD "ORDER=A B\nA_OK\nA_TRY=0\nB_OK=0\nB_TRY=0\n",
	};
	struct slots s = slots_fresh();
	char block[SLOTS_BLOCK];

	(void)state;
	for (size_t i = 0; i < COUNT_OF(BAD); i++)
		assert_int_equal(parse_text(&s, BAD[i]), -EINVAL);
	slots_print(&s, block);
	assert_int_equal(slots_parse(&s, str_n(block, SLOTS_BLOCK - 1)), -EINVAL);
	assert_int_equal(slots_parse(&s, STR("")), -EINVAL);
}

static void a_slot_has_a_letter(void **state)
{
	(void)state;
	assert_int_equal(slots_index('a'), 0);
	assert_int_equal(slots_index('A'), 0);
	assert_int_equal(slots_index('b'), 1);
	assert_int_equal(slots_index('B'), 1);
	assert_int_equal(slots_index('c'), -EINVAL);
	assert_int_equal(slots_index('\0'), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_new_machine_boots_from_a),
		cmocka_unit_test(every_state_is_read_as_it_was_written),
		cmocka_unit_test(words_of_others_are_passed_over),
		cmocka_unit_test(what_is_not_a_whole_block_is_refused),
		cmocka_unit_test(a_slot_has_a_letter),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
