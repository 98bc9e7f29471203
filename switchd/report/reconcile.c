#include "report/reconcile.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "model/json.h"
#include "report/partner.h"
#include "store/cdr_query.h"
#include "store/records.h"

enum { QUARTER_MS = 15 * MINUTE_MS, SHIFT_MAX_MS = 14 * HOUR_MS, NUMBER_SHOWN = 40 };

enum cause { MISSING_HERE, MISSING_THERE, ZONE, DURATION, ROUNDING, TAX, RATE, CAUSES };

static const char *const cause_names[CAUSES] = { "missing_here", "missing_there", "zone",
						 "duration",     "rounding",      "tax",
						 "rate" };

/* A record of ours, as far as it is compared. */
struct ours {
	int64_t id;
	uint64_t number[2]; /* as it went over the wire, and as billed */
	ms_t start, answer;
	int64_t seconds, billed_s;
	money_t amount, tax; /* with its tax; a vendor's is not told apart */
	char digits[NUMBER_SHOWN + 1];
};

struct sum {
	int64_t calls, seconds;
	money_t amount;
};

struct comparing {
	const struct reconcile_ask *ask;
	struct partner theirs;
	ms_t from, to, tolerance;
	struct ours *left; /* that found none in time */
	size_t lefts, room;
	int64_t records, matched;
	struct sum sum[CAUSES];
	json_t *rows;
	bool is_cut;
};

/* ---- what differs ---- */

static json_t *money_json(bool is_there, money_t v)
{
	char text[MONEY_TEXT];

	return is_there ? json_string(money_text(v, text)) : json_null();
}

static json_t *row_json(enum cause cause, const struct ours *o, const struct partner_call *t)
{
	char at[CLOCK_TEXT], id[17] = "";
	struct buf hex = buf_fixed(id, sizeof(id));
	ms_t shift = o && t ? t->start - o->answer : 0;

	if (o)
		buf_printf(&hex, "%016llx", (unsigned long long)o->id);
	return json_pack("{s:s s:s s:o s:o s:o s:o s:o s:o s:o s:o}", "cause", cause_names[cause],
			 "time", clock_text(t ? t->start : o->answer, at), "number",
			 t ? json_stringn(t->digits.p, t->digits.n) : json_string(o->digits),
			 "seconds_here", o ? json_integer(o->billed_s) : json_null(),
			 "seconds_there", t ? json_integer(t->seconds) : json_null(), "amount_here",
			 money_json(o, o ? o->amount : 0), "amount_there",
			 money_json(t && t->has_amount, t ? t->amount : 0), "shift_s",
			 cause == ZONE ? json_integer(shift / 1000) : json_null(), "id",
			 o ? json_string(id) : json_null(), "line",
			 t ? json_integer(t->line) : json_null());
}

/* Theirs less ours. Sums that no longer fit say so. */
static int differ(struct comparing *c, enum cause cause, const struct ours *o,
		  const struct partner_call *t)
{
	struct sum *s = &c->sum[cause];
	money_t theirs = t && t->has_amount ? t->amount : 0;
	money_t ours = o && (!t || t->has_amount) ? o->amount : 0, d;

	s->calls++;
	s->seconds += (t ? t->seconds : 0) - (o ? o->billed_s : 0);
	if (money_sub(theirs, ours, &d) < 0 || money_add(s->amount, d, &s->amount) < 0)
		return -ERANGE;
	if ((int64_t)json_array_size(c->rows) >= c->ask->limit) {
		c->is_cut = true;
		return 0;
	}
	return json_array_append_new(c->rows, row_json(cause, o, t)) < 0 ? -ENOMEM : 0;
}

static bool is_near(int64_t a, int64_t b)
{
	return a - b <= 1 && b - a <= 1;
}

/* Is their amount what our price makes of their seconds, to 0.000001 ? */
static bool is_our_price(const struct ours *o, const struct partner_call *t)
{
	int128_t d = (int128_t)t->amount * o->billed_s - (int128_t)o->amount * t->seconds;

	if (d < 0)
		d = -d;
	return d <= (int128_t)100 * o->billed_s;
}

static int compare(struct comparing *c, const struct ours *o, const struct partner_call *t)
{
	bool is_duration = !is_near(t->seconds, o->seconds) && t->seconds != o->billed_s;

	c->matched++;
	if (t->has_amount && t->amount == o->amount)
		return 0;
	if (is_duration)
		return differ(c, DURATION, o, t);
	if (!t->has_amount)
		return 0;
	if (t->seconds == o->billed_s && t->amount == o->amount - o->tax)
		return differ(c, TAX, o, t);
	return differ(c, t->seconds != o->billed_s && is_our_price(o, t) ? ROUNDING : RATE, o, t);
}

/* ---- finding ---- */

