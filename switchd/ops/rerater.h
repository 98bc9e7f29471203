/*
 * rerater: rates an account's records again, on the clerk's thread and connections of its own; what differs it gives to the ledger
 * thread in batches, each one transaction (ledger/rerate.h). Cut off in between, it has booked whole batches, and the next run does the
 * rest: a record that already is as its rates say is left alone.
 */
#pragma once

#include <jansson.h>
#include <stdatomic.h>

#include "base/err.h"
#include "ledger/ledger.h"
#include "rating/tariff.h"

/* How a rate group rounds, as the parameters are when the run begins. */
struct group_rules {
	char *group;
	struct tariff_rules rules;
};

struct rerater {
	const char *data_dir;
	char *account;
	ms_t from, to; /* of the beginning of calls; FIELD_ABSENT = open */
	bool is_dry;
	struct booking *desk; /* this run's alone */
	struct group_rules *group;
	size_t groups;
};

/* 0 with *ret; -EINVAL with *err; -ECANCELED; other negative errno with *err. */
int rerater_run(const struct rerater *what, const atomic_bool *stop, json_t **ret, struct err *err);
