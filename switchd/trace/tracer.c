#include "trace/tracer.h"

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/loop.h"
#include "model/json.h"
#include "trace/hep.h"
#include "trace/pcap.h"

/* A tap's ring: some 5,000 messages. A page of a file. */
enum { TAP_BYTES = 4 << 20, START_BYTES = 40 << 20, PAGE_BYTES = 4 << 20 };
enum { NAP_NS = 10 * 1000 * 1000, MANY = 64 };

struct intake {
	struct inbox inbox;
	struct tap tap;
	struct tracer *tracer;
};

struct tracer {
	_Atomic bool is_on;
	struct loop loop;
	pthread_t thread;
	bool is_started;
	int found;            /* records in this turn */
	pthread_mutex_t lock; /* of all that follows */
	struct store store;
	struct hep hep;
	ms_t since_ms, until_ms, ended_ms;
	int workers;
	struct intake intake[];
};

/* ---- the thread ---- */

static void on_record(struct inbox *in, const void *record, size_t n)
{
	struct tracer *t = CONTAINER(in, struct intake, inbox)->tracer;
	struct tap_message m;
	struct tap_note note;
	uint32_t kind;

	t->found++;
	memcpy(&kind, record, sizeof(kind));
	(void)pthread_mutex_lock(&t->lock);
	if (kind == TAP_NOTE) {
		memcpy(&note, record, sizeof(note));
		store_note(&t->store, &note, str_skip(str_n(record, n), sizeof(note)));
	} else {
		struct str raw = str_skip(str_n(record, n), sizeof(m));

		memcpy(&m, record, sizeof(m));
		const struct trace_call *c = store_message(&t->store, &m, raw);
		if (m.who != TAP_REFUSED)
			hep_put(&t->hep, c, &m, raw);
	}
	(void)pthread_mutex_unlock(&t->lock);
}

/* While we nap the workers need not wake us, and we find more at once: that is most of what a trace costs. */
static void nap(void)
{
	(void)clock_nanosleep(CLOCK_MONOTONIC, 0, &(struct timespec){ .tv_nsec = NAP_NS }, NULL);
}

static void on_turn(struct loop *l, void *ctx)
{
	struct tracer *t = ctx;

	(void)l;
	(void)pthread_mutex_lock(&t->lock);
	hep_flush(&t->hep);
	(void)pthread_mutex_unlock(&t->lock);
	if (t->found > 0 && t->found < MANY)
		nap();
	t->found = 0;
}

static void *run(void *tracer)
{
	struct tracer *t = tracer;

	(void)loop_run(&t->loop);
	return NULL;
}

/* ---- begin and end ---- */

static int open_taps(struct tracer *t)
{
	int r = loop_init(&t->loop);

	for (int i = 0; r == 0 && i < t->workers; i++) {
		struct intake *in = &t->intake[i];

		in->tracer = t;
		in->tap.is_on = &t->is_on;
		r = ring_create(&in->tap.ring, TAP_BYTES);
		if (r == 0)
			r = loop_add_inbox(&t->loop, &in->inbox, in->tap.ring, on_record);
	}
	return r;
}

int tracer_create(struct tracer **ret, int workers)
{
	CLEANUP(tracer_free)
	struct tracer *t = calloc(1, sizeof(*t) + (size_t)workers * sizeof(t->intake[0]));

	if (!t)
		return -ENOMEM;
	t->workers = workers;
	t->loop.epoll_fd = t->loop.stop_fd = -1;
	hep_init(&t->hep);
	(void)pthread_mutex_init(&t->lock, NULL);

	int r = store_init(&t->store, START_BYTES);
	if (r == 0)
		r = open_taps(t);
	if (r < 0)
		return r;
	t->loop.on_turn = on_turn;
	t->loop.ctx = t;
	*ret = TAKE(t);
	return 0;
}

int tracer_start(struct tracer *t)
{
	int r = pthread_create(&t->thread, NULL, run, t);

	t->is_started = r == 0;
	return -r;
}

struct tracer *tracer_free(struct tracer *t)
{
	if (!t)
		return NULL;
	if (t->is_started) {
		loop_stop(&t->loop);
		(void)pthread_join(t->thread, NULL);
	}
	for (int i = 0; i < t->workers; i++)
		(void)ring_free(t->intake[i].tap.ring);
	if (t->loop.epoll_fd >= 0)
		loop_done(&t->loop);
	store_done(&t->store);
	hep_done(&t->hep);
	(void)pthread_mutex_destroy(&t->lock);
	free(t);
	return NULL;
}

struct tap *tracer_tap(struct tracer *t, int worker)
{
	return &t->intake[worker].tap;
}

