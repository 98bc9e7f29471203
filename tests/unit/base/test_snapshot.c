#include "base/snapshot.h"

#include <pthread.h>
#include <stdatomic.h>

#include <stdlib.h>

#include "unit.h"

/* Two worlds take turns. One whose halves differ was written while in use. */
struct world {
	int version;
	int same_version;
};

static struct world world[2];
static void *slot;
static atomic_bool stop;
static atomic_int wrong;

static int setup(void **state)
{
	(void)state;
	(void)snapshot_swap(&slot, NULL);
	atomic_store(&stop, false);
	return 0;
}

/* Nobody has seen the other world since the last wait, so it can be written. */
static void replace(int version)
{
	struct world *w = &world[version % 2], *old;

	*w = (struct world){ version, version };
	old = snapshot_swap(&slot, w);
	if (version > 1)
		assert_ptr_equal(old, &world[1 - version % 2]);
	snapshot_wait();
	if (old)
		old->version = -1;
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

static void a_replaced_world_is_written_only_when_nobody_sees_it(void **state)
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
	assert_int_equal(pthread_create(&reader, NULL, sleep_offline, NULL), 0);
	for (int v = 1; v < 10; v++)
		replace(v);
	atomic_store(&stop, true);
	assert_int_equal(pthread_join(reader, NULL), 0);
}

static void a_reader_may_be_the_publisher(void **state)
{
	(void)state;
	snapshot_thread_enter();
	replace(1);
	assert_int_equal(((const struct world *)snapshot_read(&slot))->version, 1);
	replace(2);
	snapshot_thread_leave();
}

int main(void)
{
	if (getenv("OOM")) /* nothing here allocates; waiting threads make the reruns slow */
		return 0;

	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(a_replaced_world_is_written_only_when_nobody_sees_it, setup),
		cmocka_unit_test_setup(a_waiting_reader_holds_nobody_up, setup),
		cmocka_unit_test_setup(a_reader_may_be_the_publisher, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
