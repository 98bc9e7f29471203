#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "call/hop.h"
#include "call/identify.h"
#include "call/identity.h"
#include "call/inner.h"
#include "call/trap.h"
#include "phone/keepalive.h"
#include "phone/registrar.h"

bool worker_knows(const struct worker *w, const struct addr *a)
{
	return world_knows(w->world, a) || bindings_know(registrar_bindings(w->registrar), a);
}

/* ---- REGISTER ---- */

/* RFC 3261 §8.2.2.3; Path is the one extension that a registrar of ours has to understand (RFC 3327 §5.3). */
static bool is_understood(struct server_txn *t, const struct msg *m)
{
	CLEANUP(buf_done) struct buf extra = BUF_INIT;
	struct str line, tag;

	for (int n = 0; msg_header(m, "Require", n, &line); n++) {
		while (str_split(&line, ',', &tag)) {
			if (tag.n && !str_ieq(tag, STR("path")) && !str_has_control(tag))
				buf_printf(&extra, "%s%.*s",
					   extra.n ? ", " : "Unsupported: ", STR_ARG(tag));
		}
	}
	if (extra.n == 0)
		return true;
	buf_put(&extra, STR("\r\n"));
	reply_simple(t, 420, buf_str(&extra));
	return false;
}

static struct register_rules rules_for(const struct worker *w, const struct source *s)
{
	const struct params *p = w->world->params;
	struct register_rules r = { .expire_s = param_int(p, PARAM_SS_ENDPOINT_EXPIRE),
				    .nat_expire_s = param_int(p, PARAM_SS_ENDPOINT_NAT_EXPIRE),
				    .replaces = param_bool(p, PARAM_SS_ENDPOINT_REGISTER_REPLACE) };

	if (s->phone && s->phone->row->nat == PHONE_NAT_ALWAYS)
		r.nat = NAT_ALWAYS;
	if (s->phone && s->phone->row->nat == PHONE_NAT_NEVER)
		r.nat = NAT_NEVER;
	return r;
}

void register_request(struct worker *w, struct server_txn *t, const struct msg *m)
{
	CLEANUP(buf_done) struct buf extra = BUF_INIT;
	bool has_users = w->world->users.count > 0;

	trap_stranger(w, m);
	if (!has_users && refuse_stranger(w, t, m))
		return;
	if (!has_users || m->max_forwards == 0) {
		reply_simple(t, has_users ? 483 : 405, STR(""));
		return;
	}

	const struct source *s = identify_by_digest(w, t, m);

	if (!s || !is_understood(t, m))
		return;
	/* Nobody registers another (RFC 3261 §10.3, step 4). */
	if (!str_eq(m->to.user, source_user(s))) {
		reply_simple(t, 403, STR(""));
		return;
	}
	transport_trust(w->transport, &m->flow);

	struct register_rules rules = rules_for(w, s);
	int code = registrar_apply(w->registrar, m, source_user(s), &rules, &extra);

	reply_simple(t, code, code == 200 || code == 423 ? buf_str(&extra) : STR(""));
}

/* ---- calls to phones ---- */

static const struct registration *registration_of(const struct worker *w, const struct phone *p)
{
	return bindings_find(registrar_bindings(w->registrar), str_of(p->row->number));
}

int register_contacts(const struct worker *w, const struct phone *p)
{
	const struct registration *r;
	int n = 0;

	registrar_catch_up(w->registrar);
	r = registration_of(w, p);
	while (r && n < BINDINGS_MAX && binding_nth(r, n, w->loop.now_ms))
		n++;
	return n;
}

bool register_is_nat(const struct worker *w, const struct phone *p)
{
	const struct registration *r = registration_of(w, p);
	const struct binding *b;

	for (int n = 0; r && (b = binding_nth(r, n, w->loop.now_ms)); n++) {
		if (b->is_nat)
			return true;
	}
	return false;
}

enum reason register_address(struct leg *l, const struct phone *p, int n)
{
	struct worker *w = l->call->worker;
	const struct registration *r = registration_of(w, p);
	const struct binding *b = r ? binding_nth(r, n, w->loop.now_ms) : NULL;
	char tag[STEER_TOKEN], call_id[STEER_TOKEN], here[ADDR_TEXT];
	CLEANUP(buf_done) struct buf local = BUF_INIT, remote = BUF_INIT;

	if (!b)
		return REASON_PHONE_OFFLINE;
	transport_local(w->transport, &b->flow, &l->local);
	steer_mint(tag, w->c.index);
	steer_mint(call_id, w->c.index);
	(void)addr_text(&l->local, here);
	identity_put_from(l, &p->vendor, here, &local);
	identity_put_to(l, here, &remote);
	if (buf_error(&local) || buf_error(&remote) ||
	    dialog_for_invite(&l->dialog, call_id, tag, buf_str(&local), buf_str(&remote),
			      str_of(b->contact), &b->flow) < 0)
		return REASON_OVERLOAD;
	l->dialog.routes = b->path ? strdup(b->path) : NULL;
	if ((b->path && !l->dialog.routes) || leg_begin(l, l->call, SIDE_CALLEE, tag) < 0)
		return REASON_OVERLOAD;
	hop_begin(l, p->vendor.row->reply_address, p->vendor.row->request_address);
	return REASON_NONE;
}

/* ---- the worker's own ---- */

int register_start(struct worker *w)
{
	struct registrar_config c = { .loop = &w->loop,
				      .sip = w->sip,
				      .transport = w->transport,
				      .listen = w->c.listen,
				      .listen_count = w->c.listen_count,
				      .worker = w->c.index,
				      .workers = w->hub->workers,
				      .to = w->c.notes_to,
				      .from = w->c.notes_from,
				      .stats = &w->stats->registrar };
	int r = registrar_create(&w->registrar, &c);

	if (r == 0 && w->c.index == 0)
		r = keepalive_create(&w->keepalive, w->registrar);
	w->world = w->hub->world; /* nobody replaces it before the threads run */
	if (r == 0)
		register_see_world(w);
	for (size_t i = 0; r == 0 && i < w->hub->seeds; i++) {
		if (!buf_error(&w->hub->seed[i]))
			r = registrar_seed(w->registrar, buf_str(&w->hub->seed[i]));
	}
	return r;
}

void register_see_world(struct worker *w)
{
	const struct params *p = w->world ? w->world->params : NULL;

	if (!p)
		return;
	registrar_set_probing(w->registrar, param_int(p, PARAM_SS_ENDPOINTTIMETOLIVE));
	if (!w->keepalive)
		return;

	struct keepalive_settings k = {
		.message = param_str(p, PARAM_SS_SIP_NAT_KEEP_ALIVE_MESSAGE),
		.period_ms = param_int(p, PARAM_SS_SIP_NAT_KEEP_ALIVE_PERIOD) * 1000,
		.interval_ms = param_int(p, PARAM_SS_SIP_NAT_KEEP_ALIVE_SEND_INTERVAL),
		.batch = param_int(p, PARAM_SS_SIP_NAT_KEEP_ALIVE_SEND_ONE_TIME),
	};

	keepalive_set(w->keepalive, &k);
}

void register_stop(struct worker *w)
{
	w->keepalive = keepalive_free(w->keepalive);
	w->registrar = registrar_free(w->registrar);
}
