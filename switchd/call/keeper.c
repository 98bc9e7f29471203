#include "call/keeper.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "call/inner.h"
#include "call/world_gateway.h"
#include "vendor/enrol.h"
#include "vendor/probe.h"

/* What begins together, such as everything at the start, goes out this far apart. */
enum { APART_MS = 20 };

struct keeper {
	struct worker *worker;
	struct sender sender;
	struct htab by_reach;
	struct list all;
	uint64_t serial; /* of the world that was looked at last; 0: look again */
	bool was_draining;
	uint64_t looks;
};

/* One address of one gateway. */
struct kept {
	struct hnode by_reach;
	struct list node;
	struct keeper *keeper;
	struct reach *reach;
	struct gate *gate; /* lives as long as the switch */
	char *name;
	char address[ADDR_TEXT];
	struct probe *probe;
	struct enrol *enrol;
	struct buf identity; /* what the registration was made from */
	bool is_leaving;
	uint64_t seen; /* at which look */
};

static uint64_t hash_of(const struct reach *r)
{
	return htab_hash(str_n(&r, sizeof(r)));
}

static struct kept *find(struct keeper *k, const struct reach *r)
{
	struct hnode *it;

	HTAB_EACH_MATCH(it, &k->by_reach, hash_of(r))
	{
		struct kept *x = CONTAINER(it, struct kept, by_reach);

		if (x->reach == r)
			return x;
	}
	return NULL;
}

static struct kept *add(struct keeper *k, const struct vendor *v, int address)
{
	struct kept *x = calloc(1, sizeof(*x));

	if (!x)
		return NULL;
	x->name = strdup(v->row->name);
	if (!x->name) {
		free(x);
		return NULL;
	}
	x->keeper = k;
	x->reach = v->reach[address];
	x->gate = v->gate;
	(void)addr_text(&v->address[address], x->address);
	htab_add(&k->by_reach, &x->by_reach, hash_of(x->reach));
	list_init(&x->node);
	list_add_tail(&k->all, &x->node);
	return x;
}

static void end_enrol(struct kept *x)
{
	if (!x->enrol)
		return;
	x->enrol = enrol_free(x->enrol);
	x->is_leaving = false;
	buf_clear(&x->identity);
	atomic_fetch_sub(&x->keeper->worker->hub->registrations, 1);
}

static void kept_free(struct kept *x)
{
	end_enrol(x);
	probe_free(x->probe);
	htab_del(&x->keeper->by_reach, &x->by_reach);
	list_del(&x->node);
	buf_done(&x->identity);
	free(x->name);
	free(x);
}

static struct means means_of(const struct kept *x, const struct vendor *v, int address)
{
	struct flow f = { .proto = (uint8_t)v->proto };

	/* Without memory for it the policy is the strictest: a certificate for the address. */
	struct tls_policy tls = vendor_tls(v, &v->address[address]);

	(void)transport_secure(x->keeper->worker->transport, &f, &tls);
	return (struct means){ v->proto, f.policy };
}

/* ---- probes ---- */

static bool is_probed(const struct vendor *v)
{
	return v->row->options_check && !vendor_is_name_server(v->row);
}

static void keep_probe(struct kept *x, const struct vendor *v, int address, ms_t first_in_ms)
{
	const struct params *p = x->keeper->worker->world->params;
	ms_t period = param_int(p, PARAM_SS_SIP_OPTIONS_CHECK_PERIOD) * SECOND_MS;

	if (!v || !is_probed(v))
		x->probe = probe_free(x->probe);
	else if (x->probe)
		probe_adjust(x->probe, means_of(x, v, address), period);
	else
		(void)probe_create(&x->probe, &x->keeper->sender, x->reach, means_of(x, v, address),
				   &v->address[address], first_in_ms, period);
}

/* ---- registrations ---- */

static void on_realm(void *ctx, struct str realm)
{
	const struct kept *x = ctx;

	gate_learn_realm(x->gate, realm);
}

static void on_gone(void *ctx, struct enrol *e)
{
	struct kept *x = ctx;

	(void)e;
	end_enrol(x);
	x->keeper->serial = 0;
}

static void leave(struct kept *x, bool politely)
{
	if (!x->enrol || x->is_leaving)
		return;
	x->is_leaving = politely && enrol_leave(x->enrol);
	if (!x->is_leaving)
		end_enrol(x);
}

static struct enrol_config config_of(const struct kept *x, const struct vendor *v, int address)
{
	const struct routing_gateway_row *row = v->row;

	return (struct enrol_config){ .by = means_of(x, v, address),
				      .peer = v->address[address],
				      .user = str_of(row->user),
				      .password = str_of(row->password),
				      .realm = str_of(row->realm),
				      .name = vendor_register_user(row),
				      .domain = row->register_domain ? str_of(row->register_domain)
								     : v->spot[address].host,
				      .contact = vendor_contact_user(row),
				      .redirect = (enum redirect_rule)row->redirect,
				      .own = v->address,
				      .own_count = v->address_count };
}

static void put_identity(const struct vendor *v, const struct enrol_config *c, struct buf *out)
{
	const struct str part[] = { c->user,
				    c->password,
				    c->realm,
				    c->name,
				    c->domain,
				    c->contact,
				    str_of(v->row->address) };

	for (size_t i = 0; i < sizeof(part) / sizeof(part[0]); i++) {
		buf_put(out, part[i]);
		buf_putc(out, '\n');
	}
	buf_printf(out, "%d %d %u", (int)c->redirect, (int)c->by.proto, c->by.policy);
}

