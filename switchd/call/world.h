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
#include "call/screen.h"
#include "ledger/allowance.h"
#include "ledger/purse.h"
#include "model/entity.h"
#include "model/param.h"
#include "number/numlist.h"
#include "number/transform.h"
#include "rating/bands.h"
#include "rating/spent.h"
#include "route/codes.h"
#include "route/router.h"
#include "route/split.h"
#include "route/timeplan.h"
#include "sip/txn.h"
#include "transport/flow.h"
#include "transport/tls_policy.h"
#include "vendor/dns.h"
#include "vendor/hold.h"
#include "vendor/quota.h"
#include "vendor/reach.h"
#include "vendor/score.h"

/* A gateway's live state. Made when the gateway is first seen, kept as long as the switch runs: calls point at it. */
struct gate {
	char *name;
	_Atomic uint32_t lines;   /* in use, ringing included */
	_Atomic uint64_t no_ack;  /* answered calls that were never acknowledged */
	_Atomic uint64_t one_way; /* calls in which it was silent while the other side talked */
	_Atomic uint64_t trapped; /* calls to numbers of honeypot lists */
	struct spent
		wrong; /* of who is known by a password: wrong ones, as calls (guesses.c); is_stopped: very many */
	_Atomic uint64_t realm; /* hash of the realm that its challenges had last, 0 = none yet */
	_Atomic uint64_t realm_changes;
	/* Records of its refused INVITEs: the minute they were counted in and how many, as one word (finish.c); those not written. */
	_Atomic uint64_t refusals, unrecorded;
	_Atomic uint64_t
		split_turn; /* of a customer: calls that were shared among routing prefixes */
	_Atomic uint64_t pool_turn; /* of a vendor: callers that were drawn from its pool */
	struct holds holds;         /* of a vendor */
	struct scores scores;
	struct quota quota;
	_Atomic uint32_t
		own_lines; /* of a gateway group: those of the lines that its own customers use */
};

/* Takes a line if fewer than limit (0 = no limit) are in use. */
bool gate_line_take(struct gate *g, uint32_t limit);
void gate_line_give(struct gate *g);
/* A realm that is not configured is learned; that it changes is an alarm, not an outage (behaviour.md). */
void gate_learn_realm(struct gate *g, struct str realm);

struct payer { /* an account */
	struct account_row *row;
	struct purse *purse;
	const struct tariff *tariff; /* NULL: it has no rate group */
	struct meter *meter;         /* NULL: no limit */
	struct screen screen;        /* prefixes alone */
	const struct payer *agent;   /* above it; NULL: none */
	struct spend_watch *watch;   /* spend rules that hold for it (world_spend.h) */
	int watches;
	const struct profile **profile; /* security profiles that hold for it (world_profile.h) */
	int profiles;
	const struct package_order *order; /* in the order of application (world_package.h) */
	int orders;
	const struct bands *bands; /* off-peak hours of its rate group; NULL: none */
};

struct phone;

enum { GROUPS_MAX = 4, PLANS_MAX = 8 }; /* of a vendor */

struct group { /* a gateway group */
	struct gateway_group_row *row;
	struct gate *gate; /* lines over all its vendors */
	int64_t limit;     /* of these; 0 = none */
	bool has_endless;  /* one of its vendors has no line limit */
};

struct source { /* a mapping gateway, or a phone that calls */
	struct mapping_gateway_row *row;
	const struct phone *phone; /* NULL: a gateway */
	struct gate *gate;
	struct meter *meter;
	const struct payer *payer;
	struct cidr *net;
	int net_count;
	struct addr local; /* not set: any */
	struct str *tech;  /* slices of row->tech_prefix */
	int tech_count;
	struct transform *callee_rules, *caller_rules;
	const struct transform *callee_transform, *caller_transform; /* NULL: none */
	struct screen screen;
	struct cidr *media_net;
	int media_net_count;
	struct buf tls_pins; /* octets; and what flow.cert is of each: */
	uint64_t *cert;
	size_t cert_count;
	struct codes codes;         /* what its calls hear instead of our codes */
	struct codes causes;        /* the same of Q.850 causes */
	struct split split;         /* of its calls among routing prefixes */
	const struct group **group; /* that its calls are kept to; none: all */
	int group_count;
};

/* Where an address of a vendor comes from: its place in the list, and in DNS (RFC 2782). */
struct spot {
	struct str
		host; /* the name as written, a slice of the row; empty: the address itself is written there */
	uint16_t port;   /* ... and the port, 0 = none */
	uint32_t rank;   /* lower ones are tried first */
	uint16_t weight; /* its part among those of its rank */
};

