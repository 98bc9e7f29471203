/*
 * world: the configuration a call is decided against: rows, and what was compiled from them. Immutable once published; a
 * worker reads the pointer once a loop turn. What outlives a world (purses, gates, tariffs, meters) belongs to the catalog and
 * is only pointed at.
 */
#pragma once

#include <stdatomic.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/meter.h"
#include "ledger/purse.h"
#include "model/entity.h"
#include "model/param.h"
#include "number/numlist.h"
#include "number/transform.h"
#include "rating/tariff.h"
#include "route/router.h"

/* A gateway's live state. Made when the gateway is first seen, kept as long as the switch runs: calls point at it. */
struct gate {
	char *name;
	_Atomic uint32_t lines;  /* in use, ringing included */
	_Atomic uint64_t no_ack; /* answered calls that were never acknowledged */
	_Atomic uint64_t realm;  /* hash of the realm that its challenges had last, 0 = none yet */
	_Atomic uint64_t realm_changes;
};

/* Takes a line if fewer than limit (0 = no limit) are in use. */
bool gate_line_take(struct gate *g, uint32_t limit);
void gate_line_give(struct gate *g);

struct payer { /* an account */
	struct account_row *row;
	struct purse *purse;
	const struct tariff *tariff; /* NULL: it has no rate group */
	struct meter *meter;         /* NULL: no limit */
};

struct source { /* a mapping gateway */
	struct mapping_gateway_row *row;
	struct gate *gate;
	struct meter *meter;
	const struct payer *payer;
	struct cidr *net;
	int net_count;
	struct addr local; /* not set: any */
	struct str *tech;  /* slices of row->tech_prefix */
	int tech_count;
	struct transform *callee_rules, *caller_rules;
	struct cidr *media_net;
	int media_net_count;
};

struct vendor { /* a routing gateway */
	struct routing_gateway_row *row;
	struct gate *gate;
	struct meter *meter;
	const struct payer *payer; /* its clearing account, or NULL */
	struct addr *address;
	int address_count;
	struct transform *callee_rules, *caller_rules;
	struct cidr *media_net;
	int media_net_count;
};

struct host_index; /* exact addresses → sources, and the wider networks */

struct world {
	struct params *params;
	struct payer *payer;
	struct source *source;
	struct vendor *vendor;
	size_t payers, sources, vendors;
	struct routing_gateway_row **route_rows; /* vendor[i].row, as the router wants them */
	struct router *router;
	struct numlist *free_numbers, *hidden_numbers;
	struct meter *system_meter;
	struct host_index *hosts;
	bool is_open; /* some gateway is known by its password alone: any address may be challenged */
};

/* What a world is compiled from. Rows are handed over, also when it fails. */
struct world_input {
	struct params *params;
	struct account_row **account;
	struct mapping_gateway_row **mapping;
	struct routing_gateway_row **routing;
	size_t accounts, mappings, routings;
	uint32_t licensed_cps; /* calls a second beside SS_MAX_CALL_PER_SECOND; 0 = no limit */
	/* Live things by name; never NULL but for want of memory (purse, gate) or because there is none (tariff, meter). */
	struct purse *(*find_purse)(void *ctx, const char *account);
	struct gate *(*find_gate)(void *ctx, bool is_vendor, const char *name);
	const struct tariff *(*find_tariff)(void *ctx, const char *rate_group);
	/* kind: 'a' account, 'm' mapping gateway, 'r' routing gateway, 's' system; NULL for a limit of 0. */
	struct meter *(*find_meter)(void *ctx, char kind, const char *name, uint32_t limit);
	void *ctx;
};

/* 0; -EINVAL with *err naming the entity and field (ambiguous gateways too); -ENOMEM. */
int world_create(struct world **ret, struct world_input *in, struct err *err);
struct world *world_free(struct world *w);
DEFINE_CLEANUP(struct world *, world_free);

const struct payer *world_payer(const struct world *w, const char *account);
const struct source *world_source(const struct world *w, const char *name);
const struct vendor *world_vendor(const struct world *w, const char *name);
/* Is this the address of any gateway? */
bool world_knows(const struct world *w, const struct addr *a);
/* The sources that may call from this address, in no order. */
typedef void source_fn(void *ctx, const struct source *s);
void world_sources_at(const struct world *w, const struct addr *a, source_fn *on_source, void *ctx);
/* The rounding rules of a rate group over the parameters' defaults. */
void world_rules(const struct params *p, const struct rate_group_row *group,
		 struct tariff_rules *ret);
/* Checks of single fields at entry, which world_create repeats: lists of networks, addresses, rules, prefixes. */
int world_check_mapping(const struct mapping_gateway_row *row, struct err *err);
int world_check_routing(const struct routing_gateway_row *row, struct err *err);
