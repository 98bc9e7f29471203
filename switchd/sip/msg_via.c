#include <errno.h>
#include <string.h>

#include "sip/lex.h"
#include "sip/msg_check.h"
#include "sip/msg_head.h"

bool check_simple(struct str s)
{
	int n = 0;

	for (size_t i = 0; i < s.n; i++)
		n += s.p[i] == ';' || s.p[i] == '&';
	return n <= MSG_PARAMS_MAX;
}

bool check_take_before(struct str *s, char c, struct str *ret)
{
	ptrdiff_t at = str_chr(*s, c);

	if (at < 0)
		return false;
	*ret = str_trim(str_head(*s, (size_t)at));
	*s = str_trim(str_skip(*s, (size_t)at + 1));
	return true;
}

struct str check_squeeze(struct msg *m, struct str s)
{
	char *to = m->text + (s.p - m->text);
	size_t n = 0;

	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] != ' ' && s.p[i] != '\t')
			to[n++] = s.p[i];
	}
	memset(to + n, ' ', s.n - n);
	return str_n(to, n);
}

/* "SIP / 2.0 / UDP host : port" → "host:port" */
static int read_sent_by(struct msg *m, struct str s, struct str *ret)
{
	struct str name, version, transport, host;
	uint16_t port;

	if (!check_take_before(&s, '/', &name) || !check_take_before(&s, '/', &version))
		return -EINVAL;
	if (!str_ieq(name, STR("SIP")) || !str_eq(version, STR("2.0")))
		return -EINVAL;
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == '\t')
			m->text[s.p - m->text + (ptrdiff_t)i] = ' ';
	}
	if (!check_take_before(&s, ' ', &transport) || !lex_is_token(transport))
		return -EINVAL;
	*ret = check_squeeze(m, s);
	return uri_host_port(*ret, &host, &port);
}

static int read_via(struct msg *m, struct str s, bool is_top)
{
	ptrdiff_t semicolon = str_chr(s, ';');
	struct str params = semicolon < 0 ? STR("") : str_skip(s, (size_t)semicolon);
	struct str sent_by = semicolon < 0 ? s : str_head(s, (size_t)semicolon), branch, rport;

	if (!check_simple(params) || !lex_is_sound(params))
		return -EINVAL;
	if (read_sent_by(m, str_trim(sent_by), &sent_by) < 0 ||
	    lex_identifier(params, STR("branch"), &branch) < 0)
		return -EINVAL;
	if (is_top) {
		m->via_host = sent_by;
		m->branch = branch;
		m->via_rport = lex_param(params, STR("rport"), &rport);
	}
	return 0;
}

void check_vias(struct msg *m, struct msg_fault *fault)
{
	struct elements e = { .head = m->head, .kind = HEADER_VIA };
	struct str s;
	int n = 0;

	while (element_next(&e, &s)) {
		if (read_via(m, s, n++ == 0) < 0)
			msg_fault_set(fault, 400, "Via");
	}
	m->head->elements[HEADER_VIA] = n;
	if (n == 0)
		msg_fault_set(fault, 400, "no Via");
	if (n > MSG_VIAS_MAX)
		msg_fault_set(fault, 400, "too many Vias");
}
