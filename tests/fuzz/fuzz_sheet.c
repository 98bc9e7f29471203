/*
 * The first line is a map of columns, the second how numbers and dates are written and the name of a zone, the rest a rate sheet. What was
 * read without a problem is in order, there once, and within what a rate may be; each problem has its line.
 */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>

#include "base/trie.h"
#include "model/entity.h"
#include "sheet/sheet.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_row(const struct sheet *s, size_t i, const struct sheet_format *f)
{
	const struct sheet_row *r = &s->row[i], *before = i ? r - 1 : NULL;
	int order = before ? str_cmp(sheet_prefix(before), sheet_prefix(r)) : -1;

	assert(r->prefix_n > 0 && trie_is_key(sheet_prefix(r)));
	assert(order < 0 || (order == 0 && before->effective < r->effective));
	assert(r->effective == FIELD_ABSENT || r->effective >= f->now);
	assert(r->end == FIELD_ABSENT || r->end > f->now);
	assert(r->price >= 0 && r->setup_fee >= 0 && r->tax >= 0);
	assert(r->unit > 0 && r->first > 0 && r->step > 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str rest = str_n(data, size), map = STR(""), how = STR("");
	CLEANUP(zone_free) struct zone *zone = NULL;
	struct err err = ERR_INIT;
	struct sheet s;

	(void)str_line(&rest, &map);
	(void)str_line(&rest, &how);
	unsigned flags = how.n ? (uint8_t)how.p[0] : 0;
	struct str name = str_skip(how, 1);
	if ((str_find(name, STR("/")) >= 0 || zone_create(&zone, name) < 0) &&
	    zone_create(&zone, STR("UTC")) < 0)
		return 0;

	const struct sheet_format f = {
		.columns = map,
		.is_comma = flags & 1,
		.dates = (enum sheet_dates)(flags >> 1 & 3) % 3,
		.zone = zone,
		.now = 1700000000000,
		.moment = flags & 8 ? 1800000000000 : FIELD_ABSENT,
		.takes_past = flags & 16,
		.rounds = flags & 32,
	};
	if (sheet_read(&s, &f, rest, &err) == 0) {
		size_t n = s.problems < SHEET_PROBLEMS_MAX ? s.problems : SHEET_PROBLEMS_MAX;

		for (size_t i = 0; i < n; i++)
			assert(s.problem[i].line > 0 && s.problem[i].reason[0]);
		for (size_t i = 0; s.problems == 0 && i < s.rows; i++)
			check_row(&s, i, &f);
	}
	sheet_done(&s);
	return 0;
}
