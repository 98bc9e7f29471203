#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "ledger/inner.h"

void mail_done(struct mail *m)
{
	row_free(&entities[ENTITY_CDR], m->cdr);
	row_free(&entities[ENTITY_PAYMENT], m->payment);
	free(m->legs);
	rent_free(m->rent);
	m->rent = NULL;
	m->cdr = NULL;
	m->payment = NULL;
	m->legs = NULL;
}

/* One party's charge: an entry, and the balance that becomes true with the commit. */
static int book_charge(struct ledger *l, const char *account, const char *kind, money_t amount,
		       const struct cdr_row *cdr)
{
	struct account *a = account ? account_make(l, account) : NULL;

	if (!account || amount == 0)
		return 0;
	if (!a)
		return -ENOMEM;
	account_touch(l, a);
	if (money_sub(a->next, amount, &a->next) < 0)
		return -ERANGE;
	return sql_entry(&l->sql, account, cdr->end, kind, -amount, 0, cdr->id);
}

int book_charges(struct ledger *l, const struct cdr_row *cdr)
{
	int r = book_charge(l, cdr->account, "charge", cdr->fee + cdr->tax, cdr);

	if (r == 0)
		r = book_charge(l, cdr->vendor_account, "cost", cdr->cost, cdr);
	if (r == 0)
		r = book_income(l, cdr);
	return r < 0 ? r : book_uses(l, cdr);
}

static int book_answer(struct ledger *l, struct item *it)
{
	if (clock_mono_ms() > it->mail.deadline) {
		it->is_refused = true;
		it->receipt.error = -ETIMEDOUT;
		return 0;
	}
	return sql_call_add(&l->sql, it->mail.cdr, it->mail.legs, it->mail.mono, it->mail.reach_ms);
}

static int book_heard(struct ledger *l, const struct mail *m)
{
	struct stmt *s = l->sql.call_heard;

	if (m->mono)
		stmt_bind_int(s, 1, m->mono);
	else
		stmt_bind_null(s, 1);
	stmt_bind_int(s, 2, m->id);
	return stmt_run(s);
}

static int book_reach(struct ledger *l, const struct mail *m)
{
	struct stmt *s = l->sql.call_reach;

	stmt_bind_int(s, 1, m->reach_ms);
	stmt_bind_int(s, 2, m->id);
	return stmt_run(s);
}

static int book_legs(struct ledger *l, const struct mail *m)
{
	struct stmt *s = l->sql.call_legs;

	stmt_bind_text(s, 1, str_of(m->legs));
	stmt_bind_int(s, 2, m->id);
	return stmt_run(s);
}

static int book_end(struct ledger *l, const struct mail *m)
{
	int r = sql_cdr(l->sql.outbox_add, m->cdr);

	if (r == 0 && m->was_answered) {
		stmt_bind_int(l->sql.call_del, 1, m->cdr->id);
		r = stmt_run(l->sql.call_del);
	}
	if (r == 0)
		r = book_charges(l, m->cdr);
	if (r == 0)
		atomic_fetch_add(&l->outbox, 1);
	return r;
}

int book_item(struct ledger *l, struct item *it)
{
	struct mail *m = &it->mail;

	switch (m->kind) {
	case MAIL_ANSWER:
		return book_answer(l, it);
	case MAIL_HEARD:
		return book_heard(l, m);
	case MAIL_REACH:
		return book_reach(l, m);
	case MAIL_LEGS:
		return book_legs(l, m);
	case MAIL_END:
		return book_end(l, m);
	case MAIL_ORPHAN_DONE:
		stmt_bind_int(l->sql.orphan_del, 1, m->id);
		return stmt_run(l->sql.orphan_del);
	case MAIL_PAYMENT:
		return book_payment(l, it);
	case MAIL_RERATE:
		return book_rerate(l, m->batch);
	case MAIL_RENT:
		return book_rent(l, it);
	case MAIL_GIFT:
		return book_gift(l, m);
	}
	return 0;
}
