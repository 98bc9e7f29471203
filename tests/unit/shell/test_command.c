#include "hardening/shell/command.h"

#include <errno.h>

#include "../base/unit.h"
#include "base/buf.h"
#include "base/cleanup.h"
#include "oom.h"

/* The words with a | behind each, or the error's number. */
static void put(struct buf *out, struct str line)
{
	struct command c;

	int r = command_parse(&c, line);
	if (r < 0)
		buf_put_i64(out, r);
	for (size_t i = 0; r == 0 && i < c.n; i++)
		buf_printf(out, "%s|", c.word[i]);
	command_done(&c);
}

static void a_line_is_cut_into_the_words_of_switchctl(void **state)
{
	static const struct {
		struct str in;
		const char *out;
	} row[] = {
		{ STR_INIT("switchctl"), "switchctl|" },
		{ STR_INIT("switchctl status"), "switchctl|status|" },
		{ STR_INIT("  switchctl   account list "), "switchctl|account|list|" },
		{ STR_INIT("switchctl account add name=\"Acme Telecom\""),
		  "switchctl|account|add|name=Acme Telecom|" },
		{ STR_INIT("switchctl account add 'name=A \"B\" $HOME *'"),
		  "switchctl|account|add|name=A \"B\" $HOME *|" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(row); i++) {
		CLEANUP(buf_done) struct buf out = BUF_INIT;

		put(&out, row[i].in);
		assert_string_equal(buf_cstr(&out), row[i].out);
	}
}

static void what_a_shell_would_do_more_is_only_text(void **state)
{
	static const char *const LINES[] = {
		"switchctl status; reboot", "switchctl status && sh",    "switchctl $(sh)",
		"switchctl `sh`",           "switchctl status > /etc/x", "switchctl status | sh",
		"switchctl ${IFS}sh",
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(LINES); i++) {
		struct command c;

		assert_int_equal(command_parse(&c, str_of(LINES[i])), 0);
		assert_string_equal(c.word[0], "switchctl");
		assert_true(c.n >= 2);
		assert_null(c.word[c.n]);
		command_done(&c);
	}
}

static void no_other_program_can_be_named(void **state)
{
	static const char *const LINES[] = {
		"",
		" ",
		"sh",
		"/bin/sh -c id",
		"switchctl.sh",
		"SWITCHCTL",
		"/usr/bin/switchctl",
		"A=b switchctl status",
		"scp -t /etc",
		"\"\"",
		"switchctl2",
		"exec switchctl",
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(LINES); i++) {
		struct command c;

		assert_int_equal(command_parse(&c, str_of(LINES[i])), -EPERM);
		command_done(&c);
	}
}

static void a_line_that_is_not_whole_is_refused(void **state)
{
	static const struct str LINES[] = {
		STR_INIT("switchctl 'a"),      STR_INIT("switchctl \"a"),
		STR_INIT("switchctl a\\"),     STR_INIT("switchctl a\nb"),
		STR_INIT("switchctl \x1b[0m"), STR_INIT("switchctl a\0b"),
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(LINES); i++) {
		struct command c;

		assert_int_equal(command_parse(&c, LINES[i]), -EINVAL);
		command_done(&c);
	}
}

static void there_is_an_end_of_words(void **state)
{
	CLEANUP(buf_done) struct buf line = BUF_INIT;
	struct command c;

	(void)state;
	buf_putz(&line, "switchctl");
	for (size_t i = 1; i < COMMAND_WORDS; i++)
		buf_putz(&line, " x");
	assert_int_equal(command_parse(&c, buf_str(&line)), 0);
	assert_int_equal(c.n, COMMAND_WORDS);
	command_done(&c);
	buf_putz(&line, " x");
	assert_int_equal(command_parse(&c, buf_str(&line)), -E2BIG);
	command_done(&c);
}

static void a_line_is_parsed(void)
{
	struct command c;

	(void)oom_refused(command_parse(&c, STR("switchctl account list 'a b' c")));
	command_done(&c);
}

static void memory_may_run_out(void **state)
{
	(void)state;
	oom_each(a_line_is_parsed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_line_is_cut_into_the_words_of_switchctl),
		cmocka_unit_test(what_a_shell_would_do_more_is_only_text),
		cmocka_unit_test(no_other_program_can_be_named),
		cmocka_unit_test(a_line_that_is_not_whole_is_refused),
		cmocka_unit_test(there_is_an_end_of_words),
		cmocka_unit_test(memory_may_run_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