/* The first call of that number from `at` on. */
static size_t lower(const struct partner *p, uint64_t number, ms_t at)
{
	size_t low = 0, high = p->calls;

	while (low < high) {
		size_t mid = low + (high - low) / 2;
		const struct partner_call *t = &p->call[mid];

		if (t->number < number || (t->number == number && t->start < at))
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

static ms_t distance(ms_t a, ms_t b)
{
	return a > b ? a - b : b - a;
}

/* The nearest one that nobody has yet: their time is that of the answer or of the INVITE. */
static struct partner_call *find_near(struct comparing *c, const struct ours *o, uint64_t number)
{
	struct partner *p = &c->theirs;
	struct partner_call *best = NULL;
	ms_t least = INT64_MAX;

	for (size_t i = lower(p, number, o->start - c->tolerance);
	     i < p->calls && p->call[i].number == number &&
	     p->call[i].start <= o->answer + c->tolerance;
	     i++) {
		struct partner_call *t = &p->call[i];
		ms_t d = distance(t->start, o->answer);

		if (distance(t->start, o->start) < d)
			d = distance(t->start, o->start);
		if (t->is_matched || d > c->tolerance || d >= least)
			continue;
		best = t;
		least = d;
	}
	return best;
}

/* The same call by a clock that is quarters of an hour away: as long, and unmatched. */
static struct partner_call *find_shifted(struct comparing *c, const struct ours *o, uint64_t number)
{
	struct partner *p = &c->theirs;

	for (size_t i = lower(p, number, o->start - SHIFT_MAX_MS - c->tolerance);
	     i < p->calls && p->call[i].number == number &&
	     p->call[i].start <= o->answer + SHIFT_MAX_MS + c->tolerance;
	     i++) {
		struct partner_call *t = &p->call[i];
		ms_t rest = distance(t->start, o->answer) % QUARTER_MS;
		bool is_on_quarter = rest <= c->tolerance || QUARTER_MS - rest <= c->tolerance;

		if (!t->is_matched && is_on_quarter &&
		    (is_near(t->seconds, o->seconds) || t->seconds == o->billed_s))
			return t;
	}
	return NULL;
}

static int keep(struct comparing *c, const struct ours *o)
{
	if (c->lefts == c->room) {
		size_t more = c->room ? c->room * 2 : 1024;
		struct ours *grown = more > PARTNER_CALLS_MAX * 2
					     ? NULL
					     : reallocarray(c->left, more, sizeof(*grown));

		if (!grown)
			return -ENOMEM;
		c->left = grown;
		c->room = more;
	}
	c->left[c->lefts++] = *o;
	return 0;
}

static uint64_t hash_of(const char *number, size_t tail)
{
	char digits[128];
	struct buf b = buf_fixed(digits, sizeof(digits));

	partner_digits(str_of(number ? number : ""), tail, &b);
	return partner_hash(buf_str(&b));
}

/* For people, whole; one that is longer is cut. */
static void put_digits(struct ours *o, const char *number)
{
	char digits[128];
	struct buf b = buf_fixed(digits, sizeof(digits));

	partner_digits(str_of(number ? number : ""), 0, &b);
	(void)str_copy(o->digits, sizeof(o->digits), str_head(buf_str(&b), NUMBER_SHOWN));
}

static bool is_theirs(const struct comparing *c, const struct cdr_row *r)
{
	const char *account = c->ask->is_vendor ? r->vendor_account : r->account;

	return account && str_eq(str_of(account), c->ask->account);
}

static int on_record(void *ctx, const void *row)
{
	struct comparing *c = ctx;
	const struct cdr_row *r = row;
	size_t tail = (size_t)c->ask->tail;
	struct partner_call *t = NULL;

	if (!is_theirs(c, r) || r->answer == FIELD_ABSENT)
		return 0;
	struct ours o = { .id = r->id, .start = r->start, .answer = r->answer };
	o.number[0] = hash_of(c->ask->is_vendor ? r->callee_out : r->callee_in, tail);
	o.number[1] = hash_of(r->callee, tail);
	o.seconds = (r->hold_ms + 999) / 1000;
	o.billed_s = c->ask->is_vendor ? r->cost_billed_s : r->billed_s;
	o.amount = c->ask->is_vendor ? r->cost : r->fee + r->tax;
	o.tax = c->ask->is_vendor ? 0 : r->tax;
	put_digits(&o, c->ask->is_vendor ? r->callee_out : r->callee);
	if (r->answer >= c->from - c->tolerance && r->answer <= c->to + c->tolerance)
		c->records++;
	for (int i = 0; i < 2 && !t; i++)
		t = find_near(c, &o, o.number[i]);
	if (!t)
		return keep(c, &o);
	t->is_matched = true;
	return compare(c, &o, t);
}

/* What found none in time, then what was found by none. */
static int compare_rest(struct comparing *c)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < c->lefts; i++) {
		const struct ours *o = &c->left[i];
		struct partner_call *t = NULL;

		for (int k = 0; k < 2 && !t; k++)
			t = find_shifted(c, o, o->number[k]);
		if (t) {
			t->is_matched = true;
			c->matched++;
			r = differ(c, ZONE, o, t);
		} else if (o->answer >= c->from && o->answer <= c->to) {
			r = differ(c, MISSING_THERE, o, NULL);
		}
	}
	for (size_t i = 0; r == 0 && i < c->theirs.calls; i++) {
		const struct partner_call *t = &c->theirs.call[i];

		if (!t->is_matched && t->start >= c->from && t->start <= c->to)
			r = differ(c, MISSING_HERE, NULL, t);
	}
	return r;
}

