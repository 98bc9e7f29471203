#include "call/world_agent.h"

#include <string.h>

#include "base/log.h"
#include "rating/share.h"

static bool is_same_currency(const struct account_row *a, const struct account_row *b)
{
	return str_eq(str_of(a->currency), str_of(b->currency));
}

/* Agents above an account whose agent is p; more than SHARES_MAX: too many, or a ring. */
static int height(const struct payer *p)
{
	int n = 0;

	for (; p && n <= SHARES_MAX; p = p->agent)
		n++;
	return n;
}

/* ---- at entry ---- */

/* Levels of accounts below this one. */
static int depth_below(const struct world *w, const char *id)
{
	int deepest = 0;

	for (size_t i = 0; i < w->payers; i++) {
		const struct payer *p = w->payer[i].agent;

		for (int n = 1; p; n++, p = p->agent) {
			if (strcmp(p->row->id, id) == 0 && n > deepest)
				deepest = n;
		}
	}
	return deepest;
}

/* The accounts below, as they would see the change. */
static int check_children(const struct world *w, const struct account_row *a, struct err *err)
{
	const struct field *kind = &entities[ENTITY_ACCOUNT].field[ACCOUNT_KIND];

	for (size_t i = 0; i < w->payers; i++) {
		const struct account_row *x = w->payer[i].row;

		if (!x->agent || strcmp(x->agent, a->id) != 0)
			continue;
		if (a->kind != ACCOUNT_KIND_AGENT)
			return err_set(err, ERR_CONFLICT, "kind", str_of(kind->values[a->kind]),
				       "agent, or another agent for that account",
				       "it is the agent of account %s", x->id);
		if (!is_same_currency(a, x))
			return err_set(err, ERR_CONFLICT, "currency", str_of(a->currency),
				       x->currency, "it is the agent of account %s, which is in %s",
				       x->id, x->currency);
	}
	return 0;
}

static bool is_above_itself(const struct payer *p, const char *id)
{
	for (; p; p = p->agent) {
		if (strcmp(p->row->id, id) == 0)
			return true;
	}
	return false;
}

static int check_parent(const struct world *w, const struct account_row *a, struct err *err)
{
	const struct payer *p = world_payer(w, a->agent);
	struct str given = str_of(a->agent);

	if (strcmp(a->agent, a->id) == 0 || is_above_itself(p, a->id))
		return err_set(err, ERR_CONFLICT, "agent", given, "an agent that is not below it",
			       "account %s would stand above itself", a->id);
	if (!p)
		return 0; /* for the store to refuse, by its field */
	if (a->kind == ACCOUNT_KIND_CLEARING)
		return err_set(err, ERR_CONFLICT, "agent", given, "none",
			       "a clearing account is the vendor's: nobody earns by it");
	if (p->row->kind != ACCOUNT_KIND_AGENT)
		return err_set(err, ERR_CONFLICT, "agent", given, "an account with kind=agent",
			       "account %s is not an agent", p->row->id);
	if (!is_same_currency(a, p->row))
		return err_set(err, ERR_CONFLICT, "agent", given, "an agent in the same currency",
			       "account %s is in %s, agent %s in %s", a->id, a->currency,
			       p->row->id, p->row->currency);
	if (height(p) + depth_below(w, a->id) > SHARES_MAX)
		return err_set(err, ERR_CONFLICT, "agent", given, "a tree with fewer levels",
			       "above some account there would be more than %d agents", SHARES_MAX);
	return 0;
}

int agent_check(const struct world *w, const struct account_row *a, struct err *err)
{
	int r = check_children(w, a, err);

	return r < 0 || !a->agent || !a->agent[0] ? r : check_parent(w, a, err);
}

/* ---- at the making of a world ---- */

static const struct payer *agent_of(const struct world *w, const struct payer *p)
{
	const struct payer *agent = world_payer(w, p->row->agent);
	bool is_fit = agent && agent != p && agent->row->kind == ACCOUNT_KIND_AGENT &&
		      p->row->kind != ACCOUNT_KIND_CLEARING && is_same_currency(agent->row, p->row);

	return is_fit ? agent : NULL;
}

void agents_link(struct world *w)
{
	for (size_t i = 0; i < w->payers; i++)
		w->payer[i].agent = agent_of(w, &w->payer[i]);
	for (size_t i = 0; i < w->payers; i++) {
		struct payer *p = &w->payer[i];

		if (height(p->agent) > SHARES_MAX)
			p->agent = NULL;
		if (!p->agent && p->row->agent && p->row->agent[0])
			log_at(LOG_WARNING, FIELDS(.account = p->row->id),
			       "account %s: %s cannot be its agent, and earns nothing", p->row->id,
			       p->row->agent);
	}
}
