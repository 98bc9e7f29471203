#include "mounts.h"

enum { FIELD_DEVICE = 2, FIELD_WHERE = 4, FIELD_OPTIONS = 5 };

int mounts_read(const struct tree *t, struct buf *ret)
{
	return tree_read(t, "/proc/1/mountinfo", ret);
}

/* proc(5): numbers, root, place, options, tags, a dash, type, source, options of the file system. */
static void cut(struct str line, struct mount_line *ret)
{
	struct str word;
	bool is_behind_dash = false;

	*ret = (struct mount_line){ 0 };
	for (int i = 0, behind = 0; str_split(&line, ' ', &word); i++) {
		if (is_behind_dash)
			behind++;
		else if (i == FIELD_DEVICE)
			ret->device = word;
		else if (i == FIELD_WHERE)
			ret->where = word;
		else if (i == FIELD_OPTIONS)
			ret->options = word;
		if (behind == 1)
			ret->type = word;
		else if (behind == 3)
			ret->more = word;
		is_behind_dash |= i > FIELD_OPTIONS && str_eq(word, STR("-"));
	}
}

bool mounts_find(struct str text, const char *where, struct mount_line *ret)
{
	struct mount_line one;
	struct str line;
	bool is_there = false;

	while (str_line(&text, &line)) {
		cut(line, &one);
		if (!str_eq(one.where, str_of(where)))
			continue;
		*ret = one;
		is_there = true;
	}
	return is_there;
}

bool mounts_has(const struct mount_line *m, struct str option)
{
	struct str lists[] = { m->options, m->more }, one;

	for (size_t i = 0; i < 2; i++) {
		while (str_split(&lists[i], ',', &one)) {
			if (str_eq(one, option))
				return true;
		}
	}
	return false;
}
