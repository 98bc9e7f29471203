#include <errno.h>
#include <string.h>

#include "base/buf.h"
#include "ledger/inner.h"
#include "store/rows.h"

int sql_prepare(struct statements *s, struct db *d)
{
	const struct entity *cdr = &entities[ENTITY_CDR];
	const struct {
		struct stmt **stmt;
		const char *sql;
	} plain[] = {
		{ &s->call_del, "DELETE FROM call WHERE id = ?" },
		{ &s->call_heard, "UPDATE call SET heard_mono = ? WHERE id = ?" },
		{ &s->call_reach, "UPDATE call SET reach_ms = ? WHERE id = ?" },
		{ &s->call_legs, "UPDATE call SET legs = ? WHERE id = ?" },
		{ &s->entry_add, "INSERT INTO entry (account, at, kind, amount, payment, cdr) "
				 "VALUES (?,?,?,?,?,?)" },
		{ &s->turnover_add, "INSERT INTO turnover (account, slot, kind, entries, amount) "
				    "VALUES (?1, ?2 / 900000, ?3, 1, ?4) ON CONFLICT DO UPDATE SET "
				    "entries = entries + 1, amount = amount + excluded.amount" },
		{ &s->payment_add, "INSERT INTO payment (account, at, kind, amount, memo, "
				   "request_key, actor, balance, mode, reverses)"
				   " VALUES (?,?,?,?,?,?,?,?,?,?)" },
		{ &s->payment_by_key,
		  "SELECT id, account, at, kind, amount, memo, actor, balance FROM payment"
		  " WHERE request_key = ?" },
		{ &s->payment_reversal, "SELECT id FROM payment WHERE reverses = ?" },
		{ &s->purse_set,
		  "INSERT INTO purse (account, balance, lock_auto, floor, income) VALUES "
		  "(?1,?2,?3,?4,?5) ON CONFLICT (account) DO UPDATE SET balance = ?2, lock_auto = "
		  "?3, floor = ?4, income = ?5" },
		{ &s->rerate_add,
		  "INSERT INTO rerating (run, at, cdr, sign, account, gateway, phone, "
		  "prefix, version, terms, billed_s, fee, tax, agents, agent_fee, "
		  "agent_income, vendor_account, routing_gateway, cost_prefix, origin)"
		  " VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)" },
		{ &s->rerate_last,
		  "SELECT id FROM rerating WHERE cdr = ? ORDER BY id DESC LIMIT 1" },
		{ &s->allowance_find, "SELECT 1 FROM allowance WHERE account = ? AND package = ?"
				      " AND ends > ?" },
		{ &s->allowance_add, "INSERT INTO allowance (account, package, begins, ends, price,"
				     " time_s, step_s, money) VALUES (?,?,?,?,?,?,?,?)" },
		{ &s->allowance_use, "UPDATE allowance SET used_s = used_s + ?,"
				     " used_money = used_money + ? WHERE id = ?" },
		{ &s->use_add, "INSERT INTO package_use (allowance, cdr, seconds, money)"
			       " VALUES (?,?,?,?)" },
		{ &s->call_gift, "UPDATE call SET packages = ? WHERE id = ?" },
		{ &s->orphan_add, "INSERT OR REPLACE INTO orphan (id, legs) VALUES (?,?)" },
		{ &s->orphan_del, "DELETE FROM orphan WHERE id = ?" },
		{ &s->beat, "INSERT OR REPLACE INTO heartbeat (id, mono, wall) VALUES (1,?,?)" },
	};
	int r = rows_prepare_insert(&s->call_add, d, cdr, "INSERT INTO call",
				    ", legs, answer_mono, reach_ms", ",?,?,?");

	if (r == 0)
		r = rows_prepare_insert(&s->outbox_add, d, cdr, "INSERT INTO outbox", "", "");
	for (size_t i = 0; r == 0 && i < sizeof(plain) / sizeof(plain[0]); i++)
		r = stmt_prepare(plain[i].stmt, d, plain[i].sql);
	return r;
}

void sql_free(struct statements *s)
{
	struct stmt **all = (struct stmt **)s;

	for (size_t i = 0; i < sizeof(*s) / sizeof(struct stmt *); i++)
		all[i] = stmt_free(all[i]);
}

int sql_cdr(struct stmt *s, const struct cdr_row *cdr)
{
	rows_bind(&entities[ENTITY_CDR], s, 1, cdr);
	return stmt_run(s);
}

int sql_call_add(struct statements *s, const struct cdr_row *cdr, const char *legs,
		 ms_t answer_mono, int64_t reach_ms)
{
	int n = rows_column_count(&entities[ENTITY_CDR]);

	rows_bind(&entities[ENTITY_CDR], s->call_add, 1, cdr);
	stmt_bind_text(s->call_add, n + 1, str_of(legs));
	stmt_bind_int(s->call_add, n + 2, answer_mono);
	if (reach_ms > 0)
		stmt_bind_int(s->call_add, n + 3, reach_ms);
	else
		stmt_bind_null(s->call_add, n + 3);
	return stmt_run(s->call_add);
}

/* What reports of balances are made from (rollup.h). */
static int add_turnover(struct stmt *s, const char *account, ms_t at, const char *kind,
			money_t amount)
{
	stmt_bind_text(s, 1, str_of(account));
	stmt_bind_int(s, 2, at);
	stmt_bind_text(s, 3, str_of(kind));
	stmt_bind_int(s, 4, amount);
	return stmt_run(s);
}

int sql_entry(struct statements *s, const char *account, ms_t at, const char *kind, money_t amount,
	      int64_t payment, int64_t cdr)
{
	struct stmt *e = s->entry_add;

	stmt_bind_text(e, 1, str_of(account));
	stmt_bind_int(e, 2, at);
	stmt_bind_text(e, 3, str_of(kind));
	stmt_bind_int(e, 4, amount);
	if (payment)
		stmt_bind_int(e, 5, payment);
	else
		stmt_bind_null(e, 5);
	if (cdr)
		stmt_bind_int(e, 6, cdr);
	else
		stmt_bind_null(e, 6);
	int r = stmt_run(e);
	return r < 0 ? r : add_turnover(s->turnover_add, account, at, kind, amount);
}
