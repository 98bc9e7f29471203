#include "call/host_index.h"

#include <errno.h>
#include <stdlib.h>

#include "base/htab.h"

struct entry {
	struct hnode node;  /* in exact, by the hash of the host */
	struct entry *next; /* of the wide ones, or of all for freeing */
	struct cidr net;
	uint32_t item;
	bool is_wide;
};

struct host_index {
	struct htab exact;
	struct entry *entries;
};

int host_index_create(struct host_index **ret, size_t expected)
{
	struct host_index *h = calloc(1, sizeof(*h));
	if (!h)
		return -ENOMEM;
	int r = htab_init(&h->exact, expected);
	if (r < 0) {
		free(h);
		return r;
	}
	*ret = h;
	return 0;
}

struct host_index *host_index_free(struct host_index *h)
{
	if (!h)
		return NULL;
	while (h->entries) {
		struct entry *e = h->entries;

		h->entries = e->next;
		if (!e->is_wide)
			htab_del(&h->exact, &e->node);
		free(e);
	}
	htab_done(&h->exact);
	free(h);
	return NULL;
}

/* Wide entries go to the front of the list, exact ones behind them, so that a search walks the wide ones only. */
static void file_entry(struct host_index *h, struct entry *e)
{
	if (e->is_wide || !h->entries) {
		e->next = h->entries;
		h->entries = e;
		return;
	}

	struct entry *after = h->entries;

	while (after->is_wide && after->next && after->next->is_wide)
		after = after->next;
	if (!after->is_wide) {
		e->next = h->entries;
		h->entries = e;
	} else {
		e->next = after->next;
		after->next = e;
	}
}

int host_index_add(struct host_index *h, const struct cidr *net, uint32_t item)
{
	struct entry *e = calloc(1, sizeof(*e));
	if (!e)
		return -ENOMEM;
	e->net = *net;
	e->item = item;
	e->is_wide = net->bits < (addr_is_v6(&net->net) ? 128 : 32);
	if (!e->is_wide)
		htab_add(&h->exact, &e->node, addr_hash_host(&net->net));
	file_entry(h, e);
	return 0;
}

void host_index_find(const struct host_index *h, const struct addr *a, host_fn *on_item, void *ctx)
{
	struct hnode *it;

	HTAB_EACH_MATCH(it, &h->exact, addr_hash_host(a))
	{
		const struct entry *e = CONTAINER(it, struct entry, node);

		if (cidr_has(&e->net, a))
			on_item(ctx, e->item);
	}
	for (const struct entry *e = h->entries; e && e->is_wide; e = e->next) {
		if (cidr_has(&e->net, a))
			on_item(ctx, e->item);
	}
}
