#include "model/op.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void an_operation_is_found_by_its_name_and_by_its_words(void **state)
{
	(void)state;
	for (int i = 0; i < OP_COUNT; i++) {
		const struct op_info *op = &op_infos[i];

		assert_int_equal(op_find(str_of(op->name)), i);
		assert_int_equal(op_find_verb(str_of(op->entity), str_of(op->verb)), i);
		assert_int_equal(strlen(op->name), strlen(op->entity) + 1 + strlen(op->verb));
	}
	assert_int_equal(op_find(STR("account")), OP_COUNT);
	assert_int_equal(op_find(STR("")), OP_COUNT);
	assert_int_equal(op_find_verb(STR("account"), STR("explode")), OP_COUNT);
	assert_int_equal(op_find_verb(STR("cdr"), STR("add")), OP_COUNT);
}

static void an_operation_knows_its_arguments(void **state)
{
	const struct op_info *add = &op_infos[OP_ACCOUNT_ADD];
	const struct op_info *recharge = &op_infos[OP_ACCOUNT_RECHARGE];

	(void)state;
	assert_ptr_equal(add->fields, &entities[ENTITY_ACCOUNT]);
	assert_int_equal(add->permission, PERM_ADMIN);
	assert_null(op_arg_find(add, STR("id")));

	const struct op_arg *amount = op_arg_find(recharge, STR("amount"));
	assert_non_null(amount);
	assert_int_equal(amount->type, FIELD_MONEY);
	assert_true(amount->is_required);
	assert_false(op_arg_find(recharge, STR("memo"))->is_required);
	assert_null(op_arg_find(recharge, STR("amoun")));
	assert_int_equal(recharge->permission, PERM_MONEY);
	assert_string_equal(recharge->key, "id");
}

/* What reads only needs no more than the right to read. */
static void nothing_that_only_shows_needs_more_than_reading(void **state)
{
	(void)state;
	for (int i = 0; i < OP_COUNT; i++) {
		const char *verb = op_infos[i].verb;

		if (strcmp(verb, "show") == 0 || strcmp(verb, "list") == 0)
			assert_int_equal(op_infos[i].permission, PERM_READ);
		if (strcmp(verb, "set") == 0 || strcmp(verb, "del") == 0 ||
		    strcmp(verb, "add") == 0)
			assert_int_equal(op_infos[i].permission, PERM_ADMIN);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_operation_is_found_by_its_name_and_by_its_words),
		cmocka_unit_test(an_operation_knows_its_arguments),
		cmocka_unit_test(nothing_that_only_shows_needs_more_than_reading),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
