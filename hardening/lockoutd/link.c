#include "link.h"

#include <errno.h>
#include <string.h>

#include "base/file.h"
#include "base/log.h"
#include "control/client.h"
#include "model/json.h"

enum { KEPT_MAX = 32 * 1024 * 1024, KEPT_MODE = 0600 };

static bool take_row(struct exempt *e, const json_t *row)
{
	struct str address = str_of(json_string_value(json_object_get(row, "address")));
	struct str gateway = str_of(json_string_value(json_object_get(row, "gateway")));
	CLEANUP(buf_done) struct buf why = BUF_INIT;
	struct cidr net;

	buf_putz(&why, "gateway ");
	buf_put(&why, gateway);
	return cidr_parse(address, &net) == 0 && exempt_add(e, &net, buf_str(&why)) == 0;
}

bool link_take(struct exempt *e, const json_t *rows, size_t *ret_bad)
{
	size_t i;
	const json_t *row;

	*ret_bad = 0;
	exempt_begin(e, ORIGIN_GATEWAY);
	json_array_foreach(rows, i, row)
	{
		*ret_bad += !take_row(e, row);
	}
	return exempt_end(e);
}

#define GATEWAYS "gateways.json"
#define SETTINGS "settings.json"

static json_t *restore(const char *state_dir, const char *name)
{
	CLEANUP(buf_done) struct buf path = BUF_INIT;
	CLEANUP(buf_done) struct buf text = BUF_INIT;

	buf_printf(&path, "%s/%s", state_dir, name);
	if (!buf_cstr(&path) || file_read(buf_cstr(&path), KEPT_MAX, &text, NULL) < 0)
		return NULL;
	return json_loadb(text.p, text.n, 0, NULL);
}

bool link_restore(const char *state_dir, struct exempt *e, struct settings *s)
{
	CLEANUP(json_decref) json_t *rows = restore(state_dir, GATEWAYS);
	CLEANUP(json_decref) json_t *values = restore(state_dir, SETTINGS);
	bool is_changed = json_is_object(values) && settings_take(s, e, values);
	size_t bad;

	return (json_is_array(rows) && link_take(e, rows, &bad)) || is_changed;
}

static int keep(const char *state_dir, const char *name, const json_t *what)
{
	CLEANUP(buf_done) struct buf path = BUF_INIT;
	CLEANUP(free) char *text = json_dumps(what, JSON_COMPACT | JSON_SORT_KEYS);

	buf_printf(&path, "%s/%s", state_dir, name);
	if (!text || !buf_cstr(&path))
		return -ENOMEM;
	return file_write(buf_cstr(&path), str_of(text), KEPT_MODE, true, NULL);
}

static int take_gateways(const char *state_dir, struct exempt *e, const json_t *rows,
			 bool *ret_changed)
{
	size_t bad;

	if (!json_is_array(rows))
		return -EPROTO;
	*ret_changed = link_take(e, rows, &bad);
	if (bad > 0 && *ret_changed)
		log_at(LOG_WARNING, NULL,
		       "%zu gateway addresses are not exempt: they are networks wider than /8 "
		       "(IPv6: "
		       "/16), which would open everything",
		       bad);
	return *ret_changed ? keep(state_dir, GATEWAYS, rows) : 0;
}

static int call(struct client *c, const char *method, json_t *params, json_t **ret)
{
	struct err err = ERR_INIT;
	int r = client_call(c, method, params, ret, &err);

	if (r == -EINVAL)
		log_at(LOG_WARNING, NULL, "switchd refuses %s: %s", method, err.message);
	return r;
}

/* {name: value} of all parameters that speak of us, as a new object. */
static int ask_settings(struct client *c, json_t **ret)
{
	CLEANUP(json_decref) json_t *all = json_object();
	int r = all ? 0 : -ENOMEM;

	for (size_t i = 0; r == 0 && settings_names[i]; i++) {
		CLEANUP(json_decref) json_t *name = json_pack("{s:s}", "name", settings_names[i]);
		CLEANUP(json_decref) json_t *parameter = NULL;

		r = name ? call(c, "parameter.show", name, &parameter) : -ENOMEM;
		if (r == 0)
			r = json_object_set(all, settings_names[i],
					    json_object_get(parameter, "value"));
	}
	if (r == 0)
		*ret = TAKE(all);
	return r;
}

static int take_settings(const char *state_dir, struct exempt *e, const json_t *values,
			 bool *ret_changed, struct settings *s)
{
	CLEANUP(json_decref) json_t *before = restore(state_dir, SETTINGS);

	*ret_changed |= settings_take(s, e, values);
	return json_equal(before, values) ? 0 : keep(state_dir, SETTINGS, values);
}

int link_ask(const char *socket, const char *state_dir, struct exempt *e, bool *ret_changed,
	     struct settings *s)
{
	CLEANUP(client_close) struct client *c = NULL;
	CLEANUP(json_decref) json_t *rows = NULL;
	CLEANUP(json_decref) json_t *values = NULL;
	int r = client_open(&c, socket);

	if (r == 0)
		r = client_set_timeout(c, LINK_PATIENCE_MS);
	if (r == 0)
		r = call(c, "gateway.addresses", NULL, &rows);
	if (r == 0)
		r = ask_settings(c, &values);
	if (r == 0)
		r = take_gateways(state_dir, e, rows, ret_changed);
	return r < 0 ? r : take_settings(state_dir, e, values, ret_changed, s);
}
