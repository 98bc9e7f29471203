#include "route/codes.h"

#include <errno.h>
#include <stdbool.h>

static const struct range {
	uint32_t min, max;
} sip = { 400, 699 }, causes = { 1, 127 };

/* Answers that mean nothing without a header (challenges, 420 to 423, 494), or end a CANCEL. */
static bool stands_alone(uint32_t code)
{
	return code != 401 && code != 407 && (code < 420 || code > 423) && code != 487 &&
	       code != 494;
}

static bool read_code(struct str s, struct range r, uint16_t *ret)
{
	uint32_t n;

	if (str_to_u32(s, r.max, &n) < 0 || (n != 0 && n < r.min))
		return false;
	*ret = (uint16_t)n;
	return true;
}

static bool has(const struct codes *c, uint16_t from)
{
	for (int i = 0; i < c->count; i++) {
		if (c->item[i].from == from)
			return true;
	}
	return false;
}

/* Says what is wrong with it, or NULL. */
static const char *add(struct codes *c, struct str pair, struct range of, struct range by)
{
	ptrdiff_t colon = str_chr(pair, ':');
	uint16_t from, to;

	if (colon < 0 || !read_code(str_trim(str_head(pair, (size_t)colon)), of, &from) ||
	    !read_code(str_trim(str_skip(pair, (size_t)colon + 1)), by, &to))
		return "not a pair of codes";
	if (!stands_alone(to))
		return "its replacement means nothing by itself";
	if (has(c, from))
		return "its original is named twice";
	if (c->count == CODES_MAX)
		return "one too many";
	c->item[c->count].from = from;
	c->item[c->count++].to = to;
	return NULL;
}

int codes_parse(struct str list, enum codes_kind kind, const char *field, struct codes *ret,
		struct err *err)
{
	static const struct {
		const struct range *of, *by;
		const char *accepted;
	} kinds[] = {
		[CODES_SIP] = { &sip, &sip,
				"original:replacement with codes from 400 to 699, or 0" },
		[CODES_CAUSES] = { &causes, &causes,
				   "original:replacement with causes from 1 to 127, or 0" },
		[CODES_CAUSE_TO_SIP] = { &causes, &sip,
					 "cause:code with causes from 1 to 127 and codes from 400 "
					 "to "
					 "699, or 0" },
	};
	struct codes c = { 0 };
	struct str pair;

	while (str_split(&list, ',', &pair)) {
		const char *fault = pair.n ? add(&c, pair, *kinds[kind].of, *kinds[kind].by) : NULL;

		if (fault)
			return err_set(err, ERR_BAD_VALUE, field, pair, kinds[kind].accepted, "%s",
				       fault);
	}
	*ret = c;
	return 0;
}

int codes_map(const struct codes *c, int code)
{
	int others = 0;

	for (int i = 0; i < c->count; i++) {
		if (c->item[i].from == code)
			return c->item[i].to ? c->item[i].to : code;
		if (c->item[i].from == 0)
			others = c->item[i].to;
	}
	return others ? others : code;
}
