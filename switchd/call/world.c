#include "call/world.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "call/host_index.h"
#include "call/world_agent.h"
#include "call/world_bands.h"
#include "call/world_gateway.h"
#include "call/world_group.h"
#include "call/world_package.h"
#include "call/world_phone.h"
#include "call/world_profile.h"
#include "call/world_spend.h"

/* Items of the host index: sources count up from 0, vendors are marked with the top bit. */
#define VENDOR_ITEM 0x80000000u

bool gate_line_take(struct gate *g, uint32_t limit)
{
	uint32_t before = atomic_fetch_add(&g->lines, 1);

	if (limit == 0 || before < limit)
		return true;
	atomic_fetch_sub(&g->lines, 1);
	return false;
}

void gate_line_give(struct gate *g)
{
	atomic_fetch_sub(&g->lines, 1);
}

void gate_learn_realm(struct gate *g, struct str realm)
{
	uint64_t now = htab_hash(realm) | 1, before = atomic_exchange(&g->realm, now);

	if (before && before != now)
		atomic_fetch_add(&g->realm_changes, 1);
}

static int by_id(const void *a, const void *b)
{
	const struct payer *x = a, *y = b;

	return strcmp(x->row->id, y->row->id);
}

static int by_source(const void *a, const void *b)
{
	const struct source *x = a, *y = b;

	return strcmp(x->row->name, y->row->name);
}

static int by_vendor(const void *a, const void *b)
{
	const struct vendor *x = a, *y = b;

	return strcmp(x->row->name, y->row->name);
}

const struct payer *world_payer(const struct world *w, const char *account)
{
	struct account_row row = { .id = (char *)(uintptr_t)account };
	struct payer key = { .row = &row };

	return account && w->payers ? bsearch(&key, w->payer, w->payers, sizeof(key), by_id) : NULL;
}

const struct source *world_source(const struct world *w, const char *name)
{
	struct mapping_gateway_row row = { .name = (char *)(uintptr_t)name };
	struct source key = { .row = &row };

	return name && w->sources ? bsearch(&key, w->source, w->sources, sizeof(key), by_source)
				  : NULL;
}

const struct vendor *world_vendor(const struct world *w, const char *name)
{
	struct routing_gateway_row row = { .name = (char *)(uintptr_t)name };
	struct vendor key = { .row = &row };

	return name && w->vendors ? bsearch(&key, w->vendor, w->vendors, sizeof(key), by_vendor)
				  : NULL;
}

/* Accounts first: gateways point at them. */
static int take_accounts(struct world *w, struct world_input *in, struct err *err)
{
	w->payer = calloc(in->accounts ? in->accounts : 1, sizeof(*w->payer));
	if (!w->payer)
		return -ENOMEM;
	for (size_t i = 0; i < in->accounts; i++) {
		struct payer *p = &w->payer[w->payers++];

		p->row = TAKE(in->account[i]);
		p->purse = in->find_purse(in->ctx, p->row->id);
		if (!p->purse)
			return -ENOMEM;
		p->tariff =
			p->row->rate_group ? in->find_tariff(in->ctx, p->row->rate_group) : NULL;
		p->meter = in->find_meter(in->ctx, 'a', p->row->id, (uint32_t)p->row->rate_limit);
		int r = screen_compile(&p->screen, &entities[ENTITY_ACCOUNT], p->row, err);
		if (r < 0)
			return r;
	}
	qsort(w->payer, w->payers, sizeof(*w->payer), by_id);
	agents_link(w);
	return 0;
}

static const struct transform *find_transform(const struct world_input *in, const char *name)
{
	return name ? in->find_transform(in->ctx, name) : NULL;
}

static int take_sources(struct world *w, struct world_input *in, struct err *err)
{
	w->source = calloc(in->mappings ? in->mappings : 1, sizeof(*w->source));
	if (!w->source)
		return -ENOMEM;
	for (size_t i = 0; i < in->mappings; i++) {
		struct source *s = &w->source[w->sources++];

		s->row = TAKE(in->mapping[i]);
		s->gate = in->find_gate(in->ctx, 'm', s->row->name);
		if (!s->gate)
			return -ENOMEM;
		s->meter = in->find_meter(in->ctx, 'm', s->row->name, (uint32_t)s->row->rate_limit);
		s->payer = world_payer(w, s->row->account);
		if (!s->payer)
			return err_set(err, ERR_BAD_VALUE, "account", str_of(s->row->account),
				       "the id of an account", "gateway %s: no such account",
				       s->row->name);
		int r = source_compile(s, err);
		if (r == 0)
			r = source_join_groups(w, s, err);
		if (r < 0)
			return r;
		screen_link(&s->screen, &entities[ENTITY_MAPPING_GATEWAY], s->row, in);
		s->callee_transform = find_transform(in, s->row->callee_transform);
		s->caller_transform = find_transform(in, s->row->caller_transform);
		w->is_open |= s->row->auth == MAPPING_GATEWAY_AUTH_PASSWORD && s->net_count == 0;
	}
	qsort(w->source, w->sources, sizeof(*w->source), by_source);
	return 0;
}

