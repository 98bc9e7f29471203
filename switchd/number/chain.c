#include "number/chain.h"

#include <errno.h>
#include <stdlib.h>

struct chain {
	size_t count;
	struct transform **step;
};

int chain_create(struct chain **ret)
{
	struct chain *c = calloc(1, sizeof(*c));

	if (!c)
		return -ENOMEM;
	*ret = c;
	return 0;
}

struct chain *chain_free(struct chain *c)
{
	if (!c)
		return NULL;
	for (size_t i = 0; i < c->count; i++)
		transform_free(c->step[i]);
	free(c->step);
	free(c);
	return NULL;
}

int chain_add(struct chain *c, struct transform *t)
{
	struct transform **more = reallocarray(c->step, c->count + 1, sizeof(*more));

	if (!more) {
		transform_free(t);
		return -ENOMEM;
	}
	c->step = more;
	c->step[c->count++] = t;
	return 0;
}

int chain_apply(const struct chain *c, struct str number, struct buf *out)
{
	char room[2][TRANSFORM_NUMBER_MAX];
	size_t n = c ? c->count : 0;

	for (size_t i = 0; i < n; i++) {
		struct buf next = buf_fixed(room[i % 2], sizeof(room[0]));
		int r = transform_apply(c->step[i], number, &next);

		if (r < 0)
			return r;
		number = buf_str(&next);
	}
	return transform_apply(NULL, number, out);
}

enum { FOLLOWED = 8 }; /* of a longer chain nobody knows what decides */

/* Forward for what each step gets, then back for what it has to look at. */
size_t chain_reach(const struct chain *c, struct str number, size_t n)
{
	char room[FOLLOWED][TRANSFORM_NUMBER_MAX];
	struct str at[FOLLOWED + 1] = { number };
	size_t steps = c ? c->count : 0, i = 0;

	if (steps > FOLLOWED)
		return number.n + 1;
	for (; i < steps; i++) {
		struct buf out = buf_fixed(room[i], sizeof(room[i]));

		if (transform_apply(c->step[i], at[i], &out) < 0) {
			n = at[i].n + 1;
			break;
		}
		at[i + 1] = buf_str(&out);
	}
	for (; i > 0; i--)
		n = transform_reach(c->step[i - 1], at[i - 1], n);
	return n < number.n + 1 ? n : number.n + 1;
}

size_t chain_growth(const struct chain *c)
{
	size_t sum = 0;

	for (size_t i = 0; c && i < c->count; i++)
		sum += transform_growth(c->step[i]);
	return sum;
}
