#include "report/partner.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/csv.h"
#include "base/htab.h"

enum column { C_NUMBER, C_START, C_SECONDS, C_AMOUNT, COLUMNS };

/* What partners call them; in our own exports they are the first ones. */
static const char *const usual[COLUMNS][12] = {
	[C_NUMBER] = { "callee", "callee_out", "number", "called", "called number", "callednumber",
		       "calleee164", "destination", "b number", "bnumber", "dst", NULL },
	[C_START] = { "answer", "start", "start time", "starttime", "connect time", "connecttime",
		      "answer time", "call date", "calldate", "date", "begin", NULL },
	[C_SECONDS] = { "seconds", "billed_s", "duration", "holdtime", "hold_s", "billsec",
			"duration (s)", "feetime", "call duration", "minutes", "hold_ms", NULL },
	[C_AMOUNT] = { "amount", "fee", "cost", "charge", "price", "total", "charged amount",
		       NULL },
};

static const char *const names[COLUMNS] = { "number", "start", "seconds", "amount" };

struct reader {
	struct partner *p;
	struct csv csv;
	const struct zone *zone;
	size_t tail;
	int at[COLUMNS]; /* -1: not there */
	bool in_ms, in_minutes;
};

/* ---- numbers ---- */

void partner_digits(struct str number, size_t tail, struct buf *out)
{
	size_t begin = out->n;

	number = str_trim(number);
	if (number.n > 1 && number.p[0] == '+')
		number = str_skip(number, 1);
	else if (str_has_prefix(number, STR("00")))
		number = str_skip(number, 2);
	for (size_t i = 0; i < number.n; i++) {
		if (isdigit((unsigned char)number.p[i]))
			buf_putc(out, number.p[i]);
	}
	size_t n = out->n - begin;
	if (tail && n > tail && buf_error(out) == 0) {
		memmove(out->p + begin, out->p + begin + n - tail, tail);
		out->n = begin + tail;
	}
}

uint64_t partner_hash(struct str digits)
{
	return htab_hash(digits);
}

/* ---- the head ---- */

static int find_column(const struct csv *c, struct str name)
{
	for (uint32_t i = 0; i < c->cells; i++) {
		if (str_ieq(str_trim(c->cell[i]), name))
			return (int)i;
	}
	return -1;
}

/* What the map says of a column; empty if nothing. */
static struct str mapped(struct str map, const char *name)
{
	struct str item, key;

	while (str_split(&map, ',', &item)) {
		if (str_split(&item, ':', &key) && str_ieq(key, str_of(name)))
			return str_trim(item);
	}
	return STR("");
}

static int bad_column(const struct csv *c, const char *name, struct str given, struct err *err)
{
	CLEANUP(buf_done) struct buf known = BUF_INIT;

	for (uint32_t i = 0; i < c->cells; i++) {
		buf_putz(&known, i ? ", " : "");
		buf_put_printable(&known, str_trim(c->cell[i]));
	}
	return err_set(err, ERR_BAD_VALUE, "map", given, buf_cstr(&known),
		       "the file has no column for %s; map=%s:COLUMN names it", name, name);
}

static int read_map(struct reader *r, struct str map, struct err *err)
{
	for (int i = 0; i < COLUMNS; i++) {
		struct str own = mapped(map, names[i]);

		r->at[i] = own.n ? find_column(&r->csv, own) : -1;
		if (own.n && r->at[i] < 0)
			return bad_column(&r->csv, names[i], own, err);
		for (int k = 0; !own.n && r->at[i] < 0 && usual[i][k]; k++)
			r->at[i] = find_column(&r->csv, str_of(usual[i][k]));
		if (r->at[i] < 0 && i != C_AMOUNT)
			return bad_column(&r->csv, names[i], STR(""), err);
	}
	struct str seconds = str_trim(r->csv.cell[r->at[C_SECONDS]]);
	r->in_ms = str_ifind(seconds, STR("ms")) >= 0 && str_ifind(seconds, STR("_ms")) >= 0;
	r->in_minutes = str_ifind(seconds, STR("minute")) >= 0;
	r->p->has_amounts = r->at[C_AMOUNT] >= 0;
	return 0;
}

/* ---- cells ---- */

/* ISO 8601, "2026-11-26 12:34:56" of the zone, or seconds or milliseconds since 1970. */
static bool read_time(const struct reader *r, struct str cell, ms_t *ret)
{
	char text[40];
	struct buf b = buf_fixed(text, sizeof(text));
	uint64_t n;

	if (str_to_u64(cell, UINT64_MAX, &n) == 0) {
		if (n > 253402300799999ULL)
			return false;
		*ret = n < 100000000000ULL ? (ms_t)n * 1000 : (ms_t)n;
		return true;
	}
	if (clock_parse(cell, ret) == 0)
		return cell.n > 10;
	if (cell.n < 16 || cell.n > 30 || (cell.p[10] != ' ' && cell.p[10] != 'T'))
		return false;
	buf_printf(&b, "%.10sT%.*sZ", cell.p, (int)(cell.n - 11), cell.p + 11);
	for (size_t i = 0; i < 10 && i < b.n; i++) {
		if (text[i] == '/')
			text[i] = '-';
	}
	if (clock_parse(buf_str(&b), ret) < 0)
		return false;
	*ret = zone_utc(r->zone, *ret);
	return true;
}

