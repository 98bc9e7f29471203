/* options: switchd's command line (design.md §5). */
#pragma once

#include "base/err.h"
#include "model/param.h"
#include "transport/transport.h"

enum { OPTIONS_MAX = 32 };

struct options {
	const char *data_dir;
	const char *machine_file;
	const char *control;
	const char *security;
	struct listen_spec listen[OPTIONS_MAX];
	int listen_count;
	struct addr media[OPTIONS_MAX];
	int media_count;
	int workers;
	int media_threads;
	int drain_s;
	struct params *params; /* what --set and --media-ports say */
	bool is_set[PARAM_COUNT];
};

/* 0; 1: help or version was printed, nothing to run; -EINVAL with *err. */
int options_parse(struct options *o, int argc, char **argv, struct err *err);
void options_done(struct options *o);
