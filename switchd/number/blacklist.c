#include "number/blacklist.h"

#include <errno.h>
#include <stdlib.h>

#include "base/htab.h"
#include "base/places.h"

/*
 * Two tables of places (base/places.h). A place's word:
 *
 *	tag 13 bits | count 20 bits | seconds 31 bits
 *
 * of the list until when it holds, of the counts when the first was counted, of calls that were kept out when the last came. The tag is of the
 * key's hash: a word that some other key left behind counts for nothing.
 */
enum { TIME_BITS = 31, COUNT_BITS = 20 };

#define TIME_MASK  ((UINT64_C(1) << TIME_BITS) - 1)
#define COUNT_MASK ((UINT64_C(1) << COUNT_BITS) - 1)

struct blacklist {
	struct places listed, counted;
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

static char side_kind(enum blacklist_side side)
{
	return side == BLACKLIST_CALLER ? 'r' : 'e';
}

static char hit_kind(enum blacklist_side side)
{
	return side == BLACKLIST_CALLER ? 'R' : 'E';
}

static char count_kind(enum blacklist_count what)
{
	return what == COUNT_CALLS ? 'c' : 'u';
}

int64_t blacklist_left(const struct blacklist *b, enum blacklist_side side, struct str number,
		       int64_t now_s)
{
	uint64_t hash = hash_of(side_kind(side), number);
	const struct place *p = places_find(&b->listed, hash);
	int64_t left = p ? read_word(hash, atomic_load(&p->word)).time_s - now_s : 0;

	return left > 0 ? left : 0;
}

void blacklist_add(struct blacklist *b, enum blacklist_side side, struct str number, int64_t for_s,
		   int64_t now_s)
{
	uint64_t hash = hash_of(side_kind(side), number);

	atomic_store(&places_claim(&b->listed, hash)->word,
		     make_word(hash, (struct state){ .time_s = now_s + for_s }));
}

void blacklist_del(struct blacklist *b, enum blacklist_side side, struct str number)
{
	struct place *p = places_find(&b->listed, hash_of(side_kind(side), number));
	struct place *hits = places_find(&b->counted, hash_of(hit_kind(side), number));

	if (p)
		atomic_store(&p->word, 0);
	if (hits)
		atomic_store(&hits->word, 0);
}

/* One more at the place of that hash; the time is now. */
static int64_t count_up(struct blacklist *b, uint64_t hash, int64_t now_s)
{
	struct place *p = places_claim(&b->counted, hash);
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

void blacklist_hit(struct blacklist *b, enum blacklist_side side, struct str number, int64_t now_s)
{
	(void)count_up(b, hash_of(hit_kind(side), number), now_s);
}

bool blacklist_hits(const struct blacklist *b, enum blacklist_side side, struct str number,
		    int64_t *ret_calls, int64_t *ret_last_s)
{
	uint64_t hash = hash_of(hit_kind(side), number);
	const struct place *p = places_find(&b->counted, hash);
	struct state s = p ? read_word(hash, atomic_load(&p->word)) : (struct state){ 0 };

	if (s.count == 0)
		return false;
	*ret_calls = s.count;
	*ret_last_s = s.time_s;
	return true;
}

bool blacklist_count(struct blacklist *b, enum blacklist_count what, struct str number,
		     int64_t limit, int64_t window_s, int64_t now_s)
{
	uint64_t hash = hash_of(count_kind(what), number);
	struct place *p = places_claim(&b->counted, hash);
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
	struct place *p = places_find(&b->counted, hash);

	if (p)
		atomic_store(&p->word, make_word(hash, (struct state){ 0 }));
}

int64_t blacklist_begin(struct blacklist *b, struct str number, int64_t now_s)
{
	return count_up(b, hash_of('n', number), now_s);
}

void blacklist_end(struct blacklist *b, struct str number)
{
	uint64_t hash = hash_of('n', number);
	struct place *p = places_find(&b->counted, hash);
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
	CLEANUP(blacklist_free) struct blacklist *b = calloc(1, sizeof(*b));
	int r = b ? places_init(&b->listed, BLACKLIST_MAX, TIME_BITS) : -ENOMEM;

	if (r == 0)
		r = places_init(&b->counted, BLACKLIST_MAX, TIME_BITS);
	if (r == 0)
		*ret = TAKE(b);
	return r;
}

struct blacklist *blacklist_free(struct blacklist *b)
{
	struct blacklisted *n = b ? blacklist_news(b) : NULL;

	while (n) {
		struct blacklisted *next = n->next;

		free(n);
		n = next;
	}
	if (b) {
		places_done(&b->listed);
		places_done(&b->counted);
	}
	free(b);
	return NULL;
}
