#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "control/rpc.h"

#include "../oom.h"

static void a_call_is_taken_apart(void **state)
{
	struct str line = STR("{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"account.show\","
			      "\"params\":{\"id\":\"acme\"},\"actor\":\"ann\"}");
	struct rpc_call c;
	struct err err = ERR_INIT;

	(void)state;
	assert_int_equal(rpc_parse(&c, line, &err), 0);
	assert_int_equal(json_integer_value(c.id), 7);
	assert_true(str_eq(c.method, STR("account.show")));
	assert_string_equal(json_string_value(json_object_get(c.params, "id")), "acme");
	assert_string_equal(c.actor, "ann");
	rpc_call_done(&c);
}

static void missing_params_are_an_empty_object(void **state)
{
	struct rpc_call c;
	struct err err = ERR_INIT;

	(void)state;
	assert_int_equal(rpc_parse(&c, STR("{\"jsonrpc\":\"2.0\",\"method\":\"x\"}"), &err), 0);
	assert_true(json_is_object(c.params));
	assert_null(c.id);
	assert_string_equal(c.actor, "");
	rpc_call_done(&c);
}

static const struct {
	const char *line;
	enum err_code code;
	const char *field;
} refused[] = {
	{ "", ERR_SYNTAX, "" },
	{ "hello", ERR_SYNTAX, "" },
	{ "{", ERR_SYNTAX, "" },
	{ "{}{}", ERR_SYNTAX, "" },
	{ "{\"a\":1,\"a\":2}", ERR_SYNTAX, "" },
	{ "{\"method\":\"\xff\xfe\"}", ERR_SYNTAX, "" },
	{ "{\"method\":\"\xc0\xaf\"}", ERR_SYNTAX, "" },
	{ "{\"method\":\"a\\u0000b\"}", ERR_SYNTAX, "" },
	{ "{\"id\":99999999999999999999}", ERR_SYNTAX, "" },
	{ "{\"id\":NaN}", ERR_SYNTAX, "" },
	{ "[]", ERR_USAGE, "" },
	{ "[{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"status.show\"}]", ERR_USAGE, "" },
	{ "{}", ERR_USAGE, "jsonrpc" },
	{ "{\"jsonrpc\":2.0}", ERR_USAGE, "jsonrpc" },
	{ "{\"jsonrpc\":\"1.0\",\"method\":\"x\"}", ERR_USAGE, "jsonrpc" },
	{ "{\"jsonrpc\":\"2.0\"}", ERR_USAGE, "method" },
	{ "{\"jsonrpc\":\"2.0\",\"method\":5}", ERR_USAGE, "method" },
	{ "{\"jsonrpc\":\"2.0\",\"method\":\"\"}", ERR_USAGE, "method" },
	{ "{\"jsonrpc\":\"2.0\",\"method\":\"x\",\"id\":{}}", ERR_USAGE, "id" },
	{ "{\"jsonrpc\":\"2.0\",\"method\":\"x\",\"id\":1.5}", ERR_USAGE, "id" },
	{ "{\"jsonrpc\":\"2.0\",\"method\":\"x\",\"params\":[1]}", ERR_BAD_VALUE, "params" },
	{ "{\"jsonrpc\":\"2.0\",\"method\":\"x\",\"params\":null}", ERR_BAD_VALUE, "params" },
	{ "{\"jsonrpc\":\"2.0\",\"method\":\"x\",\"actor\":1}", ERR_BAD_VALUE, "actor" },
	{ "{\"jsonrpc\":\"2.0\",\"method\":\"x\",\"actor\":\"a\\nb\"}", ERR_BAD_VALUE, "actor" },
};

static void what_is_no_call_is_refused_with_its_place(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
		struct rpc_call c;
		struct err err = ERR_INIT;

		if (rpc_parse(&c, str_of(refused[i].line), &err) != -EINVAL)
			fail_msg("accepted: %s", refused[i].line);
		if (err.code != refused[i].code || strcmp(err.field, refused[i].field) != 0)
			fail_msg("%s: %s at '%s'", refused[i].line, err_code_name(err.code),
				 err.field);
		assert_true(err.message[0]);
		rpc_call_done(&c);
	}
}

static void a_nul_is_no_json(void **state)
{
	struct rpc_call c;
	struct err err = ERR_INIT;

	(void)state;
	assert_int_equal(rpc_parse(&c, STR("{\"a\":\0 1}"), &err), -EINVAL);
	assert_int_equal(err.code, ERR_SYNTAX);
	rpc_call_done(&c);
}

