#include "ops/spend_book.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "model/entity.h"

int64_t spend_clock_s(void)
{
	enum { TWO_DAYS_S = 172800 };

	return clock_mono_ms() / 1000 + TWO_DAYS_S;
}

static uint64_t hash_of(const char *rule, const char *account)
{
	return htab_hash2(str_n(rule, strlen(rule) + 1), str_of(account));
}

struct spend_count *spend_book_find(const struct spend_book *b, const char *rule,
				    const char *account)
{
	struct hnode *it;

	HTAB_EACH_MATCH(it, &b->counts, hash_of(rule, account))
	{
		struct spend_count *n = CONTAINER(it, struct spend_count, node);

		if (strcmp(n->rule, rule) == 0 && strcmp(n->account, account) == 0)
			return n;
	}
	return NULL;
}

static void count_free(struct spend_count *n)
{
	spent_done(&n->spent);
	free(n->rule);
	free(n->account);
	free(n);
}

struct spend_count *spend_book_get(struct spend_book *b, const char *rule, const char *account)
{
	struct spend_count *n = spend_book_find(b, rule, account);

	if (n)
		return n;
	n = calloc(1, sizeof(*n));
	if (!n)
		return NULL;
	spent_init(&n->spent);
	n->state = SPEND_STATE_NORMAL;
	n->since = n->until = FIELD_ABSENT;
	n->rule = strdup(rule);
	n->account = strdup(account);
	if (!n->rule || !n->account) {
		count_free(n);
		return NULL;
	}
	htab_add(&b->counts, &n->node, hash_of(rule, account));
	return n;
}

int spend_book_create(struct spend_book **ret)
{
	struct spend_book *b = calloc(1, sizeof(*b));
	int r = b ? htab_init(&b->counts, 64) : -ENOMEM;

	if (r < 0) {
		free(b);
		return r;
	}
	*ret = b;
	return 0;
}

struct spend_book *spend_book_free(struct spend_book *b)
{
	struct hnode *it;

	if (!b)
		return NULL;
	while ((it = htab_walk(&b->counts, NULL))) {
		htab_del(&b->counts, it);
		count_free(CONTAINER(it, struct spend_count, node));
	}
	htab_done(&b->counts);
	free(b);
	return NULL;
}
