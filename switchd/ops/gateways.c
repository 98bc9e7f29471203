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

static json_t *gate_json(const char *name, const char *side, const struct gate *g,
			 int64_t line_limit, const struct meter *m, int64_t rate_limit, int64_t now,
			 const char *health)
{
	return json_pack("{s:s s:s s:i s:I s:i s:I s:s}", "name", name, "side", side, "calls",
			 (int)atomic_load(&g->lines), "line_limit", (json_int_t)line_limit,
			 "calls_per_second", m ? (int)meter_count(m, now) : 0, "rate_limit",
			 (json_int_t)rate_limit, "health", health);
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

		error = append(list, gate_json(s->row->name, "mapping", s->gate, s->row->line_limit,
					       s->meter, s->row->rate_limit, now, ""));
	}
	for (size_t i = 0; error == 0 && i < w->vendors; i++) {
		const struct vendor *v = &w->vendor[i];

		error = append(list, gate_json(v->row->name, "routing", v->gate, v->row->line_limit,
					       v->meter, v->row->rate_limit, now, "unprobed"));
	}
	*ret = list;
	return error;
}
