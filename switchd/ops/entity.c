#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "call/world_package.h"
#include "call/world_profile.h"
#include "call/world_spend.h"
#include "number/origins.h"
#include "ops/directory.h"
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
	case ENTITY_PHONE:
		return CHANGED_PHONES;
	case ENTITY_NUMBER_LIST:
	case ENTITY_LISTED_NUMBER:
	case ENTITY_WHITELIST:
		return CHANGED_LISTS;
	case ENTITY_AREA:
		return CHANGED_AREAS;
	case ENTITY_TRANSFORM:
	case ENTITY_NUMBER_PAIR:
		return CHANGED_TRANSFORMS;
	case ENTITY_ORIGIN_GROUP:
		return CHANGED_ORIGINS;
	default:
		return CHANGED_GATEWAYS;
	}
}

/* The one rate group, origin group or number list that a change of the row is about; NULL: of another entity. */
static const char *group_of(const struct entity *e, const void *row)
{
	switch ((enum entity_id)(e - entities)) {
	case ENTITY_RATE_GROUP:
		return ((const struct rate_group_row *)row)->name;
	case ENTITY_ORIGIN_GROUP:
		return ((const struct origin_group_row *)row)->name;
	case ENTITY_NUMBER_LIST:
		return ((const struct number_list_row *)row)->name;
	case ENTITY_LISTED_NUMBER:
		return ((const struct listed_number_row *)row)->list;
	default:
		return NULL;
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
	a->income = atomic_load(&p->purse->income);
}

static void fill_gateway(struct ops *o, enum entity_id id, void *row)
{
	const struct world *w = catalog_world(o->catalog);
	ms_t since;

	if (id == ENTITY_MAPPING_GATEWAY) {
		struct mapping_gateway_row *g = row;
		const struct source *s = world_source(w, g->name);

		g->calls = s ? atomic_load(&s->gate->lines) : 0;
	} else if (id == ENTITY_ROUTING_GATEWAY) {
		struct routing_gateway_row *g = row;
		const struct vendor *v = world_vendor(w, g->name);

		g->calls = v ? atomic_load(&v->gate->lines) : 0;
		free(g->health);
		free(g->registered);
		g->health =
			strdup(reach_health_name(v ? vendor_health(v, &since) : REACH_UNPROBED));
		g->registered = strdup(reach_place_name(v ? vendor_place(v) : REACH_NO_PLACE));
	} else if (id == ENTITY_GATEWAY_GROUP) {
		struct gateway_group_row *g = row;
		const struct group *group = world_group(w, str_of(g->name));

		g->calls = group ? atomic_load(&group->gate->lines) : 0;
	} else if (id == ENTITY_PHONE) {
		struct phone_row *g = row;
		const struct phone *p = world_phone(w, g->number);

		g->calls = p ? (int64_t)atomic_load(&p->source.gate->lines) +
					   atomic_load(&p->vendor.gate->lines)
			     : 0;
		g->registered = registration_is_live(o, g->number);
	}
}

static void fill_list(struct ops *o, struct number_list_row *row)
{
	const struct numlist *l =
		row->name ? directory_list(catalog_directory(o->catalog), row->name) : NULL;

	row->count = l ? (int64_t)numlist_count(l) : 0;
}

void entity_fill(struct ops *o, enum entity_id id, void *row)
{
	if (id == ENTITY_ACCOUNT)
		fill_account(o, row);
	else if (id == ENTITY_PACKAGE_ORDER)
		packages_fill(o, row);
	else if (id == ENTITY_NUMBER_LIST)
		fill_list(o, row);
	else if (id == ENTITY_SPEND_RULE)
		spends_fill(o, row);
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

static int check_transform(const struct transform_row *row, struct err *err)
{
	struct transform *t = NULL;
	int r = directory_compile(row, &t, err);

	transform_free(t);
	return r;
}

static int check_origin_group(const struct origin_group_row *row, struct err *err)
{
	if (!origins_is_name(str_of(row->name)))
		return err_set(err, ERR_BAD_VALUE, "name", str_of(row->name),
			       "a name that begins with a letter, without / and ,",
			       "a rate is called GROUP/PREFIX/ORIGIN");
	return origins_check(str_of(row->prefixes), err);
}

static int check_plan(const struct route_plan_row *row, struct err *err)
{
	CLEANUP(timeplan_free) struct timeplan *p = NULL;

	return timeplan_create(&p, row, err);
}

int entity_check(struct ops *o, const struct entity *e, const void *row, struct err *err)
{
	enum entity_id id = (enum entity_id)(e - entities);
	int r = row_check(e, row, err);

	if (r == 0)
		r = account_check_use(o, id, row, err);
	if (r < 0)
		return r;
	switch (id) {
	case ENTITY_ACCOUNT:
		r = check_account(row, err);
		if (r == 0)
			r = account_check_others(o, row, err);
		return r < 0 ? r : check_currency(o, row, err);
	case ENTITY_RATE_GROUP:
		return check_group_currency(o, row, err);
	case ENTITY_MAPPING_GATEWAY:
		return world_check_mapping(row, err);
	case ENTITY_ROUTING_GATEWAY:
		return world_check_routing(row, err);
	case ENTITY_PHONE:
		return world_check_phone(row, err);
	case ENTITY_TRANSFORM:
		return check_transform(row, err);
	case ENTITY_ORIGIN_GROUP:
		return check_origin_group(row, err);
	case ENTITY_ROUTE_PLAN:
		return check_plan(row, err);
	case ENTITY_SECURITY_PROFILE:
		return world_check_profile(row, err);
	case ENTITY_SPEND_RULE:
		return world_check_spend_rule(row, err);
	case ENTITY_PACKAGE:
		return world_check_package(row, err);
	case ENTITY_PACKAGE_ORDER:
		return packages_check_order(row, err);
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
	c.group = group_of(e, row);
	error = entity_check(o, e, row, err);
	if (error == 0)
		error = rows_add(o->db, e, row, err);
	error = change_end(o, r, &c, error, err);
	json_decref(c.after);
	return error;
}

/* A phone that is given no password gets one, which only this answer shows. */
static int make_password(const struct ops *o, struct phone_row *p, char **ret)
{
	int r = p->password ? 0 : password_make(o, ret);

	if (r < 0 || p->password)
		return r;
	p->password = strdup(*ret);
	return p->password ? 0 : -ENOMEM;
}

int entity_add(struct ops *o, struct request *r, json_t **ret, struct err *err)
{
	const struct entity *e = entity_of(r);
	CLEANUP(free) char *made = NULL;
	void *row = row_create(e);
	int error = row ? license_allows_more(o, err) : -ENOMEM;

	if (error == 0)
		error = row_from_json(e, row, r->params, err);
	if (error == 0)
		error = password_allow(o, r, e, err);
	if (error == 0 && e == &entities[ENTITY_ACCOUNT])
		((struct account_row *)row)->created = clock_wall_ms();
	if (error == 0 && e == &entities[ENTITY_PHONE])
		error = make_password(o, row, &made);
	if (error == 0)
		error = store_new(o, r, e, row, err);
	if (error == 0)
		*ret = shown(o, e, row);
	if (error == 0 && *ret && made)
		(void)json_object_set_new(*ret, "password", json_string(made));
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

/* A new password, or a lock, ends the registration that was made before it; a phone is never without a password. */
static int check_phone_change(struct ops *o, const struct request *r, struct phone_row *p)
{
	bool is_new = json_object_get(r->params, "password") != NULL;

	if (!p->password && password_make(o, &p->password) < 0)
		return -ENOMEM;
	if (!is_new && p->status != PHONE_STATUS_LOCKED)
		return 0;
	int n = registration_forget(o, p->number);

	return n < 0 ? n : 0;
}

/* What a change says of the row: without the key, where that is no field but several. */
static int apply_fields(const struct request *r, const struct entity *e, void *row, struct err *err)
{
	json_t *fields = json_copy((json_t *)(uintptr_t)r->params);
	int error = fields ? 0 : -ENOMEM;

	if (fields && strcmp(op_infos[r->op].key, "key") == 0)
		(void)json_object_del(fields, "key");
	if (error == 0)
		error = row_from_json(e, row, fields, err);
	json_decref(fields);
	return error;
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
		error = apply_fields(r, e, row, err);
	if (error == 0)
		error = password_allow(o, r, e, err);
	if (error == 0)
		error = entity_check(o, e, row, err);
	if (error == 0 && e == &entities[ENTITY_ACCOUNT])
		error = check_unlock(o, r, row, err);
	if (error == 0 && e == &entities[ENTITY_PHONE])
		error = check_phone_change(o, r, row);
	if (error == 0)
		error = rows_set(o->db, e, row, err);
	c.after = json_of(e, row);
	if (row)
		row_key(e, row, &key);
	c.key = buf_cstr(&key);
	if (row)
		c.group = group_of(e, row);
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
	/* Of what there may be millions not all at once, unless that is asked for. */
	bool is_long = l.entity == &entities[ENTITY_AREA] ||
		       l.entity == &entities[ENTITY_WHITELIST] ||
		       l.entity == &entities[ENTITY_NUMBER_PAIR];
	int error = arg_int(r, "limit", 0, 10000000, is_long ? 10000 : 0, &limit, err);

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

/* A rate without its callers would rate nobody, or, one that has ended, could not be told any more. */
static int check_unused_origin(struct ops *o, const struct origin_group_row *row, struct err *err)
{
	CLEANUP(stmt_free) struct stmt *s = NULL;
	int r = rows_has(o->db, &entities[ENTITY_RATE], RATE_ORIGIN, str_of(row->name));

	if (r == 0) { /* nor one that `rate undo` may bring back */
		r = stmt_prepare(&s, o->db, "SELECT 1 FROM rate_dropped WHERE origin = ?1 LIMIT 1");
		if (r == 0) {
			stmt_bind_text(s, 1, str_of(row->name));
			r = stmt_step(s);
		}
	}
	return r <= 0 ? r
		      : err_set(err, ERR_IN_USE, "name", str_of(row->name), NULL,
				"the origin group is still named by rates");
}

/* Rates, those that have ended too, go with their group: every record keeps the terms it was rated by. And so do the numbers of a list. */
static int del_members(struct ops *o, const char *sql, struct str group)
{
	CLEANUP(stmt_free) struct stmt *s = NULL;
	int r = stmt_prepare(&s, o->db, sql);

	if (r < 0)
		return r;
	stmt_bind_text(s, 1, group);
	return stmt_run(s);
}

static int del_rates(struct ops *o, struct str group)
{
	static const char *const of_group[] = {
		("DELETE FROM rate_ended WHERE sheet IN"
		 " (SELECT id FROM rate_sheet WHERE \"group\" = ?)"),
		"DELETE FROM rate_dropped WHERE \"group\" = ?",
		"DELETE FROM rate WHERE \"group\" = ?",
		"DELETE FROM rate_sheet WHERE \"group\" = ?",
	};
	int r = 0;

	for (size_t i = 0; r == 0 && i < sizeof(of_group) / sizeof(of_group[0]); i++)
		r = del_members(o, of_group[i], group);
	return r;
}

int entity_del(struct ops *o, struct request *r, json_t **ret, struct err *err)
{
	const struct entity *e = entity_of(r);
	CLEANUP(buf_done) struct buf key = BUF_INIT;
	struct change c = { .changed = changes_of(e) };
	void *row = NULL;
	/* A sheet that has been read may name it. */
	int error = e == &entities[ENTITY_ORIGIN_GROUP] && o->has_sheet ? -EAGAIN
									: change_begin(o, err);

	if (error < 0)
		return error;
	error = fetch(o, r, e, &row, err);
	c.before = json_of(e, row);
	if (row)
		row_key(e, row, &key);
	c.key = buf_cstr(&key);
	if (error == 0 && e == &entities[ENTITY_ACCOUNT])
		error = check_empty(o, row, err);
	if (error == 0 && e == &entities[ENTITY_PHONE])
		error = registration_forget(o, ((struct phone_row *)row)->number) < 0 ? -EIO : 0;
	if (error == 0 && e == &entities[ENTITY_RATE_GROUP])
		error = del_rates(o, buf_str(&key));
	if (error == 0 && e == &entities[ENTITY_ORIGIN_GROUP])
		error = check_unused_origin(o, row, err);
	if (error == 0 && e == &entities[ENTITY_NUMBER_LIST])
		error = del_members(o, "DELETE FROM listed_number WHERE list = ?", buf_str(&key));
	if (row)
		c.group = group_of(e, row);
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
