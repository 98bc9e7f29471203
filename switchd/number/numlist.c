#include "number/numlist.h"

#include <errno.h>
#include <stdlib.h>

struct numlist {
	size_t count;
	char *text;          /* what the numbers point into */
	struct str number[]; /* sorted */
};

static int compare(const void *a, const void *b)
{
	return str_cmp(*(const struct str *)a, *(const struct str *)b);
}

/* Commas and one: never fewer than there are numbers. */
static size_t count_pieces(struct str text)
{
	size_t n = 1;

	for (size_t i = 0; i < text.n; i++)
		n += text.p[i] == ',';
	return n;
}

/* A long one comes in order, from the database. */
static void sort(struct numlist *l)
{
	for (size_t i = 1; i < l->count; i++) {
		if (str_cmp(l->number[i - 1], l->number[i]) > 0) {
			qsort(l->number, l->count, sizeof(l->number[0]), compare);
			return;
		}
	}
}

int numlist_create(struct numlist **ret, struct str text)
{
	CLEANUP(numlist_free) struct numlist *l = NULL;
	struct str rest, number;

	l = calloc(1, sizeof(*l) + count_pieces(text) * sizeof(l->number[0]));
	if (!l)
		return -ENOMEM;
	l->text = malloc(text.n + 1);
	if (!l->text)
		return -ENOMEM;
	if (text.n > 0)
		memcpy(l->text, text.p, text.n);

	rest = str_n(l->text, text.n);
	while (str_split(&rest, ',', &number))
		if (!str_is_empty(number))
			l->number[l->count++] = number;
	sort(l);

	*ret = TAKE(l);
	return 0;
}

struct numlist *numlist_free(struct numlist *l)
{
	if (l) {
		free(l->text);
		free(l);
	}
	return NULL;
}

bool numlist_has(const struct numlist *l, struct str number)
{
	return bsearch(&number, l->number, l->count, sizeof(l->number[0]), compare) != NULL;
}

size_t numlist_count(const struct numlist *l)
{
	return l->count;
}

struct str numlist_at(const struct numlist *l, size_t n)
{
	return l->number[n];
}
