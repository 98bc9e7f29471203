/* options: switch-golive's command line, as what the engine wants. */
#pragma once

#include "golive/golive.h"

struct options {
	struct golive_config config;
	const char *record; /* folder for the record; NULL: none */
	bool is_json, is_clean;
};

/* 0; 1: help or version was printed; -EINVAL with *err. The texts are loans of argv. */
int options_parse(struct options *ret, int argc, char **argv, struct err *err);
