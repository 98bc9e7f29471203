#include "rig.h"

#include <jansson.h>

#include "base/cleanup.h"
#include "ctl/run.h"

#include "daemon.h"

/* What a command of these words, which blanks stand between, prints; its exit status. */
static int ctl(const char *line)
{
	return rig_run(run, (const char *const[3]){ "switchctl", "-s", daemon_path() }, line);
}

static int stop(void **state)
{
	rig_forget();
	return daemon_stop(state);
}

static void an_object_is_shown_line_by_line(void **state)
{
	(void)state;
	daemon_says("{\"id\":\"acme\",\"balance\":\"0.00000001\",\"memo\":null,\"calls\":2}");
	assert_int_equal(ctl("account show acme"), RUN_DONE);
	assert_string_equal(out, "id:      acme\nbalance: 0.00000001\nmemo:\ncalls:   2\n");
	assert_string_equal(err, "");
	assert_string_equal(daemon_asked(), "account.show {\"id\":\"acme\"}");
}

static void a_list_is_shown_in_its_usual_columns(void **state)
{
	(void)state;
	daemon_says("[{\"id\":\"a\",\"name\":\"Acme\",\"secret\":\"x\",\"balance\":\"5\"},"
		    "{\"id\":\"longer\",\"name\":\"B\",\"secret\":\"x\",\"balance\":\"12.5\"}]");
	assert_int_equal(ctl("account list"), RUN_DONE);
	assert_string_equal(out, "id      name  balance\n"
				 "a       Acme        5\n"
				 "longer  B        12.5\n");
}

static void columns_can_be_chosen(void **state)
{
	(void)state;
	daemon_says("[{\"id\":\"a\",\"name\":\"Acme\",\"memo\":\"x\"}]");
	assert_int_equal(ctl("account list fields=memo,id"), RUN_DONE);
	assert_string_equal(out, "memo  id\nx     a\n");
	assert_int_equal(ctl("--json account list fields=memo"), RUN_DONE);
	assert_string_equal(out, "[\n  {\n    \"memo\": \"x\"\n  }\n]\n");
	assert_int_equal(ctl("account list fields=memoo"), RUN_USAGE);
	assert_has(err, "did you mean memo?");
	assert_string_equal(out, "");
}

static void an_empty_list_has_a_head(void **state)
{
	(void)state;
	daemon_says("[]");
	assert_int_equal(ctl("payment list"), RUN_DONE);
	assert_has(out, "account");
	assert_int_equal(ctl("alarm list"), RUN_DONE);
	assert_has(out, "acked_by");
	assert_int_equal(ctl("alarm list --json"), RUN_DONE);
	assert_string_equal(out, "[]\n");
}

static void json_is_one_document_of_the_same_value(void **state)
{
	static const char answer[] =
		"{\"a\":[1,true,null],\"money\":\"0.10\",\"n\":\"M\xc3\xbcller\"}";

	(void)state;
	daemon_says(answer);
	assert_int_equal(ctl("--json status"), RUN_DONE);
	json_t *shown = json_loads(out, 0, NULL), *said = json_loads(answer, 0, NULL);
	assert_non_null(shown);
	assert_true(json_equal(shown, said));
	assert_has(out, "M\xc3\xbcller");
	json_decref(shown);
	json_decref(said);
}

static void what_is_answered_goes_into_the_file_that_was_named(void **state)
{
	(void)state;
	daemon_says("{\"content\":\"aGVsbG8=\",\"next\":null}");
	assert_int_equal(ctl("trace export - id=00ab"), RUN_DONE);
	assert_string_equal(out, "hello");
	assert_string_equal(daemon_asked(), "trace.export {\"id\":\"00ab\"}");
	assert_int_equal(ctl("trace export file=/nowhere/at/all"), RUN_REFUSED);
	assert_has(err, "cannot be written");
	assert_int_equal(ctl("trace export"), RUN_USAGE);
	assert_has(err, "needs file");
	assert_int_equal(ctl("trace export a file=b"), RUN_USAGE);
	daemon_says("{\"content\":\"?\",\"next\":null}");
	assert_int_equal(ctl("trace export -"), RUN_REFUSED);
	daemon_says(NULL);
	assert_int_equal(ctl("trace export -"), RUN_REFUSED);
	assert_string_equal(out, "");
}

/* ESC, DEL, C1, RTL override, zero width, a tag beyond the first plane. */
static const char evil[] =
	"{\"id\":\"\\u001b[2J|\\u007f|\\u009b|\\u202e|\\u200b|\\udb40\\udc41|\\n|x\"}";

static void peers_texts_do_nothing_to_the_terminal(void **state)
{
	static const char *const acted_on[] = {
		"\x1b", "\x7f", "\xc2\x9b", "\xe2\x80\xae", "\xe2\x80\x8b", "\xf3\xa0\x81\x81"
	};

	(void)state;
	daemon_says(evil);
	for (int json = 0; json < 2; json++) {
		assert_int_equal(ctl(json ? "--json call show 1" : "call show 1"), RUN_DONE);
		for (size_t i = 0; i < sizeof(acted_on) / sizeof(acted_on[0]); i++)
			assert_null(strstr(out, acted_on[i]));
	}

	json_t *shown = json_loads(out, 0, NULL), *said = json_loads(evil, 0, NULL);
	assert_true(json_equal(shown, said));
	json_decref(shown);
	json_decref(said);
}

static void a_text_is_printed_line_by_line(void **state)
{
	(void)state;
	daemon_says("\"id,fee\\r\\n1,\\u001B2\\r\\n\"");
	assert_int_equal(ctl("trace show 1"), RUN_DONE);
	assert_string_equal(out, "id,fee\n1,\xef\xbf\xbd"
				 "2\n");
	assert_int_equal(ctl("--json trace show 1"), RUN_DONE);
	assert_string_equal(out, "\"id,fee\\r\\n1,\\u001B2\\r\\n\"\n");
}

