#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "ops/inner.h"

/* Requests that somebody else answers: the workers, who own the calls, or the ledger, which books payments. */

struct wait {
	struct list node;
	struct request *request;
	uint32_t ref;
	enum ask_kind kind;
	int expected;   /* workers that have not answered */
	json_t *result; /* what came so far: an array, or the one object */
};

static struct wait *wait_begin(struct ops *o, struct request *r)
{
	struct wait *w = calloc(1, sizeof(*w));

	if (!w)
		return NULL;
	w->request = r;
	w->ref = ++o->next_ref;
	list_add_tail(&o->waiting, &w->node);
	return w;
}

static void wait_end(struct wait *w)
{
	list_del(&w->node);
	json_decref(w->result);
	free(w);
}

static struct wait *find(struct ops *o, uint64_t ref)
{
	struct list *it, *tmp;

	LIST_EACH (it, tmp, &o->waiting) {
		struct wait *w = CONTAINER(it, struct wait, node);

		if (w->ref == ref)
			return w;
	}
	return NULL;
}

/* ---- the ledger ---- */

int wait_for_booking(struct ops *o, struct request *r, uint64_t *ret_ref)
{
	struct wait *w = wait_begin(o, r);

	if (!w)
		return -ENOMEM;
	*ret_ref = w->ref;
	return 0;
}

void waiting_fail(struct ops *o, uint64_t ref, const struct err *err)
{
	struct wait *w = find(o, ref);

	if (!w)
		return;
	request_fail(w->request, err);
	wait_end(w);
}

static void say_why(int error, struct err *err)
{
	switch (error) {
	case -EEXIST:
		(void)err_set(err, ERR_CONFLICT, "request_key", STR(""),
			      "a key of its own for each payment",
			      "this key was used for another payment");
		break;
	case -EALREADY:
		(void)err_set(err, ERR_CONFLICT, "id", STR(""), "a payment that stands",
			      "this payment is taken back already");
		break;
	case -ENODATA:
		(void)err_set(err, ERR_CONFLICT, "kind", STR("reset"), "an account with a balance",
			      "the balance is 0");
		break;
	case -ENOENT:
		(void)err_set(err, ERR_NOT_FOUND, "id", STR(""), "the id of an account",
			      "there is no such account");
		break;
	case -ERANGE:
		(void)err_set(err, ERR_BAD_VALUE, "amount", STR(""), "a smaller amount",
			      "the balance would be too large");
		break;
	default:
		(void)err_set(err, ERR_STORE, "", STR(""),
			      "the same request later; nothing was booked",
			      "the ledger cannot be written: %s", strerror(-error));
		break;
	}
}

static void on_booked(void *ctx, enum booked what, uint64_t ref, int error,
		      const struct payment_row *payment)
{
	struct ops *o = ctx;
	struct wait *w = find(o, ref);
	struct err err = ERR_INIT;

	(void)what;
	if (!w)
		return;
	if (error == 0 && payment) {
		log_at(LOG_INFO, FIELDS(.account = payment->account),
		       "payment %lld booked for account %s", (long long)payment->id,
		       payment->account);
		notice_payment(o, payment);
		request_done(w->request, row_to_json(&entities[ENTITY_PAYMENT], payment));
	} else {
		say_why(error, &err);
		request_fail(w->request, &err);
	}
	wait_end(w);
}

static int on_booking_ready(sd_event_source *s, int fd, uint32_t events, void *ctx)
{
	struct ops *o = ctx;

	(void)s;
	(void)fd;
	(void)events;
	booking_read(ledger_desk(o->hub->ledger, o->hub->workers));
	return 0;
}

/* ---- the workers ---- */

static bool is_list(enum ask_kind kind)
{
	return kind == ASK_LIST || kind == ASK_REGISTRATIONS || kind == ASK_KNOCKS;
}

static int ask(struct ops *o, struct request *r, const struct ask *what, int workers,
	       struct err *err)
{
	struct wait *w = wait_begin(o, r);
	struct ask a = *what;

	if (!w)
		return -ENOMEM;
	a.ref = w->ref;
	w->kind = a.kind;
	w->result = is_list(a.kind) ? json_array() : NULL;
	(void)str_copy(a.actor, sizeof(a.actor), str_head(str_of(r->actor), sizeof(a.actor) - 1));
	for (int i = 0; i < workers; i++) {
		if (!ring_push(o->c.asks[i], &a, sizeof(a), NULL, 0))
			continue;
		ring_flush(o->c.asks[i]);
		w->expected++;
	}
	if (w->expected > 0)
		return OP_LATER;
	wait_end(w);
	return err_set(err, ERR_INTERNAL, "", STR(""), "try again",
		       "the workers have too much to do");
}

int ask_workers(struct ops *o, struct request *r, enum ask_kind kind, int64_t call_id,
		struct err *err)
{
	return ask(o, r, &(struct ask){ .kind = kind, .call_id = call_id }, o->hub->workers, err);
}

int ask_one_worker(struct ops *o, struct request *r, const struct ask *a, struct err *err)
{
	return ask(o, r, a, 1, err);
}

static void collect(struct wait *w, const char *text)
{
	json_t *j = text && text[0] ? json_loads(text, JSON_DECODE_ANY, NULL) : NULL;

	if (!j)
		return;
	if (is_list(w->kind)) {
		(void)json_array_extend(w->result, j);
		json_decref(j);
	} else {
		json_decref(w->result);
		w->result = j;
	}
}

/* Newest first, as records are listed. */
static int by_id_down(const void *a, const void *b)
{
	json_t *const *x = a, *const *y = b;

	return strcmp(json_string_value(json_object_get(*y, "id")),
		      json_string_value(json_object_get(*x, "id")));
}

