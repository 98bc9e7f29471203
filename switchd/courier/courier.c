#include "courier/courier.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/http.h"
#include "base/log.h"
#include "courier/inner.h"
#include "courier/line.h"
#include "model/json.h"
#include "store/cdr_query.h"
#include "store/records.h"

/*
 * A courier's thread: take orders, deliver what there is, sleep until there is news. A batch is what is sent at once and what may be
 * repeated after a crash; after a failure it waits, twice as long each time.
 */

enum { BATCH = 200, FIRST_WAIT_MS = 500, LONGEST_WAIT_MS = 30000 };

struct couriers {
	struct courier courier[COURIER_COUNT];
};

static const char *const titles[] = { "the record files", "EXTERNAL_SEND_CDR",
				      "SERVER_CDR_REAL_TIME_REPORT_SERVER" };

/* ---- a batch ---- */

static int add_json(struct batch *b, const struct cdr_row *r)
{
	json_t *j = row_to_json(&entities[ENTITY_CDR], r);
	char *text = j ? json_dumps(j, JSON_COMPACT) : NULL;

	json_decref(j);
	if (!text)
		return -ENOMEM;
	buf_putz(&b->content, b->content.n > 0 ? ",\n" : "");
	buf_putz(&b->content, text);
	free(text);
	return 0;
}

static int add_record(void *ctx, const void *row)
{
	struct batch *b = ctx;
	const struct courier *c = b->courier;
	const struct cdr_row *r = row;

	if (r->hidden || (c->wish.is_answered_only && r->answer == FIELD_ABSENT))
		return 0;
	if (c->kind == COURIER_POST)
		return add_json(b, r);
	line_put(r, &b->content);
	return buf_error(&b->content);
}

static int read_numbers(struct courier *c, struct batch *b, int64_t *ids)
{
	CLEANUP(stmt_free) struct stmt *s = NULL;
	int r = stmt_prepare(&s, c->db,
			     "SELECT seq, cdr FROM posting WHERE seq > ?1 ORDER BY seq LIMIT ?2");

	if (r < 0)
		return r;
	stmt_bind_int(s, 1, c->place.seq);
	stmt_bind_int(s, 2, BATCH);
	while ((r = stmt_step(s)) == 1) {
		b->last_seq = stmt_int(s, 0);
		ids[b->numbers++] = stmt_int(s, 1);
	}
	return r;
}

static int read_batch(struct courier *c, struct batch *b)
{
	CLEANUP(buf_done) struct buf dir = BUF_INIT;
	int64_t ids[BATCH];
	int r = read_numbers(c, b, ids);

	buf_printf(&dir, "%s/cdr", c->data_dir);
	if (r < 0 || b->numbers == 0)
		return r;
	return buf_cstr(&dir) ? cdr_fetch(c->db, dir.p, ids, b->numbers, add_record, b) : -ENOMEM;
}

/* ---- the place ---- */

static int ask_number(struct courier *c, const char *sql, int64_t *ret)
{
	CLEANUP(stmt_free) struct stmt *s = NULL;
	int r = stmt_prepare(&s, c->db, sql);

	if (r == 0)
		r = stmt_step(s);
	if (r == 1)
		*ret = stmt_int(s, 0);
	return r < 0 ? r : 0;
}

/* One that is new begins with what is there: the last second's records at most. */
static int find_place(struct courier *c)
{
	int64_t newest = 0;
	int r = place_read(c, &c->place);

	if (r == -ENOENT)
		r = 0;
	if (r == 0)
		r = ask_number(c, "SELECT seq FROM sqlite_sequence WHERE name = 'posting'",
			       &newest);
	if (r < 0)
		return r;
	if (c->place.seq > newest) {
		log_at(LOG_WARNING, NULL,
		       "%s: the ledger is older than what was delivered (restored?): begins anew",
		       titles[c->kind]);
		c->place.seq = 0;
	}
	if (c->kind == COURIER_FILES)
		r = text_resume(c, clock_wall_ms());
	c->has_place = r == 0;
	return r;
}

/* ---- orders ---- */

