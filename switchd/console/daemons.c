#include "daemons.h"

#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "control/client.h"
#include "control/sock.h"
#include "model/json.h"
#include "model/op.h"

/* Proofs go through everything, tests take as long as a call; all else takes milliseconds, and while it does not, no key acts. */
enum { PATIENCE_MS = 4000, PROOF_MS = 600 * 1000, TEST_MS = 200 * 1000 };

static uint32_t patience(const struct op_info *op)
{
	return strcmp(op->verb, "verify") == 0 ? PROOF_MS
	       : strcmp(op->verb, "test") == 0 ? TEST_MS
					       : PATIENCE_MS;
}

static int unreachable(const struct op_info *op, int r, struct err *err)
{
	const char *advice = "it will be tried again";

	if (r == -EACCES)
		advice = "root, or a member of group tandem-admin";
	(void)err_set(err, ERR_STORE, "", STR(""), advice, "%s cannot be reached: %s", op->owner,
		      strerrordesc_np(-r));
	return r;
}

static int lost(const struct op_info *op, int r, struct err *err)
{
	bool is_read = op->permission == PERM_READ;

	(void)err_set(err, ERR_STORE, "", STR(""),
		      is_read ? "it will be tried again"
			      : "look whether it was done before you repeat it",
		      "%s gave no answer: %s", op->owner,
		      r == -EAGAIN ? "none came in time" : strerrordesc_np(-r));
	return r;
}

/* Pages rely on it: an answer is what the operation promises. */
static bool is_promised(const struct op_info *op, const json_t *result)
{
	if (strcmp(op->result, "array") == 0)
		return json_is_array(result);
	return strcmp(op->result, "object") != 0 || json_is_object(result);
}

int daemons_ask(const struct daemons *d, const char *operation, json_t *params, json_t **ret,
		struct err *err)
{
	CLEANUP(client_close) struct client *c = NULL;
	CLEANUP(json_decref) json_t *result = NULL;
	CLEANUP(free) char *path = NULL;
	enum op id = op_find(str_of(operation));

	if (id == OP_COUNT)
		return err_set(err, ERR_UNKNOWN_OPERATION, "", str_of(operation), NULL,
			       "this version has no operation %s", operation);

	const struct op_info *op = &op_infos[id];
	if (d->is_read_only && op->permission != PERM_READ)
		return err_set(err, ERR_FORBIDDEN, "", STR(""), NULL, "this console is read-only");
	int r = sock_path_of(d->control, op->owner, &path);
	if (r == 0)
		r = client_open(&c, path);
	if (r == 0)
		r = client_set_timeout(c, patience(op));
	if (r < 0)
		return unreachable(op, r, err);
	r = client_call(c, operation, params, &result, err);
	if (r == 0 && !is_promised(op, result))
		r = -EPROTO;
	if (r == 0 && ret)
		*ret = TAKE(result);
	return r == 0 || r == -EINVAL ? r : lost(op, r, err);
}

void daemons_key(const struct entity *e, const json_t *row, struct buf *out)
{
	json_put_key(e, row, out);
}

int daemons_keys(void *ctx, const struct entity *e, json_t **ret)
{
	CLEANUP(json_decref) json_t *rows = NULL;
	CLEANUP(json_decref) json_t *names = json_array();
	CLEANUP(buf_done) struct buf key = BUF_INIT;
	struct err err = ERR_INIT;
	enum op list = op_find_verb(str_of(e->name), STR("list"));

	if (!names || list == OP_COUNT)
		return names ? -ENOENT : -ENOMEM;
	int r = daemons_ask(ctx, op_infos[list].name, NULL, &rows, &err);
	for (size_t i = 0; r == 0 && i < json_array_size(rows); i++) {
		buf_clear(&key);
		daemons_key(e, json_array_get(rows, i), &key);
		r = buf_error(&key);
		if (r == 0 && json_array_append_new(names, json_stringn(key.p, key.n)) < 0)
			r = -ENOMEM;
	}
	if (r == 0)
		*ret = TAKE(names);
	return r;
}
