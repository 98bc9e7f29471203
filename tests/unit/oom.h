/*
 * oom: what happens when memory runs out at any one place?
 *
 * Two ways. The first needs nothing from you: `make V=asan check` runs every test again with OOM=1
 * in the environment, and then each test of the group is run in a child with its first allocation
 * refused, then its second, and so on until nothing was refused. Its asserts may fail, and leaks are
 * not looked at since a failed assert jumps over your clean-up; a crash, a hang, a failed assert()
 * of our code or undefined behaviour is what counts. So look at what a constructor returned before
 * you use what it made, in tests too.
 *
 * The second also finds leaks. Give oom_each() a body that goes through a module from create to free
 * and gives up politely:
 *
 *     #include "oom.h"
 *
 *     static void a_tree_is_built(void)
 *     {
 *             CLEANUP(trie_free) struct trie *t = NULL;
 *
 *             if (oom_refused(trie_create(&t)))
 *                     return;
 *             if (oom_refused(trie_add(t, "880")))
 *                     return;
 *             assert_true(trie_has(t, "880"));
 *     }
 *
 *     static void memory_may_run_out(void **state)
 *     {
 *             oom_each(a_tree_is_built);
 *     }
 *
 * Refused are malloc, calloc, realloc, reallocarray, aligned_alloc, posix_memalign, strdup, strndup,
 * asprintf and vasprintf in everything linked into the test; not what libc, SQLite, osip and jansson
 * do inside (jansson's parser does not survive it). Threads: only the one that runs the test is refused.
 */
#pragma once

#include <stdbool.h>

/* Runs body with allocation 1, 2, 3 ... refused, until a run was refused nothing. The body releases
 * what it made on every way out and may assert what must hold even so. Fails the test on a leak. */
void oom_each(void (*body)(void));

/* For a call that returned r: false when r >= 0. When r < 0 it must be -ENOMEM and an allocation of
 * this run must have been refused (else the test fails); true then. */
bool oom_refused(int r);

/* Whether an allocation was refused in this run so far. For calls that do not return errno. */
bool oom_hit(void);
