#include "base/htab.h"

#include <errno.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "oom.h"
#include "unit.h"

struct item {
	uint64_t key;
	int seen;
	struct hnode node;
};

static uint64_t hash_of(uint64_t key)
{
	return htab_hash(str_n(&key, sizeof(key)));
}

static struct item *find(const struct htab *t, uint64_t key)
{
	struct hnode *it;

	HTAB_EACH_MATCH(it, t, hash_of(key))
	{
		struct item *item = CONTAINER(it, struct item, node);

		if (item->key == key)
			return item;
	}
	return NULL;
}

static void add(struct htab *t, struct item *item, uint64_t key)
{
	item->key = key;
	htab_add(t, &item->node, hash_of(key));
}

static void a_key_is_found_until_it_is_removed(void **state)
{
	struct htab t;
	struct item a = { 0 }, b = { 0 };

	(void)state;
	assert_int_equal(htab_init(&t, 0), 0);
	assert_null(find(&t, 1));
	add(&t, &a, 1);
	add(&t, &b, 2);
	assert_ptr_equal(find(&t, 1), &a);
	assert_ptr_equal(find(&t, 2), &b);
	htab_del(&t, &a.node);
	htab_del(&t, &a.node); /* harmless */
	assert_null(find(&t, 1));
	assert_int_equal(t.count, 1);
	htab_done(&t);
}

/* Nodes that share a hash, as a transaction and its ACK may share a branch. */
static void all_nodes_of_one_hash_are_visited(void **state)
{
	struct htab t;
	struct item item[40] = { 0 };
	struct hnode *it;
	int n = 0;

	(void)state;
	assert_int_equal(htab_init(&t, 0), 0);
	for (int i = 0; i < 40; i++)
		htab_add(&t, &item[i].node, i % 4 ? hash_of(i) : 99);
	HTAB_EACH_MATCH(it, &t, 99)
	{
		CONTAINER(it, struct item, node)->seen++;
		n++;
	}
	assert_int_equal(n, 10);
	for (int i = 0; i < 40; i += 4)
		assert_int_equal(item[i].seen, 1);
	htab_done(&t);
}

static void check_walk(struct htab *t, struct item *item, const bool *in, size_t n)
{
	struct hnode *it;
	size_t walked = 0, expected = 0;

	for (size_t i = 0; i < n; i++) {
		item[i].seen = 0;
		expected += in[i];
	}
	HTAB_EACH (it, t) {
		CONTAINER(it, struct item, node)->seen++;
		walked++;
	}
	assert_int_equal(walked, expected);
	assert_int_equal(t->count, expected);
	for (size_t i = 0; i < n; i++)
		assert_int_equal(item[i].seen, in[i]);
}

static void a_growing_table_agrees_with_an_array(void **state)
{
	enum { N = 3000, STEPS = 30000 };
	CLEANUP(free) struct item *item = calloc(N, sizeof(*item));
	CLEANUP(free) bool *in = calloc(N, sizeof(*in));
	struct htab t;
	uint64_t seed = 1;

	(void)state;
	assert_non_null(item);
	assert_non_null(in);
	assert_int_equal(htab_init(&t, 0), 0);
	for (size_t step = 0; step < STEPS; step++) {
		/* The range widens, so that the table grows while things are removed. */
		size_t i = chance(&seed, 1 + step * N / STEPS);

		if (in[i])
			htab_del(&t, &item[i].node);
		else
			add(&t, &item[i], i);
		in[i] = !in[i];

		size_t probe = chance(&seed, N);
		assert_ptr_equal(find(&t, probe), in[probe] ? &item[probe] : NULL);
		if (step % 997 == 0)
			check_walk(&t, item, in, N);
	}
	check_walk(&t, item, in, N);
	htab_done(&t);
}

static void a_walk_may_remove_what_it_has_passed(void **state)
{
	enum { N = 100 };
	struct item item[N] = { 0 };
	struct htab t;

	(void)state;
	for (int size = 1; size <= N; size++) {
		struct hnode *it, *next;
		int n = 0;

		assert_int_equal(htab_init(&t, 0), 0);
		for (int i = 0; i < size; i++)
			add(&t, &item[i], i);
		for (it = htab_walk(&t, NULL); it; it = next) {
			next = htab_walk(&t, it);
			htab_del(&t, it);
			n++;
		}
		assert_int_equal(n, size);
		assert_int_equal(t.count, 0);
		htab_done(&t);
	}
}

static void hashes_differ_where_keys_do(void **state)
{
	(void)state;
	assert_int_equal(htab_hash(STR("abc")), htab_hash(STR("abc")));
	assert_int_not_equal(htab_hash(STR("abc")), htab_hash(STR("abd")));
	assert_int_not_equal(htab_hash(STR("")), htab_hash(STR("\0")));
	assert_int_not_equal(htab_hash(STR("\0")), htab_hash(STR("\0\0")));
	assert_int_equal(htab_hash(STR("")), htab_hash(str_of(NULL)));
	assert_int_equal(htab_hash2(STR("a"), STR("b")), htab_hash2(STR("a"), STR("b")));
	assert_int_not_equal(htab_hash2(STR("ab"), STR("c")), htab_hash2(STR("a"), STR("bc")));
	assert_int_not_equal(htab_hash2(STR("a"), STR("b")), htab_hash2(STR("b"), STR("a")));
	assert_int_not_equal(htab_hash2(STR("abc"), STR("")), htab_hash(STR("abc")));
}

/* Each bit of a key moves half of the hash, whatever the length and its rest of eight. */
static void every_bit_of_a_key_counts(void **state)
{
	char key[20] = { 0 };
	int bits = 0, pairs = 0;

	(void)state;
	for (size_t n = 1; n <= sizeof(key); n++) {
		uint64_t base = htab_hash(str_n(key, n));

		for (size_t bit = 0; bit < 8 * n; bit++) {
			key[bit / 8] = (char)(1 << bit % 8);
			bits += __builtin_popcountll(base ^ htab_hash(str_n(key, n)));
			pairs++;
			key[bit / 8] = 0;
		}
	}
	assert_in_range(bits / pairs, 30, 34);
}

static void a_table_lives_with_what_memory_there_is(void)
{
	struct item item[200] = { 0 };
	struct htab t;

	if (oom_refused(htab_init(&t, 0)))
		return;
	for (int i = 0; i < 200; i++)
		add(&t, &item[i], i);
	for (int i = 0; i < 200; i++)
		assert_ptr_equal(find(&t, i), &item[i]);
	htab_done(&t);
}

static void memory_may_run_out(void **state)
{
	(void)state;
	oom_each(a_table_lives_with_what_memory_there_is);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_key_is_found_until_it_is_removed),
		cmocka_unit_test(all_nodes_of_one_hash_are_visited),
		cmocka_unit_test(a_growing_table_agrees_with_an_array),
		cmocka_unit_test(a_walk_may_remove_what_it_has_passed),
		cmocka_unit_test(hashes_differ_where_keys_do),
		cmocka_unit_test(every_bit_of_a_key_counts),
		cmocka_unit_test(memory_may_run_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
