#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "ops/inner.h"
#include "store/rows.h"

/* add, set, show, list and del of accounts, rate groups and gateways: the same for all, from their field tables. */

static const struct entity *entity_of(const struct request *r)
{
	return entity_find(str_of(op_infos[r->op].entity));
}

static unsigned changes_of(const struct entity *e)
{
	switch ((enum entity_id)(e - entities)) {
	case ENTITY_RATE_GROUP:
		return CHANGED_RATES;
	case ENTITY_ACCOUNT:
		return CHANGED_ACCOUNTS;
	default:
		return CHANGED_GATEWAYS;
	}
}

/* ---- what is computed ---- */

static money_t allowance(const struct account_row *a)
{
	bool is_allowed =
		a->overdraft_until == FIELD_ABSENT || clock_wall_ms() < a->overdraft_until;

	return is_allowed && a->overdraft != FIELD_ABSENT ? a->overdraft : 0;
}

static void fill_account(struct ops *o, struct account_row *a)
{
	const struct payer *p = world_payer(catalog_world(o->catalog), a->id);

	if (!p || !a->id)
		return;
	/* balance before free: a charge between the two shows as a hold, never as money that is not there */
	a->balance = atomic_load(&p->purse->balance);
	money_t free_money = atomic_load(&p->purse->free);
	a->holds = a->balance > free_money ? a->balance - free_money : 0;
	a->available = a->balance + a->limit_money + allowance(a) - a->holds;
	a->lock_auto = atomic_load(&p->purse->lock_auto);
	a->lock_manual = a->status == ACCOUNT_STATUS_LOCKED;
	if (a->lock_auto) /* what operators read as Normal and Locked */
		a->status = ACCOUNT_STATUS_LOCKED;
	a->calls = atomic_load(&p->purse->calls);
	a->debt_bound = atomic_load(&p->purse->overrun);
}

static void fill_gateway(struct ops *o, enum entity_id id, void *row)
{
	const struct world *w = catalog_world(o->catalog);

	if (id == ENTITY_MAPPING_GATEWAY) {
		struct mapping_gateway_row *g = row;
		const struct source *s = world_source(w, g->name);

		g->calls = s ? atomic_load(&s->gate->lines) : 0;
	} else if (id == ENTITY_ROUTING_GATEWAY) {
		struct routing_gateway_row *g = row;
		const struct vendor *v = world_vendor(w, g->name);

		g->calls = v ? atomic_load(&v->gate->lines) : 0;
		free(g->health);
		g->health = strdup("unprobed");
	}
}

void entity_fill(struct ops *o, enum entity_id id, void *row)
{
	if (id == ENTITY_ACCOUNT)
		fill_account(o, row);
	else
		fill_gateway(o, id, row);
}

static json_t *shown(struct ops *o, const struct entity *e, void *row)
{
	if (!row)
		return NULL;
	entity_fill(o, (enum entity_id)(e - entities), row);
	return row_to_json(e, row);
}

/* ---- checks beyond single fields ---- */

static int check_account(const struct account_row *a, struct err *err)
{
	if (a->kind == ACCOUNT_KIND_CLEARING && a->cut_off)
		return err_set(err, ERR_CONFLICT, "cut_off", STR("true"), "cut_off=false",
			       "a clearing account is the vendor's: there is no one to cut off");
	if (a->valid_from != FIELD_ABSENT && a->valid_until != FIELD_ABSENT &&
	    a->valid_from >= a->valid_until)
		return err_set(err, ERR_CONFLICT, "valid_until", STR(""), "a time after valid_from",
			       "the account would never be valid");
	return 0;
}

/* What an account has, or owes, is in its currency: that is changed only when there is nothing. */
static int check_money_moves(struct ops *o, const struct account_row *a, struct err *err)
{
	const struct payer *p = world_payer(catalog_world(o->catalog), a->id);
	char balance[MONEY_TEXT];

	if (!p || str_eq(str_of(p->row->currency), str_of(a->currency)) ||
	    (atomic_load(&p->purse->balance) == 0 && atomic_load(&p->purse->free) == 0))
		return 0;
	return err_set(err, ERR_CONFLICT, "currency", str_of(a->currency), p->row->currency,
		       "the account has a balance of %s %s",
		       money_text(atomic_load(&p->purse->balance), balance), p->row->currency);
}

/* One currency per account and rate group; a mix is refused (behaviour.md, Money). */
static int check_currency(struct ops *o, const struct account_row *a, struct err *err)
{
	void *row = NULL;
	int r = check_money_moves(o, a, err);

	if (r < 0 || !a->rate_group)
		return r;
	r = rows_get(o->db, &entities[ENTITY_RATE_GROUP], str_of(a->rate_group), clock_wall_ms(),
		     &row, NULL);
	if (r < 0)
		return r == -ENOENT
			       ? 0
			       : r; /* one that does not exist is for the store to refuse, by its field */
	const struct rate_group_row *g = row;
	if (!str_eq(str_of(g->currency), str_of(a->currency)))
		r = err_set(err, ERR_CONFLICT, "currency", str_of(a->currency), g->currency,
			    "rate group %s is in another currency", g->name);
	row_free(&entities[ENTITY_RATE_GROUP], row);
	return r;
}