static void differences_are_a_failure(void **state)
{
	static const char *const commands[] = { "cdr verify", "ledger verify",
						"--json cdr verify" };

	(void)state;
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		daemon_says("{\"checked\":5,\"differences\":[]}");
		assert_int_equal(ctl(commands[i]), RUN_DONE);
		daemon_says("{\"checked\":5,\"differences\":[{\"id\":\"1\",\"fee\":\"2\"}]}");
		assert_int_equal(ctl(commands[i]), RUN_REFUSED);
		assert_has(out, "differences");
	}
}

static void a_refusal_says_what_where_and_what_would_do(void **state)
{
	(void)state;
	daemon_says(NULL);
	assert_int_equal(ctl("--json rate set a/1 price=1,5"), RUN_REFUSED);
	assert_string_equal(out, "");
	assert_string_equal(err, "switchctl: price is no number (bad_value)\n"
				 "  field:    price\n"
				 "  given:    1,5\n"
				 "  accepted: 0 to 10\n");
}

static const struct {
	const char *line, *hint;
} misuses[] = {
	{ "", "usage:" },
	{ "--nonsense", "usage:" },
	{ "--jsn status", "did you mean --json?" },
	{ "-x status", "usage:" },
	{ "-s", "-s PATH" },
	{ "status --socket", "--socket needs a path" },
	{ "acount list", "did you mean account?" },
	{ "account lst", "did you mean list?" },
	{ "account show", "switchctl account show ID" },
	{ "help acount", "did you mean account?" },
	{ "help account shw", "did you mean show?" },
	{ "completion zsh", "bash" },
	{ "completion", "bash" },
};

static void misuse_is_told_from_a_refusal(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(misuses) / sizeof(misuses[0]); i++) {
		if (ctl(misuses[i].line) != RUN_USAGE)
			fail_msg("'%s' is no misuse", misuses[i].line);
		assert_has(err, misuses[i].hint);
		assert_string_equal(out, "");
	}
	assert_string_equal(daemon_asked(), "");
}

/* The words are right, whichever way the file is sent. */
static void a_file_that_cannot_be_read_is_a_refusal(void **state)
{
	static const char *const lines[] = { "license activate /nonexistent",
					     "number-list import spam content=/nonexistent",
					     "rate import group=g file=/nonexistent" };

	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		assert_int_equal(ctl(lines[i]), RUN_REFUSED);
		assert_has(err, "the file cannot be read: No such file or directory");
		assert_has(err, "given:    /nonexistent");
		assert_string_equal(out, "");
	}
	assert_string_equal(daemon_asked(), "");
}

static void options_may_stand_anywhere(void **state)
{
	(void)state;
	daemon_says("{\"id\":\"a\"}");
	assert_int_equal(ctl("account show --json a"), RUN_DONE);
	assert_has(out, "\"id\": \"a\"");
	assert_int_equal(ctl("parameter set X -5"), RUN_DONE);
	assert_string_equal(daemon_asked(), "parameter.set {\"name\":\"X\",\"value\":\"-5\"}");
	assert_int_equal(ctl("parameter set X -- --json"), RUN_DONE);
	assert_string_equal(daemon_asked(), "parameter.set {\"name\":\"X\",\"value\":\"--json\"}");
	assert_int_equal(ctl("parameter set X -"), RUN_DONE);
	assert_int_equal(ctl("status --socket=/nonexistent"), RUN_UNREACHABLE);
}

static void help_needs_no_daemon(void **state)
{
	(void)state;
	assert_int_equal(ctl("-s /nonexistent help"), RUN_DONE);
	assert_has(out, "mapping-gateway");
	assert_int_equal(ctl("--help"), RUN_DONE);
	assert_has(out, "usage: switchctl");
	assert_int_equal(ctl("help account"), RUN_DONE);
	assert_has(out, "switchctl account recharge ID amount=DECIMAL");
	assert_int_equal(ctl("help account add"), RUN_DONE);
	assert_has(out, "limit_money");
	assert_has(out, "accepted: prepaid or postpaid");
	assert_null(strstr(out, "debt_bound"));
	assert_int_equal(ctl("help status"), RUN_DONE);
	assert_has(out, "switchctl status\n");
	assert_int_equal(ctl("--version"), RUN_DONE);
	assert_has(out, TANDEM_VERSION);
}

static void a_daemon_that_is_not_there_is_named(void **state)
{
	(void)state;
	assert_int_equal(ctl("-s /nonexistent/control.sock status"), RUN_UNREACHABLE);
	assert_has(err, "/nonexistent/control.sock");
	assert_string_equal(out, "");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, daemon_start, stop)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(an_object_is_shown_line_by_line),
		TEST(a_list_is_shown_in_its_usual_columns),
		TEST(columns_can_be_chosen),
		TEST(an_empty_list_has_a_head),
		TEST(json_is_one_document_of_the_same_value),
		TEST(what_is_answered_goes_into_the_file_that_was_named),
		TEST(peers_texts_do_nothing_to_the_terminal),
		TEST(a_text_is_printed_line_by_line),
		TEST(differences_are_a_failure),
		TEST(a_refusal_says_what_where_and_what_would_do),
		TEST(misuse_is_told_from_a_refusal),
		TEST(a_file_that_cannot_be_read_is_a_refusal),
		TEST(options_may_stand_anywhere),
		TEST(help_needs_no_daemon),
		TEST(a_daemon_that_is_not_there_is_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
