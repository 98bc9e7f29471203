#include "tui/form_entity.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "rig.h"

#define UP    "\033[A"
#define DOWN  "\033[B"
#define RIGHT "\033[C"
#define SAVE  "\033OQ"
#define LIST  "\033OS"
#define LEAVE "\030"

static struct screen *s;
static struct form_entity fe;
static struct form *f;

static int keys(void *ctx, const struct entity *e, json_t **ret)
{
	(void)ctx;
	assert_string_equal(e->name, "rate-group");
	*ret = json_pack("[s,s,s]", "retail", "wholesale", "zone");
	return *ret ? 0 : -ENOMEM;
}

/* An account's form on a screen. 0, or below 0 if memory was refused. */
static int begin(const json_t *row)
{
	int r = rig_screen(&s, (struct screen_options){ 0 }, 24, 80);

	if (r < 0)
		return r;
	r = form_entity_init(&fe, &entities[ENTITY_ACCOUNT], keys, NULL);
	if (r == 0)
		r = form_create(&f, "Account");
	if (r == 0)
		r = form_entity_add(&fe, f, row);
	return r;
}

static int end(void **state)
{
	f = form_free(f);
	form_entity_done(&fe);
	return rig_end(state);
}

static void assert_changes(bool is_new, const char *want)
{
	json_t *is = form_entity_changes(&fe, f, is_new), *should = json_loads(want, 0, NULL);

	if (is && should && !json_equal(is, should)) {
		char *text = json_dumps(is, JSON_SORT_KEYS);

		fail_msg("%s instead of %s", text, want);
	}
	json_decref(is);
	json_decref(should);
}

static void every_field_that_can_be_set_is_in_the_form(void **state)
{
	const struct entity *e = &entities[ENTITY_ACCOUNT];

	(void)state;
	if (begin(NULL) == 0) {
		for (int i = 0; i < e->fields; i++) {
			bool is_ours = e->field[i].flags & (FIELD_AUTO | FIELD_COMPUTED);

			assert_int_equal(form_set_value(f, e->field[i].name,
							e->field[i].type == FIELD_BOOL
								? STR("true")
								: form_value(f, e->field[i].name)),
					 is_ours ? -EINVAL : 0);
		}
	}
}

static void a_new_row_is_sent_with_its_values_and_its_defaults(void **state)
{
	(void)state;
	if (begin(NULL) == 0) {
		rig_type("acme\tAcme Telecom\t" RIGHT "\t\t\t12.5" SAVE);
		assert_int_equal(form_run(f, s, NULL, NULL), 1);
		assert_changes(true, "{\"id\":\"acme\",\"name\":\"Acme Telecom\","
				     "\"kind\":\"clearing\",\"billing\":\"prepaid\","
				     "\"currency\":\"USD\",\"limit_money\":\"12.5\","
				     "\"status\":\"normal\",\"anti_overdraft\":\"true\","
				     "\"cut_off\":\"false\",\"unlock_at\":\"above_limit\","
				     "\"overdraft\":\"0\",\"line_limit\":\"0\","
				     "\"rate_limit\":\"0\",\"call_limit\":\"0\"}");
	}
}

static void of_a_row_that_exists_only_changes_are_sent(void **state)
{
	json_t *row = json_pack("{s:s s:s s:s s:s s:i s:b s:n}", "id", "acme", "name", "Acme",
				"limit_money", "0", "memo", "old", "line_limit", 5, "cut_off", 0,
				"rate_group");

	(void)state;
	if (row && begin(row) == 0) {
		/* The key is fixed: the cursor begins behind it. */
		rig_type(" Ltd" SAVE);
		assert_int_equal(form_run(f, s, NULL, NULL), 1);
		assert_string_equal(form_value(f, "id").p ? "acme" : "", "acme");
		assert_int_equal(form_set_value(f, "memo", STR("")), 0);
		assert_changes(false, "{\"name\":\"Acme Ltd\",\"memo\":null}");
	}
	json_decref(row);
}

static int is_looking; /* what the last submit saw on the screen */

static int look(void *ctx, struct form *form, struct err *err)
{
	(void)ctx;
	(void)form;
	is_looking = rig_has("! limit_money does not accept this value");
	return err_set(err, ERR_CONFLICT, "currency", STR("USD"), "EUR",
		       "the group is in another currency");
}

static void what_is_wrong_stands_at_its_field(void **state)
{
	(void)state;
	if (begin(NULL) == 0) {
		/* limit_money is the sixth field. Leaving it says what is wrong; F2 goes back. */
		rig_type("acme\t\t\t\t\t\x15"
			 "1e3\t" SAVE "\x15"
			 "5" SAVE LEAVE);
		is_looking = -1;
		assert_int_equal(form_run(f, s, look, NULL), 0);
		assert_int_equal(is_looking, 0);
		assert_true(rig_has("! the group is in another currency: EUR"));
		assert_true(rig_has("limit_money *          5"));
	}
}

static void what_must_be_given_is_asked_for(void **state)
{
	(void)state;
	if (begin(NULL) == 0) {
		rig_type(SAVE LEAVE);
		assert_int_equal(form_run(f, s, NULL, NULL), 0);
		assert_true(rig_has("! id must be given"));
	}
}

static void a_name_can_be_picked_from_the_list(void **state)
{
	(void)state;
	if (begin(NULL) == 0) {
		/* rate_group is the seventh field; "zo" narrows the list to one. */
		rig_type("\t\t\t\t\t\t" LIST "zo\r" LEAVE);
		assert_int_equal(form_run(f, s, NULL, NULL), 0);
		assert_int_equal(form_value(f, "rate_group").n, 4);
		assert_memory_equal(form_value(f, "rate_group").p, "zone", 4);
	}
}

static void the_buttons_save_and_cancel(void **state)
{
	(void)state;
	if (begin(NULL) == 0) {
		(void)form_set_value(f, "limit_money", STR("0"));
		rig_type("a" UP UP "\r");
		assert_int_equal(form_run(f, s, NULL, NULL), 1);
		rig_type(DOWN "\r");
		assert_int_equal(form_run(f, s, NULL, NULL), 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(every_field_that_can_be_set_is_in_the_form, end),
		cmocka_unit_test_teardown(a_new_row_is_sent_with_its_values_and_its_defaults, end),
		cmocka_unit_test_teardown(of_a_row_that_exists_only_changes_are_sent, end),
		cmocka_unit_test_teardown(what_is_wrong_stands_at_its_field, end),
		cmocka_unit_test_teardown(what_must_be_given_is_asked_for, end),
		cmocka_unit_test_teardown(a_name_can_be_picked_from_the_list, end),
		cmocka_unit_test_teardown(the_buttons_save_and_cancel, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
