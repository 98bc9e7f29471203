#include "cell.h"
#include "entity_page.h"
#include "pages.h"
#include "tests.h"

int phones_page(struct app *app)
{
	static const char *const keys[] = { "number", NULL };
	static const char *const columns[] = {
		"number",         "account",       "registered", "calls", "status", "numbers",
		"line_limit_out", "line_limit_in", "nat",        "memo",  NULL
	};
	static const struct binding bindings[] = {
		ENTITY_KEYS,
		{ 'w', 0, "Registers?", "What a REGISTER of it would be told", 0, tests_register },
		LIST_KEYS,
		{ 0 },
	};
	static const struct list_spec spec = {
		.title = "Phones",
		.help = "A phone registers with its number and password, calls on its account, "
			"and is called by its numbers. Add one without a password and it is given "
			"one, which is shown that once.",
		.op = "phone.list",
		.entity = "phone",
		.columns = columns,
		.keys = keys,
		.period_ms = 5000,
		.bindings = bindings,
		.look = cell_look_status,
	};

	return list_run(app, &spec, NULL);
}
