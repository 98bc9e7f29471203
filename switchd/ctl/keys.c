#include "keys.h"

#include <ctype.h>
#include <string.h>

#include "base/cleanup.h"
#include "control/client.h"
#include "model/json.h"
#include "model/op.h"

enum { PATIENCE_MS = 2000 };

#define LIMIT "1000"

/* Letters that no shell has another meaning for. */
static bool is_plain(struct str key)
{
	for (size_t i = 0; i < key.n; i++) {
		if (!isalnum((unsigned char)key.p[i]) && !memchr("._/:@+-", key.p[i], 7))
			return false;
	}
	return key.n > 0;
}

static bool takes_limit(const struct op_info *op)
{
	for (int i = 0; i < op->arg_count; i++) {
		if (strcmp(op->args[i].name, "limit") == 0)
			return true;
	}
	return false;
}

static json_t *ask(const char *socket, const struct op_info *op)
{
	CLEANUP(client_close) struct client *c = NULL;
	CLEANUP(json_decref)
	json_t *params = takes_limit(op) ? json_pack("{s:s}", "limit", LIMIT) : json_object();
	struct err ignored = ERR_INIT;
	json_t *rows = NULL;

	if (client_open(&c, socket) < 0 || client_set_timeout(c, PATIENCE_MS) < 0)
		return NULL;
	return client_call(c, op->name, params, &rows, &ignored) == 0 ? rows : NULL;
}

/* By the entity's key fields; what is no entity is known by its name or id. */
static void put_key(struct buf *key, const json_t *row, const struct entity *e)
{
	if (e)
		json_put_key(e, row, key);
	else
		(void)json_to_text(
			json_object_get(row, json_object_get(row, "name") ? "name" : "id"), key);
}

void keys_each(const char *socket, const char *entity, keys_fn *on_key, void *ctx)
{
	CLEANUP(buf_done) struct buf key = BUF_INIT;
	CLEANUP(json_decref) json_t *rows = NULL;
	const struct entity *e = entity_find(str_of(entity));
	enum op op = op_find_verb(str_of(entity), STR("list"));

	if (op != OP_COUNT)
		rows = ask(socket, &op_infos[op]);
	for (size_t i = 0; i < json_array_size(rows); i++) {
		buf_clear(&key);
		put_key(&key, json_array_get(rows, i), e);
		if (is_plain(buf_str(&key)) && buf_cstr(&key))
			on_key(ctx, buf_cstr(&key));
	}
}
