/*
 * One flat array of nodes of eight bytes: which children there are (a bit for each of the 13
 * characters) and where the first of them stands. The children of a node stand side by side in the
 * order of their characters, so a step is one count of bits and one load; their own children follow
 * soon behind, so the far end of a lookup stays on few cache lines. The values stand in an array of
 * their own, which a lookup touches once, at its end.
 *
 *	"1" "12" "15" "7"     root{1,7} -> [1]{2,5} [7]{} -> [12]{} [15]{}
 *
 * Building packs each key into three words, four bits a character (0 = none, so a prefix sorts
 * before what it begins); then sorting, duplicates and the number of nodes are comparisons of
 * words.
 */
#include "base/trie.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

enum { CODES = 13, CODE_BITS = 4, WORDS = 3, IN_WORD = 64 / CODE_BITS };

/* Bit 0: the node is a key and has a value. Bit c: it has a child for code c. */
struct node {
	uint32_t first;
	uint16_t map;
};

struct trie {
	struct node *node;
	uint32_t *value; /* of the node with the same number */
	uint32_t count;
};

struct packed {
	uint64_t word[WORDS];
	uint32_t value;
	uint32_t len;
};

/* 1 to CODES, or 0 for a character outside the alphabet. */
static unsigned code_of(char c)
{
	if (c >= '0' && c <= '9')
		return (unsigned)(c - '0') + 1;
	switch (c) {
	case '*':
		return 11;
	case '#':
		return 12;
	case '+':
		return CODES;
	default:
		return 0;
	}
}

static unsigned code_at(const struct packed *k, unsigned i)
{
	return k->word[i / IN_WORD] >> (64 - CODE_BITS - i % IN_WORD * CODE_BITS) & 0xf;
}

bool trie_is_key(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (!code_of(s.p[i]))
			return false;
	return s.n <= TRIE_KEY_MAX;
}

static int pack(const struct trie_key *key, struct packed *ret)
{
	if (!trie_is_key(key->key) || key->value == TRIE_NONE)
		return -EINVAL;

	*ret = (struct packed){ .value = key->value, .len = (uint32_t)key->key.n };
	for (unsigned i = 0; i < ret->len; i++)
		ret->word[i / IN_WORD] |= (uint64_t)code_of(key->key.p[i])
					  << (64 - CODE_BITS - i % IN_WORD * CODE_BITS);
	return 0;
}

static int compare(const void *va, const void *vb)
{
	const struct packed *a = va, *b = vb;

	for (int w = 0; w < WORDS; w++)
		if (a->word[w] != b->word[w])
			return a->word[w] < b->word[w] ? -1 : 1;
	return 0;
}

/* How many leading characters two different keys share. */
static unsigned common(const struct packed *a, const struct packed *b)
{
	unsigned w = 0;

	while (a->word[w] == b->word[w])
		w++;
	return w * IN_WORD + (unsigned)__builtin_clzll(a->word[w] ^ b->word[w]) / CODE_BITS;
}

/* One for the root and one for each character that a key does not share with the one before it. */
static int count_nodes(const struct packed *k, size_t n, size_t *ret)
{
	size_t nodes = 1 + (n ? k[0].len : 0);

	for (size_t i = 1; i < n; i++) {
		if (compare(&k[i - 1], &k[i]) == 0)
			return -EEXIST;
		nodes += k[i].len - common(&k[i - 1], &k[i]);
	}
	if (nodes >= UINT32_MAX)
		return -ENOMEM;
	*ret = nodes;
	return 0;
}

static uint32_t child(const struct node *n, unsigned code)
{
	unsigned before = n->map & ((1U << code) - 1) & ~1U;

	return n->first + (uint32_t)__builtin_popcount(before);
}