static bool new_order(struct courier *c, struct wish *ret)
{
	bool is_new;

	(void)pthread_mutex_lock(&c->lock);
	is_new = c->is_changed;
	if (is_new) {
		*ret = c->wanted;
		c->wanted = (struct wish){ .url = BUF_INIT };
		c->is_changed = false;
		c->state.is_on = ret->is_on;
	}
	(void)pthread_mutex_unlock(&c->lock);
	return is_new;
}

static void take_orders(struct courier *c)
{
	struct wish w;

	if (!new_order(c, &w))
		return;
	if (w.interval_s != c->wish.interval_s)
		(void)text_publish(c, clock_wall_ms(), true);
	buf_done(&c->wish.url);
	c->wish = w;
	if (w.is_on) { /* from now on nothing is trimmed that it has not had */
		ledger_delivered(c->ledger, c->kind, c->has_place ? c->place.seq : 0);
		return;
	}
	place_forget(c);
	c->place = (struct place){ 0 };
	c->has_place = false;
	ledger_delivered(c->ledger, c->kind, INT64_MAX);
}

/* ---- the thread ---- */

static void report(struct courier *c, int error, const struct err *err)
{
	const char *why = err->message[0] ? err->message : strerror(-error);
	int64_t newest = 0;
	bool was_failing;

	if (c->db)
		(void)ask_number(c, "SELECT max(seq) FROM posting", &newest);
	(void)pthread_mutex_lock(&c->lock);
	was_failing = c->state.failing[0] != '\0';
	c->state.waiting = newest > c->place.seq ? newest - c->place.seq : 0;
	(void)str_copy(c->state.failing, sizeof(c->state.failing),
		       str_head(str_of(error < 0 ? why : ""), sizeof(c->state.failing) - 1));
	(void)pthread_mutex_unlock(&c->lock);
	if (error < 0 && !was_failing)
		log_at(LOG_WARNING, NULL, "%s: records cannot be delivered and wait: %s",
		       titles[c->kind], why);
	if (error == 0 && was_failing)
		log_at(LOG_NOTICE, NULL, "%s: records are delivered again", titles[c->kind]);
}

/* How many numbers of the posting are done now; 0: there are no more. */
static int deliver_some(struct courier *c, struct err *err)
{
	CLEANUP(buf_done) struct buf content = BUF_INIT;
	struct batch b = { .courier = c };
	int r = c->db ? 0 : records_open_ledger(&c->db, c->data_dir);

	if (r == 0 && !c->has_place)
		r = find_place(c);
	if (r == 0)
		r = read_batch(c, &b);
	content = b.content; /* to be freed */
	if (r < 0 || b.numbers == 0)
		return r;
	if (c->kind == COURIER_FILES) {
		r = text_deliver(c, &b, clock_wall_ms());
	} else {
		struct place next = { .seq = b.last_seq };

		r = send_batch(c, &b, err);
		if (r == 0)
			r = place_write(c, &next);
		if (r == 0)
			c->place = next;
	}
	if (r < 0)
		return r;
	ledger_delivered(c->ledger, c->kind, c->place.seq);
	return b.numbers;
}

/* All there is; how long to sleep then, -1 = until there is news. */
static int work(struct courier *c, int *wait_ms)
{
	struct err err = ERR_INIT;
	int r = 0;

	take_orders(c);
	if (!c->wish.is_on) {
		report(c, 0, &err);
		return -1;
	}
	if (c->kind == COURIER_FILES)
		r = text_publish(c, clock_wall_ms(), false);
	if (r == 0)
		r = deliver_some(c, &err);
	report(c, r, &err);
	if (r > 0)
		return 0;
	if (r == 0) {
		*wait_ms = FIRST_WAIT_MS;
		return c->file >= 0 ? 1000 : -1;
	}
	r = *wait_ms;
	*wait_ms = r * 2 > LONGEST_WAIT_MS ? LONGEST_WAIT_MS : r * 2;
	return r;
}

