#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "ops/inner.h"
#include "store/rows.h"

static int check_amount(const struct payment_row *p, struct err *err)
{
	char amount[MONEY_TEXT];
	bool is_negative = p->amount < 0;

	if (p->amount == 0)
		return err_set(err, ERR_BAD_VALUE, "amount", STR("0"), "an amount other than 0",
			       "a payment of nothing");
	if (is_negative && (p->kind == PAYMENT_KIND_RECHARGE || p->kind == PAYMENT_KIND_OPENING))
		return err_set(err, ERR_BAD_VALUE, "amount", str_of(money_text(p->amount, amount)),
			       "a positive amount, or kind=deduction or kind=correction",
			       "this kind of payment adds money");
	if (!is_negative && p->kind == PAYMENT_KIND_DEDUCTION)
		return err_set(err, ERR_BAD_VALUE, "amount", str_of(money_text(p->amount, amount)),
			       "a negative amount", "a deduction takes money");
	return 0;
}

static int read_payment(const struct request *r, const char *account, struct payment_row **ret,
			struct err *err)
{
	const struct entity *e = &entities[ENTITY_PAYMENT];
	struct payment_row *p = row_create(e);
	json_t *fields = json_object();
	static const char *const names[] = { "amount", "kind", "memo", "request_key" };
	int error = p && fields ? 0 : -ENOMEM;

	for (size_t i = 0; error == 0 && i < sizeof(names) / sizeof(names[0]); i++) {
		json_t *v = json_object_get(r->params, names[i]);

		if (v && json_object_set(fields, names[i], v) < 0)
			error = -ENOMEM;
	}
	if (error == 0)
		error = row_from_json(e, p, fields, err);
	if (error == 0)
		error = row_set_text(&e->field[PAYMENT_ACCOUNT], p, str_of(account));
	if (error == 0)
		error = row_set_text(&e->field[PAYMENT_ACTOR], p, str_of(r->actor));
	if (error == 0)
		error = check_amount(p, err);
	json_decref(fields);
	if (error < 0)
		row_free(e, p);
	else
		*ret = p;
	return error;
}

int account_recharge(struct ops *o, struct request *r, json_t **ret, struct err *err)
{
	CLEANUP(buf_done) struct buf id = BUF_INIT;
	struct booking *desk = ledger_desk(o->hub->ledger, o->hub->workers);
	struct payment_row *p = NULL;
	uint64_t ref;
	int error = arg_need(r, "id", &id, err);

	(void)ret;
	if (error < 0)
		return error;
	if (!world_payer(catalog_world(o->catalog), buf_cstr(&id)))
		return err_set(err, ERR_NOT_FOUND, "id", buf_str(&id), "the id of an account",
			       "there is no such account");
	error = read_payment(r, buf_cstr(&id), &p, err);
	if (error == 0)
		error = wait_for_booking(o, r, &ref);
	if (error != 0) {
		row_free(&entities[ENTITY_PAYMENT], p);
		return error;
	}
	if (!booking_payment(desk, ref, p)) {
		row_free(&entities[ENTITY_PAYMENT], p);
		(void)err_set(err, ERR_STORE, "", STR(""), "try again",
			      "the ledger has too much to do");
		waiting_fail(o, ref, err);
	}
	booking_flush(desk);
	return OP_LATER;
}

static int open_ledger(struct ops *o, struct db **ret, struct err *err)
{
	CLEANUP(buf_done) struct buf path = BUF_INIT;

	buf_printf(&path, "%s/ledger.db", o->c.data_dir);
	const char *text = buf_cstr(&path);
	int r = text ? db_open(ret, text, DB_READ, 1000) : -ENOMEM;
	if (r < 0)
		return err_set(err, ERR_STORE, "", STR(""), "try again",
			       "the ledger cannot be read: %s", strerror(-r));
	return 0;
}

static int select_payments(struct stmt **ret, struct db *db, struct str account, int64_t after,
			   int64_t limit)
{
	CLEANUP(buf_done) struct buf sql = BUF_INIT;

	buf_putz(&sql, "SELECT ");
	rows_columns(&entities[ENTITY_PAYMENT], &sql);
	buf_printf(&sql, " FROM payment WHERE (?1 IS NULL OR account = ?1) AND (?2 = 0 OR id < ?2)"
			 " ORDER BY id DESC LIMIT ?3");
	const char *text = buf_cstr(&sql);
	int r = text ? stmt_prepare(ret, db, text) : -ENOMEM;
	if (r < 0)
		return r;
	if (account.n)
		stmt_bind_text(*ret, 1, account);
	else
		stmt_bind_null(*ret, 1);
	stmt_bind_int(*ret, 2, after);
	stmt_bind_int(*ret, 3, limit);
	return 0;
}

int payment_list(struct ops *o, struct request *r, json_t **ret, struct err *err)
{
	const struct entity *e = &entities[ENTITY_PAYMENT];
	CLEANUP(buf_done) struct buf account = BUF_INIT;
	CLEANUP(db_close) struct db *db = NULL;
	CLEANUP(stmt_free) struct stmt *s = NULL;
	json_t *list = json_array();
	int64_t limit, after;
	int error = arg_int(r, "limit", 1, 1000000, 100, &limit, err);

	if (error == 0)
		error = arg_int(r, "after", 1, INT64_MAX, 0, &after, err);
	if (error == 0)
		error = open_ledger(o, &db, err);
	(void)arg_text(r, "account", &account);
	if (error == 0)
		error = select_payments(&s, db, buf_str(&account), after, limit);
	while (error == 0 && (error = stmt_step(s)) == 1) {
		void *row = rows_read(e, s, 0);

		error = row && json_array_append_new(list, row_to_json(e, row)) == 0 ? 0 : -ENOMEM;
		row_free(e, row);
	}
	s = stmt_free(s);
	if (error == 0)
		*ret = list;
	else
		json_decref(list);
	return error;
}
