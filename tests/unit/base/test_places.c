#include "base/places.h"

#include <pthread.h>

#include "unit.h"

enum { TIME_BITS = 8, THREADS = 4, ROUNDS = 20000 };

static struct places table;

static int setup(void **state)
{
	(void)state;
	return places_init(&table, 16, TIME_BITS);
}

static int teardown(void **state)
{
	(void)state;
	places_done(&table);
	return 0;
}

/* Two sets: the bit above the lowest says which. */
static uint64_t key_of(uint64_t set, uint64_t n)
{
	return n << 2 | set << 1 | 1;
}

static void a_key_keeps_its_place(void **state)
{
	struct place *p;

	(void)state;
	assert_null(places_find(&table, key_of(0, 1)));
	p = places_claim(&table, key_of(0, 1));
	assert_ptr_equal(places_claim(&table, key_of(0, 1)), p);
	assert_ptr_equal(places_find(&table, key_of(0, 1)), p);
	assert_ptr_not_equal(places_claim(&table, key_of(0, 2)), p);
	assert_null(places_find(&table, key_of(1, 1)));
}

static void the_oldest_of_a_full_set_gives_way(void **state)
{
	(void)state;
	for (uint64_t n = 1; n <= 8; n++)
		atomic_store(&places_claim(&table, key_of(0, n))->word,
			     0xff00 | (n == 5 ? 1 : 100 + n));
	(void)places_claim(&table, key_of(1, 99)); /* another set has its own room */
	for (uint64_t n = 1; n <= 8; n++)
		assert_non_null(places_find(&table, key_of(0, n)));
	struct place *p = places_claim(&table, key_of(0, 9));

	assert_null(places_find(&table, key_of(0, 5)));
	assert_int_equal(atomic_load(&p->word),
			 0xff01); /* its word is left, for the caller to know by its bits */
	for (uint64_t n = 1; n <= 9; n++)
		assert_true(n == 5 || places_find(&table, key_of(0, n)));
}

static void *count(void *arg)
{
	(void)arg;
	for (int i = 0; i < ROUNDS; i++) {
		struct place *p = places_claim(&table, key_of((uint64_t)i % 2, 7));

		atomic_fetch_add(&p->word, 1 << TIME_BITS);
	}
	return NULL;
}

static void threads_that_bring_the_same_keys_share_their_places(void **state)
{
	pthread_t thread[THREADS];
	uint64_t sum = 0;

	(void)state;
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&thread[i], NULL, count, NULL), 0);
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(pthread_join(thread[i], NULL), 0);
	for (uint64_t set = 0; set < 2; set++)
		sum += atomic_load(&places_find(&table, key_of(set, 7))->word) >> TIME_BITS;
	assert_int_equal(sum, THREADS * ROUNDS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_key_keeps_its_place, setup, teardown),
		cmocka_unit_test_setup_teardown(the_oldest_of_a_full_set_gives_way, setup,
						teardown),
		cmocka_unit_test_setup_teardown(threads_that_bring_the_same_keys_share_their_places,
						setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
