#include "base/http.h"

#include <errno.h>

static bool is_visible(struct str s)
{
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] <= ' ' || s.p[i] >= 0x7f)
			return false;
	}
	return true;
}

static int bad_url(struct str text, struct err *err)
{
	return err_set(err, ERR_BAD_VALUE, "", text, "http://host/path or http://host:port/path",
		       "this is no address to fetch a file from");
}

/* host, host:port, [v6], [v6]:port */
static int split_host(struct str s, struct http_url *u)
{
	struct str port = { 0 };
	ptrdiff_t at = str_has_prefix(s, STR("[")) ? str_chr(s, ']') : str_chr(s, ':');
	uint32_t n;

	if (str_has_prefix(s, STR("["))) {
		if (at < 0)
			return -EINVAL;
		u->host = str_head(str_skip(s, 1), (size_t)at - 1);
		port = str_skip(s, (size_t)at + 1);
	} else {
		u->host = at < 0 ? s : str_head(s, (size_t)at);
		if (at >= 0)
			port = str_skip(s, (size_t)at);
	}
	u->port = 80;
	if (port.n == 0)
		return u->host.n > 0 ? 0 : -EINVAL;
	if (port.p[0] != ':' || str_to_u32(str_skip(port, 1), UINT16_MAX, &n) < 0 || n == 0)
		return -EINVAL;
	u->port = (uint16_t)n;
	return u->host.n > 0 ? 0 : -EINVAL;
}

int http_url_parse(struct str text, struct http_url *ret, struct err *err)
{
	enum { URL_MAX = 1024, HOST_MAX = 253 };
	struct str rest = str_skip(text, STR("http://").n);
	ptrdiff_t slash = str_chr(rest, '/');
	struct http_url u;

	if (text.n > URL_MAX || !is_visible(text) || !str_has_prefix(text, STR("http://")))
		return bad_url(text, err);
	u.path = slash < 0 ? STR("/") : str_skip(rest, (size_t)slash);
	if (split_host(slash < 0 ? rest : str_head(rest, (size_t)slash), &u) < 0 ||
	    u.host.n > HOST_MAX || str_chr(u.host, '@') >= 0)
		return bad_url(text, err);
	*ret = u;
	return 0;
}

static void put_request(const struct http_url *u, const char *method, struct buf *out)
{
	bool is_v6 = str_chr(u->host, ':') >= 0;

	buf_printf(out, "%s %.*s HTTP/1.0\r\n", method, STR_ARG(u->path));
	buf_printf(out, is_v6 ? "Host: [%.*s]:%u\r\n" : "Host: %.*s:%u\r\n", STR_ARG(u->host),
		   u->port);
	buf_putz(out, "User-Agent: tandem\r\nAccept: */*\r\n");
}

void http_put_get(const struct http_url *u, struct buf *out)
{
	put_request(u, "GET", out);
	buf_putz(out, "\r\n");
}

void http_put_post(const struct http_url *u, const char *type, size_t length, struct buf *out)
{
	put_request(u, "POST", out);
	buf_printf(out, "Content-Type: %s\r\nContent-Length: %zu\r\n\r\n", type, length);
}

static int bad_reply(struct str given, struct err *err, const char *why)
{
	return err_set(err, ERR_SYNTAX, "", given, "a reply 200 with the file", "%s", why);
}

static int check_field(struct str line, bool *has_length, uint64_t *length)
{
	struct str name, value = line;

	if (str_chr(line, ':') < 0 || !str_split(&value, ':', &name))
		return -EINVAL;
	if (str_ieq(name, STR("Transfer-Encoding")) || str_ieq(name, STR("Content-Encoding")))
		return -EINVAL;
	if (!str_ieq(name, STR("Content-Length")))
		return 0;
	if (*has_length || str_to_u64(str_trim(value), INT64_MAX, length) < 0)
		return -EINVAL;
	*has_length = true;
	return 0;
}

int http_reply_accepted(struct str reply, struct err *err)
{
	struct str line, rest = reply, word;

	if (!str_line(&rest, &line))
		line = reply;
	rest = line;
	if (!str_split(&rest, ' ', &word) || !str_has_prefix(word, STR("HTTP/1.")) ||
	    !str_has_prefix(rest, STR("2")))
		return err_set(err, ERR_SYNTAX, "", str_head(line, 64), "a reply 200 to 299",
			       "the receiver does not accept it: %.*s",
			       (int)(line.n < 64 ? line.n : 64), line.p);
	return 0;
}

int http_reply_parse(struct str reply, struct str *ret_body, struct err *err)
{
	struct str line, word, status, rest = reply;
	bool has_length = false;
	uint64_t length = 0;

	if (str_find(reply, STR("\n")) < 0 || !str_line(&rest, &line))
		return bad_reply(str_head(reply, 64), err, "the server sent no HTTP reply");
	status = line;
	if (!str_split(&status, ' ', &word) || !str_has_prefix(word, STR("HTTP/1.")))
		return bad_reply(line, err, "the server sent no HTTP reply");
	if (!str_has_prefix(status, STR("200")))
		return bad_reply(line, err, "the server does not give the file");
	for (;;) {
		if (!str_line(&rest, &line))
			return bad_reply(STR(""), err, "the reply ends in its head");
		if (line.n == 0)
			break;
		if (check_field(line, &has_length, &length) < 0)
			return bad_reply(line, err, "the reply has a field that is not understood");
	}
	if (has_length && length != rest.n)
		return bad_reply(STR(""), err, "the file is not as long as the server says");
	*ret_body = rest;
	return 0;
}
