#include "number/transform.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/trie.h"
#include "number/pattern.h"

enum { DROPPED = UINT8_MAX };

struct rule {
	uint8_t from_n, to_n;
	uint8_t rest_at;                 /* where in `to` the rest of the number goes, or DROPPED */
	char from[TRANSFORM_NUMBER_MAX]; /* '?' is any digit, '*' the star key */
	char to[TRANSFORM_NUMBER_MAX];
};

struct transform {
	struct pattern *pattern; /* NULL: it has none */
	size_t count;
	struct rule rule[];
};

/* One side of a rule, read: the wildcard star is a position here, not a character. */
struct side {
	char text[TRANSFORM_NUMBER_MAX];
	uint8_t n;
	uint8_t stars;
	uint8_t star_at;
};

/* The characters that a number is made of; '?' is taken apart before. */
static bool is_number(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (!trie_is_key(str_n(s.p + i, 1)))
			return false;
	return true;
}

/* Says what is wrong with it, or NULL. */
static const char *read_side(struct str s, bool has_digits, struct side *ret)
{
	struct side side = { 0 };

	for (size_t i = 0; i < s.n; i++) {
		bool is_star_key = s.p[i] == '\\' && i + 1 < s.n && s.p[i + 1] == '*';

		if (s.p[i] == '*') {
			if (side.stars++ > 0)
				return "has more than one *";
			side.star_at = side.n;
			continue;
		}
		i += is_star_key;
		if (!is_number(str_n(s.p + i, 1)) && !(has_digits && s.p[i] == '?'))
			return has_digits ? "has something besides 0-9 # + ? * and \\*"
					  : "has something besides 0-9 # + * and \\*";
		if (side.n == TRANSFORM_NUMBER_MAX)
			return "is longer than 40 characters";
		side.text[side.n++] = s.p[i];
	}
	*ret = side;
	return NULL;
}

/* What two sides that are fine by themselves may not be together; or NULL. */
static const char *check_pair(const struct side *from, const struct side *to)
{
	if (from->stars && from->star_at < from->n)
		return "has a * before its end (the star key is written \\*)";
	if (to->stars && !from->stars)
		return "has a * only behind the colon (the star key is written \\*)";
	if (from->stars && !to->stars && to->n == 0)
		return "leaves nothing of the number";
	return NULL;
}

static const char *compile(struct str text, struct rule *ret)
{
	ptrdiff_t colon = str_chr(text, ':');
	struct side from, to;
	const char *fault;

	if (colon < 0)
		return "has no colon";
	fault = read_side(str_trim(str_head(text, (size_t)colon)), true, &from);
	if (!fault)
		fault = read_side(str_trim(str_skip(text, (size_t)colon + 1)), false, &to);
	if (!fault)
		fault = check_pair(&from, &to);
	if (fault)
		return fault;

	ret->from_n = from.n;
	ret->to_n = to.n;
	ret->rest_at = to.stars ? to.star_at : from.stars ? DROPPED : to.n;
	memcpy(ret->from, from.text, sizeof(ret->from));
	memcpy(ret->to, to.text, sizeof(ret->to));
	return NULL;
}

static size_t count_pieces(struct str text)
{
	size_t n = text.n > 0;

	for (size_t i = 0; i < text.n; i++)
		n += text.p[i] == ',';
	return n;
}

static int refuse(struct err *err, size_t number, struct str text, const char *fault)
{
	return err_set(err, ERR_BAD_VALUE, "", text,
		       "from:to, ... with digits; in from ? is one digit, * at its end the rest",
		       "rule %zu %s", number, fault);
}

int transform_create(struct transform **ret, struct str text, struct err *err)
{
	CLEANUP(transform_free) struct transform *t = NULL;
	size_t n = count_pieces(text);
	struct str rule;

	if (n > TRANSFORM_RULES_MAX)
		return refuse(err, n, STR(""), "is one too many");
	t = calloc(1, sizeof(*t) + n * sizeof(t->rule[0]));
	if (!t)
		return -ENOMEM;

	while (str_split(&text, ',', &rule)) {
		const char *fault = compile(rule, &t->rule[t->count++]);

		if (fault)
			return refuse(err, t->count, rule, fault);
	}
	*ret = TAKE(t);
	return 0;
}