/* More than that of one vendor are not used. */
enum { VENDOR_ADDRESSES_MAX = 64 };

struct vendor { /* a routing gateway, or a phone that is called */
	struct routing_gateway_row *row;
	const struct phone *phone; /* NULL: a gateway */
	struct gate *gate;
	struct meter *meter;
	const struct payer *payer; /* its clearing account, or NULL */
	struct addr *
		address; /* each item of the row's list in turn, of a name what it leads to by now */
	struct spot *spot;    /* where each of them is from */
	struct reach **reach; /* of each address */
	int address_count;
	bool has_names, lacks_names; /* some are names; some of these are not known yet */
	struct transform *callee_rules, *caller_rules;
	const struct transform *callee_transform, *caller_transform;
	struct screen screen;
	const struct numlist *pool; /* that its callers are drawn from; NULL: none */
	struct codes causes, codes; /* what its refusals are taken for: Q.850 causes, SIP codes */
	struct cidr *media_net;
	int media_net_count;
	enum proto proto;
	struct buf tls_pins;
	struct tls_policy tls; /* for proto TLS; slices of the row and of tls_pins */
	unsigned passes;       /* headers that pass as they are (identity.h) */
	struct group *group[GROUPS_MAX];
	int group_count;
	struct timeplan *plan[PLANS_MAX];
	int plan_count;
	struct zone *day_zone; /* of its daily limits; NULL = UTC */
};

struct phone {
	struct phone_row *row;
	struct source source;
	struct vendor vendor; /* its address is where it is registered */
};

/* A number or digest user, and whose it is; sorted. */
struct claimed {
	struct str text;
	const struct source *source;
};
struct claims {
	struct claimed *item;
	size_t count;
};

/* Whom TLS has to believe at that address of the vendor: the name it was found by, if the gateway has none of its own. */
struct tls_policy vendor_tls(const struct vendor *v, const struct addr *a);
/* The name of the n-th address as it stands in URIs; its address and port without one. */
void vendor_put_place(const struct vendor *v, int n, struct buf *out);
/* What all its addresses come to: one that is up is enough; down only if all are. *ret_since: when that began, 0 = never. */
enum reach_health vendor_health(const struct vendor *v, ms_t *ret_since);
/* The same of its registrations: one that stands is enough. */
enum reach_place vendor_place(const struct vendor *v);

/* The transforms that hold for all calls, in the order of transform's field applies. */
enum chain_kind {
	CHAIN_CALLEE_IN,
	CHAIN_CALLER_IN,
	CHAIN_CALLEE_OUT,
	CHAIN_CALLER_OUT,
	CHAIN_COUNT
};

struct areas;
struct chain;
struct origins;
struct profile;
struct package;
struct package_order;
struct spend_rule;
struct host_index; /* exact addresses → sources, and the wider networks */

struct world {
	uint64_t serial; /* no two worlds of a run have the same */
	struct params *params;
	struct payer *payer;
	struct source *source;
	struct vendor *vendor;
	struct phone *phone;
	struct group *group;
	struct timeplan **plan;
	struct route_plan_row **plan_rows;
	struct spend_rule *spend_rule;
	struct profile *profile;
	struct package *package;
	struct package_order *package_order;
	size_t packages, package_orders;
	struct bands *bands; /* of rate groups that have off-peak hours */
	size_t banded;
	size_t payers, sources, vendors, phones, groups, plans, spend_rules, profiles;
	struct claims numbers; /* that phones are called by */
	struct claims users;   /* of digest: phones, and gateways known by their password */
	struct routing_gateway_row **route_rows; /* vendor[i].row, as the router wants them */
	struct router *router;
	struct numlist *free_numbers, *hidden_numbers;
	const struct numlist *whitelist; /* the directory's, as are these; each may be NULL */
	const struct numlist *traps;     /* numbers of honeypot lists */
	const struct areas *areas;
	const struct origins *origins; /* NULL: there is no origin group */
	const struct chain *chain[CHAIN_COUNT];
	const struct pairs *callers_in, *callees_out; /* of entity number-pair (number/pairs.h) */
	struct meter *system_meter;
	int64_t resend_ms[SIP_RESENDS_MAX]; /* SS_SIP_RESEND_INTERVAL */
	int resends;
	struct host_index *hosts;
	bool is_open; /* some gateway or phone is known by its password alone: any address may be challenged */
};

