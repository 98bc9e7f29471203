#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "ops/inner.h"
#include "store/rows.h"

/*
 * `number find`: whose are the numbers of a section? A section is a prefix, or FROM-TO: what begins with digits from FROM to TO. What
 * owns numbers: a phone its own and its further ones; a number pair; an account or mapping gateway the prefixes of its caller_allow.
 */

enum { LISTED = 1000, LISTED_MAX = 100000 };

struct stretch {
	struct str from, to; /* of one length */
	struct ops *ops;
	json_t *list;
	int64_t limit;
};

static bool is_digits(struct str s)
{
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] < '0' || s.p[i] > '9')
			return false;
	}
	return s.n > 0 && s.n <= NUMBER_MAX;
}

static int parse(struct str text, struct stretch *s, struct err *err)
{
	struct str rest = text;

	(void)str_split(&rest, '-', &s->from);
	s->from = str_trim(s->from);
	s->to = str_chr(text, '-') >= 0 ? str_trim(rest) : s->from;
	if (!is_digits(s->from) || !is_digits(s->to) || s->from.n != s->to.n ||
	    str_cmp(s->from, s->to) > 0)
		return err_set(err, ERR_BAD_VALUE, "section", text,
			       "a prefix such as 4420, or FROM-TO with as many digits each, such "
			       "as 44200-44207",
			       "not a section of numbers");
	return 0;
}

/* A number of the section, or a prefix that has numbers of it. */
static bool is_within(const struct stretch *s, struct str number)
{
	size_t n = number.n < s->from.n ? number.n : s->from.n;
	struct str head = str_head(number, n);

	return n > 0 && str_cmp(head, str_head(s->from, n)) >= 0 &&
	       str_cmp(head, str_head(s->to, n)) <= 0;
}

static void add(struct stretch *s, struct str number, const char *kind, const char *name,
		const char *account)
{
	if ((int64_t)json_array_size(s->list) < s->limit && is_within(s, number))
		(void)json_array_append_new(s->list, json_pack("{s:s% s:s s:s s:s?}", "number",
							       number.p, number.n, "kind", kind,
							       "name", name, "account", account));
}

static void add_all(struct stretch *s, const char *list, const char *kind, const char *name,
		    const char *account)
{
	struct str rest = str_of(list), item;

	while (str_split(&rest, ',', &item))
		add(s, item, kind, name, account);
}

static int add_pair(void *ctx, const void *row)
{
	struct stretch *s = ctx;
	const struct number_pair_row *p = row;
	const struct phone *phone =
		world_phone_called(catalog_world(s->ops->catalog), str_of(p->number));
	const char *account = phone ? phone->row->account : NULL;

	if (!phone)
		add(s, str_of(p->number), "number-pair", p->number, NULL);
	if (p->caller_in)
		add(s, str_of(p->caller_in), "number-pair", p->number, account);
	if (p->callee_out && !(p->caller_in && strcmp(p->caller_in, p->callee_out) == 0))
		add(s, str_of(p->callee_out), "number-pair", p->number, account);
	return 0;
}

static int collect(struct stretch *s)
{
	const struct world *w = catalog_world(s->ops->catalog);

	for (size_t i = 0; i < w->phones; i++) {
		const struct phone_row *p = w->phone[i].row;

		add(s, str_of(p->number), "phone", p->number, p->account);
		add_all(s, p->numbers, "phone", p->number, p->account);
	}
	for (size_t i = 0; i < w->payers; i++) {
		const struct account_row *a = w->payer[i].row;

		add_all(s, a->caller_allow, "account", a->id, a->id);
	}
	for (size_t i = 0; i < w->sources; i++) {
		const struct mapping_gateway_row *g = w->source[i].row;

		add_all(s, g->caller_allow, "mapping-gateway", g->name, g->account);
	}
	return rows_each(s->ops->db, &entities[ENTITY_NUMBER_PAIR], STR(""), 0, add_pair, s);
}

int number_find(struct ops *o, struct request *r, json_t **ret, struct err *err)
{
	CLEANUP(buf_done) struct buf text = BUF_INIT;
	CLEANUP(json_decref) json_t *list = json_array();
	struct stretch s = { .ops = o, .list = list };
	int error = list ? arg_need(r, "section", &text, err) : -ENOMEM;

	if (error == 0)
		error = parse(buf_str(&text), &s, err);
	if (error == 0)
		error = arg_int(r, "limit", 1, LISTED_MAX, LISTED, &s.limit, err);
	if (error == 0)
		error = collect(&s);
	if (error == 0)
		*ret = TAKE(list);
	return error;
}
