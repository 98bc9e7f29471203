#include <errno.h>

#include "sip/sdp_stream.h"

bool sdp_line_next(struct str *rest, struct sdp_line *ret)
{
	struct str line;

	if (!str_line(rest, &line) || line.n < 2)
		return false;
	*ret = (struct sdp_line){ line.p[0], str_skip(line, 2) };
	return true;
}

void sdp_attribute(struct str value, struct str *ret_name, struct str *ret_value)
{
	ptrdiff_t colon = str_chr(value, ':');

	*ret_name = colon < 0 ? value : str_head(value, (size_t)colon);
	*ret_value = colon < 0 ? STR("") : str_skip(value, (size_t)colon + 1);
}

bool sdp_has_payload(const struct sdp_media *m, struct str number)
{
	uint32_t n;

	if (str_to_u32(number, SDP_PAYLOAD_MAX, &n) < 0)
		return false;
	for (int i = 0; i < m->payload_count; i++) {
		if (m->payload[i] == n)
			return true;
	}
	return false;
}

int sdp_bad(const char **what, const char *why)
{
	*what = why;
	return -EBADMSG;
}

int sdp_check_lines(struct str text, const char **what)
{
	struct str line;
	bool is_over = false;

	for (int n = 0; str_line(&text, &line); n++) {
		if (n == SDP_LINES_MAX)
			return sdp_bad(what, "too many lines");
		if (line.n == 0) {
			is_over = true;
			continue;
		}
		if (is_over || line.n < 2 || line.p[0] < 'a' || line.p[0] > 'z' || line.p[1] != '=')
			return sdp_bad(what, "a line that is not x=value");
		if (str_has_control(line))
			return sdp_bad(what, "control octet");
	}
	return 0;
}

struct str sdp_word(struct str *s)
{
	struct str w = STR("");

	while (w.n == 0 && str_split(s, ' ', &w))
		;
	return w;
}

int sdp_read_address(struct str s, struct sdp_scope *ret)
{
	struct str net = sdp_word(&s), type = sdp_word(&s), host = sdp_word(&s);
	bool is_v6 = str_eq(type, STR("IP6"));
	ptrdiff_t slash = str_chr(host, '/');

	if (!str_eq(net, STR("IN")) || (!is_v6 && !str_eq(type, STR("IP4"))))
		return -EBADMSG;
	if (host.n == 0 || sdp_word(&s).n)
		return -EBADMSG;
	ret->has_connection = true;
	ret->has_address = false;
	if (addr_parse(slash < 0 ? host : str_head(host, (size_t)slash), 0, &ret->host) < 0)
		return 0; /* a name: nothing is sent there until the other side was heard */
	if (addr_is_v6(&ret->host) != is_v6 || addr_port(&ret->host) ||
	    addr_is_multicast(&ret->host))
		return -EBADMSG;
	ret->has_address = true;
	return 0;
}