/* {"jsonrpc":"2.0","method":"x","params":{"a":{"a": ... }}}, so many levels in all. */
static void put_nested(struct buf *out, int levels)
{
	buf_putz(out, "{\"jsonrpc\":\"2.0\",\"method\":\"x\",\"params\":{\"b\":\"[[{{\\\"[[\"");
	for (int i = 2; i < levels; i++)
		buf_putz(out, i == 2 ? ",\"a\":{" : "\"a\":{");
	for (int i = 0; i < levels; i++)
		buf_putc(out, '}');
}

static void nesting_has_a_limit_that_strings_do_not_count_for(void **state)
{
	CLEANUP(buf_done) struct buf line = BUF_INIT;
	struct rpc_call c;
	struct err err = ERR_INIT;

	(void)state;
	put_nested(&line, RPC_DEPTH_MAX);
	assert_int_equal(rpc_parse(&c, buf_str(&line), &err), 0);
	rpc_call_done(&c);

	buf_clear(&line);
	put_nested(&line, RPC_DEPTH_MAX + 1);
	assert_int_equal(rpc_parse(&c, buf_str(&line), &err), -EINVAL);
	rpc_call_done(&c);
}

static void a_million_brackets_cost_no_stack(void **state)
{
	size_t n = 1000000;
	CLEANUP(free) char *line = malloc(n);
	struct rpc_call c;
	struct err err = ERR_INIT;

	(void)state;
	assert_non_null(line);
	memset(line, '[', n);
	assert_int_equal(rpc_parse(&c, str_n(line, n), &err), -EINVAL);
	assert_string_equal(err.accepted, "at most 32 levels");
	rpc_call_done(&c);
}

static void the_id_of_a_bad_call_is_kept_for_the_answer(void **state)
{
	struct rpc_call c;
	struct err err = ERR_INIT;

	(void)state;
	assert_int_equal(rpc_parse(&c, STR("{\"id\":\"q1\",\"method\":\"x\"}"), &err), -EINVAL);
	assert_string_equal(json_string_value(c.id), "q1");
	rpc_call_done(&c);
}

static void an_id_has_a_longest_length(void **state)
{
	CLEANUP(buf_done) struct buf line = BUF_INIT;
	struct rpc_call c;
	struct err err = ERR_INIT;

	(void)state;
	buf_putz(&line, "{\"jsonrpc\":\"2.0\",\"method\":\"x\",\"id\":\"");
	for (int i = 0; i <= RPC_ID_MAX; i++)
		buf_putc(&line, 'x');
	buf_putz(&line, "\"}");
	assert_int_equal(rpc_parse(&c, buf_str(&line), &err), -EINVAL);
	assert_string_equal(err.field, "id");
	assert_null(c.id);
	rpc_call_done(&c);
}

static void an_answer_is_one_line(void **state)
{
	CLEANUP(buf_done) struct buf out = BUF_INIT;
	json_t *result = json_pack("{s:s}", "memo", "two\nlines");

	(void)state;
	assert_int_equal(rpc_put_result(&out, NULL, result), 0);
	assert_string_equal(buf_cstr(&out), "{\"jsonrpc\":\"2.0\",\"id\":null,"
					    "\"result\":{\"memo\":\"two\\nlines\"}}\n");
	json_decref(result);
}

static void a_result_may_be_anything(void **state)
{
	CLEANUP(buf_done) struct buf out = BUF_INIT;

	(void)state;
	assert_int_equal(rpc_put_result(&out, json_false(), NULL), 0);
	assert_string_equal(buf_cstr(&out), "{\"jsonrpc\":\"2.0\",\"id\":false,\"result\":null}\n");
}

static void an_error_says_everything(void **state)
{
	CLEANUP(buf_done) struct buf out = BUF_INIT;
	struct err err = ERR_INIT, back = ERR_INIT;
	json_t *id = json_integer(3), *result = NULL;

	(void)state;
	(void)err_set(&err, ERR_BAD_VALUE, "price", STR("1,5"), "a number", "not a number");
	assert_int_equal(rpc_put_error(&out, id, &err), 0);
	json_decref(id);
	assert_string_equal(buf_cstr(&out),
			    "{\"jsonrpc\":\"2.0\",\"id\":3,\"error\":{\"code\":-32602,"
			    "\"message\":\"not a number\",\"data\":{\"code\":\"bad_value\","
			    "\"field\":\"price\",\"given\":\"1,5\",\"accepted\":\"a number\"}}}\n");

	assert_int_equal(rpc_parse_answer(str_trim(buf_str(&out)), 3, &result, &back), -EINVAL);
	assert_memory_equal(&back, &err, sizeof(err));
}

