#include "base/rand.h"

#include <pthread.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "unit.h"

static void numbers_do_not_repeat(void **state)
{
	uint64_t seen[1000];

	(void)state;
	for (size_t i = 0; i < COUNT_OF(seen); i++) {
		seen[i] = rand_u64();
		for (size_t k = 0; k < i; k++)
			assert_int_not_equal(seen[i], seen[k]);
	}
}

static void every_octet_of_every_length_is_filled(void **state)
{
	(void)state;
	for (size_t n = 0; n <= 600; n += n < 20 ? 1 : 29) {
		unsigned char mem[602] = { 0 }, any[600] = { 0 };

		for (int round = 0; round < 64; round++) {
			rand_bytes(mem + 1, n);
			for (size_t i = 0; i < n; i++)
				any[i] |= mem[1 + i];
		}
		for (size_t i = 0; i < n; i++)
			assert_int_not_equal(any[i], 0); /* by chance once in 2^500 */
		assert_int_equal(mem[0], 0);
		assert_int_equal(mem[1 + n], 0);
	}
}

static void bits_are_set_half_of_the_time(void **state)
{
	int bits = 0;

	(void)state;
	for (int i = 0; i < 10000; i++)
		bits += __builtin_popcountll(rand_u64());
	assert_in_range(bits, 315000, 325000); /* 12 standard deviations */
}

static void all_results_below_the_limit_are_as_likely(void **state)
{
	static const uint32_t limit[] = { 1, 2, 3, 7, 10 };

	(void)state;
	for (size_t i = 0; i < COUNT_OF(limit); i++) {
		int count[10] = { 0 };

		for (int k = 0; k < 10000; k++) {
			uint32_t v = rand_below(limit[i]);

			assert_true(v < limit[i]);
			count[v]++;
		}
		for (uint32_t v = 0; v < limit[i]; v++)
			assert_in_range(count[v], 10000 / limit[i] * 7 / 10,
					10000 / limit[i] * 13 / 10);
	}
	/* Here 2^32 numbers fall on 3/4 as many results: unless some are refused, every third
	 * result is twice as likely. */
	int low = 0;
	for (int k = 0; k < 10000; k++)
		low += rand_below(0xc0000000) % 3 == 0;
	assert_in_range(low, 3000, 3666);
}

static void a_child_does_not_repeat_its_parent(void **state)
{
	int fd[2];
	uint64_t mine, childs = 0;

	(void)state;
	(void)rand_u64(); /* so that there is something left over to inherit */
	assert_int_equal(pipe(fd), 0);

	pid_t pid = fork();
	assert_true(pid >= 0);
	mine = rand_u64();
	if (pid == 0) {
		(void)!write(fd[1], &mine, sizeof(mine));
		_exit(0);
	}
	assert_int_equal(read(fd[0], &childs, sizeof(childs)), sizeof(childs));
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	assert_int_not_equal(mine, childs);
	(void)close(fd[0]);
	(void)close(fd[1]);
}

static void *draw(void *arg)
{
	uint64_t *v = arg;

	for (int i = 0; i < 1000; i++)
		v[i] = rand_u64();
	return NULL;
}

static void threads_do_not_repeat_each_other(void **state)
{
	static uint64_t v[2][1000];
	pthread_t other;

	(void)state;
	assert_int_equal(pthread_create(&other, NULL, draw, v[0]), 0);
	draw(v[1]);
	assert_int_equal(pthread_join(other, NULL), 0);
	for (int i = 0; i < 1000; i++)
		for (int k = 0; k < 1000; k++)
			assert_true(v[0][i] != v[1][k]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers_do_not_repeat),
		cmocka_unit_test(every_octet_of_every_length_is_filled),
		cmocka_unit_test(bits_are_set_half_of_the_time),
		cmocka_unit_test(all_results_below_the_limit_are_as_likely),
		cmocka_unit_test(a_child_does_not_repeat_its_parent),
		cmocka_unit_test(threads_do_not_repeat_each_other),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
