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

/* "SIP / 2.0 / UDP host:port ;params" */
static int read_via(struct msg *m, struct str s, bool is_top)
{
	struct str name, version, transport, sent, params = STR(""), host, branch;
	ptrdiff_t semicolon = str_chr(s, ';');
	uint16_t port = 0;

	if (!check_simple(s) || !lex_is_sound(s))
		return -EINVAL;
	if (semicolon >= 0) {
		params = str_skip(s, (size_t)semicolon);
		s = str_head(s, (size_t)semicolon);
	}
	s = str_trim(s);
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
	sent = check_squeeze(m, s);
	if (uri_host_port(sent, &host, &port) < 0 ||
	    lex_identifier(params, STR("branch"), &branch) < 0)
		return -EINVAL;
	if (is_top) {
		m->via_host = sent;
		m->branch = branch;
		m->via_rport = lex_param(params, STR("rport"), &host);
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
