/* options: switchd's command line (design.md §5). */
#pragma once

#include "base/err.h"
#include "model/param.h"
#include "transport/transport.h"

enum { OPTIONS_MAX = 32 };

struct options {
	const char *data_dir;
	const char *machine_file;
	const char *time_servers; /* where chronyd reads them; NULL = nowhere */
	const char *restore;      /* a backup to put in place; NULL: run */
	const char *control;
	const char *security;
	const char *tls_dir;
	struct listen_spec listen[OPTIONS_MAX];
	int listen_count;
	struct addr media[OPTIONS_MAX];
	int media_count;
	struct outside outside;
	int workers;
	int media_threads;
	int drain_s;
	struct addr dns; /* the one name server that is asked; not set: those of resolv.conf */
	struct params *params; /* what --set and --media-ports say */
	bool is_set[PARAM_COUNT];
};

/*
 * Where to listen, for the caller to free: an address without a port of its own is there once for
 * each port of SS_SIP_PORT, if it is not one of TLS. 0, -ENOMEM, or -EINVAL with *err.
 */
int options_listen(const struct options *o, const struct params *p, struct listen_spec **ret,
		   int *ret_n, struct err *err);
/* 0; 1: help or version was printed, nothing to run; -EINVAL with *err. */
int options_parse(struct options *o, int argc, char **argv, struct err *err);
void options_done(struct options *o);
