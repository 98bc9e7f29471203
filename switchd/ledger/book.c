#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "ledger/inner.h"

void mail_done(struct mail *m)
{
	row_free(&entities[ENTITY_CDR], m->cdr);
	row_free(&entities[ENTITY_PAYMENT], m->payment);
	free(m->legs);
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

	return r < 0 ? r : book_charge(l, cdr->vendor_account, "cost", cdr->cost, cdr);
}

static int book_answer(struct ledger *l, struct item *it)
{
	if (clock_mono_ms() > it->mail.deadline) {
		it->is_refused = true;
		it->receipt.error = -ETIMEDOUT;
		return 0;
	}
	return sql_call_add(&l->sql, it->mail.cdr, it->mail.legs, it->mail.mono);
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

/* A repeated request gets the payment that its first one made; the same key for something else is refused. */
static int find_earlier(struct ledger *l, struct item *it)
{
	struct payment_row *p = it->mail.payment;
	struct stmt *s = l->sql.payment_by_key;

	stmt_bind_text(s, 1, str_of(p->request_key));
	int r = stmt_step(s);
	if (r == 1) {
		bool is_same =
			str_eq(stmt_text(s, 1), str_of(p->account)) && stmt_int(s, 4) == p->amount;

		it->is_refused = true;
		it->receipt.error = is_same ? 0 : -EEXIST;
		p->id = stmt_int(s, 0);
		p->at = stmt_int(s, 2);
		p->balance = stmt_int(s, 7);
	}
	stmt_reset(s);
	return r < 0 ? r : 0;
}

static int add_payment(struct ledger *l, struct account *a, struct payment_row *p)
{
	struct stmt *s = l->sql.payment_add;
	const struct field *f = &entities[ENTITY_PAYMENT].field[PAYMENT_KIND];

	p->at = clock_wall_ms();
	p->balance = a->next;
	stmt_bind_text(s, 1, str_of(p->account));
	stmt_bind_int(s, 2, p->at);
	stmt_bind_text(s, 3, str_of(f->values[p->kind]));
	stmt_bind_int(s, 4, p->amount);
	stmt_bind_text(s, 5, str_of(p->memo));
	stmt_bind_text(s, 6, str_of(p->request_key));
	stmt_bind_text(s, 7, str_of(p->actor));
	stmt_bind_int(s, 8, p->balance);
	int r = stmt_run(s);
	if (r < 0)
		return r;
	p->id = db_last_id(l->db);
	return sql_entry(&l->sql, p->account, p->at, "payment", p->amount, p->id, 0);
}

static int book_payment(struct ledger *l, struct item *it)
{
	struct payment_row *p = it->mail.payment;
	struct account *a = account_find(l, p->account);
	money_t next;

	if (!a) {
		it->is_refused = true;
		it->receipt.error = -ENOENT;
		return 0;
	}
	if (p->request_key) {
		int r = find_earlier(l, it);

		if (r < 0 || it->is_refused)
			return r;
	}
	account_touch(l, a);
	if (money_add(a->next, p->amount, &next) < 0) {
		it->is_refused = true;
		it->receipt.error = -ERANGE;
		return 0;
	}
	a->next = next;
	a->paid += p->amount;
	return add_payment(l, a, p);
}

int book_item(struct ledger *l, struct item *it)
{
	struct mail *m = &it->mail;

	switch (m->kind) {
	case MAIL_ANSWER:
		return book_answer(l, it);
	case MAIL_HEARD:
		return book_heard(l, m);
	case MAIL_LEGS:
		return book_legs(l, m);
	case MAIL_END:
		return book_end(l, m);
	case MAIL_ORPHAN_DONE:
		stmt_bind_int(l->sql.orphan_del, 1, m->id);
		return stmt_run(l->sql.orphan_del);
	case MAIL_PAYMENT:
		return book_payment(l, it);
	}
	return 0;
}