static int take_vendors(struct world *w, struct world_input *in, struct err *err)
{
	w->vendor = calloc(in->routings ? in->routings : 1, sizeof(*w->vendor));
	if (!w->vendor)
		return -ENOMEM;
	for (size_t i = 0; i < in->routings; i++) {
		struct vendor *v = &w->vendor[w->vendors++];

		v->row = TAKE(in->routing[i]);
		v->gate = in->find_gate(in->ctx, 'r', v->row->name);
		if (!v->gate)
			return -ENOMEM;
		v->meter = in->find_meter(in->ctx, 'r', v->row->name, (uint32_t)v->row->rate_limit);
		v->payer = world_payer(w, v->row->account);
		if (!v->payer && v->row->account)
			return err_set(err, ERR_BAD_VALUE, "account", str_of(v->row->account),
				       "the id of a clearing account",
				       "gateway %s: no such account", v->row->name);
		int r = vendor_compile(v, err);
		if (r == 0)
			r = vendor_join_groups(w, v, err);
		if (r == 0)
			r = vendor_resolve(v, in);
		if (r == 0)
			r = vendor_find_reach(v, in);
		if (r < 0)
			return r;
		screen_link(&v->screen, &entities[ENTITY_ROUTING_GATEWAY], v->row, in);
		v->pool = v->row->caller_pool ? in->find_list(in->ctx, v->row->caller_pool) : NULL;
		v->callee_transform = find_transform(in, v->row->callee_transform);
		v->caller_transform = find_transform(in, v->row->caller_transform);
	}
	qsort(w->vendor, w->vendors, sizeof(*w->vendor), by_vendor);
	return 0;
}

/* Who is asked for ported numbers has to be there for it. */
static int check_portability(const struct world *w, struct err *err)
{
	for (size_t i = 0; i < w->sources; i++) {
		const struct mapping_gateway_row *row = w->source[i].row;
		const struct vendor *v = world_vendor(w, row->portability);

		if (row->portability &&
		    (!v || v->row->purpose != ROUTING_GATEWAY_PURPOSE_PORTABILITY))
			return err_set(err, ERR_BAD_VALUE, "portability", str_of(row->portability),
				       "a routing gateway with purpose=portability",
				       "gateway %s: this one is not there to be asked", row->name);
	}
	return 0;
}

static int index_routes(struct world *w, struct err *err)
{
	w->route_rows = calloc(w->vendors ? w->vendors : 1, sizeof(struct routing_gateway_row *));
	if (!w->route_rows)
		return -ENOMEM;
	for (size_t i = 0; i < w->vendors; i++)
		w->route_rows[i] = w->vendor[i].row;
	return router_create(&w->router, w->route_rows, w->vendors, err);
}

static int index_hosts(struct world *w)
{
	int r = host_index_create(&w->hosts, w->sources + w->vendors);

	for (size_t i = 0; r == 0 && i < w->sources; i++) {
		for (int n = 0; r == 0 && n < w->source[i].net_count; n++)
			r = host_index_add(w->hosts, &w->source[i].net[n], (uint32_t)i);
	}
	for (size_t i = 0; r == 0 && i < w->vendors; i++) {
		for (int n = 0; r == 0 && n < w->vendor[i].address_count; n++) {
			struct cidr host = { .net = w->vendor[i].address[n] };

			addr_set_port(&host.net, 0);
			host.bits = addr_is_v6(&host.net) ? 128 : 32;
			r = host_index_add(w->hosts, &host, (uint32_t)i | VENDOR_ITEM);
		}
	}
	return r;
}