int transform_add_expressions(struct transform *t, struct str text, struct err *err)
{
	struct pattern *p;
	int r = pattern_create(&p, text, err);

	if (r < 0)
		return r;
	pattern_free(t->pattern);
	t->pattern = p;
	return 0;
}

struct transform *transform_free(struct transform *t)
{
	if (t)
		pattern_free(t->pattern);
	free(t);
	return NULL;
}

static bool matches(const struct rule *r, struct str number)
{
	if (r->from_n > number.n)
		return false;
	for (size_t i = 0; i < r->from_n; i++) {
		char c = number.p[i];

		if (r->from[i] == '?' ? c < '0' || c > '9' : c != r->from[i])
			return false;
	}
	return true;
}

static const struct rule *find(const struct transform *t, struct str number)
{
	const struct rule *best = NULL;

	for (const struct rule *r = t->rule; r < t->rule + t->count; r++)
		if ((!best || r->from_n > best->from_n) && matches(r, number))
			best = r;
	return best;
}

/* The three pieces of the result: before the rest of the number, that rest, and behind it. */
static void rewrite(const struct rule *r, struct str number, struct str piece[3])
{
	struct str to = str_n(r->to, r->to_n);

	if (r->rest_at == DROPPED) {
		piece[0] = to;
		return;
	}
	piece[0] = str_head(to, r->rest_at);
	piece[1] = str_skip(number, r->from_n);
	piece[2] = str_skip(to, r->rest_at);
}

/* Where no rule of the table fits: what the expressions make of it, in room. 1 if one acted. */
static int by_expression(const struct transform *t, struct str number, char *room, struct str *ret)
{
	struct buf out = buf_fixed(room, TRANSFORM_NUMBER_MAX);
	bool may_fit = t->pattern && number.n <= TRANSFORM_NUMBER_MAX;
	int r = may_fit ? pattern_apply(t->pattern, number, &out) : 0;

	if (r == 1)
		*ret = buf_str(&out);
	return r;
}

int transform_apply(const struct transform *t, struct str number, struct buf *out)
{
	struct str piece[3] = { number, STR(""), STR("") };
	bool may_change = t && is_number(number);
	const struct rule *r = may_change ? find(t, number) : NULL;
	char room[TRANSFORM_NUMBER_MAX];

	if (r)
		rewrite(r, number, piece);
	else if (may_change && by_expression(t, number, room, &piece[0]) < 0)
		return -EINVAL;

	size_t n = piece[0].n + piece[1].n + piece[2].n;
	if (n == 0 || n > TRANSFORM_NUMBER_MAX)
		return -EINVAL;
	for (int i = 0; i < 3; i++)
		buf_put(out, piece[i]);
	return buf_error(out);
}

/* ---- what decides ---- */

static size_t smaller(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* How far a rule had to look to say whether it matches. */
static size_t looked_at(const struct rule *r, struct str number)
{
	for (size_t i = 0; i < r->from_n; i++) {
		if (i == number.n)
			return number.n + 1;
		if (r->from[i] == '?' ? number.p[i] < '0' || number.p[i] > '9'
				      : number.p[i] != r->from[i])
			return i + 1;
	}
	return r->from_n;
}

size_t transform_reach(const struct transform *t, struct str number, size_t n)
{
	const struct rule *r = t ? find(t, number) : NULL;
	size_t reach = 0;

	if (!r && t && t->pattern)
		return number.n + 1; /* nobody knows what an expression looks at */
	for (size_t i = 0; t && i < t->count; i++) {
		size_t one = looked_at(&t->rule[i], number);

		reach = one > reach ? one : reach;
	}
	/* A number must be left: where none of it is the rule's own, its first character says that there is one. */
	if (t && n == 0 && !(r && r->to_n > 0))
		n = 1;
	if (!r)
		n = smaller(n, number.n + 1);
	else if (r->rest_at == DROPPED || n <= r->rest_at)
		n = 0; /* all of it stands in the rule */
	else
		n = smaller(r->from_n + (n - r->rest_at), number.n + 1);
	return n > reach ? n : reach;
}

size_t transform_growth(const struct transform *t)
{
	size_t most = 0;

	for (size_t i = 0; t && i < t->count; i++) {
		const struct rule *r = &t->rule[i];

		if (r->rest_at != DROPPED && r->to_n > r->from_n + most)
			most = (size_t)(r->to_n - r->from_n);
	}
	return most;
}
