/*
 * http: just enough of it to fetch one small file and to hand one over: the address, the request, the reply. No sockets.
 */
#pragma once

#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

struct http_url {
	struct str host; /* without the brackets of an IPv6 address */
	uint16_t port;
	struct str path; /* begins with a slash */
};

/* "http://host[:port]/path": slices of text. 0 or -EINVAL with *err. */
int http_url_parse(struct str text, struct http_url *ret, struct err *err);
/* A GET in HTTP/1.0, so that the reply is neither cut into chunks nor kept open. */
void http_put_get(const struct http_url *u, struct buf *out);
/*
 * The whole reply, as read until its end: *ret_body is a slice of it. -EINVAL with *err for any
 * status but 200, a body that is shorter or longer than it says, or what is no reply at all.
 */
int http_reply_parse(struct str reply, struct str *ret_body, struct err *err);
/* The head of a POST in HTTP/1.0 of so many bytes of that type; they follow it. */
void http_put_post(const struct http_url *u, const char *type, size_t length, struct buf *out);
/* Does the reply's first line, at least, say 2xx? 0 or -EINVAL with *err. */
int http_reply_accepted(struct str reply, struct err *err);
