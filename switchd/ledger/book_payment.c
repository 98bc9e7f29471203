#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "ledger/inner.h"

/* Payments are added, never changed: one that was wrong is taken back by another that names it. */

static const struct field *kinds(void)
{
	return &entities[ENTITY_PAYMENT].field[PAYMENT_KIND];
}

static int refuse(struct item *it, int error)
{
	it->is_refused = true;
	it->receipt.error = error;
	return 0;
}

/* Is the payment of this key, which `s` stands on, the one that is asked for again? */
static bool is_same(struct stmt *s, const struct payment_row *p)
{
	return str_eq(stmt_text(s, 1), str_of(p->account)) &&
	       str_eq(stmt_text(s, 3), str_of(kinds()->values[p->kind])) &&
	       (p->kind == PAYMENT_KIND_RESET || stmt_int(s, 4) == p->amount);
}

/* A repeated request gets the payment that its first one made; the same key for something else is refused. */
static int find_earlier(struct ledger *l, struct item *it)
{
	struct payment_row *p = it->mail.payment;
	struct stmt *s = l->sql.payment_by_key;

	stmt_bind_text(s, 1, str_of(p->request_key));
	int r = stmt_step(s);
	if (r == 1) {
		(void)refuse(it, is_same(s, p) ? 0 : -EEXIST);
		p->id = stmt_int(s, 0);
		p->at = stmt_int(s, 2);
		p->amount = stmt_int(s, 4);
		p->balance = stmt_int(s, 7);
	}
	stmt_reset(s);
	return r < 0 ? r : 0;
}

/* Once is enough: the second correction of a payment is refused. */
static int find_reversal(struct ledger *l, struct item *it)
{
	struct stmt *s = l->sql.payment_reversal;

	stmt_bind_int(s, 1, it->mail.payment->reverses);
	int r = stmt_step(s);
	stmt_reset(s);
	return r == 1 ? refuse(it, -EALREADY) : r;
}

static int find_others(struct ledger *l, struct item *it)
{
	const struct payment_row *p = it->mail.payment;
	int r = p->request_key ? find_earlier(l, it) : 0;

	if (r == 0 && !it->is_refused && p->reverses != FIELD_ABSENT)
		r = find_reversal(l, it);
	return r;
}

int payment_add(struct ledger *l, struct account *a, struct payment_row *p)
{
	struct stmt *s = l->sql.payment_add;
	const struct field *modes = &entities[ENTITY_PAYMENT].field[PAYMENT_MODE];

	p->at = clock_wall_ms();
	p->balance = a->next;
	stmt_bind_text(s, 1, str_of(p->account));
	stmt_bind_int(s, 2, p->at);
	stmt_bind_text(s, 3, str_of(kinds()->values[p->kind]));
	stmt_bind_int(s, 4, p->amount);
	stmt_bind_text(s, 5, str_of(p->memo));
	stmt_bind_text(s, 6, str_of(p->request_key));
	stmt_bind_text(s, 7, str_of(p->actor));
	stmt_bind_int(s, 8, p->balance);
	stmt_bind_text(s, 9, str_of(modes->values[p->mode]));
	if (p->reverses != FIELD_ABSENT)
		stmt_bind_int(s, 10, p->reverses);
	else
		stmt_bind_null(s, 10);
	int r = stmt_run(s);
	if (r < 0)
		return r;
	p->id = db_last_id(l->db);
	return sql_entry(&l->sql, p->account, p->at, "payment", p->amount, p->id, 0);
}

int book_payment(struct ledger *l, struct item *it)
{
	struct payment_row *p = it->mail.payment;
	struct account *a = account_find(l, p->account);
	money_t next;

	if (!a)
		return refuse(it, -ENOENT);

	int r = find_others(l, it);
	if (r < 0 || it->is_refused)
		return r;
	account_touch(l, a);
	if (p->kind == PAYMENT_KIND_RESET)
		p->amount = -a->next;
	if (p->amount == 0)
		return refuse(it, -ENODATA);
	if (money_add(a->next, p->amount, &next) < 0)
		return refuse(it, -ERANGE);
	a->next = next;
	a->paid += p->amount;
	return payment_add(l, a, p);
}