/* Keys k to end all begin with the characters of node `at`, which is `depth` of them deep. */
static void build(struct trie *t, uint32_t at, const struct packed *k, const struct packed *end,
		  unsigned depth)
{
	struct node *node = &t->node[at];

	if (k < end && k->len == depth) {
		node->map |= 1;
		t->value[at] = k->value;
		k++;
	}
	for (const struct packed *i = k; i < end; i++)
		node->map |= (uint16_t)(1U << code_at(i, depth));
	node->first = t->count;
	t->count += (uint32_t)__builtin_popcount(node->map & ~1U);

	/* As deep as a key is long, which TRIE_KEY_MAX limits. */
	while (k < end) {
		unsigned code = code_at(k, depth);
		const struct packed *from = k;

		while (k < end && code_at(k, depth) == code)
			k++;
		build(t, child(node, code), from, k, depth + 1);
	}
}

static int allocate(struct trie **ret, size_t nodes)
{
	CLEANUP(trie_free) struct trie *t = calloc(1, sizeof(*t));

	if (!t)
		return -ENOMEM;
	t->node = calloc(nodes, sizeof(*t->node));
	t->value = calloc(nodes, sizeof(*t->value));
	if (!t->node || !t->value)
		return -ENOMEM;
	*ret = TAKE(t);
	return 0;
}

int trie_create(struct trie **ret, const struct trie_key *keys, size_t n)
{
	CLEANUP(free) struct packed *packed = calloc(n ? n : 1, sizeof(*packed));
	struct trie *t;
	size_t nodes = 0;
	int r = packed ? 0 : -ENOMEM;

	for (size_t i = 0; r == 0 && i < n; i++)
		r = pack(&keys[i], &packed[i]);
	if (r < 0)
		return r;
	qsort(packed, n, sizeof(*packed), compare);

	r = count_nodes(packed, n, &nodes);
	if (r < 0)
		return r;
	r = allocate(&t, nodes);
	if (r < 0)
		return r;
	t->count = 1;
	build(t, 0, packed, packed + n, 0);
	assert(t->count == nodes);
	*ret = t;
	return 0;
}

struct trie *trie_free(struct trie *t)
{
	if (t) {
		free(t->node);
		free(t->value);
		free(t);
	}
	return NULL;
}

/* A step down by the next character; false where the tree or the alphabet ends. */
static bool step(const struct trie *t, uint32_t *at, char c)
{
	const struct node *n = &t->node[*at];
	unsigned code = code_of(c);

	if (!code || !(n->map >> code & 1))
		return false;
	*at = child(n, code);
	return true;
}

uint32_t trie_longest(const struct trie *t, struct str number, size_t *ret_len)
{
	uint32_t at = 0, best = TRIE_NONE;
	size_t len = 0, i = 0;

	for (;; i++) {
		if (t->node[at].map & 1) {
			best = at;
			len = i;
		}
		if (i == number.n || !step(t, &at, number.p[i]))
			break;
	}
	if (best == TRIE_NONE)
		return TRIE_NONE;
	if (ret_len)
		*ret_len = len;
	return t->value[best];
}

size_t trie_walk(const struct trie *t, struct str number, struct trie_match ret[TRIE_KEY_MAX + 1],
		 size_t *ret_reach)
{
	uint32_t at = 0;
	size_t n = 0, i = 0;

	for (;; i++) {
		if (t->node[at].map & 1)
			ret[n++] = (struct trie_match){ t->value[at], (uint32_t)i };
		if (i == number.n || !step(t, &at, number.p[i]))
			break;
	}
	/* Without children it did not matter what comes next, or whether anything does. */
	*ret_reach = i + ((t->node[at].map & ~1U) != 0);
	return n;
}

size_t trie_matches(const struct trie *t, struct str number,
		    struct trie_match ret[TRIE_KEY_MAX + 1])
{
	size_t reach;

	return trie_walk(t, number, ret, &reach);
}

size_t trie_bytes(const struct trie *t)
{
	return sizeof(*t) + t->count * (sizeof(*t->node) + sizeof(*t->value));
}
