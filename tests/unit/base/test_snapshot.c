#include "base/snapshot.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "unit.h"

/* A world whose two halves always agree; freed ones are spoiled first. */
struct world {
	int version;
	int same_version;
};

static void *slot;
static atomic_bool stop;
static atomic_int wrong;

static struct world *world_create(int version)
{
	struct world *w = malloc(sizeof(*w));

	assert_non_null(w);
	*w = (struct world){ version, version };
	return w;
}

static void replace(int version)
{
	struct world *old = snapshot_swap(&slot, world_create(version));

	snapshot_wait();
	if (old)
		old->version = -1;
	free(old);
}

/* Reads as a worker does: many turns, now and then a wait. */
static void *read_worlds(void *arg)
{
	int last = 0;

	(void)arg;
	snapshot_thread_enter();
	for (int turn = 1; !atomic_load(&stop); turn++) {
		const struct world *w = snapshot_read(&slot);

		if (w->version != w->same_version || w->version < last)
			atomic_fetch_add(&wrong, 1);
		last = w->version;
		snapshot_quiescent();
		if (turn % 64 == 0) {
			snapshot_offline();
			snapshot_online();
		}
	}
	snapshot_thread_leave();
	return NULL;
}

static void a_replaced_world_is_freed_only_when_nobody_sees_it(void **state)
{
	enum { READERS = 3, VERSIONS = 300 };
	pthread_t reader[READERS];

	(void)state;
	replace(1);
	for (int i = 0; i < READERS; i++)
		assert_int_equal(pthread_create(&reader[i], NULL, read_worlds, NULL), 0);
	for (int v = 2; v < VERSIONS; v++)
		replace(v);
	atomic_store(&stop, true);
	for (int i = 0; i < READERS; i++)
		assert_int_equal(pthread_join(reader[i], NULL), 0);
	assert_int_equal(wrong, 0);
	free(snapshot_swap(&slot, NULL));
}

static void *sleep_offline(void *arg)
{
	(void)arg;
	snapshot_thread_enter();
	snapshot_offline();
	while (!atomic_load(&stop))
		; /* for ever, if it held up the publisher */
	snapshot_online();
	snapshot_thread_leave();
	return NULL;
}

static void a_waiting_reader_holds_nobody_up(void **state)
{
	pthread_t reader;

	(void)state;
	atomic_store(&stop, false);
	assert_int_equal(pthread_create(&reader, NULL, sleep_offline, NULL), 0);
	for (int v = 1; v < 10; v++)
		replace(v);
	atomic_store(&stop, true);
	assert_int_equal(pthread_join(reader, NULL), 0);
	free(snapshot_swap(&slot, NULL));
}

static void a_reader_may_be_the_publisher(void **state)
{
	(void)state;
	snapshot_thread_enter();
	replace(1);
	assert_int_equal(((const struct world *)snapshot_read(&slot))->version, 1);
	replace(2);
	snapshot_thread_leave();
	free(snapshot_swap(&slot, NULL));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_replaced_world_is_freed_only_when_nobody_sees_it),
		cmocka_unit_test(a_waiting_reader_holds_nobody_up),
		cmocka_unit_test(a_reader_may_be_the_publisher),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