static void *run(void *courier)
{
	struct courier *c = courier;
	int wait_ms = FIRST_WAIT_MS;

	for (;;) {
		int sleep_ms = work(c, &wait_ms);
		/* After a failure news would only wake it for the next one. */
		bool is_failing = wait_ms != FIRST_WAIT_MS;
		struct pollfd p[3] = { { .fd = c->end, .events = POLLIN },
				       { .fd = c->orders, .events = POLLIN },
				       { .fd = is_failing ? -1 : c->news, .events = POLLIN } };
		eventfd_t n;

		if (poll(p, 3, sleep_ms) < 0 && errno != EINTR)
			return NULL;
		if (p[0].revents)
			return NULL;
		(void)eventfd_read(c->orders, &n);
		(void)eventfd_read(c->news, &n);
	}
}

/* ---- for the main thread ---- */

static int start(struct courier *c, enum courier_kind kind, struct ledger *l, const char *data_dir)
{
	c->kind = kind;
	c->ledger = l;
	c->data_dir = data_dir;
	c->file = -1;
	(void)pthread_mutex_init(&c->lock, NULL);
	c->news = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	c->orders = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	c->end = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (c->news < 0 || c->orders < 0 || c->end < 0)
		return -errno;
	int r = -pthread_create(&c->thread, NULL, run, c);
	if (r < 0)
		return r;
	c->is_running = true;
	ledger_listen(l, (int)kind, c->news);
	return 0;
}

int couriers_create(struct couriers **ret, struct ledger *l, const char *data_dir)
{
	CLEANUP(couriers_free) struct couriers *c = calloc(1, sizeof(*c));
	int r = 0;

	if (!c)
		return -ENOMEM;
	for (int i = 0; i < COURIER_COUNT; i++)
		c->courier[i].news = c->courier[i].orders = c->courier[i].end = c->courier[i].file =
			-1;
	for (int i = 0; r == 0 && i < COURIER_COUNT; i++)
		r = start(&c->courier[i], (enum courier_kind)i, l, data_dir);
	if (r < 0)
		return r;
	*ret = TAKE(c);
	return 0;
}

static void stop(struct courier *c)
{
	if (c->is_running) {
		ledger_listen(c->ledger, (int)c->kind, -1);
		(void)eventfd_write(c->end, 1);
		(void)pthread_join(c->thread, NULL);
		(void)pthread_mutex_destroy(&c->lock);
	}
	if (c->file >= 0)
		(void)close(c->file);
	if (c->news >= 0)
		(void)close(c->news);
	if (c->orders >= 0)
		(void)close(c->orders);
	if (c->end >= 0)
		(void)close(c->end);
	db_close(c->db);
	buf_done(&c->wish.url);
	buf_done(&c->wanted.url);
}

struct couriers *couriers_free(struct couriers *c)
{
	for (int i = 0; c && i < COURIER_COUNT; i++)
		stop(&c->courier[i]);
	free(c);
	return NULL;
}

static int order(struct courier *c, const struct courier_order *o)
{
	struct str url = c->kind == COURIER_POST ? o->post : o->collector;
	struct wish w = { .url = BUF_INIT };

	if (c->kind == COURIER_FILES) {
		w.is_on = o->interval_s > 0;
		w.interval_s = o->interval_s;
		w.keep_files = o->keep_files;
		w.is_answered_only = o->is_answered_only;
	} else {
		w.is_on = url.n > 0;
		buf_put(&w.url, url);
		if (buf_error(&w.url) < 0)
			return -ENOMEM;
	}
	(void)pthread_mutex_lock(&c->lock);
	buf_done(&c->wanted.url);
	c->wanted = w;
	c->is_changed = true;
	(void)pthread_mutex_unlock(&c->lock);
	(void)eventfd_write(c->orders, 1);
	return 0;
}

int couriers_configure(struct couriers *c, const struct courier_order *o)
{
	int r = 0;

	for (int i = 0; r == 0 && i < COURIER_COUNT; i++)
		r = order(&c->courier[i], o);
	return r;
}

int courier_check(struct str url, struct err *err)
{
	struct http_url u;

	return http_url_parse(url, &u, err);
}

void courier_state(struct couriers *c, enum courier_kind k, struct courier_state *ret)
{
	struct courier *x = &c->courier[k];

	(void)pthread_mutex_lock(&x->lock);
	*ret = x->state;
	(void)pthread_mutex_unlock(&x->lock);
}