/* Whatever cut a text in the middle of a character: the line is still JSON. */
static void half_a_character_does_not_spoil_an_error(void **state)
{
	CLEANUP(buf_done) struct buf out = BUF_INIT;
	struct err err = { .code = ERR_NOT_FOUND, .given = "M\xc3", .message = "no\x1b[2J" };

	(void)state;
	assert_int_equal(rpc_put_error(&out, NULL, &err), 0);
	assert_non_null(strstr(buf_cstr(&out), "\"given\":\"M?\""));
	assert_non_null(strstr(buf_cstr(&out), "\"message\":\"no?[2J\""));
	assert_non_null(strstr(buf_cstr(&out), "\"field\":null"));
}

static void an_answer_that_is_too_long_is_not_written(void **state)
{
	CLEANUP(buf_done) struct buf out = BUF_INIT;
	size_t n = RPC_LINE_MAX;
	CLEANUP(free) char *text = malloc(n);

	(void)state;
	assert_non_null(text);
	memset(text, 'x', n);
	json_t *result = json_stringn(text, n);

	buf_putz(&out, "before");
	assert_int_equal(rpc_put_result(&out, NULL, result), -EMSGSIZE);
	assert_string_equal(buf_cstr(&out), "before");
	json_decref(result);
}

static const char *const no_answers[] = {
	"",
	"x",
	"[]",
	"{}",
	"{\"id\":1}",
	"{\"id\":2,\"result\":{}}",
	"{\"id\":null,\"result\":{}}",
	"{\"id\":\"1\",\"result\":{}}",
	"{\"id\":2,\"error\":{}}",
	"{\"id\":1,\"error\":5}",
};

static void what_is_no_answer_is_seen(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(no_answers) / sizeof(no_answers[0]); i++) {
		struct err err = ERR_INIT;
		json_t *result = NULL;

		if (rpc_parse_answer(str_of(no_answers[i]), 1, &result, &err) != -EPROTO)
			fail_msg("taken for an answer: %s", no_answers[i]);
	}
}

static void an_error_without_data_is_still_one(void **state)
{
	struct err err = ERR_INIT;
	json_t *result = NULL;
	struct str line = STR("{\"id\":1,\"error\":{\"code\":-1,\"message\":\"no\"}}");

	(void)state;
	assert_int_equal(rpc_parse_answer(line, 1, &result, &err), -EINVAL);
	assert_int_equal(err.code, ERR_INTERNAL);
	assert_string_equal(err.message, "no");
}

static void there_and_back(void)
{
	CLEANUP(buf_done) struct buf out = BUF_INIT;
	struct err err = ERR_INIT, back = ERR_INIT;
	struct rpc_call c;
	json_t *result = NULL;

	(void)err_set(&err, ERR_EXISTS, "id", STR("acme"), NULL, "there is one");
	int r = rpc_put_call(&out, 1, "x", NULL);
	if (!oom_refused(r)) {
		r = rpc_parse(&c, str_trim(buf_str(&out)), &err);
		if (!oom_refused(r)) {
			buf_clear(&out);
			r = rpc_put_error(&out, c.id, &err);
			if (!oom_refused(r))
				r = rpc_parse_answer(str_trim(buf_str(&out)), 1, &result, &back);
			assert_true(r == -ENOMEM || r == -EINVAL);
		}
		rpc_call_done(&c);
	}
}

static void memory_may_run_out(void **state)
{
	(void)state;
	oom_each(there_and_back);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_call_is_taken_apart),
		cmocka_unit_test(missing_params_are_an_empty_object),
		cmocka_unit_test(what_is_no_call_is_refused_with_its_place),
		cmocka_unit_test(a_nul_is_no_json),
		cmocka_unit_test(nesting_has_a_limit_that_strings_do_not_count_for),
		cmocka_unit_test(a_million_brackets_cost_no_stack),
		cmocka_unit_test(the_id_of_a_bad_call_is_kept_for_the_answer),
		cmocka_unit_test(an_id_has_a_longest_length),
		cmocka_unit_test(an_answer_is_one_line),
		cmocka_unit_test(a_result_may_be_anything),
		cmocka_unit_test(an_error_says_everything),
		cmocka_unit_test(half_a_character_does_not_spoil_an_error),
		cmocka_unit_test(an_answer_that_is_too_long_is_not_written),
		cmocka_unit_test(what_is_no_answer_is_seen),
		cmocka_unit_test(an_error_without_data_is_still_one),
		cmocka_unit_test(memory_may_run_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
