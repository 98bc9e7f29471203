#include "users.h"

#include <errno.h>

bool users_next(struct str *rest, struct users_line *ret)
{
	struct str line;

	*ret = (struct users_line){ 0 };
	while (str_line(rest, &line)) {
		if (str_is_empty(str_trim(line)))
			continue;
		while (ret->count < USERS_FIELDS && str_split(&line, ':', &ret->field[ret->count]))
			ret->count++;
		return true;
	}
	return false;
}

int users_number(const struct tree *t, const char *file, const char *name, uint32_t *ret)
{
	CLEANUP(buf_done) struct buf text = BUF_INIT;
	struct users_line line;
	int r = tree_read(t, file, &text);

	if (r < 0)
		return r;
	for (struct str rest = buf_str(&text); users_next(&rest, &line);) {
		if (str_eq(line.field[0], str_of(name)))
			return str_to_u32(line.field[2], UINT32_MAX, ret);
	}
	return -ENOENT;
}
