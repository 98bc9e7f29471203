#include "sip/refer.h"

#include <errno.h>
#include <string.h>

#include "sip/lex.h"
#include "sip/msg.h"

enum { SUMMARY_BYTES_MAX = 1300 };

/* %XX taken away; false if something is left that is not visible. */
static bool unescape(struct str s, struct buf *out)
{
	for (size_t i = 0; i < s.n; i++) {
		unsigned c = (unsigned char)s.p[i];

		if (c == '%') {
			static const char hex[] = "0123456789abcdef";
			const char *high = i + 2 < s.n ? strchr(hex, s.p[i + 1] | 0x20) : NULL;
			const char *low = high ? strchr(hex, s.p[i + 2] | 0x20) : NULL;

			if (!low || !*high || !*low)
				return false;
			c = (unsigned)((high - hex) * 16 + (low - hex));
			i += 2;
		}
		if (c <= ' ' || c > '~')
			return false;
		buf_putc(out, (char)c);
	}
	return buf_error(out) == 0;
}

int refer_read_replaces(struct str value, struct replaces *ret)
{
	ptrdiff_t at = str_chr(value, ';');
	struct str params, unused;

	if (at <= 0)
		return -EINVAL;
	ret->call_id = str_trim(str_head(value, (size_t)at));
	params = str_skip(value, (size_t)at);
	if (ret->call_id.n == 0 || !lex_is_visible(ret->call_id) ||
	    lex_identifier(params, STR("to-tag"), &ret->to_tag) < 0 || ret->to_tag.n == 0 ||
	    lex_identifier(params, STR("from-tag"), &ret->from_tag) < 0 || ret->from_tag.n == 0)
		return -EINVAL;
	ret->is_early_only = lex_param(params, STR("early-only"), &unused);
	return 0;
}

int refer_replaces(struct str headers, struct buf *text, struct replaces *ret)
{
	struct str one, name;
	bool is_there = false;

	while (str_split(&headers, '&', &one)) {
		if (!str_split(&one, '=', &name) || !str_ieq(name, STR("Replaces")))
			continue;
		if (is_there || !unescape(one, text))
			return -EINVAL;
		is_there = true;
	}
	if (!is_there)
		return 0;
	return refer_read_replaces(buf_str(text), ret) < 0 ? -EINVAL : 1;
}

bool refer_put_state(struct str value, struct buf *out, bool *ret_is_over)
{
	struct str state, name;

	if (!lex_split(&value, ';', &state))
		return false;
	*ret_is_over = str_ieq(state, STR("terminated"));
	if (!*ret_is_over && !str_ieq(state, STR("active")) && !str_ieq(state, STR("pending")))
		return false;
	buf_printf(out, "Subscription-State: %.*s", STR_ARG(state));
	while (lex_split(&value, ';', &state)) {
		if (!str_split(&state, '=', &name))
			continue;
		name = str_trim(name);
		state = str_trim(state);
		if (str_ieq(name, STR("expires")) && str_is_digits(state) && state.n < 10)
			buf_printf(out, ";expires=%.*s", STR_ARG(state));
		else if (str_ieq(name, STR("reason")) && lex_is_token(state) && state.n < 32)
			buf_printf(out, ";reason=%.*s", STR_ARG(state));
	}
	buf_put(out, STR("\r\n"));
	return true;
}

bool refer_put_progress(struct str sipfrag, struct buf *out)
{
	struct str line;
	uint32_t code;

	if (!str_line(&sipfrag, &line) || !str_has_prefix(line, STR("SIP/2.0 ")))
		return false;
	if (str_to_u32(str_head(str_skip(line, 8), 3), 699, &code) < 0 || code < 100)
		return false;
	buf_printf(out, "SIP/2.0 %u %s\r\n", code, msg_phrase((int)code));
	return true;
}

static bool is_counts(struct str s)
{
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];

		if ((c < '0' || c > '9') && c != '/' && c != '(' && c != ')' && c != ' ')
			return false;
	}
	return s.n > 0 && s.n <= 64;
}

void refer_put_summary(struct str body, struct buf *out)
{
	struct str line, name;

	while (str_line(&body, &line) && out->n < SUMMARY_BYTES_MAX) {
		if (!str_split(&line, ':', &name))
			continue;
		name = str_trim(name);
		line = str_trim(line);

		bool is_flag = str_ieq(name, STR("Messages-Waiting")) &&
			       (str_ieq(line, STR("yes")) || str_ieq(line, STR("no")));
		bool is_count = lex_is_token(name) && name.n <= 32 &&
				str_has_suffix(name, STR("-Message")) && is_counts(line);

		if (is_flag || is_count)
			buf_printf(out, "%.*s: %.*s\r\n", STR_ARG(name), STR_ARG(line));
	}
}
