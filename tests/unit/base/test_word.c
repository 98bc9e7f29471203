#include "base/word.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"

/* The words of a line, each behind a bar; "!" at the end if the line is refused. */
static void assert_words(const char *line, const char *expected)
{
	CLEANUP(buf_done) struct buf word = BUF_INIT;
	CLEANUP(buf_done) struct buf all = BUF_INIT;
	struct str rest = str_of(line);
	int r;

	while ((r = word_next(&rest, &word)) > 0) {
		buf_putc(&all, '|');
		buf_put(&all, buf_str(&word));
	}
	if (r == -EINVAL)
		buf_putc(&all, '!');
	else
		assert_int_equal(r, 0);
	assert_int_equal(buf_error(&all), 0);
	assert_true(str_eq(buf_str(&all), str_of(expected)));
}

static void a_line_is_cut_as_a_shell_would(void **state)
{
	(void)state;
	assert_words("", "");
	assert_words("  \t ", "");
	assert_words("account add  id=acme", "|account|add|id=acme");
	assert_words("name=\"Acme Telecom\" x", "|name=Acme Telecom|x");
	assert_words("'a b'c\"d e\"", "|a bcd e");
	assert_words("a\\ b \\\"", "|a b|\"");
	assert_words("\"say \\\"hi\\\"\"", "|say \"hi\"");
	assert_words("'\\'", "|\\");
	assert_words("a '' b", "|a||b");
	assert_words("$(reboot) `x` ; | >", "|$(reboot)|`x`|;|||>");
}

static void what_is_left_open_is_refused(void **state)
{
	(void)state;
	assert_words("a \"b", "|a!");
	assert_words("'", "!");
	assert_words("a\\", "!");
	assert_words("\"a\\", "!");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_line_is_cut_as_a_shell_would),
		cmocka_unit_test(what_is_left_open_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