/* The same from the other end: the accounts that are charged by the group. */
static int check_group_currency(struct ops *o, const struct rate_group_row *g, struct err *err)
{
	const struct world *w = catalog_world(o->catalog);

	for (size_t i = 0; i < w->payers; i++) {
		const struct account_row *a = w->payer[i].row;

		if (a->rate_group && strcmp(a->rate_group, g->name) == 0 &&
		    !str_eq(str_of(a->currency), str_of(g->currency)))
			return err_set(err, ERR_CONFLICT, "currency", str_of(g->currency),
				       a->currency, "account %s is in another currency", a->id);
	}
	return 0;
}

static int check(struct ops *o, const struct entity *e, const void *row, struct err *err)
{
	int r = row_check(e, row, err);

	if (r < 0)
		return r;
	switch ((enum entity_id)(e - entities)) {
	case ENTITY_ACCOUNT:
		r = check_account(row, err);
		return r < 0 ? r : check_currency(o, row, err);
	case ENTITY_RATE_GROUP:
		return check_group_currency(o, row, err);
	case ENTITY_MAPPING_GATEWAY:
		return world_check_mapping(row, err);
	case ENTITY_ROUTING_GATEWAY:
		return world_check_routing(row, err);
	default:
		return 0;
	}
}

/* ---- the operations ---- */

static json_t *json_of(const struct entity *e, const void *row)
{
	return row ? row_to_json(e, row) : NULL;
}

static int store_new(struct ops *o, struct request *r, const struct entity *e, void *row,
		     struct err *err)
{
	CLEANUP(buf_done) struct buf key = BUF_INIT;
	struct change c = { .changed = changes_of(e) };
	int error = change_begin(o, err);

	if (error < 0)
		return error;
	row_key(e, row, &key);
	c.key = buf_cstr(&key);
	c.after = json_of(e, row);
	if (e == &entities[ENTITY_RATE_GROUP])
		c.group = ((struct rate_group_row *)row)->name;
	error = check(o, e, row, err);
	if (error == 0)
		error = rows_add(o->db, e, row, err);
	error = change_end(o, r, &c, error, err);
	json_decref(c.after);
	return error;
}

int entity_add(struct ops *o, struct request *r, json_t **ret, struct err *err)
{
	const struct entity *e = entity_of(r);
	void *row = row_create(e);
	int error = row ? license_allows_more(o, err) : -ENOMEM;

	if (error == 0)
		error = row_from_json(e, row, r->params, err);
	if (error == 0 && e == &entities[ENTITY_ACCOUNT])
		((struct account_row *)row)->created = clock_wall_ms();
	if (error == 0)
		error = store_new(o, r, e, row, err);
	if (error == 0)
		*ret = shown(o, e, row);
	row_free(e, row);
	return error;
}

/* Reads the row that the key argument names. */
static int fetch(struct ops *o, const struct request *r, const struct entity *e, void **ret,
		 struct err *err)
{
	CLEANUP(buf_done) struct buf key = BUF_INIT;
	int error = arg_need(r, op_infos[r->op].key, &key, err);

	return error < 0 ? error : rows_get(o->db, e, buf_str(&key), clock_wall_ms(), ret, err);
}

/*
 * Unlocking by hand while the automatic lock stands asks for an allowance: without one the next call would lock it again
 * (behaviour.md, Money).
 */
static int check_unlock(struct ops *o, const struct request *r, const struct account_row *a,
			struct err *err)
{
	const struct payer *p = world_payer(catalog_world(o->catalog), a->id);
	const char *status = json_string_value(json_object_get(r->params, "status"));

	if (!p || !status || strcmp(status, "normal") != 0 || !atomic_load(&p->purse->lock_auto))
		return 0;
	if (atomic_load(&p->purse->balance) + a->limit_money + allowance(a) > 0)
		return 0;
	return err_set(err, ERR_CONFLICT, "status", str_of(status),
		       "a payment, or overdraft=AMOUNT overdraft_until=TIME with the unlock",
		       "the account locked itself: its money is used up");
}

