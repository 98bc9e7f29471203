#include "ledger/ledger.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "ledger/inner.h"
#include "store/migrate.h"
#include "store/rollup.h"

/* A locked file (a backup, somebody's shell) is waited for this long within a commit, then tried again. */
enum { BUSY_MS = 100 };

static int count_rows(struct ledger *l, const char *sql, uint64_t *ret)
{
	CLEANUP(stmt_free) struct stmt *s = NULL;
	int r = stmt_prepare(&s, l->db, sql);

	if (r == 0)
		r = stmt_step(s);
	if (r < 0)
		return r;
	*ret = r == 1 ? (uint64_t)stmt_int(s, 0) : 0;
	return 0;
}

static int open_file(struct ledger *l, struct err *err)
{
	CLEANUP(buf_done) struct buf path = BUF_INIT;

	buf_printf(&path, "%s/cdr", l->dir);
	const char *text = buf_cstr(&path);
	if (!text)
		return -ENOMEM;
	if (mkdir(text, 0750) < 0 && errno != EEXIST)
		return err_set(err, ERR_STORE, "data", str_of(text),
			       "a directory that switchd may write in", "cannot make it: %s",
			       strerror(errno));

	buf_clear(&path);
	buf_printf(&path, "%s/ledger.db", l->dir);
	text = buf_cstr(&path);
	int r = text ? db_open(&l->db, text, DB_WRITE, BUSY_MS) : -ENOMEM;
	if (r < 0)
		return err_set(err, ERR_STORE, "data", str_of(text),
			       "a readable and writable ledger", "cannot open it: %s",
			       strerror(-r));
	r = migrate_ledger(l->db, err);
	if (r < 0)
		return r;
	buf_clear(&path);
	buf_printf(&path, "%s/cdr", l->dir);
	text = buf_cstr(&path);
	r = text ? rollup_adopt(l->db, text) : -ENOMEM;
	if (r < 0)
		return r;
	return sql_prepare(&l->sql, l->db);
}

static int make_desks(struct ledger *l, size_t ring_bytes)
{
	l->desk = calloc((size_t)l->desks, sizeof(*l->desk));
	if (!l->desk)
		return -ENOMEM;
	for (int i = 0; i < l->desks; i++) {
		l->desk[i].ledger = l;
		int r = ring_create(&l->desk[i].to, ring_bytes);
		if (r == 0)
			r = ring_create(&l->desk[i].from, ring_bytes);
		if (r < 0)
			return r;
	}
	return 0;
}

int ledger_open(struct ledger **ret, const char *data_dir, int desks, size_t ring_bytes,
		struct err *err)
{
	CLEANUP(ledger_free) struct ledger *l = calloc(1, sizeof(*l));
	uint64_t outbox = 0;

	if (!l)
		return -ENOMEM;
	list_init(&l->accounts);
	list_init(&l->touched);
	l->loop.epoll_fd = -1;
	l->desks = desks;
	for (int i = 0; i < LEDGER_COURIERS; i++)
		atomic_store(&l->news[i], -1);
	l->dir = strdup(data_dir);
	(void)pthread_mutex_init(&l->lock, NULL);
	(void)pthread_mutex_init(&l->moving, NULL);
	int r = l->dir ? htab_init(&l->table, 256) : -ENOMEM;
	if (r == 0)
		r = htab_init(&l->bundles, 256);
	if (r == 0)
		r = open_file(l, err);
	if (r == 0)
		r = accounts_load(l);
	if (r == 0)
		r = recover(l, err);
	if (r == 0)
		r = bundles_load(l);
	if (r == 0)
		r = count_rows(l, "SELECT count(*) FROM outbox", &outbox);
	if (r == 0)
		r = make_desks(l, ring_bytes);
	if (r < 0) {
		(void)err_set(err, ERR_STORE, "data", str_of(data_dir), "a ledger that is whole",
			      "%s", l->db ? db_error(l->db) : strerror(-r));
		return r;
	}
	atomic_store(&l->outbox, outbox);
	atomic_store(&l->is_up, true);
	*ret = TAKE(l);
	return 0;
}

int ledger_start(struct ledger *l)
{
	int r = commit_begin(l);

	if (r == 0)
		r = -pthread_create(&l->thread, NULL, commit_run, l);
	l->is_running = r == 0;
	return r;
}

static void drop_receipts(struct booking *b)
{
	const void *record;
	struct receipt r;
	size_t n;

	while (b->from && (record = ring_peek(b->from, &n))) {
		memcpy(&r, record, sizeof(r));
		row_free(&entities[ENTITY_PAYMENT], r.payment);
		ring_pop(b->from);
	}
}

struct ledger *ledger_free(struct ledger *l)
{
	if (!l)
		return NULL;
	if (l->is_running) {
		loop_stop(&l->loop);
		(void)pthread_join(l->thread, NULL);
		commit_end(l);
	}
	for (int i = 0; l->desk && i < l->desks; i++) {
		drop_receipts(&l->desk[i]);
		ring_free(l->desk[i].to);
		ring_free(l->desk[i].from);
	}
	free(l->desk);
	for (size_t i = 0; i < l->orphans; i++)
		free(l->orphan[i].legs);
	free(l->orphan);
	accounts_free(l);
	bundles_free(l);
	sql_free(&l->sql);
	db_close(l->db);
	(void)pthread_mutex_destroy(&l->lock);
	(void)pthread_mutex_destroy(&l->moving);
	free(l->dir);
	free(l);
	return NULL;
}

void ledger_hold(struct ledger *l)
{
	(void)pthread_mutex_lock(&l->moving);
}

void ledger_release(struct ledger *l)
{
	(void)pthread_mutex_unlock(&l->moving);
}

bool ledger_is_up(const struct ledger *l)
{
	return atomic_load_explicit(&l->is_up, memory_order_relaxed);
}

void ledger_set_room(struct ledger *l, enum ledger_room room)
{
	atomic_store_explicit(&l->room, room, memory_order_relaxed);
}

bool ledger_is_tight(const struct ledger *l)
{
	return atomic_load_explicit(&l->room, memory_order_relaxed) != LEDGER_ROOM;
}

bool ledger_is_low(const struct ledger *l)
{
	return atomic_load_explicit(&l->room, memory_order_relaxed) == LEDGER_LOW;
}

void ledger_stats(struct ledger *l, struct ledger_stats *ret)
{
	ret->commits = atomic_load(&l->commits);
	ret->booked = atomic_load(&l->booked);
	ret->failed_commits = atomic_load(&l->failed);
	ret->outbox = atomic_load(&l->outbox);
	ret->waiting = atomic_load(&l->waiting);
	(void)pthread_mutex_lock(&l->lock);
	memcpy(ret->error, l->error, sizeof(ret->error));
	ret->code = l->code;
	(void)pthread_mutex_unlock(&l->lock);
}

size_t ledger_orphans(struct ledger *l, struct orphan **ret)
{
	size_t n = l->orphans;

	*ret = l->orphan;
	l->orphan = NULL;
	l->orphans = 0;
	return n;
}
