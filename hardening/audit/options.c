#include "options.h"

#include <errno.h>
#include <string.h>

#include "base/flag.h"

static const struct flag flags[] = {
	{ "--json", offsetof(struct options, is_json) },
	{ "--fix", offsetof(struct options, is_fix) },
	{ "--faults", offsetof(struct options, is_faults) },
	{ "--help", offsetof(struct options, is_help) },
	{ "-h", offsetof(struct options, is_help) },
	{ "--version", offsetof(struct options, is_version) },
	{ "-V", offsetof(struct options, is_version) },
};

/* Options stand before the verb, identifiers behind it. */
int options_parse(struct options *ret, int argc, const char *const *argv, struct err *err)
{
	int i = 1;

	*ret = (struct options){ .root = "" };
	for (; i < argc && argv[i][0] == '-'; i++) {
		const char **value = strcmp(argv[i], "--root") == 0     ? &ret->root
				     : strcmp(argv[i], "--record") == 0 ? &ret->record
									: NULL;

		if (value && i + 1 < argc)
			*value = argv[++i];
		else if (value)
			return err_set(err, ERR_USAGE, "", str_of(argv[i]), NULL,
				       "%s needs a value", argv[i]);
		else if (!flag_take(flags, sizeof(flags) / sizeof(flags[0]), ret, argv[i]))
			return err_set(err, ERR_USAGE, "", str_of(argv[i]), NULL,
				       "there is no such option");
	}
	ret->verb = i < argc ? argv[i++] : NULL;
	ret->ids = argv + i;
	return 0;
}
