#include "tests.h"

#include "base/cleanup.h"
#include "list.h"
#include "opform.h"

static int run(void *list, const char *op, const char *title, const char *intro, const char *arg)
{
	const char *name = json_string_value(json_object_get(list_row(list), "name"));
	CLEANUP(json_decref) json_t *preset = name ? json_pack("{s:s}", arg, name) : NULL;
	const struct opform of = {
		.op = op, .title = title, .intro = intro, .button = "Begin", .preset = preset
	};

	return preset ? opform_ask(list_app(list), &of) : VIEW_STAYS;
}

int tests_gateway(void *list)
{
	return run(
		list, "routing-gateway.test", "Test a gateway",
		"Is it there, and how long does it take? No key acts until the last answer came.",
		"name");
}

int tests_call(void *list)
{
	return run(
		list, "call.test", "Test call",
		"A real call to that number; its vendor may charge for it. It gives up after ring "
		"seconds (30) and hangs up after talk seconds (3); no key acts until then.",
		"gateway");
}
