#include "phone/binding.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sip/uri.h"

int bindings_init(struct bindings *t)
{
	*t = (struct bindings){ 0 };
	list_init(&t->nat);
	t->cursor = &t->nat;
	int r = htab_init(&t->users, 64);

	return r == 0 ? htab_init(&t->hosts, 64) : r;
}

void bindings_done(struct bindings *t)
{
	struct hnode *it;

	if (!t->users.bucket)
		return;
	while ((it = htab_walk(&t->users, NULL)))
		bindings_forget(t, CONTAINER(it, struct registration, node));
	htab_done(&t->users);
	htab_done(&t->hosts);
}

struct registration *bindings_find(const struct bindings *t, struct str user)
{
	struct hnode *it;

	HTAB_EACH_MATCH(it, &t->users, htab_hash(user))
	{
		struct registration *r = CONTAINER(it, struct registration, node);

		if (str_eq(str_of(r->user), user))
			return r;
	}
	return NULL;
}

struct registration *bindings_get(struct bindings *t, struct str user)
{
	struct registration *r = bindings_find(t, user);

	if (r || user.n > USER_MAX)
		return r;
	r = calloc(1, sizeof(*r));
	if (!r)
		return NULL;
	(void)str_copy(r->user, sizeof(r->user), user);
	list_init(&r->contacts);
	list_init(&r->owing);
	timer_init(&r->expiry, NULL);
	htab_add(&t->users, &r->node, htab_hash(user));
	return r;
}

void bindings_forget(struct bindings *t, struct registration *r)
{
	struct list *it, *tmp;

	LIST_EACH (it, tmp, &r->contacts)
		binding_drop(t, CONTAINER(it, struct binding, node));
	timer_stop(&r->expiry);
	list_del(&r->owing);
	htab_del(&t->users, &r->node);
	free(r);
}

bool bindings_know(const struct bindings *t, const struct addr *host)
{
	struct hnode *it;

	HTAB_EACH_MATCH(it, &t->hosts, addr_hash_host(host))
	{
		if (addr_eq_host(&CONTAINER(it, struct binding, by_host)->source, host))
			return true;
	}
	return false;
}

bool binding_is_on(const struct binding *b, const struct flow *flow)
{
	return flow->conn != 0 && b->flow.conn == flow->conn && b->flow.worker == flow->worker &&
	       b->flow.proto == flow->proto;
}

void binding_way(struct binding *b)
{
	struct uri u;
	struct addr a;

	b->flow.peer = b->source;
	if (b->path || b->is_nat || b->flow.proto != PROTO_UDP)
		return;
	if (uri_parse(str_of(b->contact), &u) == 0 &&
	    addr_parse(u.host, u.port ? u.port : proto_port(PROTO_UDP), &a) == 0)
		b->flow.peer = a;
}

void binding_put(struct bindings *t, struct registration *r, struct binding *b)
{
	b->registration = r;
	list_add_head(&r->contacts, &b->node);
	r->count++;
	list_init(&b->nat_node);
	timer_init(&b->probe, NULL);
	if (b->is_nat && b->flow.proto == PROTO_UDP)
		list_add_tail(&t->nat, &b->nat_node);
	htab_add(&t->hosts, &b->by_host, addr_hash_host(&b->source));
	t->count++;
}

void binding_free(struct binding *b)
{
	free(b->contact);
	free(b->path);
	free(b->call_id);
	free(b->agent);
	free(b->local);
	free(b);
}

void binding_drop(struct bindings *t, struct binding *b)
{
	if (t->on_drop)
		t->on_drop(t->ctx, b);
	if (t->cursor == &b->nat_node)
		t->cursor = b->nat_node.next;
	list_del(&b->nat_node);
	list_del(&b->node);
	timer_stop(&b->probe);
	htab_del(&t->hosts, &b->by_host);
	b->registration->count--;
	t->count--;
	binding_free(b);
}

struct binding *binding_nth(const struct registration *r, int n, ms_t now)
{
	struct binding *best = NULL;
	bool is_used[BINDINGS_MAX] = { false };
	int best_at = 0;

