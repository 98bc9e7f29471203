#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "phone/inner.h"
#include "transport/steer.h"

static void count_up(_Atomic uint64_t *n)
{
	atomic_fetch_add_explicit(n, 1, memory_order_relaxed);
}

bool registrar_has(const struct registrar *r, struct str user)
{
	return steer_user(user, r->c.workers) == r->c.worker;
}

/* ---- telling the others ---- */

static void tell(struct registrar *r, struct registration *reg)
{
	CLEANUP(buf_done) struct buf bytes = BUF_INIT;

	registration_pack(reg, &bytes);
	for (int w = 0; w < r->c.workers; w++) {
		uint64_t bit = UINT64_C(1) << w;

		if (!(reg->owed & bit))
			continue;
		if (buf_error(&bytes) || !ring_push(r->c.to[w], bytes.p, bytes.n, NULL, 0))
			count_up(&r->c.stats->mail_put_off);
		else
			reg->owed &= ~bit;
	}
	list_del(&reg->owing);
	if (reg->owed)
		list_add_tail(&r->owing, &reg->owing);
	else if (reg->count == 0)
		bindings_forget(&r->bindings, reg);
}

static void on_expiry(struct timer *t, int64_t now_ms)
{
	struct registration *reg = CONTAINER(t, struct registration, expiry);
	struct registrar *r = reg->registrar;
	struct list *it, *tmp;

	LIST_EACH (it, tmp, &reg->contacts) {
		struct binding *b = CONTAINER(it, struct binding, node);

		if (b->expires <= now_ms)
			binding_drop(&r->bindings, b);
	}
	registrar_changed(r, reg);
}

static void wait_for_expiry(struct registrar *r, struct registration *reg)
{
	struct list *it, *tmp;
	ms_t first = INT64_MAX;

	LIST_EACH (it, tmp, &reg->contacts) {
		const struct binding *b = CONTAINER(it, struct binding, node);

		if (b->expires < first)
			first = b->expires;
	}
	timer_stop(&reg->expiry);
	reg->registrar = r;
	reg->expiry.on_expire = on_expiry;
	if (reg->count > 0)
		timer_start(&r->c.loop->wheel, &reg->expiry, first);
}

void registrar_changed(struct registrar *r, struct registration *reg)
{
	atomic_store_explicit(&r->c.stats->contacts, r->bindings.count, memory_order_relaxed);
	wait_for_expiry(r, reg);
	reg->owed = r->c.workers == 64 ? UINT64_MAX : (UINT64_C(1) << r->c.workers) - 1;
	tell(r, reg);
}

void registrar_flush(struct registrar *r)
{
	struct list *it, *tmp;

	LIST_EACH (it, tmp, &r->owing) {
		uint64_t before =
			atomic_load_explicit(&r->c.stats->mail_put_off, memory_order_relaxed);

		tell(r, CONTAINER(it, struct registration, owing));
		if (atomic_load_explicit(&r->c.stats->mail_put_off, memory_order_relaxed) != before)
			break; /* still full */
	}
	for (int w = 0; w < r->c.workers; w++)
		ring_flush(r->c.to[w]);
}

/* Of a connection that is gone: each worker looks for its own users, the copies follow by mail. */
static struct binding *first_lost(const struct registrar *r, const struct flow *flow)
{
	struct hnode *it;

	HTAB_EACH_MATCH(it, &r->bindings.hosts, addr_hash_host(&flow->peer))
	{
		struct binding *b = CONTAINER(it, struct binding, by_host);

		if (binding_is_on(b, flow) && registrar_has(r, str_of(b->registration->user)))
			return b;
	}
	return NULL;
}

static void lose(struct registrar *r, const struct flow *flow)
{
	struct binding *b;

	while ((b = first_lost(r, flow))) {
		struct registration *reg = b->registration;

		binding_drop(&r->bindings, b);
		registrar_changed(r, reg);
	}
}

/* A registration begins with its user's name, which is not empty; a flow with an empty one. */
struct loss {
	char mark;
	struct flow flow;
};

void registrar_lost(struct registrar *r, const struct flow *flow)
{
	struct loss loss;

	if (!bindings_know(&r->bindings, &flow->peer))
		return;
	memset(&loss, 0, sizeof(loss));
	loss.flow = *flow;
	lose(r, flow);
	/* Where the ring is full the phone is missed a little later, by the first call or OPTIONS. */
	for (int w = 0; w < r->c.workers; w++) {
		if (w != r->c.worker)
			(void)ring_push(r->c.to[w], &loss, sizeof(loss), NULL, 0);
	}
}