/* ---- the whole ---- */

static int read_ours(struct comparing *c, const char *data_dir, const atomic_bool *stop,
		     struct err *err)
{
	CLEANUP(records_close) struct records all;
	struct cdr_filter f = CDR_FILTER_INIT;

	f.from = c->from - c->tolerance - DAY_MS;
	f.to = c->to + c->tolerance + DAY_MS;
	f.answered = CDR_ANSWERED;
	f.stop = stop;
	if (!c->ask->is_vendor)
		f.account = c->ask->account;
	int r = records_open(&all, data_dir);
	return r < 0 ? records_unreadable("the records", r, err)
		     : cdr_query(all.ledger, buf_cstr(&all.dir), &f, on_record, c);
}

static json_t *cause_rows(const struct comparing *c)
{
	json_t *rows = json_array();

	for (int i = 0; rows && i < CAUSES; i++) {
		const struct sum *s = &c->sum[i];

		(void)json_array_append_new(
			rows, json_pack("{s:s s:I s:I s:o}", "cause", cause_names[i], "calls",
					(json_int_t)s->calls, "seconds", (json_int_t)s->seconds,
					"amount", money_json(c->theirs.has_amounts, s->amount)));
	}
	return rows;
}

static json_t *notes_of(const struct comparing *c)
{
	json_t *notes = json_array();

	if (notes)
		(void)json_array_append_new(
			notes, json_string("Seconds and amounts by cause are theirs less ours."));
	if (notes && c->theirs.bad)
		(void)json_array_append_new(notes, json_string(c->theirs.first_bad.message));
	return notes;
}

static int answer(const struct comparing *c, json_t **ret)
{
	char from[CLOCK_TEXT], to[CLOCK_TEXT];
	json_t *causes = json_pack("{s:s s:s s:[s s s s] s:o}", "report", "causes", "help",
				   "Differences by cause", "columns", "cause", "calls", "seconds",
				   "amount", "rows", cause_rows(c));
	json_t *list =
		json_pack("{s:s s:s s:[s s s s s s s s s s] s:O s:b}", "report", "differences",
			  "help", "Differences", "columns", "cause", "time", "number",
			  "seconds_here", "seconds_there", "amount_here", "amount_there", "shift_s",
			  "id", "line", "rows", c->rows, "is_cut", c->is_cut);
	char account[128];

	if (str_copy(account, sizeof(account), c->ask->account) < 0)
		account[0] = '\0';
	*ret = json_pack("{s:s s:s s:s s:s s:s s:{s:s s:I s:I s:I s:I} s:[o o] s:o}", "title",
			 "Reconciliation", "report", "reconciliation", "from",
			 clock_text(c->from, from), "to", clock_text(c->to, to), "zone", "UTC",
			 "facts", "account", account, "calls_there", (json_int_t)c->theirs.calls,
			 "records_here", (json_int_t)c->records, "matched", (json_int_t)c->matched,
			 "unreadable", (json_int_t)c->theirs.bad, "sections", causes, list, "notes",
			 notes_of(c));
	return *ret ? 0 : -ENOMEM;
}

int reconcile_run(const char *data_dir, const struct reconcile_ask *ask, const atomic_bool *stop,
		  json_t **ret, struct err *err)
{
	struct comparing c = { .ask = ask, .tolerance = ask->tolerance_s * 1000 };
	int r = partner_read(&c.theirs, ask->file, ask->map, ask->zone, (size_t)ask->tail, err);

	c.rows = json_array();
	c.from = ask->from != FIELD_ABSENT ? ask->from : c.theirs.first;
	c.to = ask->to != FIELD_ABSENT ? ask->to : c.theirs.last;
	if (r == 0 && c.theirs.calls == 0)
		r = err_is_set(&c.theirs.first_bad)
			    ? err_set(err, ERR_BAD_VALUE, c.theirs.first_bad.field,
				      str_of(c.theirs.first_bad.given), "", "%s",
				      c.theirs.first_bad.message)
			    : err_set(err, ERR_BAD_VALUE, "file", STR(""), "",
				      "there is no call in it");
	if (r == 0)
		r = c.rows ? read_ours(&c, data_dir, stop, err) : -ENOMEM;
	if (r == 0)
		r = compare_rest(&c);
	if (r == 0)
		r = answer(&c, ret);
	if (r == -ERANGE)
		r = err_set(err, ERR_BAD_VALUE, "amount", STR(""), "",
			    "the amounts are too large to add");
	json_decref(c.rows);
	free(c.left);
	partner_done(&c.theirs);
	return r;
}
