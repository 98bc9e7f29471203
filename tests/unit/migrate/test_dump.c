#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/buf.h"
#include "migrate/convert.h"
#include "migrate/source.h"

/* What was read, as one text: table(columns), a line a row, ! and the reason of a problem. */
struct heard {
	struct buf text;
	size_t columns;
	bool is_unwanted;
};

static bool on_table(void *ctx, struct str table, const struct str *column, size_t columns)
{
	struct heard *h = ctx;

	buf_printf(&h->text, "%.*s(", STR_ARG(table));
	for (size_t i = 0; i < columns; i++)
		buf_printf(&h->text, "%s%.*s", i ? "," : "", STR_ARG(column[i]));
	buf_putz(&h->text, ")\n");
	h->columns = columns;
	return !h->is_unwanted;
}

static int on_row(void *ctx, const struct source_cell *cell, uint64_t line)
{
	struct heard *h = ctx;

	buf_printf(&h->text, "%llu:", (unsigned long long)line);
	for (size_t i = 0; i < h->columns; i++)
		buf_printf(&h->text, "[%.*s]",
			   STR_ARG(cell[i].is_null ? STR("NULL") : cell[i].text));
	buf_putc(&h->text, '\n');
	return buf_error(&h->text);
}

static int on_problem(void *ctx, struct str table, uint64_t line, const char *reason)
{
	struct heard *h = ctx;

	buf_printf(&h->text, "!%.*s:%llu:%s\n", STR_ARG(table), (unsigned long long)line, reason);
	return buf_error(&h->text);
}

static void hears(const char *file, const char *table, const char *want)
{
	struct heard h = { 0 };
	const struct source_user u = { on_table, on_row, on_problem, &h, NULL };
	struct err err = ERR_INIT;

	assert_int_equal(source_read(str_of(file), str_of(table), &u, &err), 0);
	const char *text = buf_cstr(&h.text);
	assert_non_null(text);
	assert_string_equal(text, want);
	buf_done(&h.text);
}

static void a_table_is_what_create_says(void **state)
{
	(void)state;
	hears("-- dump; of\n/*!40101 SET x = ';' */;\nDROP TABLE IF EXISTS `t`;\n"
	      "CREATE TABLE IF NOT EXISTS `db`.`t` (\n `a` int(11) NOT NULL DEFAULT '1,(',\n"
	      " b decimal(10,2) COMMENT 'x) \\'y',\n PRIMARY KEY (`a`),\n KEY `k` (`b`)\n) "
	      "ENGINE=x;\n"
	      "INSERT INTO `t` VALUES (1,NULL),\n(-2.5e-3,'it''s \\'a\\'\\n;'),(0x41,_binary "
	      "'z');\n",
	      "", "t(a,b)\n10:[1][NULL]\n11:[-2.5e-3][it's 'a'\n;]\n11:[0x41][z]\n");
}

static void columns_may_stand_in_the_insert(void **state)
{
	(void)state;
	hears("INSERT INTO t (b, `a`) VALUES ('x', TRUE); REPLACE INTO t VALUES (1);", "",
	      "t(b,a)\n1:[x][TRUE]\nt(b,a)\n!t:1:another number of values than columns\n");
	hears("INSERT INTO u VALUES (1); INSERT INTO u VALUES (2);", "",
	      "!u:1:its columns are not known: no CREATE TABLE stands before it\n"
	      "!u:1:its columns are not known: no CREATE TABLE stands before it\n");
}

static void what_makes_no_sense_is_named_and_passed_over(void **state)
{
	(void)state;
	hears("CREATE TABLE t (a int);\nINSERT INTO t VALUES (1),(;,2);\nINSERT INTO t VALUES "
	      "(3),('4",
	      "",
	      "t(a)\n2:[1]\n!t:2:no list of values\nt(a)\n3:[3]\n!t:3:the file ends in the middle "
	      "of it\n");
}

static void a_csv_file_needs_its_table_s_name(void **state)
{
	struct err err = ERR_INIT;
	const struct source_user u = { on_table, on_row, on_problem, NULL, NULL };

	(void)state;
	hears("a;b\n1;\"x;\"\"y\"\n\\N\n1;2;3\n", "t",
	      "t(a,b)\n2:[1][x;\"y]\n3:[NULL][]\n!t:4:more cells than the header has\n");
	assert_int_equal(source_read(STR("a;b\n"), STR(""), &u, &err), -EINVAL);
	assert_true(err_is_set(&err));
}

static void decimals_of_databases_become_money(void **state)
{
	static const struct {
		const char *text;
		bool rounds;
		money_t want; /* -1: refused */
		bool is_rounded;
	} c[] = {
		{ "12.5", false, 1250000000, false },
		{ "-0.00000001", false, -1, false },
		{ "7.1e-3", false, 710000, false },
		{ "1E+2", false, 100 * MONEY_ONE, false },
		{ "0.1234567890", true, 12345679, true },
		{ "0.123456780000", false, 12345678, false },
		{ "0.123456785", false, -1, false },
		{ "1e-300", true, 0, true },
		{ "1e-300", false, -1, false },
		{ "1e300", true, -1, false },
		{ "99999999999.99", true, -1, false },
		{ "0", false, 0, false },
		{ "0e999", false, -1, false },
		{ "nan", true, -1, false },
		{ "", true, -1, false },
		{ "1.2.3", true, -1, false },
		{ "123456789012345678901234567890123", true, -1, false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(c) / sizeof(c[0]); i++) {
		money_t m = 0;
		bool is_rounded = false;
		const char *why = convert_money(str_of(c[i].text), c[i].rounds, &m, &is_rounded);

		if (i == 1) { /* -1 is one hundred millionth less than nothing here */
			assert_null(why);
			assert_int_equal(m, -1);
			continue;
		}
		if (c[i].want == -1) {
			if (!why)
				fail_msg("%s was taken", c[i].text);
			continue;
		}
		if (why)
			fail_msg("%s: %s", c[i].text, why);
		assert_int_equal(m, c[i].want);
		assert_int_equal(is_rounded, c[i].is_rounded);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_table_is_what_create_says),
		cmocka_unit_test(columns_may_stand_in_the_insert),
		cmocka_unit_test(what_makes_no_sense_is_named_and_passed_over),
		cmocka_unit_test(a_csv_file_needs_its_table_s_name),
		cmocka_unit_test(decimals_of_databases_become_money),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
