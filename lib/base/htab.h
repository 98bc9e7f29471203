/*
 * htab: intrusive hash table, for keys that strangers choose.
 *
 * The node is a field of its owner; the hash is SipHash-1-3 under a key of the process, so that
 * nobody outside can aim at one bucket. The table grows by itself; when memory is short it stays as
 * it is and gets slower, so htab_add cannot fail once the table exists.
 *
 *	HTAB_EACH_MATCH(it, t, hash) {
 *		struct txn *x = CONTAINER(it, struct txn, node);
 *
 *		if (str_eq(x->branch, branch)) ...
 *	}
 *
 * Belongs to one thread.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/list.h"
#include "base/str.h"

struct hnode {
	struct hnode *next;
	uint64_t hash;
	bool is_in;
};

struct htab {
	struct hnode **bucket;
	size_t mask;  /* buckets - 1 */
	size_t count; /* nodes in the table */
	/* Private: the buckets before the last growth; the first `moved` of them are empty. */
	struct hnode **old;
	size_t old_mask;
	size_t moved;
};

/* 0 or -ENOMEM. expected: how many nodes to make room for at the start (0 = a few). */
int htab_init(struct htab *t, size_t expected);
/* Frees the buckets; the nodes are their owners'. */
void htab_done(struct htab *t);

/* The keyed hash of some bytes, and of a further part of a key (start with htab_hash). */
uint64_t htab_hash(struct str key);
uint64_t htab_hash2(struct str a, struct str b);

void htab_add(struct htab *t, struct hnode *n, uint64_t hash);
/* Harmless if the node is in no table. */
void htab_del(struct htab *t, struct hnode *n);
/* The first node with this hash, or NULL; and the next after it. The caller compares the key. */
struct hnode *htab_first(const struct htab *t, uint64_t hash);
struct hnode *htab_next(const struct hnode *n);
/*
 * Walk of the whole table: NULL starts. Who removes the current node takes the next one first; who
 * adds during a walk may see nodes twice or not at all.
 */
struct hnode *htab_walk(const struct htab *t, const struct hnode *after);

#define HTAB_EACH_MATCH(i, t, h) for ((i) = htab_first((t), (h)); (i); (i) = htab_next(i))
#define HTAB_EACH(i, t)          for ((i) = htab_walk((t), NULL); (i); (i) = htab_walk((t), (i)))
