#include "ops/opening.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>

#include "base/buf.h"
#include "model/entity.h"

enum { AT_ONCE = 32 };

struct run {
	struct db *config;
	struct booking *desk;
	const char *actor;
	int64_t done[AT_ONCE], sent, told, booked;
	int error;
};

int opening_add(struct db *config, struct str account, money_t amount, ms_t run)
{
	CLEANUP(stmt_free) struct stmt *s = NULL;
	CLEANUP(buf_done) struct buf key = BUF_INIT;
	int r = stmt_prepare(
		&s, config,
		"INSERT INTO opening_due (request_key, account, amount) VALUES (?,?,?)");

	if (r < 0)
		return r;
	buf_printf(&key, "migrate %lld %.*s", (long long)run, STR_ARG(account));
	stmt_bind_text(s, 1, buf_str(&key));
	stmt_bind_text(s, 2, account);
	stmt_bind_int(s, 3, amount);
	return buf_error(&key) < 0 ? -ENOMEM : stmt_run(s);
}

int opening_is_left(struct db *config)
{
	CLEANUP(stmt_free) struct stmt *s = NULL;
	int r = stmt_prepare(&s, config, "SELECT 1 FROM opening_due LIMIT 1");

	return r < 0 ? r : stmt_step(s);
}

/* ref: the row's number. */
static void on_booked(void *ctx, enum booked what, uint64_t ref, int error,
		      const struct payment_row *payment)
{
	struct run *r = ctx;

	(void)payment;
	if (what != BOOKED_PAYMENT)
		return;
	r->told++;
	if (error == 0)
		r->done[r->booked++] = (int64_t)ref;
	else if (r->error == 0)
		r->error = error;
}

static int make(const struct run *r, struct stmt *s, struct payment_row **ret)
{
	const struct entity *e = &entities[ENTITY_PAYMENT];
	struct payment_row *p = row_create(e);
	money_t amount = stmt_int(s, 3);

	if (!p)
		return -ENOMEM;
	p->amount = amount;
	p->kind = amount < 0 ? PAYMENT_KIND_DEDUCTION : PAYMENT_KIND_OPENING;
	int error = row_set_text(&e->field[PAYMENT_ACCOUNT], p, stmt_text(s, 2));
	if (error == 0)
		error = row_set_text(&e->field[PAYMENT_REQUEST_KEY], p, stmt_text(s, 1));
	if (error == 0)
		error = row_set_text(&e->field[PAYMENT_ACTOR], p, str_of(r->actor));
	if (error == 0)
		error = row_set_text(&e->field[PAYMENT_MEMO], p,
				     STR("balance before the migration"));
	if (error < 0)
		row_free(e, p);
	else
		*ret = p;
	return error;
}

/* What the ledger was given it answers, also when it cannot write. */
static void wait_for_all(struct run *r)
{
	struct pollfd p = { .fd = booking_fd(r->desk), .events = POLLIN };

	booking_flush(r->desk);
	while (r->told < r->sent) {
		(void)poll(&p, 1, 1000);
		booking_read(r->desk);
	}
}

static int take_out(struct run *r)
{
	CLEANUP(stmt_free) struct stmt *s = NULL;
	int e = db_begin(r->config);

	if (e == 0)
		e = stmt_prepare(&s, r->config, "DELETE FROM opening_due WHERE rowid = ?");
	for (int64_t i = 0; e == 0 && i < r->booked; i++) {
		stmt_bind_int(s, 1, r->done[i]);
		e = stmt_run(s);
	}
	s = stmt_free(s);
	if (e == 0)
		e = db_commit(r->config);
	if (e < 0)
		db_rollback(r->config);
	return e;
}

/* Some of them: how many, or negative errno. */
static int64_t book_some(struct run *r)
{
	CLEANUP(stmt_free) struct stmt *s = NULL;
	struct payment_row *p;
	int e = stmt_prepare(&s, r->config,
			     "SELECT rowid, request_key, account, amount FROM opening_due LIMIT ?");

	r->sent = r->told = r->booked = 0;
	if (e < 0)
		return e;
	stmt_bind_int(s, 1, AT_ONCE);
	while (e == 0 && (e = stmt_step(s)) == 1) {
		e = make(r, s, &p);
		if (e == 0 && !booking_payment(r->desk, (uint64_t)stmt_int(s, 0), p)) {
			row_free(&entities[ENTITY_PAYMENT], p);
			e = 1;
			break;
		}
		r->sent += e == 0;
	}
	s = stmt_free(s);
	if (e == 1 && r->sent == 0)
		e = -EAGAIN; /* the ledger takes nothing more now */
	wait_for_all(r);
	if (e >= 0)
		e = take_out(r);
	return e < 0 ? e : r->booked;
}

int opening_book(struct db *config, struct booking *desk, const char *actor, int64_t *ret_booked)
{
	struct run r = { .config = config, .desk = desk, .actor = actor };
	int64_t n = booking_attach(desk, NULL, on_booked, &r);

	*ret_booked = 0;
	while (n >= 0 && r.error == 0 && (n = book_some(&r)) > 0)
		*ret_booked += n;
	return n < 0 ? (int)n : r.error;
}
