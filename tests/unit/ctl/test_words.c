#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "ctl/words.h"
#include "oom.h"

/* Parses a line of words; blanks stand between words and nowhere else. */
static int parse(struct words *w, char *line, struct err *err)
{
	static const char *word[32];
	char *rest = line;
	int n = 0;

	while (rest && n < 32)
		word[n++] = strsep(&rest, " ");
	return words_parse(w, word, line[0] ? n : 0, err);
}

static const struct {
	const char *line, *op, *params;
} good[] = {
	{ "status", "status.show", "{}" },
	{ "status show", "status.show", "{}" },
	{ "account list", "account.list", "{}" },
	{ "account list limit=5 after=m", "account.list", "{\"after\":\"m\",\"limit\":\"5\"}" },
	{ "account show acme", "account.show", "{\"id\":\"acme\"}" },
	{ "account show id=acme", "account.show", "{\"id\":\"acme\"}" },
	{ "account add id=acme limit_money=0", "account.add",
	  "{\"id\":\"acme\",\"limit_money\":\"0\"}" },
	{ "account set acme memo=", "account.set", "{\"id\":\"acme\",\"memo\":null}" },
	{ "account set acme memo=a=b", "account.set", "{\"id\":\"acme\",\"memo\":\"a=b\"}" },
	{ "account recharge acme amount=100.00", "account.recharge",
	  "{\"amount\":\"100.00\",\"id\":\"acme\"}" },
	{ "account recharge acme 100.00", "account.recharge",
	  "{\"amount\":\"100.00\",\"id\":\"acme\"}" },
	{ "account recharge id=acme -5", "account.recharge",
	  "{\"amount\":\"-5\",\"id\":\"acme\"}" },
	{ "rate show wholesale/880", "rate.show", "{\"key\":\"wholesale/880\"}" },
	{ "rate set wholesale/880 price=0.02", "rate.set",
	  "{\"key\":\"wholesale/880\",\"price\":\"0.02\"}" },
	{ "parameter set SS_TIMEOUT 5", "parameter.set",
	  "{\"name\":\"SS_TIMEOUT\",\"value\":\"5\"}" },
	{ "parameter set SS_TIMEOUT A=b", "parameter.set",
	  "{\"name\":\"SS_TIMEOUT\",\"value\":\"A=b\"}" },
	{ "parameter list overdraft", "parameter.list", "{\"text\":\"overdraft\"}" },
	{ "parameter list", "parameter.list", "{}" },
	{ "route explain gateway=in callee=880", "route.explain",
	  "{\"callee\":\"880\",\"gateway\":\"in\"}" },
	{ "route explain in 880", "route.explain", "{\"callee\":\"880\",\"gateway\":\"in\"}" },
	{ "call hangup 00ab", "call.hangup", "{\"id\":\"00ab\"}" },
	{ "ledger verify", "ledger.verify", "{}" },
	{ "cdr list fields=id,fee reason=NoRate", "cdr.list", "{\"reason\":\"NoRate\"}" },
	{ "account set acme memo=x fields=id", "account.set", "{\"id\":\"acme\",\"memo\":\"x\"}" },
};

static void words_become_an_operation(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		CLEANUP(words_done) struct words w = { .op = OP_COUNT };
		CLEANUP(free) char *line = strdup(good[i].line);
		struct err err = ERR_INIT;

		assert_non_null(line);
		if (parse(&w, line, &err) < 0)
			fail_msg("%s: %s", good[i].line, err.message);
		assert_string_equal(op_infos[w.op].name, good[i].op);

		CLEANUP(free) char *params = json_dumps(w.params, JSON_COMPACT | JSON_SORT_KEYS);
		assert_string_equal(params, good[i].params);
	}
}

