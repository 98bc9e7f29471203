#include "records.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "store/month.h"
#include "store/rows.h"

static const struct entity *const cdr = &entities[ENTITY_CDR];

struct cdr_row *record_make(ms_t start, int n)
{
	struct cdr_row *r = row_create(cdr);
	char number[16];

	assert_non_null(r);
	r->id = cdr_id_at(start) + n;
	r->start = start;
	(void)snprintf(number, sizeof(number), "%d", n);
	assert_int_equal(row_set_text(&cdr->field[CDR_CALLEE], r, str_of(number)), 0);
	return r;
}

int64_t record_put(struct db *ledger, const char *table, struct cdr_row *r)
{
	CLEANUP(buf_done) struct buf sql = BUF_INIT;
	CLEANUP(stmt_free) struct stmt *s = NULL;
	int64_t id = r->id;

	buf_printf(&sql, "INSERT INTO %s (", table);
	rows_columns(cdr, &sql);
	buf_putz(&sql, ") VALUES (");
	rows_marks(cdr, &sql);
	buf_putc(&sql, ')');
	assert_int_equal(stmt_prepare(&s, ledger, buf_cstr(&sql)), 0);
	rows_bind(cdr, s, 1, r);
	assert_int_equal(stmt_run(s), 0);
	row_free(cdr, r);
	return id;
}

int64_t record_add(struct db *ledger, ms_t start, int n)
{
	return record_put(ledger, "outbox", record_make(start, n));
}

void records_move(struct db *ledger, const char *dir, int room)
{
	int64_t ids[64];
	struct month m;
	int n;

	assert_in_range(room, 1, 64);
	while ((n = month_next(ledger, ids, room, &m)) > 0) {
		assert_int_equal(month_move(ledger, dir, m, ids, n, NULL), 0);
		assert_int_equal(month_clear(ledger, ids, n), 0);
	}
	assert_int_equal(n, 0);
}
