#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "ledger/inner.h"

/* The most that one call still has to say: answer, mark, end; each with the ring's overhead. */
enum { CALL_BYTES = 3 * (sizeof(struct mail) + 16) };

struct booking *ledger_desk(struct ledger *l, int desk)
{
	return &l->desk[desk];
}

bool booking_take_room(struct booking *b)
{
	if (b->room == 0)
		b->room = (uint32_t)(ring_room(b->to) / CALL_BYTES);
	if (b->open >= b->room)
		return false;
	b->open++;
	return true;
}

void booking_give_room(struct booking *b)
{
	b->open--;
}

static bool send_mail(struct booking *b, const struct mail *m)
{
	atomic_fetch_add(&b->ledger->waiting, 1);
	if (ring_push(b->to, m, sizeof(*m), NULL, 0))
		return true;
	atomic_fetch_sub(&b->ledger->waiting, 1);
	return false;
}

bool booking_answer(struct booking *b, uint64_t ref, struct cdr_row *cdr, char *legs,
		    ms_t answer_mono, int64_t reach_ms, ms_t deadline_mono)
{
	return send_mail(b, &(struct mail){ .kind = MAIL_ANSWER,
					    .ref = ref,
					    .id = cdr->id,
					    .cdr = cdr,
					    .legs = legs,
					    .mono = answer_mono,
					    .reach_ms = reach_ms,
					    .deadline = deadline_mono });
}

bool booking_legs(struct booking *b, int64_t cdr_id, char *legs)
{
	return send_mail(b, &(struct mail){ .kind = MAIL_LEGS, .id = cdr_id, .legs = legs });
}

bool booking_heard(struct booking *b, int64_t cdr_id, ms_t heard_mono)
{
	return send_mail(b, &(struct mail){ .kind = MAIL_HEARD, .id = cdr_id, .mono = heard_mono });
}

bool booking_reach(struct booking *b, int64_t cdr_id, int64_t reach_ms)
{
	return send_mail(b,
			 &(struct mail){ .kind = MAIL_REACH, .id = cdr_id, .reach_ms = reach_ms });
}

bool booking_end(struct booking *b, uint64_t ref, struct cdr_row *cdr, bool was_answered)
{
	return send_mail(b, &(struct mail){ .kind = MAIL_END,
					    .ref = ref,
					    .id = cdr->id,
					    .cdr = cdr,
					    .was_answered = was_answered });
}

bool booking_orphan_done(struct booking *b, int64_t id)
{
	return send_mail(b, &(struct mail){ .kind = MAIL_ORPHAN_DONE, .id = id });
}

bool booking_payment(struct booking *b, uint64_t ref, struct payment_row *row)
{
	return send_mail(b, &(struct mail){ .kind = MAIL_PAYMENT, .ref = ref, .payment = row });
}

bool booking_rerate(struct booking *b, uint64_t ref, struct rerate_batch *batch)
{
	return send_mail(b, &(struct mail){ .kind = MAIL_RERATE, .ref = ref, .batch = batch });
}

bool booking_rent(struct booking *b, struct rent *x)
{
	return send_mail(b, &(struct mail){ .kind = MAIL_RENT, .rent = x });
}

bool booking_gift(struct booking *b, int64_t cdr_id, char *packages)
{
	return send_mail(b, &(struct mail){ .kind = MAIL_GIFT, .id = cdr_id, .legs = packages });
}

void booking_flush(struct booking *b)
{
	ring_flush(b->to);
}

static void deliver(struct booking *b, const void *record)
{
	struct receipt r;

	memcpy(&r, record, sizeof(r));
	b->on_booked(b->ctx, r.what, r.ref, r.error, r.payment);
	row_free(&entities[ENTITY_PAYMENT], r.payment);
}

static void on_receipt(struct inbox *in, const void *record, size_t n)
{
	(void)n;
	deliver(CONTAINER(in, struct booking, out), record);
}

int booking_attach(struct booking *b, struct loop *loop, booked_fn *on_booked, void *ctx)
{
	b->on_booked = on_booked;
	b->ctx = ctx;
	b->has_loop = loop != NULL;
	if (loop)
		return loop_add_inbox(loop, &b->out, b->from, on_receipt);
	(void)ring_sleep(b->from);
	return 0;
}

int booking_fd(const struct booking *b)
{
	return ring_fd(b->from);
}

void booking_read(struct booking *b)
{
	const void *record;
	size_t n;

	ring_awake(b->from);
	do {
		while ((record = ring_peek(b->from, &n))) {
			deliver(b, record);
			ring_pop(b->from);
		}
	} while (!ring_sleep(b->from));
}
