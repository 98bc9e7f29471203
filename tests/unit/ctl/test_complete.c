#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "ctl/complete.h"

#include "daemon.h"

/*
 * What is offered for the last word of the line, behind the program's name; blanks stand between
 * words.
 */
static const char *offered(const char *line)
{
	static struct buf out;
	const char *word[16] = { "-s", daemon_path() };
	char copy[256];
	char *rest = copy;
	int n = 2;

	buf_done(&out);
	(void)snprintf(copy, sizeof(copy), "%s", line);
	while (rest && n < 16)
		word[n++] = strsep(&rest, " ");
	if (complete(&out, word, n) < 0)
		return "";

	const char *text = buf_cstr(&out);
	return text ? text : "";
}

static void assert_offered(const char *line, const char *wanted)
{
	const char *got = offered(line);

	if (strcmp(got, wanted) != 0)
		fail_msg("'%s' offers '%s', not '%s'", line, got, wanted);
}

static void assert_among(const char *line, const char *wanted)
{
	if (!strstr(offered(line), wanted))
		fail_msg("'%s' does not offer '%s' but '%s'", line, wanted, offered(line));
}

static void entities_and_verbs(void **state)
{
	(void)state;
	assert_offered("acc", "account\n");
	assert_offered("ra", "rate-group\nrate\nrate-sheet\n");
	assert_among("", "mapping-gateway\n");
	assert_among("", "help\n");
	assert_among("--", "--json\n");
	assert_offered("account re", "recharge\n");
	assert_offered("--json account re", "recharge\n");
	assert_offered("zebra ", "");
	assert_offered("zebra zebra ", "");
	assert_offered("completion ", "bash\n");
	assert_offered("help acc", "account\n");
	assert_offered("help account re", "recharge\n");
}

static void names_that_are_not_given_yet(void **state)
{
	(void)state;
	assert_offered("account add li", "limit_money=\nline_limit=\n");
	assert_offered("account add line_limit=5 li", "limit_money=\n");
	assert_offered("account add bal", "");
	assert_offered("cdr list lim", "limit=\n");
	assert_offered("cdr list fi", "fields=\n");
	assert_offered("account add fi", "fields=\n");
	assert_offered("account recharge acme fi", "");
}

static void values_of_a_choice(void **state)
{
	(void)state;
	assert_offered("account add kind=cl", "kind=clearing\n");
	assert_offered("account add cut_off=", "cut_off=true\ncut_off=false\n");
	assert_offered("account add memo=x", "");
	assert_offered("account list fields=id,bil", "fields=id,billing\n");
	assert_offered("mapping-gateway list fields=passw", "");
	assert_offered("account recharge acme kind=de", "kind=deduction\n");
	assert_offered("account recharge acme mode=ca", "mode=cash\nmode=card\n");
	assert_offered("cdr list reason=NoRat", "reason=NoRate\n");
	assert_offered("--dr", "--dry-run\n");
	/* bash's to offer */
	assert_offered("rate import group=g file=x", "/\n");
	assert_offered("cdr export x", "/\n");
}

static void keys_are_asked_of_the_daemon(void **state)
{
	(void)state;
	daemon_says("[{\"id\":\"acme\"},{\"id\":\"apex\"},{\"id\":\"bolt\"}]");
	assert_offered("account show a", "acme\napex\n");
	assert_string_equal(daemon_asked(), "account.list {\"limit\":\"1000\"}");
	assert_offered("account show id=b", "id=bolt\n");
	assert_offered("mapping-gateway add account=ac", "account=acme\n");
	assert_offered("payment list account=b", "account=bolt\n");
	assert_offered("account recharge acme am", "amount=\n");

	daemon_says("[{\"name\":\"in-1\"}]");
	assert_offered("route explain in", "in-1\n");
	assert_string_equal(daemon_asked(), "mapping-gateway.list {\"limit\":\"1000\"}");
	/* what is asked for are whole keys of another entity, not RULE/ACCOUNT */
	daemon_says("[{\"name\":\"abroad\"}]");
	assert_offered("spend reset ab", "abroad\n");
	assert_string_equal(daemon_asked(), "spend-rule.list {\"limit\":\"1000\"}");
	assert_offered("spend list rule=", "rule=abroad\n");
	daemon_says("[{\"number\":\"1001\"}]");
	assert_offered("registration del 1", "1001\n");
	assert_string_equal(daemon_asked(), "phone.list {\"limit\":\"1000\"}");
	daemon_says("[{\"group\":\"sell\",\"prefix\":\"880\",\"origin\":null}]");
	assert_offered("rate show s", "sell/880\n");
}

static void a_parameters_choices(void **state)
{
	(void)state;
	assert_offered("parameter set SERVER_BILLING_RECORD_SERVER_HANG_UP O", "On\nOff\n");
	assert_offered("parameter set NO_SUCH_PARAMETER O", "");
}

/* The shell would take them apart, or worse. */
static void keys_that_are_no_plain_words_are_left_out(void **state)
{
	(void)state;
	daemon_says("[{\"id\":\"a b\"},{\"id\":\"a$(reboot)\"},{\"id\":\"a\\u001b\"},{\"id\":\"\"},"
		    "{\"id\":\"a;x\"},{\"id\":null},{},5,{\"id\":{}},{\"id\":\"a-ok\"}]");
	assert_offered("account show a", "a-ok\n");
}

static void a_daemon_that_cannot_be_asked_is_no_error(void **state)
{
	(void)state;
	assert_offered("-s /nonexistent account show a", "");
	daemon_says("null");
	assert_offered("account show a", "");
	daemon_says(NULL);
	assert_offered("account show a", "");
}

static void a_script_for_bash(void **state)
{
	CLEANUP(buf_done) struct buf out = BUF_INIT;
	const char *const word[] = { "bash" };
	struct err err = ERR_INIT;

	(void)state;
	assert_int_equal(complete_script(&out, word, 1, &err), 0);
	assert_true(str_has_suffix(buf_str(&out), STR("complete -F _switchctl switchctl\n")));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, daemon_start, daemon_stop)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(entities_and_verbs),
		TEST(names_that_are_not_given_yet),
		TEST(values_of_a_choice),
		TEST(keys_are_asked_of_the_daemon),
		TEST(a_parameters_choices),
		TEST(keys_that_are_no_plain_words_are_left_out),
		TEST(a_daemon_that_cannot_be_asked_is_no_error),
		TEST(a_script_for_bash),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
