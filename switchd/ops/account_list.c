#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "ops/inner.h"
#include "store/rows.h"

/* Accounts: of a kind, of an agent, by what they have (features.md §6). */

enum order { BY_ID, BY_BALANCE, BY_AVAILABLE, BY_HOLDS, BY_CALLS };

static const char *const orders[] = { "id", "balance", "available", "holds", "calls" };

struct found {
	int64_t by;
	json_t *row;
};

struct accounts {
	struct ops *ops;
	int kind; /* < 0: any */
	struct buf agent;
	bool below; /* and those of the agents below it */
	enum order order;
	int64_t limit; /* 0: none */
	struct found *found;
	size_t count, room;
};

static void accounts_done_cleanup(struct accounts *a)
{
	for (size_t i = 0; i < a->count; i++)
		json_decref(a->found[i].row);
	free(a->found);
	buf_done(&a->agent);
}

/* ---- which ---- */

static bool is_under(const struct accounts *a, const struct account_row *row)
{
	struct str agent = buf_str(&a->agent);
	const struct payer *p;

	if (str_is_empty(agent) || (row->agent && str_eq(str_of(row->agent), agent)))
		return true;
	p = a->below ? world_payer(catalog_world(a->ops->catalog), row->id) : NULL;
	while (p && p->agent && !str_eq(str_of(p->agent->row->id), agent))
		p = p->agent;
	return p && p->agent;
}

static int64_t key_of(const struct account_row *row, enum order order)
{
	switch (order) {
	case BY_BALANCE:
		return row->balance;
	case BY_AVAILABLE:
		return row->available;
	case BY_HOLDS:
		return row->holds;
	case BY_CALLS:
		return row->calls;
	case BY_ID:
		break;
	}
	return 0;
}

static int add(struct accounts *a, const struct account_row *row)
{
	if (a->count == a->room) {
		size_t room = a->room ? a->room * 2 : 64;
		struct found *more = reallocarray(a->found, room, sizeof(*more));

		if (!more)
			return -ENOMEM;
		a->found = more;
		a->room = room;
	}
	json_t *json = row_to_json(&entities[ENTITY_ACCOUNT], row);

	if (!json)
		return -ENOMEM;
	a->found[a->count++] = (struct found){ key_of(row, a->order), json };
	return 0;
}

static int take(void *ctx, const void *stored)
{
	struct accounts *a = ctx;
	const struct account_row *row = stored;
	const struct entity *e = &entities[ENTITY_ACCOUNT];

	if ((a->kind >= 0 && row->kind != a->kind) || !is_under(a, row) ||
	    (a->order == BY_ID && a->limit && (int64_t)a->count == a->limit))
		return 0;

	struct account_row *copy = row_copy(e, row);
	if (!copy)
		return -ENOMEM;
	entity_fill(a->ops, ENTITY_ACCOUNT, copy);
	int r = add(a, copy);
	row_free(e, copy);
	return r;
}

/* ---- what is asked ---- */

static int read_kind(struct accounts *a, const struct request *r, struct err *err)
{
	const struct field *f = &entities[ENTITY_ACCOUNT].field[ACCOUNT_KIND];
	CLEANUP(buf_done) struct buf text = BUF_INIT, accepted = BUF_INIT;

	a->kind = -1;
	if (!arg_text(r, "kind", &text))
		return 0;
	for (int i = 0; f->values[i]; i++) {
		if (str_eq(buf_str(&text), str_of(f->values[i])))
			a->kind = i;
	}
	if (a->kind >= 0)
		return 0;
	field_accepts(f, &accepted);
	return err_set(err, ERR_BAD_VALUE, "kind", buf_str(&text), buf_cstr(&accepted),
		       "there is no such kind of account");
}

static int read_order(struct accounts *a, const struct request *r, struct err *err)
{
	CLEANUP(buf_done) struct buf text = BUF_INIT;

	if (!arg_text(r, "sort", &text))
		return 0;
	for (size_t i = 0; i < sizeof(orders) / sizeof(orders[0]); i++) {
		if (str_eq(buf_str(&text), str_of(orders[i]))) {
			a->order = (enum order)i;
			return 0;
		}
	}
	return err_set(err, ERR_BAD_VALUE, "sort", buf_str(&text),
		       "id, balance, available, holds or calls", "nothing to sort accounts by");
}

static int read_agent(struct accounts *a, const struct request *r, struct err *err)
{
	bool is_given = arg_text(r, "agent", &a->agent);
	int error = arg_bool(r, "below", false, &a->below, err);

	if (error < 0 || !is_given)
		return error < 0 || !a->below ? error
					      : err_set(err, ERR_MISSING_FIELD, "agent", STR(""),
							"the id of an agent", "below whom?");
	const char *id = buf_cstr(&a->agent);
	const struct payer *p = id ? world_payer(catalog_world(a->ops->catalog), id) : NULL;

	if (p && p->row->kind == ACCOUNT_KIND_AGENT)
		return 0;
	return err_set(err, ERR_NOT_FOUND, "agent", buf_str(&a->agent), "the id of an agent",
		       "there is no such agent");
}

static int by_key(const void *x, const void *y)
{
	const struct found *a = x, *b = y;

	return a->by < b->by ? -1 : a->by > b->by;
}

/* As many as are asked for. */
static int answer(struct accounts *a, json_t **ret)
{
	CLEANUP(json_decref) json_t *list = json_array();

	/* By id they come from the store. */
	if (a->order != BY_ID && a->count)
		qsort(a->found, a->count, sizeof(*a->found), by_key);
	for (size_t i = 0; list && i < a->count && (!a->limit || (int64_t)i < a->limit); i++) {
		if (json_array_append(list, a->found[i].row) < 0)
			return -ENOMEM;
	}
	*ret = TAKE(list);
	return *ret ? 0 : -ENOMEM;
}

int account_list(struct ops *o, struct request *r, json_t **ret, struct err *err)
{
	CLEANUP(accounts_done) struct accounts a = { .ops = o, .agent = BUF_INIT };
	CLEANUP(buf_done) struct buf after = BUF_INIT;
	int error = arg_int(r, "limit", 0, 10000000, 0, &a.limit, err);

	if (error == 0)
		error = read_kind(&a, r, err);
	if (error == 0)
		error = read_order(&a, r, err);
	if (error == 0)
		error = read_agent(&a, r, err);
	if (arg_text(r, "after", &after) && a.order != BY_ID && error == 0)
		error = err_set(err, ERR_CONFLICT, "after", buf_str(&after),
				"no sort=", "pages go by id alone");
	if (error == 0)
		error = rows_each(o->db, &entities[ENTITY_ACCOUNT], buf_str(&after), 0, take, &a);
	return error < 0 ? error : answer(&a, ret);
}
