#include <errno.h>
#include <string.h>

#include "call/world_agent.h"
#include "ops/inner.h"
#include "store/rows.h"

/* SERVER_ALARM_CUSTOMER_BALANCE_MAX_SIZE: so many have a balance alarm of their own. */
static int check_low_balance(const struct world *w, const struct account_row *a, struct err *err)
{
	int64_t most = param_int(w->params, PARAM_SERVER_ALARM_CUSTOMER_BALANCE_MAX_SIZE);
	int64_t others = 0;
	char text[MONEY_TEXT];

	if (a->low_balance == FIELD_ABSENT)
		return 0;
	for (size_t i = 0; i < w->payers; i++) {
		const struct account_row *x = w->payer[i].row;

		others += x->low_balance != FIELD_ABSENT && strcmp(x->id, a->id) != 0;
	}
	if (others < most)
		return 0;
	return err_set(err, ERR_CONFLICT, "low_balance", str_of(money_text(a->low_balance, text)),
		       "none, or a higher SERVER_ALARM_CUSTOMER_BALANCE_MAX_SIZE",
		       "%lld accounts have a balance alarm of their own", (long long)others);
}

/* ---- the kind of an account, and who calls or is paid by it ---- */

static bool is_same(const char *a, const char *b)
{
	return a && b && strcmp(a, b) == 0;
}

/* The account that a gateway or phone names, and what it has now; NULL: none, or another entity. */
static const char *account_of(enum entity_id id, const void *row, const struct world *w,
			      const char **ret_now)
{
	if (id == ENTITY_MAPPING_GATEWAY) {
		const struct mapping_gateway_row *g = row;
		const struct source *s = world_source(w, g->name);

		*ret_now = s ? s->row->account : NULL;
		return g->account;
	}
	if (id == ENTITY_ROUTING_GATEWAY) {
		const struct routing_gateway_row *g = row;
		const struct vendor *v = world_vendor(w, g->name);

		*ret_now = v ? v->row->account : NULL;
		return g->account;
	}
	if (id == ENTITY_PHONE) {
		const struct phone_row *r = row;
		const struct phone *p = world_phone(w, r->number);

		*ret_now = p ? p->row->account : NULL;
		return r->account;
	}
	return NULL;
}

/* A database of before this rule may have it otherwise: whatever else is changed of such a gateway, that is no news. */
int account_check_use(struct ops *o, enum entity_id user, const void *used_by, struct err *err)
{
	const char *now = NULL;
	const char *id = account_of(user, used_by, catalog_world(o->catalog), &now);
	bool wants_vendors = user == ENTITY_ROUTING_GATEWAY;
	void *row = NULL;

	if (!id || is_same(id, now))
		return 0;
	int r = rows_get(o->db, &entities[ENTITY_ACCOUNT], str_of(id), clock_wall_ms(), &row, NULL);
	if (r < 0)
		return r == -ENOENT ? 0 : r; /* for the store to refuse, by its field */

	bool is_vendors = ((const struct account_row *)row)->kind == ACCOUNT_KIND_CLEARING;
	row_free(&entities[ENTITY_ACCOUNT], row);
	if (is_vendors == wants_vendors)
		return 0;
	if (is_vendors)
		return err_set(err, ERR_CONFLICT, "account", str_of(id),
			       "an account with kind=customer or agent",
			       "account %s is a vendor's (clearing): no calls are charged to it",
			       id);
	return err_set(err, ERR_CONFLICT, "account", str_of(id),
		       "an account with kind=clearing, or none",
		       "account %s is no vendor's: its kind is not clearing", id);
}

static bool is_of(const char *account, const struct account_row *a)
{
	return is_same(account, a->id);
}

/* The same from the other end. */
static int check_kind(const struct world *w, const struct account_row *a, struct err *err)
{
	bool is_vendors = a->kind == ACCOUNT_KIND_CLEARING;
	const char *user = NULL;

	const struct payer *now = world_payer(w, a->id);

	if (now && now->row->kind == a->kind)
		return 0;
	for (size_t i = 0; !user && is_vendors && i < w->sources; i++)
		user = is_of(w->source[i].row->account, a) ? w->source[i].row->name : NULL;
	for (size_t i = 0; !user && is_vendors && i < w->phones; i++)
		user = is_of(w->phone[i].row->account, a) ? w->phone[i].row->number : NULL;
	for (size_t i = 0; !user && !is_vendors && i < w->vendors; i++)
		user = is_of(w->vendor[i].row->account, a) ? w->vendor[i].row->name : NULL;
	if (!user)
		return 0;
	return err_set(err, ERR_CONFLICT, "kind",
		       str_of(entities[ENTITY_ACCOUNT].field[ACCOUNT_KIND].values[a->kind]),
		       is_vendors ? "customer or agent, or another account for it"
				  : "clearing, or another account for it",
		       is_vendors ? "calls of %s are charged to it" : "vendor %s is paid by it",
		       user);
}

int account_check_others(struct ops *o, const struct account_row *a, struct err *err)
{
	const struct world *w = catalog_world(o->catalog);
	int r = check_low_balance(w, a, err);

	if (r == 0)
		r = check_kind(w, a, err);
	return r < 0 ? r : agent_check(w, a, err);
}
