#include <errno.h>
#include <string.h>

#include "base/buf.h"
#include "ledger/inner.h"
#include "store/rows.h"

/* INSERT with the stored columns of an entity, and further ones behind. */
static int prepare_insert(struct stmt **ret, struct db *d, const struct entity *e,
			  const char *table, const char *more_columns, const char *more_marks)
{
	CLEANUP(buf_done) struct buf b = BUF_INIT;

	buf_printf(&b, "INSERT INTO %s (", table);
	rows_columns(e, &b);
	buf_printf(&b, "%s) VALUES (", more_columns);
	rows_marks(e, &b);
	buf_printf(&b, "%s)", more_marks);

	const char *sql = buf_cstr(&b);
	return sql ? stmt_prepare(ret, d, sql) : -ENOMEM;
}

int sql_prepare(struct statements *s, struct db *d)
{
	const struct entity *cdr = &entities[ENTITY_CDR];
	const struct {
		struct stmt **stmt;
		const char *sql;
	} plain[] = {
		{ &s->call_del, "DELETE FROM call WHERE id = ?" },
		{ &s->call_heard, "UPDATE call SET heard_mono = ? WHERE id = ?" },
		{ &s->call_legs, "UPDATE call SET legs = ? WHERE id = ?" },
		{ &s->entry_add, "INSERT INTO entry (account, at, kind, amount, payment, cdr) "
				 "VALUES (?,?,?,?,?,?)" },
		{ &s->payment_add, "INSERT INTO payment (account, at, kind, amount, memo, "
				   "request_key, actor, balance)"
				   " VALUES (?,?,?,?,?,?,?,?)" },
		{ &s->payment_by_key,
		  "SELECT id, account, at, kind, amount, memo, actor, balance FROM payment"
		  " WHERE request_key = ?" },
		{ &s->purse_set,
		  "INSERT INTO purse (account, balance, lock_auto, floor) VALUES (?1,?2,?3,?4)"
		  " ON CONFLICT (account) DO UPDATE SET balance = ?2, lock_auto = ?3, floor = ?4" },
		{ &s->orphan_add, "INSERT OR REPLACE INTO orphan (id, legs) VALUES (?,?)" },
		{ &s->orphan_del, "DELETE FROM orphan WHERE id = ?" },
		{ &s->beat, "INSERT OR REPLACE INTO heartbeat (id, mono, wall) VALUES (1,?,?)" },
	};
	int r = prepare_insert(&s->call_add, d, cdr, "call", ", legs, answer_mono", ",?,?");

	if (r == 0)
		r = prepare_insert(&s->outbox_add, d, cdr, "outbox", "", "");
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
		 ms_t answer_mono)
{
	int n = rows_column_count(&entities[ENTITY_CDR]);

	rows_bind(&entities[ENTITY_CDR], s->call_add, 1, cdr);
	stmt_bind_text(s->call_add, n + 1, str_of(legs));
	stmt_bind_int(s->call_add, n + 2, answer_mono);
	return stmt_run(s->call_add);
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
	return stmt_run(e);
}