static int take_lists(struct world *w)
{
	int r = numlist_create(&w->free_numbers,
			       param_str(w->params, PARAM_SERVER_BILLING_FREE_E164S));

	if (r == 0)
		r = numlist_create(&w->hidden_numbers,
				   param_str(w->params, PARAM_SERVER_BILLING_NO_CDR_E164S));
	return r;
}

/* "0.5,1,2": from 50 ms to a minute each, none shorter than the one before. */
static int take_resends(struct world *w, struct err *err)
{
	static const char *const name = "SS_SIP_RESEND_INTERVAL";
	struct str list = param_str(w->params, PARAM_SS_SIP_RESEND_INTERVAL), item;
	int64_t before = 50;

	while (str_split(&list, ',', &item)) {
		money_t s;
		int64_t ms = money_parse(item, &s) < 0 ? -1 : s / (MONEY_ONE / 1000);

		if (ms < before || ms > 60000 || w->resends == SIP_RESENDS_MAX)
			return err_set(err, ERR_BAD_VALUE, name, item,
				       "up to 16 waits in seconds from 0.05 to 60, none shorter "
				       "than the one before, such as 0.5,1,2,4",
				       "not such a list");
		w->resend_ms[w->resends++] = before = ms;
	}
	return 0;
}

/* What a failed compilation left behind in the input. */
static void drop_rows(struct world_input *in)
{
	for (size_t i = 0; i < in->accounts; i++)
		row_free(&entities[ENTITY_ACCOUNT], in->account[i]);
	for (size_t i = 0; i < in->mappings; i++)
		row_free(&entities[ENTITY_MAPPING_GATEWAY], in->mapping[i]);
	for (size_t i = 0; i < in->routings; i++)
		row_free(&entities[ENTITY_ROUTING_GATEWAY], in->routing[i]);
	for (size_t i = 0; i < in->phones; i++)
		row_free(&entities[ENTITY_PHONE], in->phone[i]);
	for (size_t i = 0; i < in->groups; i++)
		row_free(&entities[ENTITY_GATEWAY_GROUP], in->group[i]);
	for (size_t i = 0; i < in->plans; i++)
		row_free(&entities[ENTITY_ROUTE_PLAN], in->plan[i]);
	for (size_t i = 0; i < in->rate_groups; i++)
		row_free(&entities[ENTITY_RATE_GROUP], in->rate_group[i]);
	for (size_t i = 0; i < in->packages; i++)
		row_free(&entities[ENTITY_PACKAGE], in->package[i]);
	for (size_t i = 0; i < in->package_orders; i++)
		row_free(&entities[ENTITY_PACKAGE_ORDER], in->package_order[i]);
	for (size_t i = 0; i < in->spend_rules; i++)
		row_free(&entities[ENTITY_SPEND_RULE], in->spend_rule[i]);
	for (size_t i = 0; i < in->profiles; i++)
		row_free(&entities[ENTITY_SECURITY_PROFILE], in->profile[i]);
	params_free(in->params);
}

int world_create(struct world **ret, struct world_input *in, struct err *err)
{
	static _Atomic uint64_t serial;
	CLEANUP(world_free) struct world *w = calloc(1, sizeof(*w));
	int r = w ? 0 : -ENOMEM;

	if (w) {
		w->serial = atomic_fetch_add(&serial, 1) + 1;
		w->params = TAKE(in->params);
		w->whitelist = in->whitelist;
		w->traps = in->traps && numlist_count(in->traps) > 0 ? in->traps : NULL;
		w->areas = in->areas;
		w->callers_in = in->callers_in;
		w->callees_out = in->callees_out;
		w->origins = in->origins;
		memcpy(w->chain, in->chain, sizeof(w->chain));
		int64_t cps = param_int(w->params, PARAM_SS_MAX_CALL_PER_SECOND);

		if (in->licensed_cps > 0 && (cps <= 0 || cps > in->licensed_cps))
			cps = in->licensed_cps;
		w->system_meter =
			in->find_meter(in->ctx, 's', "system", (uint32_t)(cps > 0 ? cps : 0));
	}
	if (r == 0)
		r = take_lists(w);
	if (r == 0)
		r = take_resends(w, err);
	if (r == 0)
		r = take_accounts(w, in, err);
	if (r == 0)
		r = take_groups(w, in);
	if (r == 0)
		r = take_plans(w, in, err);
	if (r == 0)
		r = take_bands(w, in, err);
	if (r == 0)
		r = take_spend_rules(w, in, err);
	if (r == 0)
		r = take_profiles(w, in, err);
	if (r == 0)
		r = take_packages(w, in, err);
	if (r == 0)
		r = take_sources(w, in, err);
	if (r == 0)
		r = take_vendors(w, in, err);
	if (r == 0)
		r = check_portability(w, err);
	if (r == 0)
		groups_sum_up(w);
	if (r == 0)
		r = sources_check_ambiguous(w->source, w->sources, err);
	if (r == 0)
		r = take_phones(w, in, err);
	if (r == 0)
		r = index_phones(w, err);
	if (r == 0)
		r = index_routes(w, err);
	if (r == 0)
		r = index_hosts(w);
	drop_rows(in);
	if (r == 0)
		*ret = TAKE(w);
	return r;
}

