#include <string.h>

#include "golive/inner.h"

/* Tests of the switch itself: is it well, what may it do. */

void check_switch(struct golive *g)
{
	CLEANUP(json_decref) json_t *alarms = ask(g, "alarm.list", json_object());
	const json_t *ledger = json_object_get(g->status, "ledger");

	note(g, "version %s, up %lld s, %lld calls in progress", text_in(g->status, "version"),
	     (long long)int_in(g->status, "uptime_s"), (long long)int_in(g->status, "calls"));
	if (json_is_true(json_object_get(g->status, "draining")))
		fail(g, "the switch is stopping and takes no calls");
	if (ledger && json_is_false(json_object_get(ledger, "up")))
		fail(g, "the ledger cannot be written: %s", text_in(ledger, "error"));
	for (size_t i = 0; i < json_array_size(alarms); i++) {
		const json_t *a = json_array_get(alarms, i);
		const char *level = text_in(a, "level");

		if (strcmp(level, "major") == 0 || strcmp(level, "critical") == 0)
			fail(g, "alarm %s of %s: %s", text_in(a, "type"), text_in(a, "object"),
			     text_in(a, "info"));
	}
}

void check_licence(struct golive *g)
{
	CLEANUP(json_decref) json_t *l = ask(g, "license.show", json_object());
	const char *state = text_in(l, "licence_state");

	if (!l) {
		fail(g, "the licence cannot be asked for: %s", g->err.message);
		return;
	}
	note(g, "%s, %lld lines, until %s", text_in(l, "licence"),
	     (long long)int_in(l, "licence_lines"), text_in(l, "licence_expires"));
	if (text_in(l, "problem")[0])
		fail(g, "the licence file is not used: %s", text_in(l, "problem"));
	else if (strcmp(state, "UNLICENSED") == 0)
		leave(g, GOLIVE_NOT_CONFIGURED, "there is no licence: lines are not limited");
	else if (strcmp(state, "valid") != 0)
		fail(g, "the licence of %s has %s", text_in(l, "licence"), state);
	else if (g->c.lines > 0 && int_in(l, "licence_lines") < g->c.lines)
		fail(g, "%u lines are expected, the licence has %lld", g->c.lines,
		     (long long)int_in(l, "licence_lines"));
}

/* Customers by password register nothing in this version: there is no registrar to ask. */
void check_registration(struct golive *g)
{
	leave(g, GOLIVE_NOT_CONFIGURED, "no gateway or phone is set up to register");
}
