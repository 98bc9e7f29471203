#include <stdlib.h>

#include "phone/contact.h"
#include "phone/inner.h"

/* What one REGISTER changes: everything is checked and made before anything is changed (RFC 3261 §10.3: all of it or nothing). */

struct order {
	struct registrar *r;
	const struct msg *m;
	const struct register_rules *rules;
	struct registration *reg; /* NULL: none yet */
	struct contacts contacts;
	struct buf path;
	bool is_nat;
	int64_t granted[BINDINGS_MAX];        /* seconds */
	struct binding *next[BINDINGS_MAX];   /* made, not put yet */
	struct binding *before[BINDINGS_MAX]; /* the same contact as it is bound now */
};

static struct binding *find_same(const struct registration *reg, const struct uri *uri)
{
	struct list *it, *tmp;
	struct uri u;

	if (!reg)
		return NULL;
	LIST_EACH (it, tmp, &reg->contacts) {
		struct binding *b = CONTAINER(it, struct binding, node);

		if (uri_parse(str_of(b->contact), &u) == 0 && contact_is_same(&u, uri))
			return b;
	}
	return NULL;
}

/* RFC 3261 §10.3: of one Call-ID only what is newer counts. */
static bool is_stale(const struct order *o, const struct binding *b)
{
	return b && str_eq(str_of(b->call_id), o->m->call_id) && o->m->cseq <= b->cseq;
}

static int grant(struct order *o, struct buf *extra)
{
	int64_t most = o->is_nat ? o->rules->nat_expire_s : o->rules->expire_s;
	int64_t least = most < REGISTER_MIN_S ? most : REGISTER_MIN_S;

	for (int i = 0; i < o->contacts.count; i++) {
		int64_t asked = o->contacts.contact[i].expires;

		if (asked > 0 && asked < least) {
			buf_printf(extra, "Min-Expires: %lld\r\n", (long long)least);
			return 423;
		}
		o->granted[i] = asked < 0 || asked > most ? most : asked;
	}
	return 0;
}

static bool is_named(const struct order *o, const struct binding *b)
{
	for (int i = 0; i < o->contacts.count; i++) {
		if (o->before[i] == b)
			return true;
	}
	return false;
}

static bool is_other(const struct order *o, const struct binding *b)
{
	return !str_eq(str_of(b->call_id), o->m->call_id) && !is_named(o, b);
}

/* How many there will be, and whether that may be: BINDINGS_MAX, and one device if a second one is refused. */
static int check_room(const struct order *o)
{
	struct list *it, *tmp;
	int stay = 0, others = 0, added = 0, live = 0;

	for (int i = 0; i < o->contacts.count; i++) {
		live += o->granted[i] > 0;
		added += o->granted[i] > 0 && !o->before[i];
	}
	if (o->reg) {
		LIST_EACH (it, tmp, &o->reg->contacts) {
			const struct binding *b = CONTAINER(it, struct binding, node);

			if (is_other(o, b))
				others++;
			else
				stay += !is_named(o, b);
		}
	}
	if (!o->rules->replaces && others > 0 && added > 0)
		return 403;
	return stay + live > BINDINGS_MAX ? 403 : 0;
}

/* The copy of a program's name that operators see: printable, and not long. */
static char *agent_of(const struct msg *m)
{
	char room[3 * AGENT_MAX + 1];
	struct buf b = buf_fixed(room, sizeof(room));
	struct str v;

	if (!msg_header(m, "User-Agent", 0, &v))
		return NULL;
	buf_put_printable(&b, str_head(v, AGENT_MAX));
	return buf_error(&b) ? NULL : str_dup(str_head(buf_str(&b), AGENT_MAX));
}

static struct binding *make(const struct order *o, int i)
{
	const struct contact *c = &o->contacts.contact[i];
	struct binding *b = calloc(1, sizeof(*b));
	ms_t now = o->r->c.loop->now_ms;

	if (!b)
		return NULL;
	b->contact = str_dup(c->text);
	b->path = o->path.n ? str_dup(buf_str(&o->path)) : NULL;
	b->call_id = str_dup(o->m->call_id);
	b->agent = agent_of(o->m);
	b->local = registrar_listener(o->r, &o->m->flow);
	b->cseq = o->m->cseq;
	b->q = c->q;
	b->is_nat = o->is_nat;
	b->expires = now + o->granted[i] * 1000;
	b->since = o->before[i] ? o->before[i]->since : now;
	b->source = o->m->flow.peer;
	b->flow = o->m->flow;
	binding_way(b);
	if (b->contact && b->call_id && b->local && (b->path || !o->path.n))
		return b;
	binding_free(b);
	return NULL;
}

