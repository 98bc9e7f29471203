#include "base/flag.h"

#include <string.h>

bool flag_take(const struct flag *flags, size_t n, void *options, const char *word)
{
	for (size_t i = 0; i < n; i++) {
		if (strcmp(word, flags[i].word) != 0)
			continue;
		*(bool *)((char *)options + flags[i].offset) = true;
		return true;
	}
	return false;
}
