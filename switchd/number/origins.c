/*
 * A trie from each prefix to the first of a run of the groups that have it. The longest prefix of a caller decides all shorter ones, so its
 * place in the runs says which groups the caller is in.
 */
#include "number/origins.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/trie.h"

enum { WITHHELD_KEY = 1 }; /* of origins_key; prefixes count from 2 */

struct at {
	struct str prefix; /* while it is built */
	uint16_t group;
	bool has_more; /* the next one is of the same prefix */
};

struct origins {
	struct trie *trie; /* NULL: no group has a prefix */
	struct at *at;
	size_t count;
	uint16_t *withheld;
	size_t withhelds;
};

static int compare(const void *va, const void *vb)
{
	const struct at *a = va, *b = vb;
	int r = str_cmp(a->prefix, b->prefix);

	return r ? r : (a->group > b->group) - (a->group < b->group);
}

/* The next prefix of a list that is not empty. */
static bool next_prefix(struct str *list, struct str *ret)
{
	while (str_split(list, ',', ret)) {
		*ret = str_trim(*ret);
		if (ret->n)
			return true;
	}
	return false;
}

static size_t count_prefixes(const struct origin *group, size_t n)
{
	size_t count = 0;

	for (size_t i = 0; i < n; i++) {
		struct str list = group[i].prefixes, prefix;

		while (next_prefix(&list, &prefix))
			count++;
	}
	return count;
}

static int fill(struct origins *o, const struct origin *group, size_t n)
{
	struct str list, prefix;

	for (size_t i = 0; i < n; i++) {
		if (group[i].takes_withheld)
			o->withheld[o->withhelds++] = (uint16_t)i;
		for (list = group[i].prefixes; next_prefix(&list, &prefix);) {
			if (!trie_is_key(prefix))
				return -EINVAL;
			o->at[o->count++] = (struct at){ .prefix = prefix, .group = (uint16_t)i };
		}
	}
	return 0;
}

/* A prefix that a group names twice stands there once. */
static void unite(struct origins *o)
{
	size_t kept = 0;

	if (o->count > 0)
		qsort(o->at, o->count, sizeof(*o->at), compare);
	for (size_t i = 0; i < o->count; i++) {
		if (kept > 0 && compare(&o->at[kept - 1], &o->at[i]) == 0)
			continue;
		o->at[kept++] = o->at[i];
	}
	o->count = kept;
}

static int index_prefixes(struct origins *o)
{
	CLEANUP(free) struct trie_key *key = calloc(o->count + 1, sizeof(*key));
	size_t n = 0;

	if (!key)
		return -ENOMEM;
	for (size_t i = 0; i < o->count; i++) {
		if (i > 0 && str_eq(o->at[i - 1].prefix, o->at[i].prefix))
			o->at[i - 1].has_more = true;
		else
			key[n++] = (struct trie_key){ o->at[i].prefix, (uint32_t)i };
	}
	return n ? trie_create(&o->trie, key, n) : 0;
}

int origins_create(struct origins **ret, const struct origin *group, size_t n)
{
	CLEANUP(origins_free) struct origins *o = calloc(1, sizeof(*o));
	size_t prefixes = count_prefixes(group, n);

	if (!o)
		return -ENOMEM;
	if (n > ORIGINS_MAX || prefixes >= TRIE_NONE - 2)
		return -EINVAL;
	o->at = calloc(prefixes + 1, sizeof(*o->at));
	o->withheld = calloc(n + 1, sizeof(*o->withheld));
	if (!o->at || !o->withheld)
		return -ENOMEM;

	int r = fill(o, group, n);
	if (r == 0) {
		unite(o);
		r = index_prefixes(o);
	}
	if (r < 0)
		return r;
	/* They were loans. */
	for (size_t i = 0; i < o->count; i++)
		o->at[i].prefix = STR("");
	*ret = TAKE(o);
	return 0;
}

struct origins *origins_free(struct origins *o)
{
	if (o) {
		trie_free(o->trie);
		free(o->at);
		free(o->withheld);
	}
	free(o);
	return NULL;
}

/* None, or a word in its place, such as anonymous. */
static bool is_withheld(struct str caller)
{
	return caller.n == 0 || !trie_is_key(str_head(caller, 1));
}

