#include "sip/digest_nonce.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "base/htab.h"
#include "base/list.h"
#include "base/rand.h"
#include "base/secret.h"

enum { TIME = 5, TRIES = TIME + 1, RANDOM = 11, MAC = 12, BYTES = NONCE_ID + MAC, SECRET = 32 };

struct used {
	struct hnode node;
	struct list age;
	struct nonce nonce;
	int64_t first_used_ms;
	uint32_t nc;
};

struct nonces {
	unsigned char secret[SECRET];
	unsigned char worker;
	struct htab table;
	struct list by_age;   /* oldest use first */
	int64_t forgotten_ms; /* nonces minted up to then are void */
};

int nonces_create(struct nonces **ret, const unsigned char secret[32], int worker)
{
	struct nonces *n = calloc(1, sizeof(*n));

	if (!n)
		return -ENOMEM;
	if (htab_init(&n->table, 0) < 0) {
		free(n);
		return -ENOMEM;
	}
	memcpy(n->secret, secret, SECRET);
	n->worker = (unsigned char)worker;
	n->forgotten_ms = -1;
	list_init(&n->by_age);
	*ret = n;
	return 0;
}

static void forget(struct nonces *n, struct used *u)
{
	htab_del(&n->table, &u->node);
	list_del(&u->age);
	free(u);
}

struct nonces *nonces_free(struct nonces *n)
{
	struct list *it, *tmp;

	if (!n)
		return NULL;
	LIST_EACH (it, tmp, &n->by_age)
		forget(n, CONTAINER(it, struct used, age));
	htab_done(&n->table);
	secret_wipe(n->secret, sizeof(n->secret));
	free(n);
	return NULL;
}

/* The address without its port: a NAT may change that between two requests. */
static size_t source_bytes(const struct addr *source, unsigned char out[16])
{
	bool is_v6 = addr_is_v6(source);
	size_t size = is_v6 ? 16 : 4;

	memcpy(out, is_v6 ? (const void *)&source->in6.sin6_addr : &source->in.sin_addr, size);
	return size;
}

static void sign(const struct nonces *n, const unsigned char id[NONCE_ID],
		 const struct addr *source, unsigned char ret[MAC])
{
	unsigned char text[NONCE_ID + 16], sum[EVP_MAX_MD_SIZE] = { 0 };
	unsigned int size = sizeof(sum);

	memcpy(text, id, NONCE_ID);
	size_t length = NONCE_ID + source_bytes(source, text + NONCE_ID);
	if (!HMAC(EVP_sha256(), n->secret, SECRET, text, length, sum, &size))
		rand_bytes(sum, MAC); /* out of memory: a signature that nothing matches */
	memcpy(ret, sum, MAC);
}

void nonces_mint(struct nonces *n, const struct addr *source, int tries, int64_t now_ms,
		 char ret[NONCE_TEXT])
{
	unsigned char bytes[BYTES];

	for (int i = 0; i < TIME; i++)
		bytes[i] = (unsigned char)(now_ms >> (8 * i));
	bytes[TIME] = n->worker;
	bytes[TRIES] = (unsigned char)tries;
	rand_bytes(bytes + TRIES + 1, RANDOM);
	sign(n, bytes, source, bytes + NONCE_ID);
	(void)EVP_EncodeBlock((unsigned char *)ret, bytes, BYTES);
}

static bool decode(struct str text, unsigned char ret[BYTES])
{
	return text.n == NONCE_TEXT - 1 &&
	       EVP_DecodeBlock(ret, (const unsigned char *)text.p, (int)text.n) == BYTES;
}

bool nonces_check(struct nonces *n, struct str text, const struct addr *source, int64_t life_ms,
		  int64_t now_ms, struct nonce *ret)
{
	unsigned char bytes[BYTES] = { 0 }, mac[MAC];
	bool is_ours = decode(text, bytes);

	sign(n, bytes, source, mac);
	is_ours = secret_eq(str_n(mac, MAC), str_n(bytes + NONCE_ID, MAC)) && is_ours;
	memcpy(ret->id, bytes, NONCE_ID);
	ret->tries = bytes[TRIES];
	ret->minted_ms = 0;
	for (int i = 0; i < TIME; i++)
		ret->minted_ms |= (int64_t)bytes[i] << (8 * i);
	return is_ours && bytes[TIME] == n->worker && ret->minted_ms <= now_ms &&
	       now_ms - ret->minted_ms < life_ms && ret->minted_ms > n->forgotten_ms;
}

static struct used *find(const struct nonces *n, const struct nonce *nonce, uint64_t hash)
{
	struct hnode *it;

	HTAB_EACH_MATCH(it, &n->table, hash)
	{
		struct used *u = CONTAINER(it, struct used, node);

		if (memcmp(u->nonce.id, nonce->id, NONCE_ID) == 0)
			return u;
	}
	return NULL;
}

/* Drops what has expired, and one more if the table is full. */
static void make_room(struct nonces *n, int64_t now_ms)
{
	struct list *it, *tmp;

	LIST_EACH (it, tmp, &n->by_age) {
		struct used *u = CONTAINER(it, struct used, age);

		if (now_ms - u->first_used_ms < NONCE_LIFE_MAX_MS) {
			if (n->table.count < NONCES_MAX)
				return;
			if (u->nonce.minted_ms > n->forgotten_ms)
				n->forgotten_ms = u->nonce.minted_ms;
		}
		forget(n, u);
	}
}

bool nonces_use(struct nonces *n, const struct nonce *nonce, uint32_t nc, int64_t now_ms)
{
	uint64_t hash = htab_hash(str_n(nonce->id, NONCE_ID));
	struct used *u = find(n, nonce, hash);

	if (u && nc <= u->nc)
		return false;
	if (!u) {
		make_room(n, now_ms);
		u = calloc(1, sizeof(*u));
		if (!u)
			return false;
		u->nonce = *nonce;
		u->first_used_ms = now_ms;
		list_add_tail(&n->by_age, &u->age);
		htab_add(&n->table, &u->node, hash);
	}
	u->nc = nc;
	return true;
}