struct world *world_free(struct world *w)
{
	if (!w)
		return NULL;
	host_index_free(w->hosts);
	router_free(w->router);
	free(w->route_rows);
	for (size_t i = 0; i < w->sources; i++)
		source_done(&w->source[i]);
	for (size_t i = 0; i < w->vendors; i++)
		vendor_done(&w->vendor[i]);
	for (size_t i = 0; i < w->phones; i++)
		phone_done(&w->phone[i]);
	spend_rules_done(w);
	profiles_done(w);
	packages_done(w);
	free(w->bands);
	for (size_t i = 0; i < w->payers; i++) {
		screen_done(&w->payer[i].screen);
		row_free(&entities[ENTITY_ACCOUNT], w->payer[i].row);
	}
	groups_done(w);
	free(w->source);
	free(w->vendor);
	free(w->phone);
	free(w->numbers.item);
	free(w->users.item);
	free(w->payer);
	numlist_free(w->free_numbers);
	numlist_free(w->hidden_numbers);
	params_free(w->params);
	free(w);
	return NULL;
}

struct visit {
	const struct world *world;
	source_fn *on_source;
	vendor_fn *on_vendor;
	void *ctx;
	bool is_known;
};

static void visit_item(void *ctx, uint32_t item)
{
	struct visit *v = ctx;

	v->is_known = true;
	if (v->on_source && !(item & VENDOR_ITEM))
		v->on_source(v->ctx, &v->world->source[item]);
	if (v->on_vendor && (item & VENDOR_ITEM))
		v->on_vendor(v->ctx, &v->world->vendor[item & ~VENDOR_ITEM]);
}

bool world_knows(const struct world *w, const struct addr *a)
{
	struct visit v = { .world = w };

	host_index_find(w->hosts, a, visit_item, &v);
	return v.is_known;
}

void world_sources_at(const struct world *w, const struct addr *a, source_fn *on_source, void *ctx)
{
	struct visit v = { .world = w, .on_source = on_source, .ctx = ctx };

	host_index_find(w->hosts, a, visit_item, &v);
}

void world_vendors_at(const struct world *w, const struct addr *a, vendor_fn *on_vendor, void *ctx)
{
	struct visit v = { .world = w, .on_vendor = on_vendor, .ctx = ctx };

	host_index_find(w->hosts, a, visit_item, &v);
}

/* A group's own rule, else the parameter's value; unset numbers count as 0. */
static int64_t rule(int64_t own, const struct params *p, enum param id)
{
	int64_t v = own != FIELD_ABSENT ? own : param_int(p, id);

	return v == INT64_MIN ? 0 : v;
}

/* Of an invoice's tax each call has its part to the last unit of money; the sum is what is rounded (report/statement.c). */
static money_t tax_unit(const struct rate_group_row *g)
{
	if (g->tax_per == RATE_GROUP_TAX_PER_INVOICE)
		return 1;
	return g->tax_precision == FIELD_ABSENT ? 0 : money_unit((int)g->tax_precision);
}

void world_rules(const struct params *p, const struct rate_group_row *group,
		 struct tariff_rules *ret)
{
	ret->fee_precision = rule(group->fee_precision, p, PARAM_SERVER_BILLING_FEE_PRECISION);
	ret->fee_unit = rule(group->fee_unit, p, PARAM_SERVER_BILLING_FEE_UNIT);
	ret->hold_time_precision_ms =
		rule(group->hold_time_precision, p, PARAM_SERVER_BILLING_HOLD_TIME_PRECISION);
	ret->free_time_s = rule(group->free_time, p, PARAM_SERVER_BILLING_FREE_TIME);
	ret->tax_unit = tax_unit(group);
}
