/*
 * oom: what happens when memory runs out at any one place?
 *
 * Wrap in oom_each() a body that goes through a module from create to free and gives up politely on
 * failure. It is run with the first allocation refused, then with the second, and so on until a run
 * was refused nothing; after each run leaks are looked for (in the asan build). So every error path
 * runs once, and a crash or a leak names the allocation that caused it.
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
 * The body must release what it made on every way out, and may use cmocka's asserts for what must
 * hold even so. Refused are malloc, calloc, realloc, reallocarray, aligned_alloc, posix_memalign,
 * strdup, strndup, asprintf and vasprintf in everything linked into the test, and what jansson
 * allocates; not what libc, SQLite and osip do inside. Threads: only the calling one is refused.
 */
#pragma once

#include <stdbool.h>

/* Fails the test when a body leaks; stops it when a body still fails after 100,000 runs. */
void oom_each(void (*body)(void));

/* For a call that returned r: false when r >= 0. When r < 0 it must be -ENOMEM and an allocation of
 * this run must have been refused (else the test fails); true then. */
bool oom_refused(int r);

/* Whether an allocation was refused in this run so far. For calls that do not return errno. */
bool oom_hit(void);
