#include "base/trie.h"

#include <errno.h>
#include <stdlib.h>

#include "oom.h"
#include "unit.h"

#define KEY(literal, number)                                \
	{                                                   \
		.key = STR_INIT(literal), .value = (number) \
	}

static void the_longest_prefix_wins(void **state)
{
	static const struct trie_key keys[] = {
		KEY("8801", 3), KEY("88", 1), KEY("880", 2), KEY("88017", 4),
		KEY("*1#", 5),  KEY("+", 6),  KEY("9", 7),
	};
	static const struct {
		const char *number;
		uint32_t value;
		size_t len;
	} row[] = {
		{ "8801712345678", 4, 5 }, { "8801812345678", 3, 4 }, { "8801", 3, 4 },
		{ "880", 2, 3 },           { "881", 1, 2 },           { "8", TRIE_NONE, 77 },
		{ "", TRIE_NONE, 77 },     { "7", TRIE_NONE, 77 },    { "*1#9", 5, 3 },
		{ "*1", TRIE_NONE, 77 },   { "+880", 6, 1 },          { "88x", 1, 2 },
		{ "x88", TRIE_NONE, 77 },  { "9\xff", 7, 1 },
	};
	CLEANUP(trie_free) struct trie *t = NULL;

	(void)state;
	assert_int_equal(trie_create(&t, keys, COUNT_OF(keys)), 0);
	for (size_t i = 0; i < COUNT_OF(row); i++) {
		size_t len = 77;

		assert_int_equal(trie_longest(t, str_of(row[i].number), &len), row[i].value);
		assert_int_equal(len, row[i].len);
		assert_int_equal(trie_longest(t, str_of(row[i].number), NULL), row[i].value);
	}
}

static void all_matches_come_shortest_first(void **state)
{
	static const struct trie_key keys[] = { KEY("", 9), KEY("8", 1), KEY("880", 2),
						KEY("8801", 3), KEY("81", 4) };
	struct trie_match m[TRIE_KEY_MAX + 1];
	CLEANUP(trie_free) struct trie *t = NULL;

	(void)state;
	assert_int_equal(trie_create(&t, keys, COUNT_OF(keys)), 0);
	assert_int_equal(trie_matches(t, STR("88012"), m), 4);
	for (size_t i = 0; i < 4; i++) {
		static const struct trie_match want[] = { { 9, 0 }, { 1, 1 }, { 2, 3 }, { 3, 4 } };

		assert_int_equal(m[i].value, want[i].value);
		assert_int_equal(m[i].len, want[i].len);
	}
	assert_int_equal(trie_matches(t, STR("7"), m), 1);
}

static void the_empty_key_matches_everything(void **state)
{
	static const struct trie_key key[] = { KEY("", 5) };
	CLEANUP(trie_free) struct trie *t = NULL;
	size_t len = 77;

	(void)state;
	assert_int_equal(trie_create(&t, key, 1), 0);
	assert_int_equal(trie_longest(t, STR(""), &len), 5);
	assert_int_equal(len, 0);
	assert_int_equal(trie_longest(t, STR("anything"), NULL), 5);
}

static void an_empty_table_matches_nothing(void **state)
{
	struct trie_match m[TRIE_KEY_MAX + 1];
	CLEANUP(trie_free) struct trie *t = NULL;

	(void)state;
	assert_int_equal(trie_create(&t, NULL, 0), 0);
	assert_int_equal(trie_longest(t, STR("880"), NULL), TRIE_NONE);
	assert_int_equal(trie_matches(t, STR("880"), m), 0);
}

static void what_is_no_key_is_refused(void **state)
{
	static const struct {
		struct trie_key key[3];
		size_t n;
		int r;
	} row[] = {
		{ { KEY("8", 1), KEY("9", 2), KEY("8", 3) }, 3, -EEXIST },
		{ { KEY("", 1), KEY("", 2) }, 2, -EEXIST },
		{ { KEY("88 0", 1) }, 1, -EINVAL },
		{ { KEY("8", 1), KEY("a", 2) }, 2, -EINVAL },
		{ { KEY("8\0", 1) }, 1, -EINVAL },
		{ { KEY("\xd9\xa1", 1) }, 1, -EINVAL },
		{ { KEY("8", TRIE_NONE) }, 1, -EINVAL },
		{ { KEY("12345678901234567890123456789012345678901", 1) }, 1, -EINVAL },
	};
	struct trie *t = NULL;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(row); i++) {
		assert_int_equal(trie_create(&t, row[i].key, row[i].n), row[i].r);
		assert_null(t);
	}
	assert_true(trie_is_key(STR("0123456789*#+")));
	assert_true(trie_is_key(STR("")));
	assert_false(trie_is_key(STR("1a")));
}

static void the_longest_keys_match_to_their_last_digit(void **state)
{
	static const char digits[] = "1234567890123456789012345678901234567890123";
	struct trie_key keys[TRIE_KEY_MAX + 1];
	struct trie_match m[TRIE_KEY_MAX + 1];
	CLEANUP(trie_free) struct trie *t = NULL;

	(void)state;
	for (uint32_t n = 0; n <= TRIE_KEY_MAX; n++)
		keys[n] = (struct trie_key){ str_n(digits, n), n };
	assert_int_equal(trie_create(&t, keys, COUNT_OF(keys)), 0);
	assert_int_equal(trie_matches(t, str_of(digits), m), TRIE_KEY_MAX + 1);
	for (uint32_t n = 0; n <= TRIE_KEY_MAX; n++)
		assert_int_equal(m[n].value, n);
}