/* ---- what the main thread asks ---- */

/* Called with the lock. */
static void open_or_shut(struct tracer *t)
{
	atomic_store(&t->is_on, t->store.is_running || t->hep.fd >= 0);
}

int tracer_configure(struct tracer *t, size_t bytes, const struct addr *hep)
{
	int r = 0;

	(void)pthread_mutex_lock(&t->lock);
	store_limit(&t->store, bytes);
	if (hep ? !addr_eq(hep, &t->hep.to) || t->hep.fd < 0 : t->hep.fd >= 0)
		r = hep_open(&t->hep, hep);
	open_or_shut(t);
	(void)pthread_mutex_unlock(&t->lock);
	return r;
}

void tracer_begin(struct tracer *t, const struct trace_filter *f, ms_t wall_ms, ms_t until_ms)
{
	(void)pthread_mutex_lock(&t->lock);
	store_start(&t->store, f);
	t->since_ms = wall_ms;
	t->until_ms = until_ms;
	t->ended_ms = 0;
	open_or_shut(t);
	(void)pthread_mutex_unlock(&t->lock);
}

/* Called with the lock. */
static void end(struct tracer *t)
{
	if (t->store.is_running)
		t->ended_ms = clock_wall_ms();
	t->store.is_running = false;
	t->until_ms = 0;
	open_or_shut(t);
}

void tracer_end(struct tracer *t)
{
	(void)pthread_mutex_lock(&t->lock);
	end(t);
	(void)pthread_mutex_unlock(&t->lock);
}

void tracer_look(struct tracer *t, ms_t wall_ms)
{
	(void)pthread_mutex_lock(&t->lock);
	if (t->until_ms && wall_ms >= t->until_ms)
		end(t);
	(void)pthread_mutex_unlock(&t->lock);
}

/* ---- in JSON ---- */

static json_t *text_or_null(const char *text)
{
	return text[0] ? json_of_text(str_of(text)) : json_null();
}

static json_t *time_or_null(ms_t wall_ms)
{
	char text[CLOCK_TEXT];

	return wall_ms ? json_string(clock_text(wall_ms, text)) : json_null();
}

static json_t *filter_json(const struct trace_filter *f)
{
	CLEANUP(buf_done) struct buf net = BUF_INIT;
	char text[ADDR_TEXT];

	if (f->wanted & MET_ADDRESS)
		buf_printf(&net, "%s/%u", addr_host_text(&f->net.net, text), f->net.bits);
	if ((f->wanted & MET_ADDRESS) && addr_port(&f->net.net))
		buf_printf(&net, ":%u", addr_port(&f->net.net));
	const char *address = net.n ? buf_cstr(&net) : "";

	return json_pack("{s:o s:o s:o s:o}", "address", text_or_null(address ? address : ""),
			 "number", text_or_null(f->number), "gateway", text_or_null(f->gateway),
			 "call_id", text_or_null(f->call_id));
}

static json_t *hep_json(const struct hep *h)
{
	char text[ADDR_TEXT];

	return json_pack("{s:o s:I s:I}", "address",
			 h->fd >= 0 ? json_string(addr_text(&h->to, text)) : json_null(), "sent",
			 (json_int_t)atomic_load(&h->sent), "dropped",
			 (json_int_t)atomic_load(&h->dropped));
}

json_t *tracer_state(struct tracer *t)
{
	uint64_t missed = 0;

	for (int i = 0; i < t->workers; i++)
		missed += atomic_load_explicit(&t->intake[i].tap.dropped, memory_order_relaxed);
	(void)pthread_mutex_lock(&t->lock);
	json_t *j = json_pack(
		"{s:b s:o s:o s:o s:o s:I s:I s:I s:I s:I s:o}", "running", t->store.is_running,
		"since", time_or_null(t->since_ms), "until", time_or_null(t->until_ms), "ended",
		time_or_null(t->ended_ms), "filter", filter_json(&t->store.filter), "messages",
		(json_int_t)t->store.messages, "pushed_out", (json_int_t)t->store.lost, "missed",
		(json_int_t)missed, "bytes",
		(json_int_t)t->store.bytes[0] + (json_int_t)t->store.bytes[1], "limit_bytes",
		(json_int_t)t->store.limit, "capture_server", hep_json(&t->hep));
	(void)pthread_mutex_unlock(&t->lock);
	return j;
}

/* The first message of a leg that is kept. */
static const struct traced *first_of(const struct trace_leg *l)
{
	struct list *it, *tmp;

	LIST_EACH (it, tmp, &l->messages)
		if (CONTAINER(it, struct traced, of_leg)->is_kept)
			return CONTAINER(it, struct traced, of_leg);
	return NULL;
}

