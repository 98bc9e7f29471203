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

int tests_network(void *list)
{
	const struct opform of = {
		.op = "network.test",
		.title = "Network test",
		.intro = "Is there anybody at this address, ADDRESS:PORT, and how long "
			 "does an answer take? transport: udp (default), tcp or tls.",
		.button = "Begin"
	};

	return opform_ask(list_app(list), &of);
}

int tests_register(void *list)
{
	const char *number = json_string_value(json_object_get(list_row(list), "number"));
	CLEANUP(json_decref) json_t *preset = number ? json_pack("{s:s}", "user", number) : NULL;
	const struct opform of = {
		.op = "registration.explain",
		.title = "Would it register?",
		.intro = "What a REGISTER from that address, ADDRESS:PORT, would be "
			 "told, and by which setting, its password being right.",
		.button = "Explain",
		.preset = preset
	};

	return preset ? opform_ask(list_app(list), &of) : VIEW_STAYS;
}

int tests_replay(void *list)
{
	const struct opform of = {
		.op = "route.replay",
		.title = "Replay calls",
		.intro =
			"The calls of the last day are routed again, as the switch is set now, and "
			"with changes that are not saved (with: such as routing-gateway carrier-a "
			"down): which go elsewhere, and what that changes. No key acts until then.",
		.button = "Replay",
	};

	return opform_ask(list_app(list), &of);
}
