#include "number/blacklist.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "base/htab.h"

/*
 * Two tables of sets of WAYS places, as in call/suspend.c. A number's hash says which set and is the
 * place's key: SipHash under our key, so nobody can aim at another's. Everything else of a place is
 * one word, changed by compare-and-swap:
 *
 *	tag 13 bits | count 20 bits | seconds 31 bits
 *
 * of the list until when it holds, of the counts when the first was counted. The tag is of the key's
 * hash: a word that some other key left behind counts for nothing.
 */
enum { WAYS = 8, SETS = BLACKLIST_MAX / WAYS, TIME_BITS = 31, COUNT_BITS = 20 };

#define TIME_MASK  ((UINT64_C(1) << TIME_BITS) - 1)
#define COUNT_MASK ((UINT64_C(1) << COUNT_BITS) - 1)

struct place {
	_Atomic uint64_t key; /* 0: free */
	_Atomic uint64_t word;
};

struct table {
	struct place place[SETS][WAYS];
};

struct blacklist {
	struct table listed, counted;
	struct blacklisted *_Atomic news;
};

struct state {
	int64_t count, time_s;
};

static uint64_t hash_of(char kind, struct str number)
{
	return htab_hash2(str_n(&kind, 1), number) | 1;
}

static struct state read_word(uint64_t hash, uint64_t word)
{
	if (word >> (TIME_BITS + COUNT_BITS) != hash >> (TIME_BITS + COUNT_BITS))
		return (struct state){ 0 };
	return (struct state){ .count = (int64_t)(word >> TIME_BITS & COUNT_MASK),
			       .time_s = (int64_t)(word & TIME_MASK) };
}

static uint64_t make_word(uint64_t hash, struct state s)
{
	return hash >> (TIME_BITS + COUNT_BITS) << (TIME_BITS + COUNT_BITS) |
	       ((uint64_t)s.count & COUNT_MASK) << TIME_BITS | ((uint64_t)s.time_s & TIME_MASK);
}

static struct place *find(struct table *t, uint64_t hash)
{
	struct place *set = t->place[hash / 2 % SETS];

	for (int i = 0; i < WAYS; i++) {
		if (atomic_load(&set[i].key) == hash)
			return &set[i];
	}
	return NULL;
}

/* Its own place, or a free one, or that of the lowest time. */
static struct place *claim(struct table *t, uint64_t hash)
{
	struct place *set = t->place[hash / 2 % SETS];

	for (;;) {
		struct place *oldest = find(t, hash);
		uint64_t oldest_key = 0, oldest_time = UINT64_MAX;

		if (oldest)
			return oldest;
		for (int i = 0; i < WAYS; i++) {
			uint64_t key = atomic_load(&set[i].key), word = atomic_load(&set[i].word);
			uint64_t time = key ? word & TIME_MASK : 0;

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

static char side_kind(enum blacklist_side side)
{
	return side == BLACKLIST_CALLER ? 'r' : 'e';
}

static char count_kind(enum blacklist_count what)
{
	return what == COUNT_CALLS ? 'c' : 'u';
}

int64_t blacklist_left(const struct blacklist *b, enum blacklist_side side, struct str number,
		       int64_t now_s)
{
	uint64_t hash = hash_of(side_kind(side), number);
	const struct place *set = b->listed.place[hash / 2 % SETS];

	for (int i = 0; i < WAYS; i++) {
		if (atomic_load(&set[i].key) != hash)
			continue;
		int64_t left = read_word(hash, atomic_load(&set[i].word)).time_s - now_s;

		return left > 0 ? left : 0;
	}
	return 0;
}

void blacklist_add(struct blacklist *b, enum blacklist_side side, struct str number, int64_t for_s,
		   int64_t now_s)
{
	uint64_t hash = hash_of(side_kind(side), number);

	atomic_store(&claim(&b->listed, hash)->word,
		     make_word(hash, (struct state){ .time_s = now_s + for_s }));
}

void blacklist_del(struct blacklist *b, enum blacklist_side side, struct str number)
{
	struct place *p = find(&b->listed, hash_of(side_kind(side), number));

	if (p)
		atomic_store(&p->word, 0);
}

bool blacklist_count(struct blacklist *b, enum blacklist_count what, struct str number,
		     int64_t limit, int64_t window_s, int64_t now_s)
{
	uint64_t hash = hash_of(count_kind(what), number);
	struct place *p = claim(&b->counted, hash);
	uint64_t word = atomic_load(&p->word);
	struct state s;
	bool is_full;

	do {
		s = read_word(hash, word);
		if (s.count == 0 || now_s >= s.time_s + window_s)
			s = (struct state){ .time_s = now_s };
		is_full = ++s.count >= limit;
		if (is_full)
			s.count = 0;
	} while (!atomic_compare_exchange_weak(&p->word, &word, make_word(hash, s)));
	return is_full;
}

void blacklist_forget(struct blacklist *b, enum blacklist_count what, struct str number)
{
	uint64_t hash = hash_of(count_kind(what), number);
	struct place *p = find(&b->counted, hash);

	if (p)
		atomic_store(&p->word, make_word(hash, (struct state){ 0 }));
}

int64_t blacklist_begin(struct blacklist *b, struct str number, int64_t now_s)
{
	uint64_t hash = hash_of('n', number);
	struct place *p = claim(&b->counted, hash);
	uint64_t word = atomic_load(&p->word);
	struct state s;

	do {
		s = read_word(hash, word);
		s.time_s = now_s;
		if (s.count < BLACKLIST_COUNT_MAX)
			s.count++;
	} while (!atomic_compare_exchange_weak(&p->word, &word, make_word(hash, s)));
	return s.count;
}

void blacklist_end(struct blacklist *b, struct str number)
{
	uint64_t hash = hash_of('n', number);
	struct place *p = find(&b->counted, hash);
	uint64_t word = p ? atomic_load(&p->word) : 0;
	struct state s;

	do {
		s = read_word(hash, word);
		if (!p || s.count == 0)
			return;
		s.count--;
	} while (!atomic_compare_exchange_weak(&p->word, &word, make_word(hash, s)));
}

/* ---- what is told ---- */

void blacklist_tell(struct blacklist *b, enum blacklist_side side, const char *type,
		    struct str number, int64_t for_s)
{
	struct blacklisted *n = calloc(1, sizeof(*n));

	if (!n || str_copy(n->number, sizeof(n->number), number) < 0) {
		free(n);
		return;
	}
	n->side = side;
	n->type = type;
	n->for_s = for_s;
	n->next = atomic_load(&b->news);
	while (!atomic_compare_exchange_weak(&b->news, &n->next, n))
		;
}

struct blacklisted *blacklist_news(struct blacklist *b)
{
	return atomic_exchange(&b->news, NULL);
}

int blacklist_create(struct blacklist **ret)
{
	struct blacklist *b = calloc(1, sizeof(*b));

	if (!b)
		return -ENOMEM;
	*ret = b;
	return 0;
}

struct blacklist *blacklist_free(struct blacklist *b)
{
	struct blacklisted *n = b ? blacklist_news(b) : NULL;

	while (n) {
		struct blacklisted *next = n->next;

		free(n);
		n = next;
	}
	free(b);
	return NULL;
}