/* "INVITE" or "200 OK": what was said last on the caller's side. */
static json_t *last_word(const struct trace_leg *l)
{
	CLEANUP(buf_done) struct buf name = BUF_INIT;
	const struct traced *t;

	if (list_is_empty(&l->messages))
		return json_null();
	t = CONTAINER(l->messages.prev, struct traced, of_leg);
	ladder_put_name(&name, str_n(t->bytes, t->n));
	return json_of_text(buf_str(&name));
}

static json_t *call_json(const struct trace_call *c)
{
	const struct trace_leg *first = call_first_leg(c), *last = NULL;
	const struct traced *begin = NULL;
	char id[20] = "", peer[ADDR_TEXT];
	struct list *it, *tmp;

	LIST_EACH (it, tmp, &c->legs) {
		const struct trace_leg *l = CONTAINER(it, struct trace_leg, of_call);
		const struct traced *t = first_of(l);

		if (t && (!begin || t->number < begin->number))
			begin = t;
		if (l->is_vendor && (!last || l->attempt > last->attempt))
			last = l;
	}
	if (!begin)
		return NULL;
	if (c->id)
		(void)snprintf(id, sizeof(id), "%016" PRIx64, (uint64_t)c->id);
	return json_pack("{s:o s:o s:o s:o s:o s:o s:s s:I s:o s:o}", "id", text_or_null(id),
			 "start", time_or_null(begin->wall_us / 1000), "caller",
			 text_or_null(c->caller), "callee", text_or_null(c->callee),
			 "mapping_gateway", text_or_null(first->is_vendor ? "" : first->gateway),
			 "routing_gateway", text_or_null(last ? last->gateway : ""), "peer",
			 addr_text(&begin->peer, peer), "messages", (json_int_t)c->messages, "last",
			 last_word(first), "call_id", text_or_null(first->call_id));
}

json_t *tracer_list(struct tracer *t, size_t limit)
{
	json_t *all = json_array();
	struct list *it;

	(void)pthread_mutex_lock(&t->lock);
	for (it = t->store.recent[1].prev;
	     all && it != &t->store.recent[1] && json_array_size(all) < limit; it = it->prev) {
		const struct trace_call *c = CONTAINER(it, struct trace_call, recent);
		json_t *row = c->messages ? call_json(c) : NULL;

		if (row)
			(void)json_array_append_new(all, row);
	}
	(void)pthread_mutex_unlock(&t->lock);
	return all;
}

/* ---- the messages ---- */

/* Called with the lock. */
static int collect(struct tracer *t, struct str key, const struct trace_call **ret_call,
		   const struct traced ***ret, size_t *ret_n)
{
	*ret_call = key.n ? store_find(&t->store, key) : NULL;
	return key.n && !*ret_call ? -ENOENT : store_collect(&t->store, *ret_call, ret, ret_n);
}

int tracer_show(struct tracer *t, struct str key, const struct ladder_options *o, struct buf *out)
{
	CLEANUP(free) const struct traced **m = NULL;
	const struct trace_call *c;
	size_t n = 0;

	(void)pthread_mutex_lock(&t->lock);
	int r = collect(t, key, &c, &m, &n);
	if (r == 0 && c)
		ladder_put(out, c, m, n, o);
	(void)pthread_mutex_unlock(&t->lock);
	return r ? r : buf_error(out);
}

static void put_page(struct pcap *p, const struct traced **m, size_t n, uint64_t from,
		     uint64_t *ret_next)
{
	if (from == 0)
		pcap_put_head(p);
	for (size_t i = 0; i < n; i++) {
		bool is_before = (uint64_t)m[i]->wall_us < from;

		/* Never between two of the same microsecond: the next page begins by time. */
		if (p->out->n >= PAGE_BYTES && m[i]->wall_us != m[i - 1]->wall_us) {
			*ret_next = (uint64_t)m[i]->wall_us;
			return;
		}
		pcap_put(p, m[i], is_before);
	}
	*ret_next = 0;
}

int tracer_export(struct tracer *t, struct str key, bool with_secrets, uint64_t from,
		  struct buf *out, uint64_t *ret_next)
{
	CLEANUP(free) const struct traced **m = NULL;
	const struct trace_call *c;
	struct pcap p;
	size_t n = 0;

	(void)pthread_mutex_lock(&t->lock);
	int r = pcap_init(&p, out, with_secrets);
	if (r == 0)
		r = collect(t, key, &c, &m, &n);
	if (r == 0)
		put_page(&p, m, n, from, ret_next);
	pcap_done(&p);
	(void)pthread_mutex_unlock(&t->lock);
	return r ? r : buf_error(out);
}