static void read_mail(struct registrar *r, const void *record, size_t n)
{
	struct loss loss;

	if (n == sizeof(loss) && *(const char *)record == '\0') {
		memcpy(&loss, record, sizeof(loss));
		lose(r, &loss.flow);
		return;
	}
	(void)registration_unpack(&r->bindings, str_n(record, n));
	atomic_store_explicit(&r->c.stats->contacts, r->bindings.count, memory_order_relaxed);
}

static void on_mail(struct inbox *in, const void *record, size_t n)
{
	read_mail(CONTAINER(in, struct post, in)->r, record, n);
}

void registrar_catch_up(struct registrar *r)
{
	const void *record;
	size_t n;

	for (int w = 0; w < r->c.workers; w++) {
		while (w != r->c.worker && (record = ring_peek(r->c.from[w], &n))) {
			read_mail(r, record, n);
			ring_pop(r->c.from[w]);
		}
	}
}

void registrar_forget(struct registrar *r, struct str user)
{
	struct registration *reg = bindings_find(&r->bindings, user);
	struct list *it, *tmp;

	if (!reg || !registrar_has(r, user))
		return;
	LIST_EACH (it, tmp, &reg->contacts)
		binding_drop(&r->bindings, CONTAINER(it, struct binding, node));
	registrar_changed(r, reg);
}

/* ---- the start ---- */

char *registrar_listener(const struct registrar *r, const struct flow *f)
{
	const struct listen_spec *l = &r->c.listen[f->listener];
	char text[ADDR_TEXT];
	struct buf b = BUF_INIT;

	buf_printf(&b, "%s:%s", proto_name(l->proto), addr_text(&l->addr, text));
	return buf_steal(&b);
}

/* A connection did not outlive the run before; and our listeners may be others. */
static int find_flow(const struct registrar *r, struct binding *b)
{
	struct addr peer = b->flow.peer;
	enum proto proto = (enum proto)b->flow.proto;

	for (int i = 0; i < r->c.listen_count; i++) {
		CLEANUP(free) char *text = NULL;
		struct flow f = { .proto = (uint8_t)proto,
				  .worker = (uint8_t)r->c.worker,
				  .listener = (uint16_t)i,
				  .peer = peer };

		text = registrar_listener(r, &f);
		if (text && strcmp(text, b->local) == 0) {
			b->flow = f;
			return 0;
		}
	}
	return transport_flow(r->c.transport, proto, &peer, &b->flow);
}

int registrar_seed(struct registrar *r, struct str bytes)
{
	int e = registration_unpack(&r->bindings, bytes);
	struct str user = str_head(str_skip(bytes, 1), (unsigned char)bytes.p[0]);
	struct registration *reg = bindings_find(&r->bindings, user);
	struct list *it, *tmp;

	if (e < 0 || !reg)
		return e;
	LIST_EACH (it, tmp, &reg->contacts) {
		struct binding *b = CONTAINER(it, struct binding, node);

		if (find_flow(r, b) < 0)
			binding_drop(&r->bindings, b);
		else if (registrar_has(r, user))
			probe_start(r, b);
	}
	atomic_store_explicit(&r->c.stats->contacts, r->bindings.count, memory_order_relaxed);
	if (registrar_has(r, user))
		wait_for_expiry(r, reg);
	return 0;
}

static void on_drop(void *ctx, struct binding *b)
{
	(void)ctx;
	probe_stop(b);
}

int registrar_create(struct registrar **ret, const struct registrar_config *c)
{
	CLEANUP(registrar_free) struct registrar *r = calloc(1, sizeof(*r));

	if (!r)
		return -ENOMEM;
	r->c = *c;
	r->sender = (struct sender){
		.loop = c->loop, .transport = c->transport, .sip = c->sip, .worker = c->worker
	};
	list_init(&r->owing);
	int e = bindings_init(&r->bindings);

	r->bindings.on_drop = on_drop;
	r->posts = calloc((size_t)c->workers, sizeof(struct post));
	if (!r->posts)
		e = -ENOMEM;
	for (int w = 0; e == 0 && w < c->workers; w++) {
		r->posts[w].r = r;
		if (w != c->worker)
			e = loop_add_inbox(c->loop, &r->posts[w].in, c->from[w], on_mail);
	}
	if (e == 0)
		*ret = TAKE(r);
	return e;
}

struct registrar *registrar_free(struct registrar *r)
{
	if (!r)
		return NULL;
	for (int w = 0; r->posts && w < r->c.workers; w++) {
		if (r->posts[w].in.ring)
			loop_del_inbox(r->c.loop, &r->posts[w].in);
	}
	bindings_done(&r->bindings);
	free(r->posts);
	free(r);
	return NULL;
}

struct bindings *registrar_bindings(struct registrar *r)
{
	return &r->bindings;
}

void registrar_set_probing(struct registrar *r, int64_t period_s)
{
	r->probe_ms = period_s * 1000;
}