static size_t find_withheld(const struct origins *o, uint16_t ret[ORIGINS_FOUND])
{
	size_t n = o->withhelds < ORIGINS_FOUND ? o->withhelds : ORIGINS_FOUND;

	if (n > 0)
		memcpy(ret, o->withheld, n * sizeof(*ret));
	return n;
}

static bool has(const uint16_t *found, size_t n, uint16_t group)
{
	while (n > 0 && found[n - 1] != group)
		n--;
	return n > 0;
}

size_t origins_find(const struct origins *o, struct str caller, uint16_t ret[ORIGINS_FOUND])
{
	struct trie_match match[TRIE_KEY_MAX + 1];
	size_t found = 0, n;

	if (!o)
		return 0;
	if (is_withheld(caller))
		return find_withheld(o, ret);
	n = o->trie ? trie_matches(o->trie, caller, match) : 0;
	for (; n > 0; n--) {
		const struct at *a = &o->at[match[n - 1].value];

		for (;; a++) {
			if (found < ORIGINS_FOUND && !has(ret, found, a->group))
				ret[found++] = a->group;
			if (!a->has_more)
				break;
		}
	}
	return found;
}

uint32_t origins_key(const struct origins *o, struct str caller)
{
	size_t len;

	if (!o)
		return 0;
	if (is_withheld(caller))
		return o->withhelds > 0 ? WITHHELD_KEY : 0;

	uint32_t at = o->trie ? trie_longest(o->trie, caller, &len) : TRIE_NONE;
	return at == TRIE_NONE ? 0 : at + WITHHELD_KEY + 1;
}

size_t origins_bytes(const struct origins *o)
{
	return !o ? 0
		  : sizeof(*o) + (o->count + 1) * sizeof(*o->at) +
			       (o->trie ? trie_bytes(o->trie) : 0);
}

/* ---- at entry ---- */

int origins_check(struct str prefixes, struct err *err)
{
	static const char *const accepted = "callers' prefixes of digits, as in 49, 331";
	struct origin group = { .prefixes = prefixes };
	CLEANUP(origins_free) struct origins *o = NULL;
	struct str list = prefixes, prefix;

	while (next_prefix(&list, &prefix)) {
		/* What is billed has no sign before it (behaviour.md, "Who is calling"). */
		if (!trie_is_key(prefix) || prefix.p[0] == '+')
			return err_set(err, ERR_BAD_VALUE, "prefixes", prefix, accepted,
				       "not a prefix of callers' numbers");
	}
	int r = origins_create(&o, &group, 1);
	if (r == 0 && o->count < count_prefixes(&group, 1))
		return err_set(err, ERR_BAD_VALUE, "prefixes", STR(""), accepted,
			       "a prefix is there twice");
	return r;
}

bool origins_is_name(struct str name)
{
	for (size_t i = 0; i < name.n; i++) {
		if (name.p[i] == '/' || name.p[i] == ',')
			return false;
	}
	return name.n > 0 &&
	       ((name.p[0] >= 'a' && name.p[0] <= 'z') || (name.p[0] >= 'A' && name.p[0] <= 'Z'));
}

/* ---- the list ---- */

int origin_list_add(struct origin_list *l, struct str name, struct str prefixes,
		    bool takes_withheld)
{
	if (l->count == l->room) {
		size_t room = l->room ? l->room * 2 : 16;
		struct origin *more = reallocarray(l->group, room, sizeof(*more));

		if (!more)
			return -ENOMEM;
		l->group = more;
		l->room = room;
	}
	char *text = str_dup(prefixes), *own = str_dup(name);
	if (!text || !own) {
		free(text);
		free(own);
		return -ENOMEM;
	}
	l->group[l->count++] = (struct origin){ str_of(own), str_of(text), takes_withheld };
	return 0;
}

void origin_list_done(struct origin_list *l)
{
	for (size_t i = 0; i < l->count; i++) {
		free((char *)(uintptr_t)l->group[i].name.p);
		free((char *)(uintptr_t)l->group[i].prefixes.p);
	}
	free(l->group);
	*l = (struct origin_list){ 0 };
}

int origin_list_find(const struct origin_list *l, struct str name)
{
	size_t low = 0, high = l->count;

	while (low < high) {
		size_t mid = low + (high - low) / 2;
		int r = str_cmp(name, l->group[mid].name);

		if (r == 0)
			return (int)mid;
		if (r < 0)
			high = mid;
		else
			low = mid + 1;
	}
	return -1;
}
