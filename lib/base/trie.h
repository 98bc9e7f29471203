/*
 * trie: dialled digits → values, longest prefix first. Built once, then immutable and readable by
 * any thread.
 *
 * Keys are made of 0-9 * # + (the alphabet of dialled numbers and tech prefixes); at most 40 of
 * them. The empty key matches everything. A value is a uint32 chosen by the user, usually an index
 * into the user's own array; each key has one value (a user with many rows a prefix keeps them
 * adjacent and stores the first).
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/str.h"

struct trie;
enum { TRIE_KEY_MAX = 40 };
#define TRIE_NONE UINT32_MAX

struct trie_key {
	struct str key;
	uint32_t value;
};

/*
 * keys in any order; -EEXIST if one is there twice, -EINVAL for a character outside the alphabet;
 * -ENOMEM.
 */
int trie_create(struct trie **ret, const struct trie_key *keys, size_t n);
struct trie *trie_free(struct trie *t);
DEFINE_CLEANUP(struct trie *, trie_free);

bool trie_is_key(struct str s);
/*
 * The value of the longest key that is a prefix of `number` and the key's length; TRIE_NONE if
 * there is none.
 */
uint32_t trie_longest(const struct trie *t, struct str number, size_t *ret_len);
/* All matches, shortest first; returns how many (at most TRIE_KEY_MAX + 1). */
struct trie_match {
	uint32_t value;
	uint32_t len;
};
size_t trie_matches(const struct trie *t, struct str number,
		    struct trie_match ret[TRIE_KEY_MAX + 1]);
/*
 * The same, and in *ret_reach how much of the number decided: any other that begins with as many of its characters has the same
 * matches. number.n + 1: its end did, too.
 */
size_t trie_walk(const struct trie *t, struct str number, struct trie_match ret[TRIE_KEY_MAX + 1],
		 size_t *ret_reach);
size_t trie_bytes(const struct trie *t);