/* A random key whose every character comes from the first `letters` of the alphabet. */
static struct str some_key(char *mem, uint64_t *seed, size_t max, size_t letters)
{
	size_t n = chance(seed, max + 1);

	for (size_t i = 0; i < n; i++)
		mem[i] = "0123456789*#+"[chance(seed, letters)];
	return str_n(mem, n);
}

enum { TABLE = 200, MEM = TRIE_KEY_MAX + 2 };

/* Fills the table with different keys and returns how many. */
static size_t some_table(struct trie_key *keys, char (*mem)[MEM], uint64_t *seed, size_t letters,
			 size_t max)
{
	size_t n = 0;

	for (size_t i = chance(seed, TABLE); i > 0; i--) {
		struct str key = some_key(mem[n], seed, max, letters);
		bool is_new = true;

		for (size_t k = 0; k < n && is_new; k++)
			is_new = !str_eq(keys[k].key, key);
		if (is_new) {
			keys[n] = (struct trie_key){ key, (uint32_t)n };
			n++;
		}
	}
	return n;
}

/* Linear scan: the keys that begin the number, as a set of lengths with their values. */
static size_t scan(const struct trie_key *keys, size_t n, struct str number,
		   uint32_t value_by_len[TRIE_KEY_MAX + 1])
{
	size_t found = 0;

	for (size_t i = 0; i <= TRIE_KEY_MAX; i++)
		value_by_len[i] = TRIE_NONE;
	for (size_t i = 0; i < n; i++)
		if (str_has_prefix(number, keys[i].key)) {
			value_by_len[keys[i].key.n] = keys[i].value;
			found++;
		}
	return found;
}

static void random_tables_agree_with_a_linear_scan(void **state)
{
	static char mem[TABLE][MEM];
	struct trie_key keys[TABLE];
	uint64_t seed = 1;

	(void)state;
	for (int round = 0; round < 300; round++) {
		size_t letters = 1 + chance(&seed, 13), max = 1 + chance(&seed, TRIE_KEY_MAX);
		size_t n = some_table(keys, mem, &seed, letters, max);
		CLEANUP(trie_free) struct trie *t = NULL;

		assert_int_equal(trie_create(&t, keys, n), 0);
		for (int probe = 0; probe < 100; probe++) {
			char number[MEM];
			struct str s = some_key(number, &seed, MEM - 1, letters);
			uint32_t want[TRIE_KEY_MAX + 1], best = TRIE_NONE;
			struct trie_match m[TRIE_KEY_MAX + 1];
			size_t len = 77, k = 0, found = scan(keys, n, s, want);

			assert_int_equal(trie_matches(t, s, m), found);
			for (uint32_t i = 0; i <= TRIE_KEY_MAX; i++) {
				if (want[i] == TRIE_NONE)
					continue;
				best = want[i];
				assert_int_equal(m[k].len, i);
				assert_int_equal(m[k++].value, want[i]);
			}
			assert_int_equal(trie_longest(t, s, &len), best);
			assert_int_equal(len, found ? m[found - 1].len : 77);
		}
	}
}

static void a_large_table_stays_small(void **state)
{
	enum { N = 100000, LEN = 8 };
	CLEANUP(free) struct trie_key *keys = calloc(N, sizeof(*keys));
	CLEANUP(free) char *mem = malloc(N * LEN);
	CLEANUP(trie_free) struct trie *t = NULL;

	(void)state;
	assert_non_null(keys);
	assert_non_null(mem);
	/* Different by construction: 777 and the size are coprime. */
	for (size_t i = 0; i < N; i++) {
		size_t v = 88000000 + i * 777 % 1000000;

		for (size_t k = 0; k < LEN; k++, v /= 10)
			mem[i * LEN + LEN - 1 - k] = (char)('0' + v % 10);
		keys[i] = (struct trie_key){ str_n(mem + i * LEN, LEN), (uint32_t)i };
	}
	assert_int_equal(trie_create(&t, keys, N), 0);
	for (size_t i = 0; i < N; i += 7)
		assert_int_equal(trie_longest(t, keys[i].key, NULL), i);
	assert_true(trie_bytes(t) < (size_t)40 * N);
}

static void a_tree_is_built(void)
{
	static const struct trie_key keys[] = { KEY("88", 1), KEY("8801", 2) };
	CLEANUP(trie_free) struct trie *t = NULL;

	if (!oom_refused(trie_create(&t, keys, COUNT_OF(keys))))
		assert_int_equal(trie_longest(t, STR("8801"), NULL), 2);
}

static void memory_may_run_out(void **state)
{
	(void)state;
	oom_each(a_tree_is_built);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_longest_prefix_wins),
		cmocka_unit_test(all_matches_come_shortest_first),
		cmocka_unit_test(the_empty_key_matches_everything),
		cmocka_unit_test(an_empty_table_matches_nothing),
		cmocka_unit_test(what_is_no_key_is_refused),
		cmocka_unit_test(the_longest_keys_match_to_their_last_digit),
		cmocka_unit_test(random_tables_agree_with_a_linear_scan),
		cmocka_unit_test(a_large_table_stays_small),
		cmocka_unit_test(memory_may_run_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
