#include "number/ranges.h"

#include <errno.h>
#include <stdlib.h>

#include "base/trie.h"

enum { DENY, ALLOW };

struct ranges {
	struct trie *trie;
	bool only_some; /* there are allowed prefixes: all else is not */
};

static size_t count_pieces(struct str text)
{
	size_t n = text.n > 0;

	for (size_t i = 0; i < text.n; i++)
		n += text.p[i] == ',';
	return n;
}

/* Keys longer than a number may be are no prefix of any. */
static int collect(struct str list, uint32_t value, struct trie_key *key, size_t *n,
		   struct err *err)
{
	struct str item;

	while (str_split(&list, ',', &item)) {
		if (str_is_empty(item))
			continue;
		if (!trie_is_key(item))
			return err_set(err, ERR_BAD_VALUE, "", item, "up to 40 of 0-9 * # +",
				       "not a prefix");
		key[(*n)++] = (struct trie_key){ item, value };
	}
	return 0;
}

static int by_key(const void *a, const void *b)
{
	const struct trie_key *x = a, *y = b;
	int order = str_cmp(x->key, y->key);

	return order ? order : (x->value > y->value) - (x->value < y->value);
}

/* One that is named twice is there once. */
static int drop_doubles(struct trie_key *key, size_t *n, struct err *err)
{
	size_t kept = 0;

	qsort(key, *n, sizeof(*key), by_key);
	for (size_t i = 0; i < *n; i++) {
		const struct trie_key *last = kept ? &key[kept - 1] : NULL;

		if (!last || !str_eq(last->key, key[i].key))
			key[kept++] = key[i];
		else if (last->value != key[i].value)
			return err_set(err, ERR_CONFLICT, "", key[i].key,
				       "each prefix in one of the two",
				       "it is allowed and forbidden");
	}
	*n = kept;
	return 0;
}

int ranges_create(struct ranges **ret, struct str allow, struct str deny, struct err *err)
{
	CLEANUP(ranges_free) struct ranges *r = NULL;
	CLEANUP(free) struct trie_key *key = NULL;
	size_t n = 0, allowed;
	int e;

	key = calloc(count_pieces(allow) + count_pieces(deny) + 1, sizeof(*key));
	r = calloc(1, sizeof(*r));
	if (!key || !r)
		return -ENOMEM;
	e = collect(allow, ALLOW, key, &n, err);
	allowed = n;
	if (e == 0)
		e = collect(deny, DENY, key, &n, err);
	if (e == 0)
		e = drop_doubles(key, &n, err);
	if (e == 0 && n > 0)
		e = trie_create(&r->trie, key, n);
	if (e < 0)
		return e;
	r->only_some = allowed > 0;
	*ret = n > 0 ? TAKE(r) : NULL;
	return 0;
}

struct ranges *ranges_free(struct ranges *r)
{
	if (r)
		trie_free(r->trie);
	free(r);
	return NULL;
}

bool ranges_allows(const struct ranges *r, struct str number, size_t *ret_prefix)
{
	uint32_t value = r ? trie_longest(r->trie, number, ret_prefix) : TRIE_NONE;

	if (value != TRIE_NONE)
		return value == ALLOW;
	*ret_prefix = 0;
	return !r || !r->only_some;
}