static const struct {
	const char *line;
	enum err_code code;
	const char *message; /* a part of it */
	const char *accepted;
} bad[] = {
	{ "", ERR_USAGE, "nothing", "ENTITY" },
	{ "acount list", ERR_UNKNOWN_OPERATION, "did you mean account?", "mapping-gateway" },
	{ "zebra", ERR_UNKNOWN_OPERATION, "no such entity", "account" },
	{ "account rechrge acme 1", ERR_UNKNOWN_OPERATION, "did you mean recharge?", "list" },
	{ "account", ERR_UNKNOWN_OPERATION, "account needs a verb", "recharge" },
	{ "cdr", ERR_UNKNOWN_OPERATION, "cdr needs a verb", "verify" },
	{ "account limit=5", ERR_UNKNOWN_OPERATION, "account needs a verb", "list" },
	{ "account show", ERR_MISSING_FIELD, "needs id", "switchctl account show ID" },
	{ "rate show", ERR_MISSING_FIELD, "needs key", "switchctl rate show GROUP/PREFIX" },
	{ "account recharge acme", ERR_MISSING_FIELD, "needs amount", "amount=DECIMAL" },
	{ "parameter set X", ERR_MISSING_FIELD, "needs value", "parameter set NAME" },
	{ "account list 5", ERR_USAGE, "no place", "limit=NUMBER" },
	{ "account add acme", ERR_USAGE, "no place", "field=value" },
	{ "account show a b", ERR_USAGE, "no place", "switchctl account show ID" },
	{ "account show a id=b", ERR_USAGE, "given twice", "" },
	{ "account list limt=5", ERR_UNKNOWN_FIELD, "did you mean limit?", "limit, after" },
	{ "account add id=a limit-money=5", ERR_UNKNOWN_FIELD, "did you mean limit_money?",
	  "limit_money" },
	{ "account recharge a 5 fields=id", ERR_UNKNOWN_FIELD, "no such field", "id, amount" },
	{ "cdr export x fields=id", ERR_UNKNOWN_FIELD, "no such field", "file, format" },
	{ "account add id=a fields=id,ido", ERR_UNKNOWN_FIELD, "no such column", "is changed" },
	{ "phone set 1 fields=password", ERR_UNKNOWN_FIELD, "no such column", "is changed" },
	{ "account set a colour=red", ERR_UNKNOWN_FIELD, "no such field", "id, name, kind" },
	{ "mapping-gateway set a colour=red", ERR_UNKNOWN_FIELD, "no such field",
	  "`switchctl help mapping-gateway set`" },
	{ "account recharge acme amount=", ERR_MISSING_FIELD, "needs amount", "amount=DECIMAL" },
	{ "rate add wholesale", ERR_USAGE, "no place", "group=TEXT prefix=TEXT price=DECIMAL [" },
	{ "account set acme memo=\xff", ERR_BAD_VALUE, "cannot be read", "UTF-8" },
};

static void other_words_are_refused_with_advice(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		CLEANUP(words_done) struct words w = { .op = OP_COUNT };
		CLEANUP(free) char *line = strdup(bad[i].line);
		struct err err = ERR_INIT;

		assert_non_null(line);
		assert_int_equal(parse(&w, line, &err), -EINVAL);
		if (err.code != bad[i].code || !strstr(err.message, bad[i].message) ||
		    !strstr(err.accepted, bad[i].accepted))
			fail_msg("%s: %s, %s, %s", bad[i].line, err_code_name(err.code),
				 err.message, err.accepted);
	}
}

static void columns_are_for_us(void **state)
{
	CLEANUP(words_done) struct words w = { .op = OP_COUNT };
	char line[] = "account list fields=id,name";
	struct err err = ERR_INIT;

	(void)state;
	assert_int_equal(parse(&w, line, &err), 0);
	assert_true(str_eq(w.columns, STR("id,name")));
}

/* Lists of entities are made by looking at neighbours. */
static void operations_of_an_entity_stand_together(void **state)
{
	(void)state;
	for (int i = 0; i < OP_COUNT; i++) {
		for (int j = i + 2; j < OP_COUNT; j++) {
			if (strcmp(op_infos[i].entity, op_infos[j].entity) == 0)
				assert_string_equal(op_infos[j - 1].entity, op_infos[j].entity);
		}
	}
}

static void a_line_is_read(void)
{
	CLEANUP(words_done) struct words w = { .op = OP_COUNT };
	char line[] = "account recharge acme 5 memo=x";
	struct err err = ERR_INIT;

	if (!oom_refused(parse(&w, line, &err)))
		assert_int_equal(json_object_size(w.params), 3);
}

static void memory_may_run_out(void **state)
{
	(void)state;
	oom_each(a_line_is_read);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(words_become_an_operation),
		cmocka_unit_test(other_words_are_refused_with_advice),
		cmocka_unit_test(columns_are_for_us),
		cmocka_unit_test(operations_of_an_entity_stand_together),
		cmocka_unit_test(memory_may_run_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
