#include <errno.h>

#include "ops/inner.h"

static int append(json_t *list, json_t *o)
{
	return json_array_append_new(list, o) == 0 ? 0 : -ENOMEM;
}

static json_t *net_json(const struct cidr *c, const char *gateway, const char *side)
{
	char host[ADDR_TEXT];
	CLEANUP(buf_done) struct buf net = BUF_INIT;

	buf_printf(&net, "%s/%u", addr_host_text(&c->net, host), c->bits);
	return json_pack("{s:s s:s s:s}", "address", buf_cstr(&net), "gateway", gateway, "side",
			 side);
}

int gateway_addresses(struct ops *o, struct request *r, json_t **ret, struct err *err)
{
	const struct world *w = catalog_world(o->catalog);
	json_t *list = json_array();
	int error = list ? 0 : -ENOMEM;

	(void)r;
	(void)err;
	for (size_t i = 0; i < w->sources; i++) {
		for (int n = 0; error == 0 && n < w->source[i].net_count; n++)
			error = append(list, net_json(&w->source[i].net[n], w->source[i].row->name,
						      "mapping"));
	}
	for (size_t i = 0; i < w->vendors; i++) {
		for (int n = 0; error == 0 && n < w->vendor[i].address_count; n++) {
			struct cidr c = { .net = w->vendor[i].address[n] };

			c.bits = addr_is_v6(&c.net) ? 128 : 32;
			error = append(list, net_json(&c, w->vendor[i].row->name, "routing"));
		}
	}
	*ret = list;
	return error;
}

/* Lines that are left; null: as many as there may be. */
static json_t *free_lines(int64_t taken, int64_t limit)
{
	if (limit == 0)
		return json_null();
	return json_integer(limit > taken ? limit - taken : 0);
}

static json_t *gate_json(const char *name, const char *side, const struct gate *g,
			 int64_t line_limit, const struct meter *m, int64_t rate_limit, int64_t now)
{
	int64_t lines = atomic_load(&g->lines);

	return json_pack("{s:s s:s s:I s:I s:o s:i s:I}", "name", name, "side", side, "calls",
			 (json_int_t)lines, "line_limit", (json_int_t)line_limit, "free_lines",
			 free_lines(lines, line_limit), "calls_per_second",
			 m ? (int)meter_count(m, now) : 0, "rate_limit", (json_int_t)rate_limit);
}

static json_t *with_health(json_t *gate, const char *health, ms_t since, const char *registered,
			   json_t *addresses)
{
	char at[CLOCK_TEXT];

	(void)json_object_set_new(gate, "health", json_string(health));
	(void)json_object_set_new(gate, "since",
				  since ? json_string(clock_text(since, at)) : json_null());
	(void)json_object_set_new(gate, "registered", json_string(registered));
	(void)json_object_set_new(gate, "addresses", addresses);
	return gate;
}

/* "203.0.113.5:5060 down", one for each address of the vendor. */
static json_t *addresses_json(const struct vendor *v)
{
	json_t *list = json_array();
	char text[ADDR_TEXT];

	for (int i = 0; i < v->address_count; i++) {
		enum reach_health h = (enum reach_health)atomic_load(&v->reach[i]->health);
		bool is_named = v->spot[i].host.n > 0;

		(void)json_array_append_new(
			list, json_sprintf("%s %s%s%.*s%s", addr_text(&v->address[i], text),
					   reach_health_name(h), is_named ? " (" : "",
					   STR_ARG(v->spot[i].host), is_named ? ")" : ""));
	}
	return list;
}

static json_t *vendor_json(const struct vendor *v, int64_t now)
{
	ms_t since;
	const char *health = reach_health_name(vendor_health(v, &since));
	json_t *gate = gate_json(v->row->name, "routing", v->gate, v->row->line_limit, v->meter,
				 v->row->rate_limit, now);

	(void)json_object_set_new(gate, "held_s",
				  json_integer((holds_longest(&v->gate->holds, now) + 999) / 1000));
	return with_health(gate, health, since, reach_place_name(vendor_place(v)),
			   addresses_json(v));
}

int gateway_status(struct ops *o, struct request *r, json_t **ret, struct err *err)
{
	const struct world *w = catalog_world(o->catalog);
	json_t *list = json_array();
	int64_t now = clock_mono_ms();
	int error = list ? 0 : -ENOMEM;

	(void)r;
	(void)err;
	for (size_t i = 0; error == 0 && i < w->sources; i++) {
		const struct source *s = &w->source[i];
		json_t *gate = gate_json(s->row->name, "mapping", s->gate, s->row->line_limit,
					 s->meter, s->row->rate_limit, now);

		(void)json_object_set_new(gate, "held_s", json_integer(0));
		error = append(list, with_health(gate, "", 0, "", json_array()));
	}
	for (size_t i = 0; error == 0 && i < w->vendors; i++)
		error = append(list, vendor_json(&w->vendor[i], now));
	*ret = list;
	return error;
}
