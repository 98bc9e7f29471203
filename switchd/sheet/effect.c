#include "sheet/effect.h"

#include <errno.h>
#include <stdlib.h>

#include "rating/charge.h"
#include "sheet/load.h"
#include "store/cdr_query.h"
#include "store/records.h"

enum { WEEK_MS = 7 * DAY_MS, NUMBER_MAX = 64 };

/* Who is charged by the group: a customer, or a clearing account by one of its gateways. */
struct party {
	struct str account, gateway; /* gateway empty: a customer */
	bool is_before;              /* the vendor rates the number before its transforms */
};

struct call {
	uint32_t text; /* where the number stands, and behind it the caller's */
	uint16_t n, caller_n;
	bool is_vendor;
	int64_t hold_ms;
};

struct looking {
	struct effect *effect;
	const struct effect_ask *ask;
	struct buf names; /* of the parties, each with a NUL behind it */
	struct buf numbers;
	struct call *call;
	size_t calls, room;
	const struct party *party;
	size_t left; /* of this party's calls */
};

/* ---- the calls ---- */

/* What the customer was charged by. */
static const char *charged(const struct cdr_row *r)
{
	return r->rated_number ? r->rated_number : r->callee;
}

/* ... and the vendor, without SERVER_BILLING_GATEWAY_ROUTE_PREFIX (inquiry_vendor_number has the same rule for a call). */
static const char *costed(const struct cdr_row *r, bool is_before)
{
	if (r->ported)
		return r->ported;
	return is_before ? r->callee : r->callee_out;
}

/* Whose origin groups count (inquiry_vendor_caller). */
static struct str calling(const struct cdr_row *r, bool is_vendor, bool is_before)
{
	return str_of(is_vendor && !is_before ? r->caller_out : r->caller);
}

static int on_record(void *ctx, const void *row)
{
	struct looking *l = ctx;
	const struct cdr_row *r = row;
	bool is_vendor = l->party->gateway.n > 0;
	struct str before = is_vendor ? l->ask->route_prefix : STR("");
	struct str number = str_of(is_vendor ? costed(r, l->party->is_before) : charged(r));
	struct str caller = calling(r, is_vendor, l->party->is_before);

	if (is_vendor && !str_eq(str_of(r->vendor_account), l->party->account))
		return 0;
	if (l->left == 0) {
		l->effect->is_cut = true;
		return 1;
	}
	l->left--;
	if (r->answer == FIELD_ABSENT || number.n == 0 || number.n > NUMBER_MAX || r->hold_ms < 0)
		return 0;
	if (l->calls == l->room) {
		size_t room = l->room ? l->room * 2 : 1024;
		struct call *more = reallocarray(l->call, room, sizeof(*more));

		if (!more)
			return -ENOMEM;
		l->call = more;
		l->room = room;
	}
	caller = str_head(caller, NUMBER_MAX);
	l->call[l->calls++] =
		(struct call){ (uint32_t)l->numbers.n, (uint16_t)(before.n + number.n),
			       (uint16_t)caller.n, is_vendor, r->hold_ms };
	buf_put(&l->numbers, before);
	buf_put(&l->numbers, number);
	buf_put(&l->numbers, caller);
	if (l->effect->since == 0 || r->start < l->effect->since)
		l->effect->since = r->start;
	return buf_error(&l->numbers);
}

static int read_calls(struct looking *l, const struct party *p, size_t most)
{
	CLEANUP(records_close) struct records all;
	struct cdr_filter f = CDR_FILTER_INIT;

	f.from = l->ask->delta->now - WEEK_MS;
	f.answered = CDR_ANSWERED;
	f.stop = l->ask->stop;
	f.limit = (int64_t)most + 1;
	if (p->gateway.n)
		f.routing_gateway = p->gateway;
	else
		f.account = p->account;
	l->party = p;
	l->left = most;
	int r = records_open(&all, l->ask->data_dir);
	if (r == 0)
		r = cdr_query(all.ledger, buf_cstr(&all.dir), &f, on_record, l);
	l->party = NULL;
	return r < 0 ? r : 0;
}

/* The names in one text, so that none is lost while they are many: account, gateway, "1" or "0". */
static int read_parties(struct looking *l, struct db *d, size_t *ret_n)
{
	CLEANUP(stmt_free) struct stmt *s = NULL;
	int r = stmt_prepare(&s, d,
			     "SELECT id, '', 0 FROM account"
			     " WHERE rate_group = ?1 AND kind <> 'clearing'"
			     " UNION ALL SELECT a.id, g.name, g.cost_number = 'before'"
			     " FROM account a JOIN routing_gateway g ON g.account = a.id"
			     " WHERE a.rate_group = ?1 AND a.kind = 'clearing'");

	if (r < 0)
		return r;
	stmt_bind_text(s, 1, l->ask->delta->group);
	*ret_n = 0;
	while ((r = stmt_step(s)) == 1) {
		for (int i = 0; i < 3; i++) {
			buf_put(&l->names, stmt_text(s, i));
			buf_putc(&l->names, '\0');
		}
		(*ret_n)++;
	}
	return r < 0 ? r : buf_error(&l->names);
}

static struct str next_name(struct str *rest)
{
	struct str name = str_head(*rest, strlen(rest->p));

	*rest = str_skip(*rest, name.n + 1);
	return name;
}

