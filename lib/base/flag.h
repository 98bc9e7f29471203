/*
 * flag: options of a command line that are only given or not: a table of words and the bools that they
 * set.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct flag {
	const char *word;
	size_t offset; /* of a bool in the options */
};

/* Sets what the word stands for in *options. False: it is none of the n words. */
bool flag_take(const struct flag *flags, size_t n, void *options, const char *word);