static struct enrol_terms terms_of(const struct vendor *v, const struct params *p)
{
	int64_t own = v->row->register_expire;
	int64_t s = own > 0 ? own : param_int(p, PARAM_SS_SIP_USER_AGENT_EXPIRE);

	return (struct enrol_terms){ .expire_s = s > 0 ? s : 0,
				     .retry_ms = param_int(p, PARAM_SS_SIP_USER_AGENT_RETRY_DELAY) *
						 SECOND_MS };
}

/* One that is changed ends first: the end of the old one would take the new one with it. */
static void keep_enrol(struct kept *x, const struct vendor *v, int address, ms_t first_in_ms)
{
	struct keeper *k = x->keeper;
	const struct params *p = k->worker->world->params;
	bool politely = param_bool(p, PARAM_SS_SIP_USER_AGENT_SEND_UNREGISTER);
	CLEANUP(buf_done) struct buf identity = BUF_INIT;

	if (!v || !v->row->registration || k->was_draining) {
		leave(x, politely);
		return;
	}

	struct enrol_config c = config_of(x, v, address);
	struct enrol_terms terms = terms_of(v, p);

	put_identity(v, &c, &identity);
	if (x->enrol && !str_eq(buf_str(&identity), buf_str(&x->identity)))
		leave(x, politely);
	if (x->enrol) {
		enrol_set_terms(x->enrol, &terms);
		return;
	}

	struct enrol_user user = { .on_realm = on_realm, .on_gone = on_gone, .ctx = x };

	if (enrol_create(&x->enrol, &k->sender, x->reach, &c, &terms, &user, first_in_ms) < 0)
		return;
	atomic_fetch_add(&k->worker->hub->registrations, 1);
	buf_clear(&x->identity);
	buf_put(&x->identity, buf_str(&identity));
}

/* ---- following the world ---- */

static void look_at(struct keeper *k, const struct vendor *v, int address, int *place)
{
	struct kept *x = find(k, v->reach[address]);

	if (!x && !is_probed(v) && !v->row->registration)
		return;
	if (!x) {
		x = add(k, v, address);
		(*place)++;
	}
	if (!x)
		return;
	x->seen = k->looks;
	keep_probe(x, v, address, APART_MS * *place);
	keep_enrol(x, v, address, APART_MS * *place);
}

static void sweep(struct keeper *k)
{
	struct list *it, *tmp;

	LIST_EACH (it, tmp, &k->all) {
		struct kept *x = CONTAINER(it, struct kept, node);

		if (x->seen == k->looks)
			continue;
		keep_probe(x, NULL, 0, 0);
		keep_enrol(x, NULL, 0, 0);
		if (!x->enrol)
			kept_free(x);
	}
}

void keeper_turn(struct keeper *k)
{
	const struct world *w = k->worker->world;
	bool draining = atomic_load_explicit(&k->worker->hub->draining, memory_order_relaxed);
	int place = 0;

	if (!w || (w->serial == k->serial && draining == k->was_draining))
		return;
	k->serial = w->serial;
	k->was_draining = draining;
	k->looks++;
	for (size_t i = 0; i < w->vendors; i++) {
		for (int a = 0; a < w->vendor[i].address_count; a++)
			look_at(k, &w->vendor[i], a, &place);
	}
	sweep(k);
}

int keeper_create(struct keeper **ret, struct worker *w)
{
	struct keeper *k = calloc(1, sizeof(*k));
	int r = k ? htab_init(&k->by_reach, 0) : -ENOMEM;

	if (r < 0) {
		free(k);
		return r;
	}
	k->worker = w;
	k->sender = (struct sender){
		.loop = &w->loop, .transport = w->transport, .sip = w->sip, .worker = w->c.index
	};
	list_init(&k->all);
	*ret = k;
	return 0;
}

struct keeper *keeper_free(struct keeper *k)
{
	if (!k)
		return NULL;
	while (!list_is_empty(&k->all))
		kept_free(CONTAINER(k->all.next, struct kept, node));
	htab_done(&k->by_reach);
	free(k);
	return NULL;
}

/* ---- shown ---- */

static json_t *enrol_json(const struct kept *x)
{
	CLEANUP(buf_done) struct buf error = BUF_INIT;
	char until[CLOCK_TEXT];
	ms_t at = enrol_until(x->enrol);
	enum reach_place place = (enum reach_place)atomic_load(&x->reach->place);

	enrol_error_text(atomic_load(&x->reach->place_error), &error);
	return json_pack("{s:s s:s s:s s:s s:s s:o s:s}", "kind", "vendor", "name", x->name,
			 "address", x->address, "state",
			 x->is_leaving ? "leaving" : reach_place_name(place), "contact",
			 enrol_contact(x->enrol), "expires",
			 at ? json_string(clock_text(at, until)) : json_null(), "last_error",
			 error.n ? buf_cstr(&error) : "");
}

char *keeper_show(const struct keeper *k)
{
	json_t *list = json_array();
	struct list *it, *tmp;

	if (k) {
		LIST_EACH (it, tmp, &k->all) {
			const struct kept *x = CONTAINER(it, struct kept, node);

			if (x->enrol)
				(void)json_array_append_new(list, enrol_json(x));
		}
	}

	char *text = json_dumps(list, JSON_COMPACT);

	json_decref(list);
	return text;
}