int entity_set(struct ops *o, struct request *r, json_t **ret, struct err *err)
{
	const struct entity *e = entity_of(r);
	CLEANUP(buf_done) struct buf key = BUF_INIT;
	struct change c = { .changed = changes_of(e) };
	void *row = NULL;
	int error = change_begin(o, err);

	if (error < 0)
		return error;
	error = fetch(o, r, e, &row, err);
	c.before = json_of(e, row);
	if (error == 0)
		error = row_from_json(e, row, r->params, err);
	if (error == 0)
		error = check(o, e, row, err);
	if (error == 0 && e == &entities[ENTITY_ACCOUNT])
		error = check_unlock(o, r, row, err);
	if (error == 0)
		error = rows_set(o->db, e, row, err);
	c.after = json_of(e, row);
	if (row)
		row_key(e, row, &key);
	c.key = buf_cstr(&key);
	if (row && e == &entities[ENTITY_RATE_GROUP])
		c.group = ((struct rate_group_row *)row)->name;
	error = change_end(o, r, &c, error, err);
	json_decref(c.before);
	json_decref(c.after);
	if (error == 0)
		*ret = shown(o, e, row);
	row_free(e, row);
	return error;
}

int entity_show(struct ops *o, struct request *r, json_t **ret, struct err *err)
{
	const struct entity *e = entity_of(r);
	void *row = NULL;
	int error = fetch(o, r, e, &row, err);

	if (error == 0)
		*ret = shown(o, e, row);
	row_free(e, row);
	return error;
}

struct listing {
	struct ops *ops;
	const struct entity *entity;
	json_t *array;
};

static int list_row(void *ctx, const void *row)
{
	struct listing *l = ctx;
	void *copy = row_copy(l->entity, row);

	if (!copy)
		return -ENOMEM;
	int r = json_array_append_new(l->array, shown(l->ops, l->entity, copy));
	row_free(l->entity, copy);
	return r < 0 ? -ENOMEM : 0;
}

int entity_list(struct ops *o, struct request *r, json_t **ret, struct err *err)
{
	CLEANUP(buf_done) struct buf after = BUF_INIT;
	struct listing l = { .ops = o, .entity = entity_of(r), .array = json_array() };
	int64_t limit;
	int error = arg_int(r, "limit", 0, 1000000, 0, &limit, err);

	if (error == 0 && !l.array)
		error = -ENOMEM;
	(void)arg_text(r, "after", &after);
	if (error == 0)
		error = rows_each(o->db, l.entity, buf_str(&after), limit, list_row, &l);
	if (error == 0)
		*ret = TAKE(l.array);
	json_decref(l.array);
	return error;
}

/* An account goes only when it is empty and idle; what names it is found by the store. */
static int check_empty(struct ops *o, const struct account_row *a, struct err *err)
{
	const struct payer *p = world_payer(catalog_world(o->catalog), a->id);
	char balance[MONEY_TEXT];

	if (p && (atomic_load(&p->purse->balance) != 0 || atomic_load(&p->purse->free) != 0))
		return err_set(err, ERR_IN_USE, "id", str_of(a->id),
			       "a payment that makes the balance 0",
			       "the account still has a balance of %s",
			       money_text(atomic_load(&p->purse->balance), balance));
	if (p && atomic_load(&p->purse->calls) > 0)
		return err_set(err, ERR_IN_USE, "id", str_of(a->id), "no calls in progress",
			       "the account has calls in progress");
	return 0;
}

/* Rates, those that have ended too, go with their group: every record keeps the terms it was rated by. */
static int del_rates(struct ops *o, struct str group)
{
	CLEANUP(stmt_free) struct stmt *s = NULL;
	int r = stmt_prepare(&s, o->db, "DELETE FROM rate WHERE \"group\" = ?");

	if (r < 0)
		return r;
	stmt_bind_text(s, 1, group);
	return stmt_run(s);
}

int entity_del(struct ops *o, struct request *r, json_t **ret, struct err *err)
{
	const struct entity *e = entity_of(r);
	CLEANUP(buf_done) struct buf key = BUF_INIT;
	struct change c = { .changed = changes_of(e) };
	void *row = NULL;
	int error = change_begin(o, err);

	if (error < 0)
		return error;
	error = fetch(o, r, e, &row, err);
	c.before = json_of(e, row);
	if (row)
		row_key(e, row, &key);
	c.key = buf_cstr(&key);
	if (error == 0 && e == &entities[ENTITY_ACCOUNT])
		error = check_empty(o, row, err);
	if (error == 0 && e == &entities[ENTITY_RATE_GROUP])
		error = del_rates(o, buf_str(&key));
	if (error == 0)
		error = rows_del(o->db, e, buf_str(&key), err);
	/* Its tariff is left to nobody. */
	if (e == &entities[ENTITY_RATE_GROUP])
		c.changed = CHANGED_ACCOUNTS;
	error = change_end(o, r, &c, error, err);
	if (error == 0)
		*ret = json_pack("{s:s}", "deleted", c.key);
	json_decref(c.before);
	row_free(e, row);
	return error;
}
