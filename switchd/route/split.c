#include "route/split.h"

#include <errno.h>
#include <stdbool.h>

#include "base/trie.h"
#include "route/share.h"

enum { WHOLE = 100 };

static bool has(const struct split *s, struct str prefix)
{
	for (int i = 0; i < s->count; i++)
		if (str_eq(str_of(s->item[i].prefix), prefix))
			return true;
	return false;
}

/* Says what is wrong with it, or NULL. */
static const char *add(struct split *s, struct str pair, uint32_t *total)
{
	ptrdiff_t colon = str_chr(pair, ':');
	struct str prefix = str_trim(str_head(pair, colon < 0 ? 0 : (size_t)colon));
	uint32_t percent;

	if (colon < 0 || prefix.n == 0 || prefix.n > SPLIT_PREFIX || !trie_is_key(prefix))
		return "not a routing prefix with its part";
	if (str_to_u32(str_trim(str_skip(pair, (size_t)colon + 1)), WHOLE, &percent) < 0 ||
	    percent == 0)
		return "its part is not 1 to 100 per cent";
	if (has(s, prefix))
		return "its prefix is named twice";
	if (s->count == SPLIT_MAX)
		return "one too many";
	*total += percent;
	if (*total > WHOLE)
		return "more than 100 per cent in all";
	(void)str_copy(s->item[s->count].prefix, sizeof(s->item[0].prefix), prefix);
	s->item[s->count++].percent = (uint8_t)percent;
	return NULL;
}

int split_parse(struct str list, struct split *ret, struct err *err)
{
	struct split s = { 0 };
	struct str pair;
	uint32_t total = 0;

	while (str_split(&list, ',', &pair)) {
		const char *fault = pair.n ? add(&s, pair, &total) : NULL;

		if (fault)
			return err_set(
				err, ERR_BAD_VALUE, "split", pair,
				"up to 16 of prefix:percent, prefixes of up to 8 of 0-9 * #, "
				"at most 100 in all",
				"%s", fault);
	}
	*ret = s;
	return 0;
}

int split_at(const struct split *s, uint64_t turn)
{
	int64_t place = share_place(turn, WHOLE);

	for (int i = 0; i < s->count; i++) {
		place -= s->item[i].percent;
		if (place < 0)
			return i;
	}
	return -1;
}