	for (; n >= 0; n--) {
		struct list *it, *tmp;
		int at = 0;

		best = NULL;
		LIST_EACH (it, tmp, &r->contacts) {
			struct binding *b = CONTAINER(it, struct binding, node);

			if (at < BINDINGS_MAX && !is_used[at] && b->expires > now &&
			    (!best || b->q > best->q)) {
				best = b;
				best_at = at;
			}
			at++;
		}
		if (!best)
			return NULL;
		is_used[best_at] = true;
	}
	return best;
}

/* ---- as bytes ---- */

/* What goes before each contact's texts, which follow in the order of `size`. */
struct packed {
	ms_t expires, since;
	struct addr source;
	struct flow flow;
	uint32_t cseq;
	int32_t q;
	bool is_nat;
	uint16_t size[5];
};

static void texts_of(const struct binding *b, struct str ret[5])
{
	ret[0] = str_of(b->contact);
	ret[1] = str_of(b->path);
	ret[2] = str_of(b->call_id);
	ret[3] = str_of(b->agent);
	ret[4] = str_of(b->local);
}

/* Oldest first: who unpacks puts each before those that came earlier. */
void registration_pack(const struct registration *r, struct buf *out)
{
	size_t n = strlen(r->user);

	buf_putc(out, (char)n);
	buf_put(out, str_n(r->user, n));
	for (struct list *it = r->contacts.prev; it != &r->contacts; it = it->prev) {
		const struct binding *b = CONTAINER(it, struct binding, node);
		struct packed p;
		struct str text[5];

		memset(&p, 0, sizeof(p));
		p.expires = b->expires;
		p.since = b->since;
		p.source = b->source;
		p.flow = b->flow;
		p.cseq = b->cseq;
		p.q = b->q;
		p.is_nat = b->is_nat;
		texts_of(b, text);
		for (int i = 0; i < 5; i++)
			p.size[i] = (uint16_t)text[i].n;
		buf_put(out, str_n(&p, sizeof(p)));
		for (int i = 0; i < 5; i++)
			buf_put(out, text[i]);
	}
}

static char *take_text(struct str *rest, size_t n)
{
	char *copy = n ? str_dup(str_head(*rest, n)) : NULL;

	*rest = str_skip(*rest, n);
	return copy;
}

static struct binding *unpack_one(struct str *rest)
{
	struct packed p;
	struct binding *b = calloc(1, sizeof(*b));

	if (!b)
		return NULL;
	assert(rest->n >= sizeof(p));
	memcpy(&p, rest->p, sizeof(p));
	*rest = str_skip(*rest, sizeof(p));
	b->expires = p.expires;
	b->since = p.since;
	b->source = p.source;
	b->flow = p.flow;
	b->cseq = p.cseq;
	b->q = p.q;
	b->is_nat = p.is_nat;
	b->contact = take_text(rest, p.size[0]);
	b->path = take_text(rest, p.size[1]);
	b->call_id = take_text(rest, p.size[2]);
	b->agent = take_text(rest, p.size[3]);
	b->local = take_text(rest, p.size[4]);
	if (b->contact && b->call_id && b->local && (b->path || !p.size[1]))
		return b;
	binding_free(b);
	return NULL;
}

static struct str take_user(struct str *rest)
{
	size_t n = (unsigned char)rest->p[0];
	struct str user = str_head(str_skip(*rest, 1), n);

	*rest = str_skip(*rest, 1 + n);
	return user;
}

int registration_unpack(struct bindings *t, struct str bytes)
{
	struct str rest = bytes, user = rest.n ? take_user(&rest) : STR("");
	struct registration *r = user.n ? bindings_get(t, user) : NULL;
	struct list *it, *tmp;

	if (!r)
		return user.n ? -ENOMEM : -EINVAL;
	LIST_EACH (it, tmp, &r->contacts)
		binding_drop(t, CONTAINER(it, struct binding, node));
	while (rest.n > 0) {
		struct binding *b = unpack_one(&rest);

		if (!b)
			return -ENOMEM;
		binding_put(t, r, b);
	}
	if (r->count == 0)
		bindings_forget(t, r);
	return 0;
}

int registration_each(struct str bytes, struct str *ret_user, unpack_fn *on_contact, void *ctx)
{
	struct str rest = bytes;
	int r = 0;

	*ret_user = take_user(&rest);
	while (r == 0 && rest.n > 0) {
		struct binding *b = unpack_one(&rest);

		if (!b)
			return -ENOMEM;
		r = on_contact(ctx, *ret_user, b);
		binding_free(b);
	}
	return r;
}