static int read_all(struct looking *l, struct db *d)
{
	size_t n;
	int r = read_parties(l, d, &n);
	struct str rest = buf_str(&l->names);

	for (size_t i = 0; r == 0 && i < n; i++) {
		size_t share = EFFECT_CALLS_MAX / n ? EFFECT_CALLS_MAX / n : 1;
		struct party p = { .account = next_name(&rest), .gateway = next_name(&rest) };

		p.is_before = str_eq(next_name(&rest), STR("1"));
		if (l->calls < EFFECT_CALLS_MAX)
			r = read_calls(l, &p, share);
		else
			l->effect->is_cut = true;
	}
	return r;
}

/* ---- by both tariffs ---- */

static void add(money_t *sum, money_t m)
{
	if (money_add(*sum, m, sum) < 0)
		*sum = MONEY_MAX;
}

/* A locked rate is as good as none. */
static const struct rate *find(const struct tariff *t, struct str number, struct str caller,
			       ms_t at)
{
	const struct rate *r = tariff_find(t, number, caller, at);

	return r && !r->is_locked ? r : NULL;
}

static money_t cost(const struct tariff *t, const struct rate *r, const struct call *c)
{
	struct terms terms;

	if (!r)
		return 0;
	tariff_terms(t, r, &terms);
	if (c->is_vendor)
		terms.free_time_s = 0; /* as price_find has it */
	return charge_total(&terms, c->hold_ms);
}

struct place {
	struct str prefix, origin;
};

static int by_place(const void *key, const void *element)
{
	const struct place *at = key;
	const struct delta_change *c = element;
	int r = str_cmp(at->prefix, str_n(c->prefix, c->prefix_n));

	return r ? r : str_cmp(at->origin, str_n(c->origin, c->origin_n));
}

/* r, of tariff t, is the number's rate; may be NULL. */
static struct delta_change *change_of(const struct delta *p, struct str number,
				      const struct tariff *t, const struct rate *r)
{
	if (!r || !p->changes)
		return NULL;

	struct place at = { str_head(number, r->prefix_len), str_of(tariff_origin(t, r)) };
	return bsearch(&at, p->change, p->changes, sizeof(*p->change), by_place);
}

struct both {
	struct tariff *old, *new;
	ms_t at;
};

static void rate_call(struct looking *l, struct delta *p, const struct both *b,
		      const struct call *c)
{
	struct str number = str_n(l->numbers.p + c->text, c->n);
	struct str caller = str_n(l->numbers.p + c->text + c->n, c->caller_n);
	const struct rate *was = find(b->old, number, caller, b->at);
	const struct rate *is = find(b->new, number, caller, b->at);
	money_t before = cost(b->old, was, c), after = cost(b->new, is, c);
	int64_t seconds = (c->hold_ms + 999) / 1000;
	struct delta_change *change = change_of(p, number, b->new, is);

	if (!change)
		change = change_of(p, number, b->old, was);
	l->effect->calls++;
	l->effect->seconds += seconds;
	l->effect->unrated += was && !is;
	add(&l->effect->before, before);
	add(&l->effect->after, after);
	if (!change)
		return;
	change->calls++;
	change->seconds += seconds;
	add(&change->before, before);
	add(&change->after, after);
}

/* When the last of its lines has begun. */
static ms_t whole_from(const struct sheet *s, const struct delta_ask *ask)
{
	ms_t at = ask->moment;

	for (size_t i = 0; i < s->rows; i++) {
		if (s->row[i].effective > at)
			at = s->row[i].effective;
	}
	return at;
}

static money_t weight(const struct delta_change *c)
{
	return c->after > c->before ? c->after - c->before : c->before - c->after;
}

static int by_weight(const void *va, const void *vb)
{
	const struct delta_change *a = va, *b = vb;
	money_t x = weight(a), y = weight(b);
	int r = (x < y) - (x > y);

	if (r == 0)
		r = (a->calls < b->calls) - (a->calls > b->calls);
	return r ? r : str_cmp(str_n(a->prefix, a->prefix_n), str_n(b->prefix, b->prefix_n));
}

static int rate_all(struct looking *l, struct db *d, const struct sheet *s, struct delta *p,
		    struct err *err)
{
	CLEANUP(tariff_free) struct tariff *old = NULL;
	CLEANUP(tariff_free) struct tariff *new = NULL;
	const struct delta_ask *ask = l->ask->delta;
	int r = load_tariff(&old, d, ask->group, l->ask->rules, ask->now, err);

	if (r == 0)
		r = load_tariff_with(&new, d, ask->group, l->ask->rules, ask->now, s, p, err);
	if (r < 0)
		return r;

	struct both b = { old, new, whole_from(s, ask) };
	for (size_t i = 0; i < l->calls; i++)
		rate_call(l, p, &b, &l->call[i]);
	if (p->changes)
		qsort(p->change, p->changes, sizeof(*p->change), by_weight);
	return 0;
}

int effect_find(struct effect *ret, struct db *d, const struct sheet *s, struct delta *p,
		const struct effect_ask *ask, struct err *err)
{
	struct looking l = { .effect = ret, .ask = ask };

	*ret = (struct effect){ 0 };
	int r = read_all(&l, d);
	if (r == 0 && l.calls > 0)
		r = rate_all(&l, d, s, p, err);
	buf_done(&l.names);
	buf_done(&l.numbers);
	free(l.call);
	return r;
}
