#include "console/options.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct options o;
static char out[4096], err[4096];

/* Words that blanks stand between. */
static int parse(const char *line)
{
	static char copy[256]; /* the options point into it */
	char *rest = copy, *word[16] = { NULL };
	int n = 0;
	FILE *a = fmemopen(out, sizeof(out), "w"), *b = fmemopen(err, sizeof(err), "w");

	if (!a || !b)
		fail_msg("no streams");
	memset(out, 0, sizeof(out));
	memset(err, 0, sizeof(err));
	(void)snprintf(copy, sizeof(copy), "switch-console%s%s", line[0] ? " " : "", line);
	while (rest && n < 15)
		word[n++] = strsep(&rest, " ");
	int r = options_parse(&o, n, word, a, b);
	(void)fclose(a);
	(void)fclose(b);
	return r;
}

static void without_options_it_is_the_machines_switch(void **state)
{
	(void)state;
	assert_int_equal(parse(""), OPTIONS_GO);
	assert_string_equal(o.socket, "/run/tandem/control.sock");
	assert_string_equal(o.hash_file, "/etc/tandem/admin.hash");
	assert_int_equal(o.idle_ms, 600000);
	assert_false(o.is_login || o.is_read_only || o.is_ascii);
}

static void every_option_is_understood(void **state)
{
	(void)state;
	assert_int_equal(parse("-s /x --login --hash /h --read-only --idle 0 --ascii"), OPTIONS_GO);
	assert_string_equal(o.socket, "/x");
	assert_string_equal(o.hash_file, "/h");
	assert_int_equal(o.idle_ms, 0);
	assert_true(o.is_login && o.is_read_only && o.is_ascii);
	assert_int_equal(parse("--socket=/y --idle=86400"), OPTIONS_GO);
	assert_string_equal(o.socket, "/y");
	assert_int_equal(o.idle_ms, 86400000);
}

static void help_and_version_are_printed(void **state)
{
	(void)state;
	assert_int_equal(parse("--help"), 0);
	assert_non_null(strstr(out, "--read-only"));
	assert_int_equal(parse("-V"), 0);
	assert_non_null(strstr(out, TANDEM_VERSION));
	assert_string_equal(err, "");
}

static const char *const wrong[] = { "--nonsense", "-x",        "-s",           "word",
				     "--idle",     "--idle -1", "--idle 86401", "--idle 1m" };

static void what_is_no_option_is_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		assert_int_equal(parse(wrong[i]), 2);
		assert_string_not_equal(err, "");
		assert_string_equal(out, "");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_options_it_is_the_machines_switch),
		cmocka_unit_test(every_option_is_understood),
		cmocka_unit_test(help_and_version_are_printed),
		cmocka_unit_test(what_is_no_option_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
