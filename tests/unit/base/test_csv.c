#include "base/csv.h"

#include <errno.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "oom.h"
#include "unit.h"

/* Rows as one text: a | behind each cell, or what was wrong and where; then the line number. */
static void put_rows(struct buf *b, struct str text, char sep)
{
	struct csv c;
	int r;

	csv_init(&c, text, sep);
	while ((r = csv_next(&c)) != 0) {
		if (r == -ENOMEM) {
			buf_putz(b, "memory;");
			break;
		}
		for (uint32_t i = 0; r == 1 && i < c.cells; i++) {
			buf_put(b, c.cell[i]);
			buf_putc(b, '|');
		}
		if (r < 0)
			buf_printf(b, "%s, cell %u ", c.error, c.error_column);
		buf_printf(b, "@%u;", c.line);
	}
	csv_done(&c);
}

static void rows_are_read_as_rfc_4180_says(void **state)
{
	static const struct {
		struct str in;
		const char *out;
	} row[] = {
		{ STR_INIT(""), "" },
		{ STR_INIT("\n\r\n\n"), "" },
		{ STR_INIT("a,b\r\nc,d\r\n"), "a|b|@1;c|d|@2;" },
		{ STR_INIT("a,b\nc,d"), "a|b|@1;c|d|@2;" },
		{ STR_INIT("a\n\n\nb"), "a|@1;b|@4;" },
		{ STR_INIT(",\n"), "||@1;" },
		{ STR_INIT("a,\n,b"), "a||@1;|b|@2;" },
		{ STR_INIT(" a , b "), " a | b |@1;" },
		{ STR_INIT("\"a\",\"b,c\""), "a|b,c|@1;" },
		{ STR_INIT("\"\"\n\"\",x"), "|@1;|x|@2;" },
		{ STR_INIT("\"a\"\"b\",\"\"\"\"\r\n"), "a\"b|\"|@1;" },
		{ STR_INIT("\"a\r\nb\",c\nd"), "a\r\nb|c|@1;d|@3;" },
		{ STR_INIT("a\"b,c"), "a\"b|c|@1;" },
		{ STR_INIT("a\rb,c\r"), "a\rb|c\r|@1;" },
		{ STR_INIT("\xef\xbb\xbf"
			   "a,b"),
		  "a|b|@1;" },
		{ STR_INIT("a\n\xef\xbb\xbf"
			   "b"),
		  "a|@1;\xef\xbb\xbf"
		  "b|@2;" },
		{ STR_INIT("\xef\xbb\xbf"), "" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(row); i++) {
		CLEANUP(buf_done) struct buf b = BUF_INIT;

		put_rows(&b, row[i].in, ',');
		assert_string_equal(buf_cstr(&b), row[i].out);
	}
}

static void a_bad_row_is_told_and_the_next_is_read(void **state)
{
	static const struct {
		struct str in;
		const char *out;
	} row[] = {
		{ STR_INIT("a,\"b\nc,d\n"), "a quote is not closed, cell 2 @1;" },
		{ STR_INIT("\""), "a quote is not closed, cell 1 @1;" },
		{ STR_INIT("\"\"\""), "a quote is not closed, cell 1 @1;" },
		{ STR_INIT("a\n\"b\"x,c\nd"),
		  "a|@1;there is text behind a closing quote, cell 1 @2;d|@3;" },
		{ STR_INIT("\"a\n\" b\nc"),
		  "there is text behind a closing quote, cell 1 @1;c|@3;" },
		{ STR_INIT("\"a\"\rb\nc"),
		  "there is text behind a closing quote, cell 1 @1;c|@2;" },
		{ STR_INIT("a,b\0c,d\ne"), "there is a NUL in the text, cell 2 @1;e|@2;" },
		{ STR_INIT("\"\0\"\ne"), "there is a NUL in the text, cell 1 @1;e|@2;" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(row); i++) {
		CLEANUP(buf_done) struct buf b = BUF_INIT;

		put_rows(&b, row[i].in, ',');
		assert_string_equal(buf_cstr(&b), row[i].out);
	}
}

static void a_row_has_at_most_so_many_cells(void **state)
{
	CLEANUP(buf_done) struct buf text = BUF_INIT;
	struct csv c;

	(void)state;
	for (int i = 0; i < CSV_CELLS; i++)
		buf_putz(&text, i ? ",\"x\"\"\"" : "\"x\"\"\"");
	buf_putz(&text, "\n");
	for (int i = 0; i < CSV_CELLS; i++)
		buf_putc(&text, ',');
	buf_putz(&text, "\nlast");

	csv_init(&c, buf_str(&text), ',');
	assert_int_equal(csv_next(&c), 1);
	assert_int_equal(c.cells, CSV_CELLS);
	for (int i = 0; i < CSV_CELLS; i++)
		assert_str_equal(c.cell[i], "x\"");
	assert_int_equal(csv_next(&c), -EBADMSG);
	assert_int_equal(c.error_column, CSV_CELLS + 1);
	assert_int_equal(csv_next(&c), 1);
	assert_str_equal(c.cell[0], "last");
	assert_int_equal(csv_next(&c), 0);
	assert_int_equal(csv_next(&c), 0);
	csv_done(&c);
}

static void the_separator_is_a_choice(void **state)
{
	CLEANUP(buf_done) struct buf b = BUF_INIT;

	(void)state;
	put_rows(&b, STR("a,b;\"c;d\""), ';');
	put_rows(&b, STR("a\tb"), '\t');
	assert_string_equal(buf_cstr(&b), "a,b|c;d|@1;a|b|@1;");
}

static void no_spreadsheet_runs_what_is_written(void **state)
{
	static const struct {
		struct str in;
		const char *out;
	} row[] = {
		{ STR_INIT(""), "" },
		{ STR_INIT("plain"), "plain" },
		{ STR_INIT("a,b"), "\"a,b\"" },
		{ STR_INIT("a;b"), "a;b" },
		{ STR_INIT("say \"x\""), "\"say \"\"x\"\"\"" },
		{ STR_INIT("a\r\nb"), "\"a\r\nb\"" },
		{ STR_INIT("a\0b"), "ab" },
		{ STR_INIT("=1+1"), "'=1+1" },
		{ STR_INIT("=HYPERLINK(\"http://x\",\"y\")"),
		  "\"'=HYPERLINK(\"\"http://x\"\",\"\"y\"\")\"" },
		{ STR_INIT("@SUM(A1)"), "'@SUM(A1)" },
		{ STR_INIT("-1+cmd|' /C calc'!A0"), "'-1+cmd|' /C calc'!A0" },
		{ STR_INIT("+1+1"), "'+1+1" },
		{ STR_INIT("\t=1"), "'\t=1" },
		{ STR_INIT("\r=1"), "\"'\r=1\"" },
		{ STR_INIT("\n=1"), "\"'\n=1\"" },
		{ STR_INIT("\xef\xbc\x9d"
			   "1"),
		  "'\xef\xbc\x9d"
		  "1" }, /* full-width = */
		{ STR_INIT("\xef\xbb\xbf=1"), "'\xef\xbb\xbf=1" },
		{ STR_INIT("-"), "'-" },
		{ STR_INIT("-1"), "-1" },
		{ STR_INIT("-0.0123"), "-0.0123" },
		{ STR_INIT("+8801712345678"), "+8801712345678" },
		{ STR_INIT("-1."), "'-1." },
		{ STR_INIT("-.5"), "'-.5" },
		{ STR_INIT("-1.5.1"), "'-1.5.1" },
		{ STR_INIT("-1e5"), "'-1e5" },
		{ STR_INIT("1-1"), "1-1" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(row); i++) {
		CLEANUP(buf_done) struct buf b = BUF_INIT;

		csv_put(&b, row[i].in, ',');
		assert_string_equal(buf_cstr(&b), row[i].out);
	}
}

/* Text of the characters that matter, without a NUL. */
static void some_text(struct buf *b, uint64_t *seed)
{
	static const char alphabet[] = "ab,;\"\r\n='-1";

	buf_clear(b);
	for (size_t n = chance(seed, 8); n > 0; n--)
		buf_putc(b, alphabet[chance(seed, sizeof(alphabet) - 1)]);
}

static void what_is_written_can_be_read_back(void **state)
{
	enum { CELLS = 5 };
	CLEANUP(buf_done) struct buf text = BUF_INIT;
	struct buf cell[CELLS] = { 0 };
	uint64_t seed = 1;

	(void)state;
	for (int round = 0; round < 20000; round++) {
		struct csv c;

		buf_clear(&text);
		for (int i = 0; i < CELLS; i++) {
			some_text(&cell[i], &seed);
			csv_put(&text, buf_str(&cell[i]), ',');
			buf_putz(&text, i < CELLS - 1 ? "," : "\r\n");
		}
		csv_init(&c, buf_str(&text), ',');
		assert_int_equal(csv_next(&c), 1);
		assert_int_equal(c.cells, CELLS);
		for (int i = 0; i < CELLS; i++) {
			struct str want = buf_str(&cell[i]), got = c.cell[i];

			if (got.n == want.n + 1 && got.p[0] == '\'')
				got = str_skip(got, 1);
			assert_true(str_eq(got, want));
		}
		assert_int_equal(csv_next(&c), 0);
		csv_done(&c);
	}
	for (int i = 0; i < CELLS; i++)
		buf_done(&cell[i]);
}

static void hostile_text_ends_and_never_runs_out_of_bounds(void **state)
{
	static const char alphabet[] = "a,\"\"\"\r\n\n\0";
	uint64_t seed = 2;

	(void)state;
	for (int round = 0; round < 50000; round++) {
		size_t n = 1 + chance(&seed, 40), rows = 0;
		char *text = malloc(n); /* of this very size, for asan to guard */
		struct csv c;
		int r;

		assert_non_null(text);
		for (size_t i = 0; i < n; i++)
			text[i] = alphabet[chance(&seed, sizeof(alphabet) - 1)];
		csv_init(&c, str_n(text, n), ',');
		while ((r = csv_next(&c)) != 0) {
			assert_true(r == 1 || (r == -EBADMSG && c.error));
			assert_true(++rows <= n);
		}
		csv_done(&c);
		free(text);
	}
}

static void rows_are_read(void)
{
	CLEANUP(buf_done) struct buf b = BUF_INIT;

	put_rows(&b, STR("\"a\"\"\"\n\"b\"\"\",c"), ',');
	if (!oom_hit())
		assert_string_equal(buf_cstr(&b), "a\"|@1;b\"|c|@2;");
}

static void memory_may_run_out(void **state)
{
	(void)state;
	oom_each(rows_are_read);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rows_are_read_as_rfc_4180_says),
		cmocka_unit_test(a_bad_row_is_told_and_the_next_is_read),
		cmocka_unit_test(a_row_has_at_most_so_many_cells),
		cmocka_unit_test(the_separator_is_a_choice),
		cmocka_unit_test(no_spreadsheet_runs_what_is_written),
		cmocka_unit_test(what_is_written_can_be_read_back),
		cmocka_unit_test(hostile_text_ends_and_never_runs_out_of_bounds),
		cmocka_unit_test(memory_may_run_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
