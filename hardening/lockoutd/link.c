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

static void kept_path(struct buf *out, const char *state_dir)
{
	buf_printf(out, "%s/gateways.json", state_dir);
}

bool link_restore(const char *state_dir, struct exempt *e)
{
	CLEANUP(buf_done) struct buf path = BUF_INIT;
	CLEANUP(buf_done) struct buf text = BUF_INIT;
	CLEANUP(json_decref) json_t *rows = NULL;
	size_t bad;

	kept_path(&path, state_dir);
	if (!buf_cstr(&path) || file_read(buf_cstr(&path), KEPT_MAX, &text, NULL) < 0)
		return false;
	rows = json_loadb(text.p, text.n, 0, NULL);
	return json_is_array(rows) && link_take(e, rows, &bad);
}

static int keep(const char *state_dir, const json_t *rows)
{
	CLEANUP(buf_done) struct buf path = BUF_INIT;
	CLEANUP(free) char *text = json_dumps(rows, JSON_COMPACT);

	kept_path(&path, state_dir);
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
	return *ret_changed ? keep(state_dir, rows) : 0;
}

static void take_ports(const json_t *parameter, struct media_ports *ret)
{
	struct str rest = str_of(json_string_value(json_object_get(parameter, "value"))), first;
	uint32_t a, b;

	if (str_split(&rest, ',', &first) && str_to_u32(first, UINT16_MAX, &a) == 0 &&
	    str_to_u32(str_trim(rest), UINT16_MAX, &b) == 0 && a > 0 && a <= b)
		*ret = (struct media_ports){ .first = (uint16_t)a, .last = (uint16_t)b };
}

static int call(struct client *c, const char *method, json_t *params, json_t **ret)
{
	struct err err = ERR_INIT;
	int r = client_call(c, method, params, ret, &err);

	if (r == -EINVAL)
		log_at(LOG_WARNING, NULL, "switchd refuses %s: %s", method, err.message);
	return r;
}

int link_ask(const char *socket, const char *state_dir, struct exempt *e, bool *ret_changed,
	     struct media_ports *ret_ports)
{
	CLEANUP(client_close) struct client *c = NULL;
	CLEANUP(json_decref) json_t *rows = NULL;
	CLEANUP(json_decref) json_t *parameter = NULL;
	CLEANUP(json_decref)
	json_t *name = json_pack("{s:s}", "name", "SS_MEDIA_PORT_RANGE");
	int r = name ? client_open(&c, socket) : -ENOMEM;

	if (r == 0)
		r = client_set_timeout(c, LINK_PATIENCE_MS);
	if (r == 0)
		r = call(c, "gateway.addresses", NULL, &rows);
	if (r == 0)
		r = call(c, "parameter.show", name, &parameter);
	if (r == 0)
		take_ports(parameter, ret_ports);
	return r < 0 ? r : take_gateways(state_dir, e, rows, ret_changed);
}