/* A number with decimals, or mm:ss, or hh:mm:ss. A part of a second counts as one. */
static bool read_seconds(const struct reader *r, struct str cell, int64_t *ret)
{
	struct str part, rest = cell;
	int64_t total = 0;
	uint64_t v;
	money_t m;

	if (str_chr(cell, ':') >= 0) {
		for (int i = 0; str_split(&rest, ':', &part); i++) {
			if (i > 2 || str_to_u64(part, 100000, &v) < 0)
				return false;
			total = total * 60 + (int64_t)v;
		}
		*ret = total;
		return true;
	}
	if (money_parse(cell, &m) < 0 || m < 0 || m > 1000000000 * MONEY_ONE)
		return false;
	if (r->in_ms)
		m /= 1000;
	if (r->in_minutes)
		m *= 60;
	*ret = m / MONEY_ONE + (m % MONEY_ONE > 0);
	return true;
}

static const char *read_call(struct reader *r, struct partner_call *c)
{
	const struct csv *csv = &r->csv;

	for (int i = 0; i < COLUMNS; i++) {
		if (r->at[i] >= (int)csv->cells)
			return names[i];
	}
	if (!read_time(r, str_trim(csv->cell[r->at[C_START]]), &c->start))
		return names[C_START];
	if (!read_seconds(r, str_trim(csv->cell[r->at[C_SECONDS]]), &c->seconds))
		return names[C_SECONDS];
	if (r->at[C_AMOUNT] >= 0) {
		c->has_amount = money_parse(str_trim(csv->cell[r->at[C_AMOUNT]]), &c->amount) == 0;
		if (!c->has_amount)
			return names[C_AMOUNT];
	}
	return NULL;
}

/* ---- rows ---- */

static void note_bad(struct partner *p, uint32_t line, const char *field, struct str given)
{
	if (p->bad++ == 0)
		(void)err_set(&p->first_bad, ERR_BAD_VALUE, field, given, "",
			      "line %u cannot be read: its %s", line, field);
}

static int add_call(struct reader *r, size_t *room)
{
	struct partner *p = r->p;
	struct partner_call c = { .line = r->csv.line };
	size_t begin = p->text.n;

	if (p->calls == *room) {
		size_t more = *room ? *room * 2 : 1024;
		struct partner_call *grown = reallocarray(p->call, more, sizeof(*grown));

		if (!grown)
			return -ENOMEM;
		p->call = grown;
		*room = more;
	}
	const char *bad = read_call(r, &c);
	if (!bad) {
		partner_digits(r->csv.cell[r->at[C_NUMBER]], r->tail, &p->text);
		if (buf_error(&p->text) < 0)
			return -ENOMEM;
		c.digits.n = p->text.n - begin;
		bad = c.digits.n ? NULL : names[C_NUMBER];
	}
	if (bad) {
		note_bad(p, r->csv.line, bad, r->csv.cell[0]);
		return 0;
	}
	c.number = partner_hash(str_n(p->text.p + begin, c.digits.n));
	if (p->calls == 0 || c.start < p->first)
		p->first = c.start;
	if (p->calls == 0 || c.start > p->last)
		p->last = c.start;
	p->call[p->calls++] = c;
	return 0;
}

/* The text has stopped growing: now slices of it stay. */
static void point_at_digits(struct partner *p)
{
	size_t at = 0;

	for (size_t i = 0; i < p->calls; i++) {
		p->call[i].digits.p = p->text.p + at;
		at += p->call[i].digits.n;
	}
}

static int by_number_and_time(const void *a, const void *b)
{
	const struct partner_call *x = a, *y = b;

	if (x->number != y->number)
		return x->number < y->number ? -1 : 1;
	return x->start < y->start ? -1 : x->start > y->start;
}

static int read_rows(struct reader *r, struct err *err)
{
	size_t room = 0;
	int e;

	while ((e = csv_next(&r->csv)) != 0) {
		if (e == -ENOMEM)
			return e;
		if (e < 0)
			note_bad(r->p, r->csv.line, "cells", str_of(r->csv.error));
		else if (r->p->calls >= PARTNER_CALLS_MAX)
			return err_set(
				err, ERR_BAD_VALUE, "file", STR(""), "a file of a shorter time",
				"there are more than %d calls in the file", PARTNER_CALLS_MAX);
		else if ((e = add_call(r, &room)) < 0)
			return e;
	}
	point_at_digits(r->p);
	if (r->p->calls)
		qsort(r->p->call, r->p->calls, sizeof(*r->p->call), by_number_and_time);
	return 0;
}

int partner_read(struct partner *ret, struct str file, struct str map, const struct zone *zone,
		 size_t tail, struct err *err)
{
	struct reader r = { .p = ret, .zone = zone, .tail = tail };

	*ret = (struct partner){ 0 };
	csv_init(&r.csv, file, csv_guess(file));
	int e = csv_next(&r.csv);
	if (e == 0 || e == -EBADMSG)
		e = err_set(err, ERR_BAD_VALUE, "file", STR(""), "a CSV file with names of columns",
			    "the file has no first line that can be read");
	else if (e > 0)
		e = read_map(&r, map, err);
	if (e == 0)
		e = read_rows(&r, err);
	csv_done(&r.csv);
	return e;
}

void partner_done(struct partner *p)
{
	free(p->call);
	buf_done(&p->text);
	*p = (struct partner){ 0 };
}
