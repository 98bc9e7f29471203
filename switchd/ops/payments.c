#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "ops/inner.h"
#include "store/records.h"
#include "store/rows.h"

/* What each kind does to the balance: 1 adds, -1 takes, 0 is worked out where it is booked. */
static const int directions[] = {
	[PAYMENT_KIND_RECHARGE] = 1, [PAYMENT_KIND_OPENING] = 1,    [PAYMENT_KIND_REFUND] = 1,
	[PAYMENT_KIND_RENT] = -1,    [PAYMENT_KIND_SHORTFALL] = -1, [PAYMENT_KIND_DEDUCTION] = -1,
	[PAYMENT_KIND_RESET] = 0,    [PAYMENT_KIND_CORRECTION] = 0,
};

static int check_amount(const struct payment_row *p, struct err *err)
{
	char amount[MONEY_TEXT];
	bool is_given = p->amount != FIELD_ABSENT;
	struct str given = str_of(is_given ? money_text(p->amount, amount) : "");
	int direction = directions[p->kind];

	if (p->kind == PAYMENT_KIND_CORRECTION)
		return err_set(err, ERR_BAD_VALUE, "kind", STR("correction"),
			       "`payment correct NUMBER`, or another kind",
			       "a correction takes back a payment that it names");
	if (direction == 0 && p->amount != 0)
		return err_set(err, ERR_BAD_VALUE, "amount", given, "0",
			       "a reset takes what is there");
	if (direction == 0)
		return 0;
	if (!is_given || p->amount == 0)
		return err_set(err, is_given ? ERR_BAD_VALUE : ERR_MISSING_FIELD, "amount", given,
			       "an amount other than 0", "a payment of nothing");
	if (direction > 0 && p->amount < 0)
		return err_set(err, ERR_BAD_VALUE, "amount", given,
			       "a positive amount, or kind=deduction",
			       "this kind of payment adds money");
	if (direction < 0 && p->amount > 0)
		return err_set(err, ERR_BAD_VALUE, "amount", given, "a negative amount",
			       "this kind of payment takes money");
	return 0;
}

