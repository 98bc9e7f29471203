#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "ledger/inner.h"
#include "rating/gift.h"

/*
 * Packages in the books. A fee is a payment of kind rent under a key of its own, and the row in `allowance` stands in the same
 * transaction: both or neither, and once for a period whatever the clock or a crash does. What a call takes is a row in
 * `package_use`, in the transaction of its record.
 */

/* ---- live ---- */

static struct bundle *find_locked(struct ledger *l, const char *account, const char *package)
{
	struct hnode *it;

	HTAB_EACH_MATCH(it, &l->bundles, htab_hash2(str_of(account), str_of(package)))
	{
		struct bundle *b = CONTAINER(it, struct bundle, node);

		if (strcmp(b->account, account) == 0 && strcmp(b->package, package) == 0)
			return b;
	}
	return NULL;
}

static void bundle_free(struct bundle *b)
{
	struct allowance *a = atomic_load(&b->newest);

	while (a) {
		struct allowance *older = a->older;

		free(a);
		a = older;
	}
	free(b->account);
	free(b->package);
	free(b);
}

static struct bundle *make_locked(struct ledger *l, const char *account, const char *package)
{
	struct bundle *b = calloc(1, sizeof(*b));

	if (!b)
		return NULL;
	b->account = strdup(account);
	b->package = strdup(package);
	if (!b->account || !b->package) {
		bundle_free(b);
		return NULL;
	}
	htab_add(&l->bundles, &b->node, htab_hash2(str_of(account), str_of(package)));
	return b;
}

struct bundle *ledger_bundle(struct ledger *l, const char *account, const char *package)
{
	(void)pthread_mutex_lock(&l->lock);
	struct bundle *b = find_locked(l, account, package);
	if (!b)
		b = make_locked(l, account, package);
	(void)pthread_mutex_unlock(&l->lock);
	return b;
}

static void put_in_front(struct bundle *b, struct allowance *a)
{
	a->older = atomic_load(&b->newest);
	atomic_store(&b->newest, a);
}

/* ---- at the start ---- */

static struct allowance *read_allowance(struct stmt *s)
{
	struct allowance *a = calloc(1, sizeof(*a));

	if (!a)
		return NULL;
	a->id = stmt_int(s, 0);
	a->begins = stmt_int(s, 3);
	a->ends = stmt_int(s, 4);
	a->step_s = stmt_int(s, 5);
	atomic_store(&a->left_s, stmt_int(s, 6));
	atomic_store(&a->left_money, stmt_int(s, 7));
	return a;
}

/* Those over for a week are of no use any more, wherever the clock is put. */
enum { WEEK_MS = 7 * 86400000 };

int bundles_load(struct ledger *l)
{
	CLEANUP(stmt_free) struct stmt *s = NULL;
	int r = stmt_prepare(&s, l->db,
			     "SELECT id, account, package, begins, ends, step_s, time_s - used_s,"
			     " money - used_money FROM allowance WHERE ends > ? ORDER BY begins");

	if (r < 0)
		return r;
	stmt_bind_int(s, 1, clock_wall_ms() - WEEK_MS);
	while ((r = stmt_step(s)) == 1) {
		CLEANUP(free) char *account = str_dup(stmt_text(s, 1));
		CLEANUP(free) char *package = str_dup(stmt_text(s, 2));
		struct bundle *b = account && package ? ledger_bundle(l, account, package) : NULL;
		struct allowance *a = b ? read_allowance(s) : NULL;

		if (!a)
			return -ENOMEM;
		put_in_front(b, a);
	}
	return r;
}

void bundles_free(struct ledger *l)
{
	struct hnode *it;

	while (l->bundles.bucket && (it = htab_walk(&l->bundles, NULL))) {
		htab_del(&l->bundles, it);
		bundle_free(CONTAINER(it, struct bundle, node));
	}
	htab_done(&l->bundles);
}

/* ---- fees ---- */

/* A period that reaches into this one is paid for: it is the same, or a clock or an order was set back. */
static int is_paid(struct ledger *l, const struct rent *x)
{
	struct stmt *s = l->sql.allowance_find;

	stmt_bind_text(s, 1, str_of(x->account));
	stmt_bind_text(s, 2, str_of(x->package));
	stmt_bind_int(s, 3, x->begins);
	int r = stmt_step(s);
	stmt_reset(s);
	return r;
}

/*
 * Is the fee covered? It is taken from what is free, as a hold is, so that no call is promised the same money; what was taken for
 * an earlier try of this transaction stands.
 */
static bool is_covered(struct ledger *l, struct item *it, struct account *a)
{
	const struct rent *x = it->mail.rent;
	money_t available;

	(void)pthread_mutex_lock(&l->lock);
	struct account_rule rule = a->rule;
	(void)pthread_mutex_unlock(&l->lock);
	if (!rule.anti_overdraft || x->price == 0 || it->reserved > 0)
		return true;
	return purse_reserve(&a->purse, -(rule.limit_money + rule.overdraft), x->price, x->price,
			     &it->reserved, &available);
}

