#include "base/snapshot.h"

#include <urcu-qsbr.h>

/*
 * ThreadSanitizer does not see into liburcu, so it is shown what liburcu guarantees: all that a
 * reader did before it was quiescent happens before what follows snapshot_wait.
 */
#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define SHOW_TSAN
#endif
#endif

#ifdef SHOW_TSAN
static int grace;

static void reader_is_done(void)
{
	(void)__atomic_fetch_add(&grace, 1, __ATOMIC_RELEASE);
}

static void readers_were_done(void)
{
	(void)__atomic_load_n(&grace, __ATOMIC_ACQUIRE);
}
#else
static void reader_is_done(void)
{
}

static void readers_were_done(void)
{
}
#endif

void snapshot_thread_enter(void)
{
	rcu_register_thread();
}

void snapshot_thread_leave(void)
{
	reader_is_done();
	rcu_unregister_thread();
}

void snapshot_quiescent(void)
{
	reader_is_done();
	rcu_quiescent_state();
}

void snapshot_offline(void)
{
	reader_is_done();
	rcu_thread_offline();
}

void snapshot_online(void)
{
	rcu_thread_online();
}

/* rcu_dereference and rcu_xchg_pointer, in a form that compilers and sanitizers know. */
void *snapshot_read(void *const *slot)
{
	return __atomic_load_n(slot, __ATOMIC_ACQUIRE);
}

void *snapshot_swap(void **slot, void *next)
{
	return __atomic_exchange_n(slot, next, __ATOMIC_SEQ_CST);
}

void snapshot_wait(void)
{
	synchronize_rcu();
	readers_were_done();
}
