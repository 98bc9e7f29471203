#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "ledger/inner.h"

/*
 * The ledger thread: group commit.
 *
 *	desks' rings → item[] → one transaction → fsync → balances visible → receipts
 *
 * A loop turn takes everything that is queued and books it in one transaction; whatever comes while that is being written is
 * the next turn's. Nothing waits by the clock, and under load the groups grow by themselves. If the file cannot be written, the items stay where
 * they are and are tried again: an end is never dropped. What may not wait is told so: answers whose deadline passed, and payments.
 */

enum { RETRY_MS = 200 };

static void on_mail(struct inbox *in, const void *record, size_t n)
{
	static const enum booked what[] = { [MAIL_ANSWER] = BOOKED_ANSWER,
					    [MAIL_END] = BOOKED_END,
					    [MAIL_PAYMENT] = BOOKED_PAYMENT,
					    [MAIL_RERATE] = BOOKED_RERATE };
	struct booking *b = CONTAINER(in, struct booking, in);
	struct ledger *l = b->ledger;
	struct item *it;

	(void)n;
	if (l->items == l->item_room) {
		size_t room = l->item_room ? l->item_room * 2 : 256;
		struct item *more = reallocarray(l->item, room, sizeof(*more));

		/* Without memory the promise cannot be kept by going on: the journal can (design.md §4). */
		assert(more);
		l->item = more;
		l->item_room = room;
	}
	it = &l->item[l->items++];
	*it = (struct item){ .desk = b };
	memcpy(&it->mail, record, sizeof(it->mail));
	it->is_told = it->mail.ref != 0 || it->mail.kind == MAIL_PAYMENT;
	if (it->is_told)
		it->receipt = (struct receipt){ .what = what[it->mail.kind], .ref = it->mail.ref };
}

int beat(struct ledger *l, ms_t now_mono)
{
	struct stmt *s = l->sql.beat;

	stmt_bind_int(s, 1, now_mono);
	stmt_bind_int(s, 2, clock_wall_ms());
	return stmt_run(s);
}

/* Errors of the entry itself, which no later try would mend. One bad entry must not keep all others from being booked. */
static bool is_poisonous(int error)
{
	return error == -EEXIST || error == -EDOM || error == -EINVAL || error == -ERANGE;
}

static int write_item(struct ledger *l, struct item *it)
{
	it->is_refused = false;
	it->receipt.error = 0;

	int r = book_item(l, it);
	if (!is_poisonous(r))
		return r;
	log_at(LOG_CRIT, FIELDS(.account = it->mail.cdr ? it->mail.cdr->account : NULL),
	       "entry %lld is refused by the ledger's file and left out: %s",
	       (long long)it->mail.id, db_error(l->db));
	it->is_poison = true;
	return -EAGAIN; /* all of the transaction again, without it */
}

static int write_all(struct ledger *l, ms_t now)
{
	int r = db_begin(l->db);

	if (r < 0)
		return r;
	for (size_t i = 0; r == 0 && i < l->items; i++) {
		if (l->item[i].is_poison)
			l->item[i].receipt.error = -EINVAL;
		else
			r = write_item(l, &l->item[i]);
	}
	if (r == 0)
		r = accounts_write(l);
	if (r == 0 && now - l->beat_ms >= SECOND_MS)
		r = beat(l, now);
	if (r == 0)
		r = db_commit(l->db);
	if (r < 0)
		db_rollback(l->db);
	return r;
}

/* Everyone hears what became of his mail; a payment's row goes back with the receipt. */
static void tell(struct ledger *l)
{
	for (size_t i = 0; i < l->items; i++) {
		struct item *it = &l->item[i];

		if (it->mail.kind == MAIL_RENT)
			rent_booked(l, it);
		if (it->is_told) {
			it->receipt.payment = it->mail.payment;
			it->mail.payment = NULL;
			if (!ring_push(it->desk->from, &it->receipt, sizeof(it->receipt), NULL, 0))
				row_free(&entities[ENTITY_PAYMENT], it->receipt.payment);
		}
		mail_done(&it->mail);
	}
	atomic_fetch_sub(&l->waiting, (uint32_t)l->items);
	l->items = 0;
	for (int i = 0; i < l->desks; i++)
		ring_flush(l->desk[i].from);
}

