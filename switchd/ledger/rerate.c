#include "ledger/rerate.h"

#include <errno.h>
#include <stdlib.h>

int rerated_open(struct rerated *r, struct db *ledger)
{
	CLEANUP(stmt_free) struct stmt *any = NULL;
	int e = stmt_prepare(&any, ledger, "SELECT 1 FROM rerating LIMIT 1");

	r->find = NULL;
	if (e == 0)
		e = stmt_step(any);
	if (e <= 0)
		return e;
	return stmt_prepare(
		&r->find, ledger,
		"SELECT id, prefix, version, terms, billed_s, fee, tax, agents, "
		"agent_fee, agent_income, origin FROM rerating WHERE cdr = ?1 AND sign = 1"
		" ORDER BY id DESC LIMIT 1");
}

void rerated_close(struct rerated *r)
{
	r->find = stmt_free(r->find);
}

static int set_text(char **to, struct stmt *s, int column)
{
	char *text = stmt_is_null(s, column) ? NULL : str_dup(stmt_text(s, column));

	if (!text && !stmt_is_null(s, column))
		return -ENOMEM;
	free(*to);
	*to = text;
	return 0;
}

static int take_facts(struct stmt *s, struct cdr_row *row)
{
	int r = set_text(&row->rate_prefix, s, 1);

	if (r == 0)
		r = set_text(&row->rate_origin, s, 10);
	if (r == 0)
		r = set_text(&row->rate_terms, s, 3);
	if (r == 0)
		r = set_text(&row->agents, s, 7);
	row->rate_version = stmt_int(s, 2);
	row->billed_s = stmt_int(s, 4);
	row->fee = stmt_int(s, 5);
	row->tax = stmt_int(s, 6);
	row->agent_fee = stmt_int(s, 8);
	row->agent_income = stmt_int(s, 9);
	return r;
}

int rerated_apply(struct rerated *r, struct cdr_row *row, int64_t *ret_seen)
{
	*ret_seen = 0;
	if (!r->find)
		return 0;
	stmt_bind_int(r->find, 1, row->id);
	int e = stmt_step(r->find);
	if (e == 1) {
		*ret_seen = stmt_int(r->find, 0);
		e = take_facts(r->find, row);
	}
	stmt_reset(r->find);
	return e;
}