static int add_fee(struct ledger *l, struct account *a, const struct rent *x, ms_t now)
{
	CLEANUP(buf_done) struct buf key = BUF_INIT, memo = BUF_INIT;
	struct payment_row p = { .account = x->account,
				 .at = now,
				 .kind = PAYMENT_KIND_RENT,
				 .mode = PAYMENT_MODE_OTHER,
				 .amount = -x->price,
				 .actor = (char[]){ "switch" },
				 .reverses = FIELD_ABSENT };

	if (x->price == 0)
		return 0;
	account_touch(l, a);
	if (money_sub(a->next, x->price, &a->next) < 0)
		return -ERANGE;
	a->paid -= x->price;
	buf_printf(&key, "package %s/%s %lld", x->account, x->package, (long long)x->begins);
	buf_printf(&memo, "package %s", x->package);
	p.request_key = (char *)(uintptr_t)buf_cstr(&key);
	p.memo = (char *)(uintptr_t)buf_cstr(&memo);
	return p.request_key && p.memo ? payment_add(l, a, &p) : -ENOMEM;
}

static int add_allowance(struct ledger *l, const struct rent *x)
{
	struct stmt *s = l->sql.allowance_add;

	stmt_bind_text(s, 1, str_of(x->account));
	stmt_bind_text(s, 2, str_of(x->package));
	stmt_bind_int(s, 3, x->begins);
	stmt_bind_int(s, 4, x->ends);
	stmt_bind_int(s, 5, x->price);
	stmt_bind_int(s, 6, x->time_s);
	stmt_bind_int(s, 7, x->step_s);
	stmt_bind_int(s, 8, x->money);
	return stmt_run(s);
}

int book_rent(struct ledger *l, struct item *it)
{
	struct rent *x = it->mail.rent;
	struct account *a = account_find(l, x->account);
	int r = a ? is_paid(l, x) : -ENOENT;

	if (r == -ENOENT || r == 1 || (r == 0 && !is_covered(l, it, a))) {
		it->is_refused = true;
		return 0;
	}
	if (r == 0)
		r = add_fee(l, a, x, clock_wall_ms());
	if (r == 0)
		r = add_allowance(l, x);
	if (r == 0)
		it->mail.id = db_last_id(l->db);
	return r;
}

/* After the commit, or when it is given up. */
void rent_booked(struct ledger *l, struct item *it)
{
	const struct rent *x = it->mail.rent;
	struct account *a = account_find(l, x->account);
	struct bundle *b = ledger_bundle(l, x->account, x->package);
	struct allowance *n = it->is_refused || it->is_poison ? NULL : calloc(1, sizeof(*n));

	/* The payment itself has gone off what is free. */
	if (a && it->reserved > 0)
		purse_settle(&a->purse, it->reserved, 0);
	it->reserved = 0;
	if (!n || !b) { /* without memory it is there after the next start */
		free(n);
		return;
	}
	n->id = it->mail.id;
	n->begins = x->begins;
	n->ends = x->ends;
	n->step_s = x->step_s;
	atomic_store(&n->left_s, x->time_s);
	atomic_store(&n->left_money, x->money);
	put_in_front(b, n);
	log_at(LOG_INFO, FIELDS(.account = x->account), "package %s of account %s: a period begins",
	       x->package, x->account);
}

/* ---- calls ---- */

static int book_use(struct ledger *l, const struct gift_part *p, int64_t cdr)
{
	struct stmt *add = l->sql.use_add, *sum = l->sql.allowance_use;

	stmt_bind_int(add, 1, p->allowance);
	stmt_bind_int(add, 2, cdr);
	stmt_bind_int(add, 3, p->used_s);
	stmt_bind_int(add, 4, p->money);
	int r = stmt_run(add);

	if (r < 0)
		return r;
	stmt_bind_int(sum, 1, p->used_s);
	stmt_bind_int(sum, 2, p->money);
	stmt_bind_int(sum, 3, p->allowance);
	return stmt_run(sum);
}

int book_uses(struct ledger *l, const struct cdr_row *cdr)
{
	struct gift g;
	int r = 0;

	if (!cdr->packages)
		return 0;
	if (gift_parse(str_of(cdr->packages), &g) < 0) {
		/* It must not be lost to that; `cdr verify` names it. */
		log_at(LOG_CRIT, FIELDS(.account = cdr->account),
		       "record %lld: what packages gave it cannot be read", (long long)cdr->id);
		return 0;
	}
	for (int i = 0; r == 0 && i < g.count; i++)
		r = book_use(l, &g.part[i], cdr->id);
	return r;
}

int book_gift(struct ledger *l, const struct mail *m)
{
	struct stmt *s = l->sql.call_gift;

	stmt_bind_text(s, 1, str_of(m->legs));
	stmt_bind_int(s, 2, m->id);
	return stmt_run(s);
}

/* The charge of a call that a crash cut, with what packages held for it; a text that does not parse gives nothing. */
int gift_close(struct cdr_row *r, const struct terms *t, int64_t hold_ms, struct charge *ret)
{
	CLEANUP(buf_done) struct buf text = BUF_INIT;
	struct gift g = { 0 };
	struct given sum;
	int e;

	if (gift_parse(str_of(r->packages), &g) < 0)
		g.count = 0;
	e = gift_settle(&g, t, hold_ms, ret);
	if (e < 0)
		return e;
	gift_sum(&g, &sum);
	gift_put(&g, &text);
	free(r->packages);
	r->packages = text.n ? buf_steal(&text) : NULL;
	r->package_s = sum.seconds;
	r->package_fee = sum.money;
	return 0;
}
