#include "options.h"

#include <errno.h>
#include <string.h>

#include "base/flag.h"
#include "load.h"

static const struct flag flags[] = {
	{ "--json", offsetof(struct options, is_json) },
	{ "--dry-run", offsetof(struct options, is_dry) },
	{ "--help", offsetof(struct options, is_help) },
	{ "-h", offsetof(struct options, is_help) },
	{ "--version", offsetof(struct options, is_version) },
	{ "-V", offsetof(struct options, is_version) },
};

/* The kernel answers with the range as it is given here, so it has to be plain. */
static int check_media(const char *text, struct err *err)
{
	struct str rest = str_of(text), low, high;
	uint32_t first, last;

	if (str_split(&rest, '-', &low) && str_split(&rest, '-', &high) && str_is_empty(rest) &&
	    low.n + high.n + 1 == strlen(text) && str_to_u32(low, 65535, &first) == 0 &&
	    str_to_u32(high, 65535, &last) == 0 && first >= 1024 && first < last &&
	    low.p[0] != '0' && high.p[0] != '0')
		return 0;
	return err_set(err, ERR_USAGE, "--media-ports", str_of(text),
		       "LOW-HIGH, from 1024 to 65535, such as 10000-20000", "no range of ports");
}

static int take_load(struct options *o, const char *text, struct err *err)
{
	if (str_to_u32(str_of(text), LOAD_SECONDS_MAX, &o->load_s) == 0 && o->load_s > 0)
		return 0;
	return err_set(err, ERR_USAGE, "--load", str_of(text), "1 to 60",
		       "no such number of seconds");
}

/* How many words were taken. */
static int take(struct options *o, const char *const *word, struct err *err)
{
	const char **value = strcmp(word[0], "--root") == 0          ? &o->root
			     : strcmp(word[0], "--media-ports") == 0 ? &o->media
								     : NULL;
	bool is_load = strcmp(word[0], "--load") == 0;

	if ((value || is_load) && !word[1])
		return err_set(err, ERR_USAGE, "", str_of(word[0]), NULL, "%s needs a value",
			       word[0]);
	if (is_load)
		return take_load(o, word[1], err) < 0 ? -EINVAL : 2;
	if (value) {
		*value = word[1];
		return 2;
	}
	if (flag_take(flags, sizeof(flags) / sizeof(flags[0]), o, word[0]))
		return 1;
	if (word[0][0] == '-')
		return err_set(err, ERR_USAGE, "", str_of(word[0]), NULL,
			       "there is no such option");
	if (o->verb)
		return err_set(err, ERR_USAGE, "", str_of(word[0]), NULL, "one verb at a time");
	o->verb = word[0];
	return 1;
}

int options_parse(struct options *ret, int argc, const char *const *argv, struct err *err)
{
	*ret = (struct options){ .root = "" };
	for (int i = 1; i < argc;) {
		int taken = take(ret, argv + i, err);

		if (taken < 0)
			return taken;
		i += taken;
	}
	return ret->media ? check_media(ret->media, err) : 0;
}
