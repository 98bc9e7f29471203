#include "control/upload.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/statvfs.h>

#include "base/base64.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/rand.h"
#include "control/args.h"

enum { TOKEN = 33, KEPT_PART = 16 };

struct coming {
	char token[TOKEN]; /* "": free */
	enum op op;
	int fd;
	uint64_t size;
	ms_t heard_ms;
};

struct upload {
	const char *dir;
	uint64_t max;
	struct coming coming[UPLOADS_MAX];
};

int upload_create(struct upload **ret, const char *dir, uint64_t max)
{
	struct upload *u = calloc(1, sizeof(*u));

	if (!u)
		return -ENOMEM;
	u->dir = dir;
	u->max = max;
	*ret = u;
	return 0;
}

/* Its descriptor is the caller's. */
static int release(struct coming *c)
{
	int fd = c->fd;

	*c = (struct coming){ .fd = -1 };
	return fd;
}

static void forget(struct coming *c)
{
	if (c->token[0])
		(void)close(release(c));
}

struct upload *upload_free(struct upload *u)
{
	for (int i = 0; u && i < UPLOADS_MAX; i++)
		forget(&u->coming[i]);
	free(u);
	return NULL;
}

void upload_tick(struct upload *u)
{
	ms_t now = clock_mono_ms();

	for (int i = 0; i < UPLOADS_MAX; i++)
		if (now - u->coming[i].heard_ms > UPLOAD_PATIENCE_MS)
			forget(&u->coming[i]);
}

/* ---- which one ---- */

static void make_token(char ret[TOKEN])
{
	unsigned char bytes[(TOKEN - 1) / 2];
	struct buf b = buf_fixed(ret, TOKEN);

	rand_bytes(bytes, sizeof(bytes));
	buf_put_hex(&b, bytes, sizeof(bytes));
	(void)buf_cstr(&b);
}

static int begin(struct upload *u, enum op op, struct coming **ret, struct err *err)
{
	struct coming *c = NULL;

	for (int i = 0; i < UPLOADS_MAX && !c; i++)
		if (!u->coming[i].token[0])
			c = &u->coming[i];
	if (!c)
		return err_set(err, ERR_CONFLICT, "", STR(""), "wait until one of them is done",
			       "%d files are being sent already", UPLOADS_MAX);
	int fd = open(u->dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	if (fd < 0)
		return err_set(err, ERR_STORE, "", STR(""), NULL,
			       "there is no place for the file: %s", strerror(errno));
	*c = (struct coming){ .op = op, .fd = fd };
	make_token(c->token);
	*ret = c;
	return 0;
}

static int find(struct upload *u, const struct request *r, struct coming **ret, struct err *err)
{
	CLEANUP(buf_done) struct buf token = BUF_INIT;

	if (!arg_text(r, ARG_TOKEN, &token))
		return begin(u, r->op, ret, err);
	for (int i = 0; i < UPLOADS_MAX; i++) {
		struct coming *c = &u->coming[i];

		if (c->token[0] && c->op == r->op && str_eq(buf_str(&token), str_of(c->token))) {
			*ret = c;
			return 0;
		}
	}
	return err_set(err, ERR_NOT_FOUND, ARG_TOKEN, buf_str(&token),
		       "the file from its beginning", "no such file is being sent any more");
}

/* ---- a piece ---- */

static const char *sent_arg(const struct op_info *op)
{
	for (int i = 0; i < op->arg_count; i++)
		if (op->args[i].is_send)
			return op->args[i].name;
	return "";
}

/* A file that is sent does not take the room in which calls are booked (switchd/ops/upkeep.c keeps a twentieth). */
static int check_room(int fd, struct err *err)
{
	struct statvfs s;

	if (fstatvfs(fd, &s) < 0 || (uint64_t)s.f_bavail * KEPT_PART >= s.f_blocks)
		return 0;
	return err_set(err, ERR_STORE, "", STR(""), "see `alarm list`: the disk is nearly full",
		       "there is no room for the file");
}

static int append(struct upload *u, struct coming *c, const struct request *r, struct err *err)
{
	const char *name = sent_arg(&op_infos[r->op]);
	const json_t *text = json_object_get(r->params, name);
	CLEANUP(buf_done) struct buf bytes = BUF_INIT;
	int e = json_is_string(text)
			? base64_decode(str_n(json_string_value(text), json_string_length(text)),
					&bytes)
			: -EINVAL;

	if (e == -ENOMEM)
		return e;
	if (e < 0)
		return err_set(err, ERR_BAD_VALUE, name, STR(""), "base64",
			       "a piece of the file is no base64");
	if (bytes.n > u->max - c->size)
		return err_set(err, ERR_BAD_VALUE, name, STR(""), NULL,
			       "the file is larger than %llu bytes", (unsigned long long)u->max);
	e = check_room(c->fd, err);
	if (e < 0)
		return e;
	e = file_put(c->fd, buf_str(&bytes));
	if (e < 0)
		return err_set(err, ERR_STORE, name, STR(""), NULL, "the file cannot be kept: %s",
			       strerror(-e));
	c->size += bytes.n;
	c->heard_ms = clock_mono_ms();
	return 0;
}

int upload_take(struct upload *u, struct request *r, int *ret_fd, struct err *err)
{
	struct coming *c = NULL;
	bool has_more = false;
	int e = arg_bool(r, ARG_MORE, false, &has_more, err);

	if (e == 0)
		e = find(u, r, &c, err);
	if (!c)
		return e;
	e = append(u, c, r, err);
	if (e < 0) {
		forget(c);
		return e;
	}
	if (has_more) {
		request_done(r, json_pack("{s:s}", ARG_TOKEN, c->token));
		return 0;
	}
	*ret_fd = release(c);
	return 1;
}
