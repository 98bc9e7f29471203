#include "number/lengths.h"

#include <errno.h>

static int parse_one(struct str text, uint64_t *ret)
{
	return str_to_u64(text, LENGTH_MOST, ret);
}

/* "10", or "10-13" */
static int parse_item(struct str item, uint64_t *lengths)
{
	ptrdiff_t dash = str_chr(item, '-');
	struct str low = dash < 0 ? item : str_head(item, (size_t)dash);
	struct str high = dash < 0 ? item : str_skip(item, (size_t)dash + 1);
	uint64_t from, to;

	if (parse_one(str_trim(low), &from) < 0 || parse_one(str_trim(high), &to) < 0 || from > to)
		return -EINVAL;
	for (; from <= to; from++)
		*lengths |= UINT64_C(1) << from;
	return 0;
}

int lengths_parse(struct str list, const char *field, uint64_t *ret, struct err *err)
{
	struct str item;

	*ret = 0;
	while (str_split(&list, ',', &item))
		if (parse_item(item, ret) < 0)
			return err_set(err, ERR_BAD_VALUE, field, item,
				       "lengths of 0 to 40, such as 8 or 10-13",
				       "not a length of numbers");
	return 0;
}

bool lengths_allow(uint64_t lengths, size_t n)
{
	return lengths == 0 || (n <= LENGTH_MOST && (lengths >> n & 1));
}