static int prepare(struct order *o, struct buf *extra)
{
	int code = grant(o, extra);

	for (int i = 0; i < o->contacts.count; i++) {
		o->before[i] = find_same(o->reg, &o->contacts.contact[i].uri);
		if (is_stale(o, o->before[i]))
			return 500;
		for (int k = 0; k < i; k++) {
			if (contact_is_same(&o->contacts.contact[k].uri,
					    &o->contacts.contact[i].uri))
				return 400;
		}
	}
	if (code == 0)
		code = check_room(o);
	for (int i = 0; code == 0 && i < o->contacts.count; i++) {
		if (o->granted[i] == 0)
			continue;
		o->next[i] = make(o, i);
		if (!o->next[i])
			code = 500;
	}
	return code;
}

static void drop_others(struct order *o)
{
	struct list *it, *tmp;

	LIST_EACH (it, tmp, &o->reg->contacts) {
		struct binding *b = CONTAINER(it, struct binding, node);

		if (is_other(o, b))
			binding_drop(&o->r->bindings, b);
	}
}

static bool has_live(const struct order *o)
{
	for (int i = 0; i < o->contacts.count; i++) {
		if (o->next[i])
			return true;
	}
	return false;
}

static void commit(struct order *o)
{
	if (has_live(o) && o->rules->replaces)
		drop_others(o);
	/* The first that is named shall be the newest. */
	for (int i = o->contacts.count - 1; i >= 0; i--) {
		struct binding *b = TAKE(o->next[i]);

		if (o->before[i])
			binding_drop(&o->r->bindings, o->before[i]);
		if (!b)
			continue;
		binding_put(&o->r->bindings, o->reg, b);
		probe_start(o->r, b);
	}
	registrar_changed(o->r, o->reg);
}

static int change(struct order *o, struct str user, struct buf *extra)
{
	int code = prepare(o, extra);

	if (code == 0 && !o->reg && has_live(o)) {
		o->reg = bindings_get(&o->r->bindings, user);
		code = o->reg ? 0 : 500;
	}
	if (code == 0 && o->reg)
		commit(o);
	for (int i = 0; i < o->contacts.count; i++) {
		if (o->next[i])
			binding_free(o->next[i]);
	}
	return code;
}

/* "*": all of them, if none is newer (RFC 3261 §10.3). */
static int remove_all(struct order *o)
{
	struct list *it, *tmp;

	if (!o->reg)
		return 0;
	LIST_EACH (it, tmp, &o->reg->contacts) {
		if (is_stale(o, CONTAINER(it, struct binding, node)))
			return 500;
	}
	LIST_EACH (it, tmp, &o->reg->contacts)
		binding_drop(&o->r->bindings, CONTAINER(it, struct binding, node));
	registrar_changed(o->r, o->reg);
	return 0;
}

static void put_contacts(const struct registrar *r, const struct registration *reg, struct buf *out)
{
	ms_t now = r->c.loop->now_ms;
	struct list *it, *tmp;

	LIST_EACH (it, tmp, &reg->contacts) {
		const struct binding *b = CONTAINER(it, struct binding, node);

		if (b->expires <= now)
			continue;
		buf_printf(out, "Contact: <%s>;expires=%lld", b->contact,
			   (long long)((b->expires - now + 999) / 1000));
		if (b->q < 1000)
			buf_printf(out, ";q=0.%03d", b->q);
		buf_put(out, STR("\r\n"));
	}
}

static void put_path(const struct msg *m, struct buf *out)
{
	struct str v;

	for (int n = 0; msg_header(m, "Path", n, &v); n++)
		buf_printf(out, "Path: %.*s\r\n", STR_ARG(v));
}

int registrar_apply(struct registrar *r, const struct msg *m, struct str user,
		    const struct register_rules *rules, struct buf *extra)
{
	struct order o = { .r = r, .m = m, .rules = rules };
	int code = registrar_has(r, user) && m->call_id.n <= CALL_ID_MAX
			   ? contacts_read(m, &o.contacts)
			   : 400;

	if (code == 0)
		code = contacts_path(m, &o.path);
	o.reg = bindings_find(&r->bindings, user);
	if (o.contacts.count > 0)
		o.is_nat =
			rules->nat == NAT_ALWAYS || (rules->nat == NAT_AUTO && !o.path.n &&
						     contact_is_nat(m, &o.contacts.contact[0].uri));
	if (code == 0 && o.contacts.is_all)
		code = remove_all(&o);
	else if (code == 0 && o.contacts.count > 0)
		code = change(&o, user, extra);
	buf_done(&o.path);
	if (code != 0)
		return code;

	/* What is left may be gone by now: looked for again. */
	const struct registration *reg = bindings_find(&r->bindings, user);

	if (reg)
		put_contacts(r, reg, extra);
	put_path(m, extra);
	return buf_error(extra) ? 500 : 200;
}
