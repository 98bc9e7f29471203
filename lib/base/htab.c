/*
 * Chains of nodes. When there are more nodes than buckets, twice the buckets are allocated and the
 * old ones are moved over a few at a time, by the adds that follow: moving a hundred thousand nodes
 * at once would hold up every call of the thread. An old bucket is moved as a whole, so all nodes
 * of one hash are always in one chain, and which one is a comparison (chain_of).
 *
 * Only htab_add moves, so a walk that removes nodes sees each of them once.
 */
#include "base/htab.h"

#include <assert.h>
#include <endian.h>
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

#include "base/rand.h"

enum { LEAST = 16, MOVE_AT_ONCE = 2 };

/*
 * SipHash-1-3 (Aumasson, Bernstein): one round a word, three at the end, the variant that Rust and
 * Python use for their tables. Its key is made once in the life of the process.
 */
struct sip {
	uint64_t v0, v1, v2, v3;
};

static uint64_t key[2];
static pthread_once_t key_once = PTHREAD_ONCE_INIT;

static void make_key(void)
{
	rand_bytes(key, sizeof(key));
}

static inline uint64_t rotl(uint64_t x, int n)
{
	return x << n | x >> (64 - n);
}

static inline void sip_round(struct sip *s)
{
	s->v0 += s->v1;
	s->v1 = rotl(s->v1, 13) ^ s->v0;
	s->v0 = rotl(s->v0, 32);
	s->v2 += s->v3;
	s->v3 = rotl(s->v3, 16) ^ s->v2;
	s->v0 += s->v3;
	s->v3 = rotl(s->v3, 21) ^ s->v0;
	s->v2 += s->v1;
	s->v1 = rotl(s->v1, 17) ^ s->v2;
	s->v2 = rotl(s->v2, 32);
}

static inline void sip_word(struct sip *s, uint64_t word)
{
	s->v3 ^= word;
	sip_round(s);
	s->v0 ^= word;
}

static uint64_t siphash13(uint64_t k0, uint64_t k1, struct str in)
{
	struct sip s = { k0 ^ 0x736f6d6570736575, k1 ^ 0x646f72616e646f6d, k0 ^ 0x6c7967656e657261,
			 k1 ^ 0x7465646279746573 };
	uint64_t word = 0;
	size_t whole = in.n & ~(size_t)7;

	for (size_t i = 0; i < whole; i += 8) {
		memcpy(&word, in.p + i, 8);
		sip_word(&s, le64toh(word));
	}
	word = 0;
	if (in.n > whole)
		memcpy(&word, in.p + whole, in.n - whole);
	sip_word(&s, le64toh(word) | (uint64_t)in.n << 56);

	s.v2 ^= 0xff;
	for (int i = 0; i < 3; i++)
		sip_round(&s);
	return s.v0 ^ s.v1 ^ s.v2 ^ s.v3;
}

uint64_t htab_hash(struct str s)
{
	(void)pthread_once(&key_once, make_key);
	return siphash13(key[0], key[1], s);
}

/* The hash of `a` is part of the key for `b`, so ("ab", "c") and ("a", "bc") differ. */
uint64_t htab_hash2(struct str a, struct str b)
{
	uint64_t h = htab_hash(a);

	return siphash13(key[0] ^ h, key[1], b);
}

int htab_init(struct htab *t, size_t expected)
{
	size_t buckets = LEAST;

	while (buckets < expected && buckets <= SIZE_MAX / 4 / sizeof(*t->bucket))
		buckets *= 2;

	struct hnode **bucket = calloc(buckets, sizeof(*bucket));
	if (!bucket)
		return -ENOMEM;
	*t = (struct htab){ .bucket = bucket, .mask = buckets - 1 };
	return 0;
}

void htab_done(struct htab *t)
{
	free(t->bucket);
	free(t->old);
	*t = (struct htab){ 0 };
}

static struct hnode **chain_of(const struct htab *t, uint64_t hash)
{
	if (t->old && (hash & t->old_mask) >= t->moved)
		return &t->old[hash & t->old_mask];
	return &t->bucket[hash & t->mask];
}

static void move_bucket(struct htab *t)
{
	struct hnode *n = t->old[t->moved++];

	while (n) {
		struct hnode *next = n->next;
		struct hnode **to = &t->bucket[n->hash & t->mask];

		n->next = *to;
		*to = n;
		n = next;
	}
}

/* Two buckets an add: done after half of the adds that lead to the next growth. */
static void move_some(struct htab *t)
{
	for (int i = 0; i < MOVE_AT_ONCE && t->moved <= t->old_mask; i++)
		move_bucket(t);
	if (t->moved > t->old_mask) {
		free(t->old);
		t->old = NULL;
	}
}

static void grow(struct htab *t)
{
	struct hnode **bucket = calloc(2 * (t->mask + 1), sizeof(*bucket));

	if (!bucket)
		return; /* longer chains until memory is back */
	t->old = t->bucket;
	t->old_mask = t->mask;
	t->moved = 0;
	t->bucket = bucket;
	t->mask = 2 * t->mask + 1;
}

void htab_add(struct htab *t, struct hnode *n, uint64_t hash)
{
	assert(!n->is_in);
	if (!t->old && t->count > t->mask)
		grow(t);
	if (t->old)
		move_some(t);

	struct hnode **chain = chain_of(t, hash);
	n->hash = hash;
	n->next = *chain;
	n->is_in = true;
	*chain = n;
	t->count++;
}

void htab_del(struct htab *t, struct hnode *n)
{
	if (!n->is_in)
		return;

	struct hnode **at = chain_of(t, n->hash);
	while (*at != n) {
		assert(*at); /* else it is in another table */
		at = &(*at)->next;
	}
	*at = n->next;
	n->next = NULL;
	n->is_in = false;
	t->count--;
}

static struct hnode *same_hash(struct hnode *n, uint64_t hash)
{
	while (n && n->hash != hash)
		n = n->next;
	return n;
}

struct hnode *htab_first(const struct htab *t, uint64_t hash)
{
	return same_hash(*chain_of(t, hash), hash);
}

struct hnode *htab_next(const struct hnode *n)
{
	return same_hash(n->next, n->hash);
}

static struct hnode *first_from(struct hnode *const *bucket, size_t from, size_t mask)
{
	for (size_t i = from; i <= mask; i++)
		if (bucket[i])
			return bucket[i];
	return NULL;
}

/* First the old buckets that are still to be moved, then the new ones. */
struct hnode *htab_walk(const struct htab *t, const struct hnode *after)
{
	size_t from = 0;
	struct hnode *n;

	if (after && after->next)
		return after->next;

	bool in_old = t->old && (!after || (after->hash & t->old_mask) >= t->moved);
	if (in_old) {
		n = first_from(t->old, after ? (after->hash & t->old_mask) + 1 : t->moved,
			       t->old_mask);
		if (n)
			return n;
	} else if (after) {
		from = (after->hash & t->mask) + 1;
	}
	return first_from(t->bucket, from, t->mask);
}
