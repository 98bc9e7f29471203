#include "options.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/nearest.h"

static int unknown(const char *word, struct err *err)
{
	static const char *const known[] = { "--socket", "--json", "--dry-run", "--help",
					     "--version" };
	struct nearest n = nearest_to(str_of(word));

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		nearest_try(&n, known[i]);
	if (n.best)
		return err_set(err, ERR_USAGE, "", str_of(word), NULL,
			       "there is no such option; did you mean %s?", n.best);
	return err_set(err, ERR_USAGE, "", str_of(word), NULL, "there is no such option");
}

/* Options begin with '-'; a lone one and a negative number are words. */
static bool is_option(const char *word)
{
	return word[0] == '-' && word[1] && !(word[1] >= '0' && word[1] <= '9');
}

/* Takes an option and what belongs to it; says how many words that were. */
static int take(struct options *o, const char *const *word, struct err *err)
{
	struct str w = str_of(word[0]);

	if (str_eq(w, STR("--json"))) {
		o->is_json = true;
	} else if (str_eq(w, STR("--dry-run"))) {
		o->word[o->words++] = "dry_run=true"; /* for those operations that take it */
	} else if (str_eq(w, STR("-h")) || str_eq(w, STR("--help"))) {
		o->is_help = true;
	} else if (str_eq(w, STR("-V")) || str_eq(w, STR("--version"))) {
		o->is_version = true;
	} else if (str_has_prefix(w, STR("--socket="))) {
		o->socket = word[0] + STR("--socket=").n;
	} else if (str_eq(w, STR("-s")) || str_eq(w, STR("--socket"))) {
		if (!word[1])
			return err_set(err, ERR_USAGE, "", w, "-s PATH", "%s needs a path",
				       word[0]);
		o->socket = word[1];
		return 2;
	} else {
		return unknown(word[0], err);
	}
	return 1;
}

int options_parse(struct options *ret, int argc, const char *const *argv, struct err *err)
{
	bool is_over = false;

	*ret = (struct options){ .socket = OPTIONS_SOCKET };
	ret->word = calloc((size_t)argc + 1, sizeof(*ret->word));
	if (!ret->word)
		return -ENOMEM;
	for (int i = 1; i < argc;) {
		if (!is_over && strcmp(argv[i], "--") == 0) {
			is_over = true;
			i++;
		} else if (!is_over && is_option(argv[i])) {
			int taken = take(ret, argv + i, err);
			if (taken < 0)
				return taken;
			i += taken;
		} else {
			ret->word[ret->words++] = argv[i++];
		}
	}
	return 0;
}

void options_done(struct options *o)
{
	free(o->word);
	*o = (struct options){ 0 };
}
