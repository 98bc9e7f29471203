#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "ledger/inner.h"

static struct account *find_locked(struct ledger *l, const char *name)
{
	struct hnode *it;

	HTAB_EACH_MATCH(it, &l->table, htab_hash(str_of(name)))
	{
		struct account *a = CONTAINER(it, struct account, purse.node);

		if (strcmp(a->purse.account, name) == 0)
			return a;
	}
	return NULL;
}

struct account *account_find(struct ledger *l, const char *name)
{
	(void)pthread_mutex_lock(&l->lock);
	struct account *a = find_locked(l, name);
	(void)pthread_mutex_unlock(&l->lock);
	return a;
}

static struct account *make_locked(struct ledger *l, const char *name)
{
	struct account *a = calloc(1, sizeof(*a));

	if (!a)
		return NULL;
	a->purse.account = strdup(name);
	if (!a->purse.account) {
		free(a);
		return NULL;
	}
	list_init(&a->touched);
	list_add_tail(&l->accounts, &a->all);
	htab_add(&l->table, &a->purse.node, htab_hash(str_of(name)));
	return a;
}

struct account *account_make(struct ledger *l, const char *name)
{
	(void)pthread_mutex_lock(&l->lock);
	struct account *a = find_locked(l, name);
	if (!a)
		a = make_locked(l, name);
	(void)pthread_mutex_unlock(&l->lock);
	return a;
}

int accounts_load(struct ledger *l)
{
	CLEANUP(stmt_free) struct stmt *s = NULL;
	int r = stmt_prepare(&s, l->db, "SELECT account, balance, lock_auto, income FROM purse");

	while (r == 0 && (r = stmt_step(s)) == 1) {
		CLEANUP(free) char *name = str_dup(stmt_text(s, 0));
		struct account *a = name ? account_make(l, name) : NULL;

		if (!a)
			return -ENOMEM;
		atomic_store(&a->purse.balance, stmt_int(s, 1));
		atomic_store(&a->purse.free, stmt_int(s, 1));
		atomic_store(&a->purse.lock_auto, stmt_int(s, 2) != 0);
		atomic_store(&a->purse.income, stmt_int(s, 3));
		r = 0;
	}
	return r;
}

void accounts_free(struct ledger *l)
{
	struct list *first;

	while ((first = list_shift(&l->accounts))) {
		struct account *a = CONTAINER(first, struct account, all);

		htab_del(&l->table, &a->purse.node);
		free(a->purse.account);
		free(a);
	}
	htab_done(&l->table);
}

void account_touch(struct ledger *l, struct account *a)
{
	if (!list_is_empty(&a->touched))
		return;
	a->next = atomic_load(&a->purse.balance);
	a->next_lock = atomic_load(&a->purse.lock_auto);
	a->paid = a->taken = a->earned = 0;
	list_add_tail(&l->touched, &a->touched);
}

/*
 * An agent's balance is what calls have brought it and was not paid out to it yet: 0 is its ordinary state, and only what it owes
 * locks it.
 */
static bool is_used_up(const struct account_rule *r, money_t balance)
{
	money_t floor = -(r->limit_money + r->overdraft);

	return r->is_agent ? balance < floor : balance <= floor;
}

/*
 * The automatic lock (behaviour.md, Money): at or below -limit_money it falls, a payment lifts it. Charges of calls that were up
 * already are booked whatever the lock says.
 */
static void decide_lock(struct account *a, const struct account_rule *r)
{
	if (!r->anti_overdraft)
		a->next_lock = false;
	else if (is_used_up(r, a->next))
		a->next_lock = true;
	else if (a->next_lock && a->paid > 0 && (!r->unlock_positive || a->next > 0))
		a->next_lock = false;
}

static int write_one(struct ledger *l, struct account *a)
{
	struct stmt *s = l->sql.purse_set;

	(void)pthread_mutex_lock(&l->lock);
	struct account_rule rule = a->rule;
	bool has_rule = a->has_rule;
	(void)pthread_mutex_unlock(&l->lock);

	money_t floor = -(rule.limit_money + rule.overdraft);

	if (has_rule)
		decide_lock(a, &rule);
	stmt_bind_text(s, 1, str_of(a->purse.account));
	stmt_bind_int(s, 2, a->next);
	stmt_bind_int(s, 3, a->next_lock);
	if (rule.cut_off && a->next >= floor) {
		stmt_bind_int(s, 4, floor);
	} else {
		/* A record is never lost to the CHECK: below the floor it is booked all the same, and said aloud. */
		if (rule.cut_off)
			log_at(LOG_CRIT, FIELDS(.account = a->purse.account),
			       "account %s is below its floor although calls are cut off",
			       a->purse.account);
		stmt_bind_null(s, 4);
	}
	stmt_bind_int(s, 5, atomic_load(&a->purse.income) + a->earned);
	return stmt_run(s);
}

int accounts_write(struct ledger *l)
{
	struct list *it, *tmp;
	int r = 0;

	LIST_EACH (it, tmp, &l->touched) {
		r = write_one(l, CONTAINER(it, struct account, touched));
		if (r < 0)
			break;
	}
	return r;
}

void accounts_publish(struct ledger *l)
{
	struct list *first;

	while ((first = list_shift(&l->touched))) {
		struct account *a = CONTAINER(first, struct account, touched);

		atomic_store(&a->purse.balance, a->next);
		atomic_fetch_add(&a->purse.free, a->paid + a->earned - a->taken);
		atomic_fetch_add(&a->purse.income, a->earned);
		atomic_store(&a->purse.lock_auto, a->next_lock);
	}
}

void accounts_forget(struct ledger *l)
{
	while (list_shift(&l->touched))
		;
}

struct purse *ledger_purse(struct ledger *l, const char *account)
{
	struct account *a = account_make(l, account);

	return a ? &a->purse : NULL;
}

void ledger_set_rule(struct ledger *l, const char *account, const struct account_rule *rule)
{
	struct account *a = account_find(l, account);

	if (!a)
		return;
	(void)pthread_mutex_lock(&l->lock);
	a->rule = *rule;
	a->has_rule = true;
	(void)pthread_mutex_unlock(&l->lock);

	/* A new limit acts at once, also on a balance that no commit is about to change. */
	money_t balance = atomic_load(&a->purse.balance);
	bool is_under = is_used_up(rule, balance);

	if (rule->anti_overdraft && is_under)
		atomic_store(&a->purse.lock_auto, true);
	else if (!rule->anti_overdraft || !rule->unlock_positive || balance > 0)
		atomic_store(&a->purse.lock_auto, false);
}