/* What a world is compiled from. Rows are handed over, also when it fails. */
struct world_input {
	struct params *params;
	struct account_row **account;
	struct mapping_gateway_row **mapping;
	struct routing_gateway_row **routing;
	struct phone_row **phone;
	struct gateway_group_row **group;
	struct route_plan_row **plan;
	struct spend_rule_row **spend_rule;
	struct rate_group_row **rate_group;
	size_t rate_groups;
	struct security_profile_row **profile;
	struct package_row **package;
	struct package_order_row **package_order;
	size_t packages, package_orders;
	size_t accounts, mappings, routings, phones, groups, plans, spend_rules, profiles;
	uint32_t licensed_cps; /* calls a second beside SS_MAX_CALL_PER_SECOND; 0 = no limit */
	/* Live things by name; never NULL but for want of memory (purse, gate, reach) or because there is none (tariff, meter). */
	struct purse *(*find_purse)(void *ctx, const char *account);
	/* kind: 'm' mapping gateway, 'r' routing gateway, 'g' gateway group; of a phone 'p' for calls from it, 'q' to it. */
	struct gate *(*find_gate)(void *ctx, char kind, const char *name);
	/* address: transport and address as one text */
	struct reach *(*find_reach)(void *ctx, const char *gateway, const char *address);
	const struct tariff *(*find_tariff)(void *ctx, const char *rate_group);
	/* kind: 'a' account, 'm' mapping gateway, 'r' routing gateway, 'p' phone, 's' system; NULL for a limit of 0. */
	struct meter *(*find_meter)(void *ctx, char kind, const char *name, uint32_t limit);
	struct bundle *(*find_bundle)(void *ctx, const char *account, const char *package);
	/* What a spend rule counts of an account; NULL: memory is short. */
	struct spent *(*find_spent)(void *ctx, const char *rule, const char *account);
	/* NULL: there is none of that name. */
	const struct numlist *(*find_list)(void *ctx, const char *name);
	const struct transform *(*find_transform)(void *ctx, const char *name);
	/* What a name leads to by now, in order; false: not known yet. NULL: nobody looks names up (tests). */
	bool (*find_host)(void *ctx, struct str host, uint16_t port, enum proto proto,
			  struct dns_answer *ret);
	const struct numlist *whitelist, *traps;
	const struct areas *areas;
	const struct origins *origins;
	const struct chain *chain[CHAIN_COUNT];
	const struct pairs *callers_in, *callees_out; /* as the world's */
	void *ctx;
};

/* 0; -EINVAL with *err naming the entity and field (ambiguous gateways too); -ENOMEM. */
int world_create(struct world **ret, struct world_input *in, struct err *err);
struct world *world_free(struct world *w);
DEFINE_CLEANUP(struct world *, world_free);

const struct payer *world_payer(const struct world *w, const char *account);
const struct source *world_source(const struct world *w, const char *name);
const struct vendor *world_vendor(const struct world *w, const char *name);
const struct group *world_group(const struct world *w, struct str name);
const struct timeplan *world_plan(const struct world *w, struct str name);
const struct phone *world_phone(const struct world *w, const char *number);
/* The phone that is called by these digits: its number, or a further one. */
const struct phone *world_phone_called(const struct world *w, struct str digits);
/* The phone, or gateway with auth=password, of that digest user; in the same time for any name. */
const struct source *world_digest_user(const struct world *w, struct str user);
/* Is this the address of any gateway? */
bool world_knows(const struct world *w, const struct addr *a);
/* The sources that may call from this address, in no order. */
typedef void source_fn(void *ctx, const struct source *s);
void world_sources_at(const struct world *w, const struct addr *a, source_fn *on_source, void *ctx);
/* The vendors that have this host among their addresses, in no order. */
typedef void vendor_fn(void *ctx, const struct vendor *v);
void world_vendors_at(const struct world *w, const struct addr *a, vendor_fn *on_vendor, void *ctx);
/* The rounding rules of a rate group over the parameters' defaults. */
void world_rules(const struct params *p, const struct rate_group_row *group,
		 struct tariff_rules *ret);
/* Checks of single fields at entry, which world_create repeats: lists of networks, addresses, rules, prefixes. */
int world_check_mapping(const struct mapping_gateway_row *row, struct err *err);
int world_check_routing(const struct routing_gateway_row *row, struct err *err);
int world_check_phone(const struct phone_row *row, struct err *err);
