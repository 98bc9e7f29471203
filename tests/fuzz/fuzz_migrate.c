/*
 * The first line says what the file is (a table's name: one CSV; empty: it says so itself), then comes the file. Whatever it is, each row has as
 * many cells as its table has columns, cells lie in memory that can be read, lines only grow, and the map that comes with the switch makes
 * rows of it that are within what fields accept, or names what is wrong.
 */
#include <assert.h>
#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "migrate/intake.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static size_t columns_now;
static unsigned touched;

static bool on_table(void *ctx, struct str table, const struct str *column, size_t columns)
{
	(void)ctx;
	(void)table;
	assert(columns > 0 && columns <= SOURCE_COLUMNS);
	for (size_t i = 0; i < columns; i++)
		touched += column[i].n ? (unsigned char)column[i].p[0] : 0;
	columns_now = columns;
	return true;
}

static int on_row(void *ctx, const struct source_cell *cell, uint64_t line)
{
	assert(line > 0);
	(void)ctx;
	for (size_t i = 0; i < columns_now; i++) {
		assert(!cell[i].is_null || cell[i].text.n == 0);
		for (size_t k = 0; k < cell[i].text.n; k++)
			touched += (unsigned char)cell[i].text.p[k];
	}
	return 0;
}

static int on_problem(void *ctx, struct str table, uint64_t line, const char *reason)
{
	(void)ctx;
	(void)table;
	assert(line > 0 && reason[0]);
	return 0;
}

static int on_rate(void *ctx, struct rate_row *row, const struct finding *where)
{
	(void)ctx;
	assert(where->line > 0);
	assert(row->price == FIELD_ABSENT || row->price >= 0);
	return 0;
}

static int on_call(void *ctx, const struct other_call *c)
{
	(void)ctx;
	assert(c->seconds >= 0 && c->billed_s >= 0 && c->callee.n > 0 && c->line > 0);
	return 0;
}

static void take_in(struct str file, struct str table, struct str map)
{
	CLEANUP(zone_free) struct zone *zone = NULL;
	struct intake p = { 0 };
	struct err err = ERR_INIT;

	if (zone_create(&zone, STR("UTC")) < 0)
		return;
	const struct intake_ask ask = {
		.file = file, .table = table, .map = map, .convert = { zone, file.n % 2 == 0 }
	};
	int r = intake_read(&p, &ask, &err);
	if (r == 0)
		r = intake_each_rate(&p, on_rate, NULL, &err);
	if (r == 0)
		r = intake_each_call(&p, on_call, NULL, &err);
	assert(r != -EINVAL || err_is_set(&err));
	for (size_t i = 0; i < p.problems.count && i < FINDINGS_MAX; i++)
		assert(p.problems.list[i].reason[0]);
	intake_done(&p);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct source_user user = { on_table, on_row, on_problem, NULL, NULL };
	struct str rest = str_n(data, size), table = STR("");
	CLEANUP(buf_done) struct buf map = BUF_INIT;
	struct err err = ERR_INIT;

	(void)str_line(&rest, &table);
	(void)source_read(rest, table, &user, &err);
	if (mapping_default(&map) < 0)
		return 0;
	take_in(rest, table, buf_str(&map));
	/* The same bytes as a map. */
	take_in(STR("CREATE TABLE t (a int); INSERT INTO t VALUES (1);"), STR(""), rest);
	return 0;
}