static int read_payment(const struct request *r, const char *account, struct payment_row **ret,
			struct err *err)
{
	const struct entity *e = &entities[ENTITY_PAYMENT];
	struct payment_row *p = row_create(e);
	json_t *fields = json_object();
	static const char *const names[] = { "amount", "kind", "mode", "memo", "request_key" };
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

/* Mails it to the ledger, whose receipt answers the request. p is handed over. */
static int book(struct ops *o, struct request *r, struct payment_row *p, struct err *err)
{
	struct booking *desk = ledger_desk(o->hub->ledger, o->hub->workers);
	uint64_t ref;
	int error = wait_for_booking(o, r, &ref);

	if (error < 0) {
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

static int check_account(struct ops *o, const char *id, struct err *err)
{
	if (world_payer(catalog_world(o->catalog), id))
		return 0;
	return err_set(err, ERR_NOT_FOUND, "id", str_of(id), "the id of an account",
		       "there is no such account");
}

int account_recharge(struct ops *o, struct request *r, json_t **ret, struct err *err)
{
	CLEANUP(buf_done) struct buf id = BUF_INIT;
	struct payment_row *p = NULL;
	int error = arg_need(r, "id", &id, err);

	(void)ret;
	if (error == 0)
		error = check_account(o, buf_cstr(&id), err);
	if (error == 0)
		error = read_payment(r, buf_cstr(&id), &p, err);
	return error < 0 ? error : book(o, r, p, err);
}

/* ---- what was booked ---- */

struct wanted {
	struct buf account, kind, text;
	ms_t from, to;
	int64_t id, after, limit;
};

static void wanted_done(struct wanted *w)
{
	buf_done(&w->account);
	buf_done(&w->kind);
	buf_done(&w->text);
}

static int check_kind(struct str kind, struct err *err)
{
	const struct field *f = &entities[ENTITY_PAYMENT].field[PAYMENT_KIND];
	CLEANUP(buf_done) struct buf accepted = BUF_INIT;

	for (int i = 0; f->values[i]; i++) {
		if (str_eq(kind, str_of(f->values[i])))
			return 0;
	}
	field_accepts(f, &accepted);
	return err_set(err, ERR_BAD_VALUE, "kind", kind, buf_cstr(&accepted),
		       "there is no such kind of payment");
}

static int read_wanted(struct wanted *w, const struct request *r, struct err *err)
{
	int error = arg_int(r, "limit", 1, 1000000, 100, &w->limit, err);

	if (error == 0)
		error = arg_int(r, "after", 1, INT64_MAX, 0, &w->after, err);
	if (error == 0)
		error = arg_time(r, "from", 0, &w->from, err);
	if (error == 0)
		error = arg_time(r, "to", INT64_MAX, &w->to, err);
	(void)arg_text(r, "account", &w->account);
	(void)arg_text(r, "text", &w->text);
	if (error == 0 && arg_text(r, "kind", &w->kind))
		error = check_kind(buf_str(&w->kind), err);
	return error;
}

static void bind_text(struct stmt *s, int i, const struct buf *b)
{
	if (b->n)
		stmt_bind_text(s, i, buf_str(b));
	else
		stmt_bind_null(s, i);
}

static int select_payments(struct stmt **ret, struct db *db, const struct wanted *w)
{
	CLEANUP(buf_done) struct buf sql = BUF_INIT;

	buf_putz(&sql, "SELECT ");
	rows_columns(&entities[ENTITY_PAYMENT], &sql);
	buf_putz(&sql, " FROM payment WHERE (?1 IS NULL OR account = ?1) AND (?2 = 0 OR id < ?2)"
		       " AND (?4 IS NULL OR kind = ?4) AND at >= ?5 AND at < ?6"
		       " AND (?7 IS NULL OR instr(coalesce(memo, '') || char(10) ||"
		       " coalesce(request_key, '') || char(10) || coalesce(actor, ''), ?7) > 0)"
		       " AND (?8 = 0 OR id = ?8) ORDER BY id DESC LIMIT ?3");
	const char *text = buf_cstr(&sql);
	int r = text ? stmt_prepare(ret, db, text) : -ENOMEM;
	if (r < 0)
		return r;
	bind_text(*ret, 1, &w->account);
	stmt_bind_int(*ret, 2, w->after);
	stmt_bind_int(*ret, 3, w->limit);
	bind_text(*ret, 4, &w->kind);
	stmt_bind_int(*ret, 5, w->from);
	stmt_bind_int(*ret, 6, w->to);
	bind_text(*ret, 7, &w->text);
	stmt_bind_int(*ret, 8, w->id);
	return 0;
}

typedef int payment_fn(void *ctx, struct payment_row *p);

/* on_payment may take the texts of the row; what is left of it is freed. */
static int each_payment(struct ops *o, const struct wanted *w, payment_fn *on_payment, void *ctx,
			struct err *err)
{
	const struct entity *e = &entities[ENTITY_PAYMENT];
	CLEANUP(db_close) struct db *db = NULL;
	CLEANUP(stmt_free) struct stmt *s = NULL;
	int error = records_open_ledger(&db, o->c.data_dir);

	if (error < 0)
		return records_unreadable("the ledger", error, err);
	error = select_payments(&s, db, w);
	while (error == 0 && (error = stmt_step(s)) == 1) {
		void *row = rows_read(e, s, 0);

		error = row ? on_payment(ctx, row) : -ENOMEM;
		row_free(e, row);
	}
	s = stmt_free(s);
	return error;
}

static int list_one(void *ctx, struct payment_row *p)
{
	json_t *row = row_to_json(&entities[ENTITY_PAYMENT], p);

	return json_array_append_new(ctx, row) == 0 ? 0 : -ENOMEM;
}

int payment_list(struct ops *o, struct request *r, json_t **ret, struct err *err)
{
	struct wanted w = { 0 };
	json_t *list = json_array();
	int error = list ? read_wanted(&w, r, err) : -ENOMEM;

	if (error == 0)
		error = each_payment(o, &w, list_one, list, err);
	wanted_done(&w);
	if (error == 0)
		*ret = list;
	else
		json_decref(list);
	return error;
}

static int keep_one(void *ctx, struct payment_row *p)
{
	struct payment_row **ret = ctx;

	*ret = row_copy(&entities[ENTITY_PAYMENT], p);
	return *ret ? 0 : -ENOMEM;
}

/* The payment that the request's id names. */
static int find_payment(struct ops *o, const struct request *r, struct payment_row **ret,
			struct err *err)
{
	CLEANUP(buf_done) struct buf id = BUF_INIT;
	struct wanted w = { .to = INT64_MAX, .limit = 1 };
	int error = arg_need(r, "id", &id, err);

	if (error < 0)
		return error;
	if (str_to_i64(buf_str(&id), 1, INT64_MAX, &w.id) < 0)
		return err_set(err, ERR_BAD_VALUE, "id", buf_str(&id),
			       "the number of a payment, as `payment list` shows it",
			       "not such a number");
	error = each_payment(o, &w, keep_one, ret, err);
	if (error == 0 && !*ret)
		error = err_set(err, ERR_NOT_FOUND, "id", buf_str(&id),
				"the number of a payment, as `payment list` shows it",
				"there is no such payment");
	return error;
}

int payment_show(struct ops *o, struct request *r, json_t **ret, struct err *err)
{
	struct payment_row *p = NULL;
	int error = find_payment(o, r, &p, err);

	if (error == 0)
		*ret = row_to_json(&entities[ENTITY_PAYMENT], p);
	row_free(&entities[ENTITY_PAYMENT], p);
	return error;
}

/* What was found becomes what takes it back. */
static int reverse(const struct request *r, struct payment_row *p, struct err *err)
{
	const struct entity *e = &entities[ENTITY_PAYMENT];
	CLEANUP(buf_done) struct buf memo = BUF_INIT, key = BUF_INIT;
	int error;

	if (p->kind == PAYMENT_KIND_CORRECTION)
		return err_set(err, ERR_CONFLICT, "id", STR(""), "a payment that is no correction",
			       "payment %lld takes back payment %lld itself", (long long)p->id,
			       (long long)p->reverses);
	p->reverses = p->id;
	p->id = p->at = p->balance = FIELD_ABSENT;
	p->kind = PAYMENT_KIND_CORRECTION;
	p->amount = -p->amount;
	(void)arg_text(r, "memo", &memo);
	(void)arg_text(r, "request_key", &key);
	error = row_parse(&e->field[PAYMENT_MEMO], p, buf_str(&memo), err);
	if (error == 0)
		error = row_parse(&e->field[PAYMENT_REQUEST_KEY], p, buf_str(&key), err);
	if (error == 0)
		error = row_set_text(&e->field[PAYMENT_ACTOR], p, str_of(r->actor));
	return error;
}

int payment_correct(struct ops *o, struct request *r, json_t **ret, struct err *err)
{
	struct payment_row *p = NULL;
	int error = find_payment(o, r, &p, err);

	(void)ret;
	if (error < 0 || !p)
		return error;
	error = check_account(o, p->account, err);
	if (error == 0)
		error = reverse(r, p, err);
	if (error == 0)
		return book(o, r, p, err);
	row_free(&entities[ENTITY_PAYMENT], p);
	return error;
}