/* The file cannot be written: items stay, but for payments, what is rated again, and answers that are too late, which are refused now. */
static void refuse_the_impatient(struct ledger *l, int error)
{
	ms_t now = clock_mono_ms();
	size_t kept = 0;

	for (size_t i = 0; i < l->items; i++) {
		struct item *it = &l->item[i];
		bool is_payment = it->mail.kind == MAIL_PAYMENT || it->mail.kind == MAIL_RERATE;

		if (!is_payment && !(it->mail.kind == MAIL_ANSWER && now > it->mail.deadline)) {
			l->item[kept++] = *it;
			continue;
		}
		it->receipt.error = is_payment ? error : -ETIMEDOUT;
		it->receipt.payment = TAKE(it->mail.payment);
		if (!ring_push(it->desk->from, &it->receipt, sizeof(it->receipt), NULL, 0))
			row_free(&entities[ENTITY_PAYMENT], it->receipt.payment);
		ring_flush(it->desk->from);
		mail_done(&it->mail);
	}
	atomic_fetch_sub(&l->waiting, (uint32_t)(l->items - kept));
	l->items = kept;
}

static void went_down(struct ledger *l, int error)
{
	bool was_up = atomic_exchange(&l->is_up, false);

	atomic_fetch_add(&l->failed, 1);
	(void)pthread_mutex_lock(&l->lock);
	l->code = db_code(l->db);
	(void)snprintf(l->error, sizeof(l->error), "%s (error %d: %s)", strerror(-error), l->code,
		       db_error(l->db));
	(void)pthread_mutex_unlock(&l->lock);
	if (was_up)
		log_at(LOG_ERR, NULL, "the ledger cannot be written: %s; new calls are refused",
		       l->error);
	timer_start(&l->loop.wheel, &l->retry, l->loop.now_ms + RETRY_MS);
}

static void came_up(struct ledger *l)
{
	if (atomic_exchange(&l->is_up, true))
		return;
	(void)pthread_mutex_lock(&l->lock);
	l->error[0] = '\0';
	l->code = 0;
	(void)pthread_mutex_unlock(&l->lock);
	log_at(LOG_NOTICE, NULL, "the ledger can be written again");
}

static void commit(struct ledger *l)
{
	ms_t now = clock_mono_ms();
	uint64_t outbox = atomic_load(&l->outbox);
	size_t n = l->items;
	int r;

	while ((r = write_all(l, now)) < 0) {
		atomic_store(&l->outbox, outbox);
		accounts_forget(l);
		if (r == -EAGAIN)
			continue;
		refuse_the_impatient(l, r);
		went_down(l, r);
		return;
	}
	if (now - l->beat_ms >= SECOND_MS)
		l->beat_ms = now;
	accounts_publish(l);
	if (atomic_load(&l->outbox) != outbox)
		posting_tell(l);
	atomic_fetch_add(&l->commits, 1);
	atomic_fetch_add(&l->booked, n);
	tell(l);
	came_up(l);
}

static void on_turn(struct loop *loop, void *ctx)
{
	struct ledger *l = ctx;

	(void)loop;
	if (l->items > 0 && !timer_is_running(&l->retry))
		commit(l);
}

static void on_retry(struct timer *t, int64_t now_ms)
{
	(void)now_ms;
	commit(CONTAINER(t, struct ledger, retry));
}

/* Once a second: the proof of life, and closed records to their month files. */
static void on_second(struct timer *t, int64_t now_ms)
{
	struct ledger *l = CONTAINER(t, struct ledger, second);

	timer_start(&l->loop.wheel, t, now_ms + SECOND_MS);
	if (timer_is_running(&l->retry))
		return;
	if (clock_mono_ms() - l->beat_ms >= SECOND_MS)
		commit(l);
	if (atomic_load(&l->is_up) && atomic_load(&l->outbox) > 0) {
		int r = move_outbox(l);

		if (r == 0)
			r = posting_trim(l);
		if (r < 0)
			log_at(LOG_ERR, NULL, "records cannot be moved to their month file: %s",
			       strerror(-r));
	}
}

int commit_begin(struct ledger *l)
{
	int r = loop_init(&l->loop);

	for (int i = 0; r == 0 && i < l->desks; i++)
		r = loop_add_inbox(&l->loop, &l->desk[i].in, l->desk[i].to, on_mail);
	if (r < 0)
		return r;
	l->loop.on_turn = on_turn;
	l->loop.ctx = l;
	timer_init(&l->second, on_second);
	timer_init(&l->retry, on_retry);
	timer_start(&l->loop.wheel, &l->second, l->loop.now_ms + SECOND_MS);
	return 0;
}

void *commit_run(void *ledger)
{
	struct ledger *l = ledger;

	(void)loop_run(&l->loop);
	return NULL;
}

/* What was still queued when the thread was told to stop. */
void commit_end(struct ledger *l)
{
	(void)loop_turn(&l->loop, 0);
	if (l->items > 0) {
		timer_stop(&l->retry);
		commit(l);
	}
	if (l->items > 0)
		log_at(LOG_CRIT, NULL, "%zu entries could not be booked before the end", l->items);
	if (atomic_load(&l->is_up))
		(void)move_outbox(l);
	for (size_t i = 0; i < l->items; i++)
		mail_done(&l->item[i].mail);
	free(l->item);
	loop_done(&l->loop);
}
