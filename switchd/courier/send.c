#include <errno.h>
#include <string.h>

#include "base/http.h"
#include "courier/inner.h"
#include "courier/wire.h"

/* A receiver has this long for a batch, from the connection to its answer. */
enum { PATIENCE_MS = 10000, REPLY_MAX = 4096 };

/* The status line is all that counts. */
static int read_status(struct wire *w, struct buf *reply)
{
	int r = 0;

	while (r == 0 && str_find(buf_str(reply), STR("\n")) < 0)
		r = wire_read(w, reply, REPLY_MAX);
	return r == -EMSGSIZE ? 0 : r;
}

int send_post(struct str url, const char *type, struct str body, int end, struct err *err)
{
	CLEANUP(buf_done) struct buf head = BUF_INIT, reply = BUF_INIT;
	struct wire w = { .fd = -1 };
	struct http_url u;
	int r = http_url_parse(url, &u, err);

	if (r < 0)
		return r;
	http_put_post(&u, type, body.n, &head);
	r = buf_error(&head);
	if (r == 0)
		r = wire_open(&w, u.host, u.port, end, PATIENCE_MS);
	if (r == 0)
		r = wire_send(&w, buf_str(&head));
	if (r == 0)
		r = wire_send(&w, body);
	if (r == 0)
		r = read_status(&w, &reply);
	wire_close(&w);
	if (r < 0)
		(void)err_set(err, ERR_STORE, "", url, NULL, "%s", strerror(-r));
	return r < 0 ? r : http_reply_accepted(buf_str(&reply), err);
}

int send_batch(const struct courier *c, const struct batch *b, struct err *err)
{
	CLEANUP(buf_done) struct buf body = BUF_INIT;
	bool is_json = c->kind == COURIER_POST;
	int r;

	if (b->content.n == 0)
		return 0;
	buf_putz(&body, is_json ? "[" : "");
	buf_put(&body, buf_str(&b->content));
	buf_putz(&body, is_json ? "]" : "");
	r = buf_error(&body);
	if (r == 0)
		r = send_post(buf_str(&c->wish.url),
			      is_json ? "application/json" : "text/plain; charset=utf-8",
			      buf_str(&body), c->end, err);
	return r;
}
