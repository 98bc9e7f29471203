#include "call/referral.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

/* A place belongs to whoever has put BUSY there; then its key tells whose it is. */
enum { FREE = 0, BUSY = 1, MINTS = 8, KEY_DIGITS = 16 };

struct place {
	_Atomic uint64_t key;
	_Atomic int64_t until_ms;
	struct referral what;
};

struct referrals {
	struct place place[REFERRAL_PLACES];
};

int referrals_create(struct referrals **ret)
{
	*ret = calloc(1, sizeof(**ret));
	return *ret ? 0 : -ENOMEM;
}

struct referrals *referrals_free(struct referrals *r)
{
	free(r);
	return NULL;
}

/* The random part of a token; FREE for what is none. */
static uint64_t key_of(struct str token)
{
	uint64_t key = 0;

	if (steer_token_worker(token) < 0)
		return FREE;
	for (size_t i = token.n - KEY_DIGITS; i < token.n; i++) {
		char c = token.p[i];

		key = key << 4 | (uint64_t)(c <= '9' ? c - '0' : c - 'a' + 10);
	}
	return key > BUSY ? key : FREE;
}

int referral_put(struct referrals *all, int worker, const struct referral *r, int64_t now_ms,
		 char token[STEER_TOKEN])
{
	for (int i = 0; i < MINTS; i++) {
		steer_mint(token, worker);

		uint64_t key = key_of(str_of(token));
		struct place *p = &all->place[key % REFERRAL_PLACES];
		uint64_t was = atomic_load(&p->key);

		if (key == FREE || was == BUSY)
			continue;
		if (was != FREE && atomic_load(&p->until_ms) > now_ms)
			continue;
		if (!atomic_compare_exchange_strong(&p->key, &was, BUSY))
			continue;
		p->what = *r;
		atomic_store(&p->until_ms, now_ms + REFERRAL_LIFE_MS);
		atomic_store(&p->key, key);
		return 0;
	}
	return -EAGAIN;
}

bool referral_take(struct referrals *all, struct str token, int64_t now_ms, struct referral *ret)
{
	uint64_t key = key_of(token);
	struct place *p = &all->place[key % REFERRAL_PLACES];
	bool is_fresh;

	if (key == FREE || !atomic_compare_exchange_strong(&p->key, &key, BUSY))
		return false;
	is_fresh = atomic_load(&p->until_ms) > now_ms;
	if (is_fresh)
		*ret = p->what;
	atomic_store(&p->key, FREE);
	return is_fresh;
}
