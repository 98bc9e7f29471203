#include "call/suspend.h"

#include <errno.h>
#include <stdlib.h>

#include "base/htab.h"

/* A pair is known by its hash alone: SipHash under our key, so nobody can aim at another's. */
struct pair {
	struct hnode node;
	struct list age;
	int64_t wrong;  /* in a row */
	int64_t forget; /* when they no longer count */
	int64_t until;  /* 0: not suspended */
};

struct suspend {
	struct htab pairs;
	struct list age; /* touched longest ago first */
};

static uint64_t hash_of(struct str user, const struct addr *source)
{
	uint64_t host = addr_hash_host(source);

	return htab_hash2(user, str_n(&host, sizeof(host)));
}

static struct pair *find(const struct suspend *s, uint64_t hash)
{
	struct hnode *it = htab_first(&s->pairs, hash);

	return it ? CONTAINER(it, struct pair, node) : NULL;
}

static void drop(struct suspend *s, struct pair *p)
{
	htab_del(&s->pairs, &p->node);
	list_del(&p->age);
	free(p);
}

bool suspend_is_on(const struct suspend *s, struct str user, const struct addr *source,
		   int64_t now_ms)
{
	const struct pair *p = find(s, hash_of(user, source));

	return p && now_ms < p->until;
}

/* For want of memory nothing is counted; lockoutd's count of the source is still there. */
static struct pair *see(struct suspend *s, uint64_t hash)
{
	struct pair *p = find(s, hash);

	if (!p) {
		p = calloc(1, sizeof(*p));
		if (!p)
			return NULL;
		list_init(&p->age);
		htab_add(&s->pairs, &p->node, hash);
	}
	list_del(&p->age);
	list_add_tail(&s->age, &p->age);
	if (s->pairs.count > SUSPEND_MAX)
		drop(s, CONTAINER(s->age.next, struct pair, age));
	return p;
}

void suspend_wrong(struct suspend *s, struct str user, const struct addr *source, int64_t max,
		   int64_t for_ms, int64_t now_ms)
{
	struct pair *p = max > 0 ? see(s, hash_of(user, source)) : NULL;

	if (!p || now_ms < p->until)
		return;
	if (now_ms >= p->forget)
		p->wrong = 0;
	p->forget = now_ms + for_ms;
	if (++p->wrong < max)
		return;
	p->wrong = 0;
	p->until = now_ms + for_ms;
}

void suspend_right(struct suspend *s, struct str user, const struct addr *source)
{
	struct pair *p = find(s, hash_of(user, source));

	if (p)
		drop(s, p);
}

int suspend_create(struct suspend **ret)
{
	struct suspend *s = calloc(1, sizeof(*s));

	if (!s)
		return -ENOMEM;
	list_init(&s->age);
	if (htab_init(&s->pairs, 0) < 0) {
		free(s);
		return -ENOMEM;
	}
	*ret = s;
	return 0;
}

struct suspend *suspend_free(struct suspend *s)
{
	struct list *it, *tmp;

	if (!s)
		return NULL;
	LIST_EACH (it, tmp, &s->age)
		free(CONTAINER(it, struct pair, age));
	htab_done(&s->pairs);
	free(s);
	return NULL;
}
