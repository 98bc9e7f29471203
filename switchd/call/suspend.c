#include "call/suspend.h"

#include <errno.h>
#include <stdlib.h>

#include "base/htab.h"
#include "base/places.h"

/*
 * A pair of user and source has a place (base/places.h); its word:
 *
 *	tag 12 bits | suspended 1 | wrong in a row 10 | until when that holds, 41 bits of ms
 *
 * The tag is of the key's hash: a word that some other key left behind counts for nothing.
 */
enum { TIME_BITS = 41, WRONG_BITS = 10 };

struct suspend {
	struct places pairs;
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

bool suspend_is_on(const struct suspend *s, struct str user, const struct addr *source,
		   int64_t now_ms)
{
	uint64_t hash = hash_of(user, source);
	const struct place *p = places_find(&s->pairs, hash);
	struct count c = p ? read_word(hash, atomic_load(&p->word)) : (struct count){ 0 };

	return c.is_suspended && now_ms < c.until;
}

void suspend_wrong(struct suspend *s, struct str user, const struct addr *source, int64_t max,
		   int64_t for_ms, int64_t now_ms)
{
	uint64_t hash = hash_of(user, source);
	struct place *p = max > 0 ? places_claim(&s->pairs, hash) : NULL;
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
	struct place *p = places_find(&s->pairs, hash);

	if (p)
		atomic_store(&p->word, 0);
}

int suspend_create(struct suspend **ret)
{
	struct suspend *s = calloc(1, sizeof(*s));
	int r = s ? places_init(&s->pairs, SUSPEND_MAX, TIME_BITS) : -ENOMEM;

	if (r < 0) {
		free(s);
		return r;
	}
	*ret = s;
	return 0;
}

struct suspend *suspend_free(struct suspend *s)
{
	if (s)
		places_done(&s->pairs);
	free(s);
	return NULL;
}