static const char *text_of(const json_t *row, const char *name)
{
	const char *text = json_string_value(json_object_get(row, name));

	return text ? text : "";
}

static int by_name(const void *a, const void *b)
{
	json_t *const *x = a, *const *y = b;
	static const char *const fields[] = { "kind", "name", "address", "contact" };
	int r = 0;

	for (size_t i = 0; r == 0 && i < sizeof(fields) / sizeof(fields[0]); i++)
		r = strcmp(text_of(*x, fields[i]), text_of(*y, fields[i]));
	return r;
}

/* Who was heard last comes first. */
static int by_last_down(const void *a, const void *b)
{
	json_t *const *x = a, *const *y = b;
	int r = strcmp(text_of(*y, "last"), text_of(*x, "last"));

	return r ? r : strcmp(text_of(*x, "address"), text_of(*y, "address"));
}

typedef int order_fn(const void *a, const void *b);

static order_fn *order_of(enum ask_kind kind)
{
	return kind == ASK_LIST ? by_id_down : kind == ASK_KNOCKS ? by_last_down : by_name;
}

static json_t *sorted(json_t *list, int64_t limit, order_fn *order)
{
	size_t n = json_array_size(list);
	json_t **item = calloc(n ? n : 1, sizeof(*item));
	json_t *out = json_array();

	for (size_t i = 0; item && i < n; i++)
		item[i] = json_array_get(list, i);
	if (item)
		qsort(item, n, sizeof(*item), order);
	for (size_t i = 0; item && i < n && (int64_t)i < limit; i++)
		(void)json_array_append(out, item[i]);
	free(item);
	return out;
}

static bool is_test(enum ask_kind kind)
{
	return kind == ASK_TEST_GATEWAY || kind == ASK_TEST_ADDRESS || kind == ASK_TEST_CALL;
}

static void answer_test(struct wait *w)
{
	const char *why = json_string_value(json_object_get(w->result, "error"));
	struct err err = ERR_INIT;

	if (w->result && !why) {
		request_done(w->request, json_incref(w->result));
		return;
	}
	(void)err_set(&err, ERR_CONFLICT, "", STR(""), "the same later, or another gateway",
		      "the test could not begin: %s", why ? why : "memory is short");
	request_fail(w->request, &err);
}

static void answer(struct wait *w)
{
	struct err err = ERR_INIT;

	if (is_test(w->kind)) {
		answer_test(w);
	} else if (is_list(w->kind)) {
		int64_t limit;

		if (arg_int(w->request, "limit", 1, 1000000, 100, &limit, &err) < 0)
			request_fail(w->request, &err);
		else
			request_done(w->request, sorted(w->result, limit, order_of(w->kind)));
	} else if (w->result) {
		request_done(w->request, w->kind == ASK_HANGUP ? json_pack("{s:b}", "ended", 1)
							       : json_incref(w->result));
	} else {
		(void)err_set(&err, ERR_NOT_FOUND, "id", STR(""), "an id that `call list` shows",
			      "there is no such call in progress");
		request_fail(w->request, &err);
	}
}

static void on_answer(struct ops *o, const struct ask_answer *a)
{
	struct wait *w = find(o, a->ref);

	if (w) {
		collect(w, a->text);
		if (--w->expected == 0) {
			if (w->kind == ASK_REGISTRATIONS)
				registrations_join(o, w->request, w->result);
			if (w->kind == ASK_KNOCKS)
				knocks_join(o, w->result);
			if (w->kind == ASK_LIST)
				calls_choose(w->request, w->result);
			answer(w);
			wait_end(w);
		}
	}
	free(a->text);
}

static int on_answers_ready(sd_event_source *s, int fd, uint32_t events, void *ctx)
{
	struct ops *o = ctx;
	struct ask_answer a;
	const void *record;
	size_t n;

	(void)s;
	(void)events;
	for (int i = 0; i < o->hub->workers; i++) {
		struct ring *ring = o->c.answers[i];

		if (ring_fd(ring) != fd)
			continue;
		ring_awake(ring);
		do {
			while ((record = ring_peek(ring, &n))) {
				memcpy(&a, record, sizeof(a));
				ring_pop(ring);
				on_answer(o, &a);
			}
		} while (!ring_sleep(ring));
	}
	return 0;
}

int waiting_start(struct ops *o)
{
	struct booking *desk = ledger_desk(o->hub->ledger, o->hub->workers);
	int r = booking_attach(desk, NULL, on_booked, o);

	if (r == 0)
		r = sd_event_add_io(o->c.event, &o->booked, booking_fd(desk), EPOLLIN,
				    on_booking_ready, o);
	o->answers = calloc((size_t)o->hub->workers, sizeof(sd_event_source *));
	if (!o->answers)
		return -ENOMEM;
	for (int i = 0; r >= 0 && i < o->hub->workers; i++) {
		(void)ring_sleep(o->c.answers[i]);
		r = sd_event_add_io(o->c.event, &o->answers[i], ring_fd(o->c.answers[i]), EPOLLIN,
				    on_answers_ready, o);
	}
	return r < 0 ? r : 0;
}

void waiting_stop(struct ops *o)
{
	struct err err = ERR_INIT;

	(void)err_set(&err, ERR_INTERNAL, "", STR(""), "the same after the restart",
		      "switchd is stopping");
	while (!list_is_empty(&o->waiting)) {
		struct wait *w = CONTAINER(o->waiting.next, struct wait, node);

		request_fail(w->request, &err);
		wait_end(w);
	}
	sd_event_source_unref(o->booked);
	for (int i = 0; o->answers && i < o->hub->workers; i++)
		sd_event_source_unref(o->answers[i]);
	free(o->answers);
	o->booked = NULL;
	o->answers = NULL;
}
