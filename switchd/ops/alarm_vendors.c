#include <stdio.h>

#include "ops/inner.h"
#include "vendor/enrol.h"

/* What probes and registrations have found out about the vendors, as alarms. */

enum { GENERAL, MINOR, MAJOR };
enum { OBJECT = 128, INFO = 200 };

static void name_address(const struct vendor *v, int i, char out[OBJECT])
{
	char text[ADDR_TEXT];

	(void)snprintf(out, OBJECT, "%s %s", v->row->name, addr_text(&v->address[i], text));
}

static void say_down(const struct reach *r, char out[INFO])
{
	char since[CLOCK_TEXT];
	int code = atomic_load(&r->code);

	(void)clock_text(atomic_load(&r->since_ms), since);
	if (code)
		(void)snprintf(out, INFO, "answers OPTIONS with %d since %s", code, since);
	else
		(void)snprintf(out, INFO, "does not answer OPTIONS since %s", since);
}

static void look_at_health(struct ops *o, const struct vendor *v)
{
	ms_t since;
	bool is_down = vendor_health(v, &since) == REACH_DOWN;
	char info[INFO], object[OBJECT];

	if (is_down) {
		say_down(v->reach[0], info);
		alarm_raise(o->alarms, "gateway_down", MAJOR, v->row->name, v->address_count, info);
	}
	for (int i = 0; i < v->address_count; i++) {
		int health = atomic_load(&v->reach[i]->health);
		int failures = atomic_load(&v->reach[i]->failures);

		name_address(v, i, object);
		if (health == REACH_DOWN && !is_down) {
			say_down(v->reach[i], info);
			alarm_raise(o->alarms, "gateway_address_down", MINOR, object, 1, info);
		} else if (health == REACH_UNPROBED && failures >= REACH_FAILURES) {
			alarm_raise(
				o->alarms, "gateway_unprobed", GENERAL, object, failures,
				"has never answered OPTIONS: nobody can say whether it is there");
		}
	}
}

static void look_at_registrations(struct ops *o, const struct vendor *v)
{
	char object[OBJECT];

	for (int i = 0; i < v->address_count; i++) {
		int error = atomic_load(&v->reach[i]->place_error);
		CLEANUP(buf_done) struct buf text = BUF_INIT;

		if (!error)
			continue;
		name_address(v, i, object);
		enrol_error_text(error, &text);
		alarm_raise(o->alarms, "registration_failed", MAJOR, object, error > 0 ? error : 0,
			    buf_cstr(&text) ? buf_cstr(&text) : "");
	}
}

static void look_at_holds(struct ops *o, const struct vendor *v)
{
	ms_t left = holds_longest(&v->gate->holds, clock_mono_ms());

	if (left > 0)
		alarm_raise(o->alarms, "gateway_held", GENERAL, v->row->name, (left + 999) / 1000,
			    "calls to some prefix keep away: Retry-After, or failures in a row");
}

void look_at_vendors(struct ops *o)
{
	const struct world *w = catalog_world(o->catalog);

	for (size_t i = 0; i < w->vendors; i++) {
		look_at_health(o, &w->vendor[i]);
		look_at_registrations(o, &w->vendor[i]);
		look_at_holds(o, &w->vendor[i]);
	}
}
