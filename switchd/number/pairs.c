#include "number/pairs.h"

#include <errno.h>
#include <stdlib.h>

struct pair {
	char *number, *becomes;
};

struct pairs {
	struct pair *item; /* sorted by number */
	size_t count, room;
};

int pairs_create(struct pairs **ret)
{
	struct pairs *p = calloc(1, sizeof(*p));

	if (!p)
		return -ENOMEM;
	*ret = p;
	return 0;
}

struct pairs *pairs_free(struct pairs *p)
{
	if (!p)
		return NULL;
	for (size_t i = 0; i < p->count; i++) {
		free(p->item[i].number);
		free(p->item[i].becomes);
	}
	free(p->item);
	free(p);
	return NULL;
}

static int make_room(struct pairs *p)
{
	size_t room = p->room ? p->room * 2 : 16;
	struct pair *more;

	if (p->count < p->room)
		return 0;
	more = realloc(p->item, room * sizeof(*more));
	if (!more)
		return -ENOMEM;
	p->item = more;
	p->room = room;
	return 0;
}

int pairs_add(struct pairs *p, struct str number, struct str becomes)
{
	struct pair *new;

	if (make_room(p) < 0)
		return -ENOMEM;
	new = &p->item[p->count++];
	*new = (struct pair){ str_dup(number), str_dup(becomes) };
	return new->number &&new->becomes ? 0 : -ENOMEM;
}

static int compare(const void *a, const void *b)
{
	const struct pair *x = a, *y = b;

	return str_cmp(str_of(x->number), str_of(y->number));
}

void pairs_sort(struct pairs *p)
{
	if (p->count > 0)
		qsort(p->item, p->count, sizeof(*p->item), compare);
}

/* Place of the first one that is not below the number. */
static size_t place_of(const struct pairs *p, struct str number)
{
	size_t from = 0, to = p->count;

	while (from < to) {
		size_t middle = from + (to - from) / 2;

		if (str_cmp(str_of(p->item[middle].number), number) < 0)
			from = middle + 1;
		else
			to = middle;
	}
	return from;
}

struct str pairs_find(const struct pairs *p, struct str number)
{
	size_t at = p ? place_of(p, number) : 0;

	if (!p || at == p->count || !str_eq(str_of(p->item[at].number), number))
		return STR("");
	return str_of(p->item[at].becomes);
}

static size_t common(struct str a, struct str b)
{
	size_t n = 0;

	while (n < a.n && n < b.n && a.p[n] == b.p[n])
		n++;
	return n;
}

/* One character more than it shares with either neighbour: no number that begins so is among them. */
size_t pairs_reach(const struct pairs *p, struct str number, size_t n)
{
	size_t at = p ? place_of(p, number) : 0, most = n, shared;

	if (!p || p->count == 0)
		return n;
	if (at > 0) {
		shared = common(number, str_of(p->item[at - 1].number)) + 1;
		most = shared > most ? shared : most;
	}
	if (at < p->count) {
		shared = common(number, str_of(p->item[at].number)) + 1;
		most = shared > most ? shared : most;
	}
	return most;
}
