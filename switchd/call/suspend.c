#include "call/suspend.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "base/htab.h"

/*
 * Sets of WAYS places; a pair's hash says which set, and is the place's key: SipHash under our key, so nobody can aim at
 * another's. Everything else of a place is one word, changed by compare-and-swap:
 *
 *	tag 12 bits | suspended 1 | wrong in a row 10 | until when that holds, 41 bits of ms
 *
 * The tag is of the key's hash: a word that some other key left behind counts for nothing.
 */
enum { WAYS = 8, SETS = SUSPEND_MAX / WAYS, TIME_BITS = 41, WRONG_BITS = 10 };

struct place {
	_Atomic uint64_t key; /* 0: free */
	_Atomic uint64_t word;
};

struct suspend {
	struct place place[SETS][WAYS];
};

struct count {
	bool is_suspended;
	int64_t wrong, until;
};

static uint64_t hash_of(struct str user, const struct addr *source)
{
	uint64_t host = addr_hash_host(source);

	return htab_hash2(user, str_n(&host, sizeof(host))) | 1;
}

static uint64_t tag_of(uint64_t hash)
{
	return hash >> 52;
}

static struct count read_word(uint64_t hash, uint64_t word)
{
	if (word >> 52 != tag_of(hash))
		return (struct count){ 0 };
	return (struct count){ .is_suspended = word >> (TIME_BITS + WRONG_BITS) & 1,
			       .wrong = (int64_t)(word >> TIME_BITS & ((1 << WRONG_BITS) - 1)),
			       .until = (int64_t)(word & ((UINT64_C(1) << TIME_BITS) - 1)) };
}

static uint64_t make_word(uint64_t hash, struct count c)
{
	return tag_of(hash) << 52 | (uint64_t)c.is_suspended << (TIME_BITS + WRONG_BITS) |
	       (uint64_t)c.wrong << TIME_BITS |
	       ((uint64_t)c.until & ((UINT64_C(1) << TIME_BITS) - 1));
}

static const struct place *find(const struct suspend *s, uint64_t hash)
{
	const struct place *set = s->place[hash / 2 % SETS];

	for (int i = 0; i < WAYS; i++) {
		if (atomic_load(&set[i].key) == hash)
			return &set[i];
	}
	return NULL;
}

/* Its own place, or a free one, or the one that was touched longest ago. */
static struct place *claim(struct suspend *s, uint64_t hash)
{
	struct place *set = s->place[hash / 2 % SETS];

	for (;;) {
		struct place *oldest = &set[0];
		uint64_t oldest_key = 0, oldest_time = UINT64_MAX;

		for (int i = 0; i < WAYS; i++) {
			uint64_t key = atomic_load(&set[i].key), word = atomic_load(&set[i].word);
			uint64_t time = key ? word & ((UINT64_C(1) << TIME_BITS) - 1) : 0;

			if (key == hash)
				return &set[i];
			if (time < oldest_time) {
				oldest = &set[i];
				oldest_key = key;
				oldest_time = time;
			}
		}
		if (atomic_compare_exchange_strong(&oldest->key, &oldest_key, hash))
			return oldest;
	}
}

bool suspend_is_on(const struct suspend *s, struct str user, const struct addr *source,
		   int64_t now_ms)
{
	uint64_t hash = hash_of(user, source);
	const struct place *p = find(s, hash);
	struct count c = p ? read_word(hash, atomic_load(&p->word)) : (struct count){ 0 };

	return c.is_suspended && now_ms < c.until;
}

void suspend_wrong(struct suspend *s, struct str user, const struct addr *source, int64_t max,
		   int64_t for_ms, int64_t now_ms)
{
	uint64_t hash = hash_of(user, source);
	struct place *p = max > 0 ? claim(s, hash) : NULL;
	uint64_t word = p ? atomic_load(&p->word) : 0, next;

	if (!p)
		return;
	do {
		struct count c = read_word(hash, word);

		if (c.is_suspended && now_ms < c.until)
			return;
		if (c.is_suspended || now_ms >= c.until)
			c.wrong = 0;
		c.wrong++;
		c.is_suspended = c.wrong >= max || c.wrong >= SUSPEND_WRONG_MAX;
		c.until = now_ms + for_ms;
		next = make_word(hash, c);
	} while (!atomic_compare_exchange_weak(&p->word, &word, next));
}

void suspend_right(struct suspend *s, struct str user, const struct addr *source)
{
	uint64_t hash = hash_of(user, source);
	const struct place *seen = find(s, hash);
	struct place *p = seen ? claim(s, hash) : NULL;

	if (p)
		atomic_store(&p->word, 0);
}

int suspend_create(struct suspend **ret)
{
	struct suspend *s = calloc(1, sizeof(*s));

	if (!s)
		return -ENOMEM;
	*ret = s;
	return 0;
}

struct suspend *suspend_free(struct suspend *s)
{
	free(s);
	return NULL;
}
