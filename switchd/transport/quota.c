#include "transport/quota.h"

#include <stdatomic.h>
#include <stdint.h>
#include <string.h>

enum { WORDS = 1 << 14 };

/* A word: unknown connections in the low half, trusted ones in the high half. */
static const uint32_t UNKNOWN = 1, TRUSTED = 1 << 16;

static struct {
	_Atomic uint32_t source[WORDS];
	_Atomic uint32_t total;
} shared;

static _Atomic uint32_t *word_of(const struct addr *peer)
{
	struct addr host = *peer;

	if (addr_is_v6(&host))
		memset(&host.in6.sin6_addr.s6_addr[8], 0, 8);
	return &shared.source[addr_hash_host(&host) % WORDS];
}

static bool fits(uint32_t word)
{
	uint32_t unknown = word % TRUSTED, trusted = word / TRUSTED;

	return trusted ? unknown + trusted < QUOTA_TRUSTED : unknown < QUOTA_UNKNOWN;
}

/* Add, check, undo: two that come at once may both be refused, never both be let in. */
enum quota_verdict quota_take(const struct addr *peer, bool is_trusted)
{
	_Atomic uint32_t *word = word_of(peer);
	uint32_t one = is_trusted ? TRUSTED : UNKNOWN;

	if (atomic_fetch_add(&shared.total, 1) >= QUOTA_TOTAL) {
		atomic_fetch_sub(&shared.total, 1);
		return QUOTA_ALL_FULL;
	}

	uint32_t before = atomic_fetch_add(word, one);

	if (fits(is_trusted && before < TRUSTED ? before + TRUSTED : before))
		return QUOTA_OK;
	quota_give(peer, is_trusted);
	return QUOTA_SOURCE_FULL;
}

void quota_trust(const struct addr *peer)
{
	atomic_fetch_add(word_of(peer), TRUSTED - UNKNOWN);
}

void quota_give(const struct addr *peer, bool is_trusted)
{
	atomic_fetch_sub(word_of(peer), is_trusted ? TRUSTED : UNKNOWN);
	atomic_fetch_sub(&shared.total, 1);
}
