#include "parsed.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "oom.h"

const struct flow source = {
	.proto = PROTO_UDP,
	.peer.in = { .sin_family = AF_INET, .sin_port = 0xc613, .sin_addr.s_addr = 0x090200c0 },
};

static const char *const usual[] = {
	"Via: SIP/2.0/UDP 192.0.2.2:5060;branch=z9hG4bKabc;rport",
	"From: \"Alice\" <sip:1001@192.0.2.2>;tag=from1",
	"To: <sip:8801712345678@192.0.2.1>",
	"Call-ID: call1@192.0.2.2",
	"CSeq: 1 INVITE",
	"Contact: <sip:1001@192.0.2.2:5060>",
	"Max-Forwards: 70",
};

int parse_bytes(struct msg **ret, struct str bytes, struct msg_fault *fault)
{
	return msg_parse(ret, &source, bytes, fault);
}

static void put_crlf(struct buf *b, struct str lines)
{
	struct str line;

	while (str_line(&lines, &line)) {
		buf_put(b, line);
		buf_put(b, STR("\r\n"));
	}
}

int parse_lines(struct msg **ret, const char *lines, struct msg_fault *fault)
{
	struct str all = str_of(lines);
	ptrdiff_t end = str_find(all, STR("\n\n"));
	struct buf b = BUF_INIT;

	*ret = NULL;
	*fault = (struct msg_fault){ 0 };
	put_crlf(&b, str_head(all, end < 0 ? all.n : (size_t)end + 2));
	if (end >= 0)
		buf_put(&b, str_skip(all, (size_t)end + 2));
	int r = buf_error(&b);
	if (r == 0)
		r = parse_bytes(ret, buf_str(&b), fault);
	buf_done(&b);
	return r;
}

struct msg *parsed(const char *lines)
{
	struct msg *m = NULL;
	struct msg_fault fault;
	int r = parse_lines(&m, lines, &fault);

	if (r == -EBADMSG)
		fail_msg("refused: %d %s", fault.code, fault.what);
	if (r < 0)
		assert_true(oom_hit());
	return m;
}

static struct str name_of(struct str line)
{
	return str_head(line, (size_t)str_chr(line, ':') + 1);
}

static bool has_header(struct str lines, struct str name)
{
	struct str line;

	while (str_line(&lines, &line)) {
		if (str_has_prefix(line, name))
			return true;
	}
	return false;
}

static int parse_invite_with(struct msg **ret, const char *lines, struct msg_fault *fault)
{
	struct buf b = BUF_INIT;
	const char *text;

	buf_put(&b, STR("INVITE sip:8801712345678@192.0.2.1 SIP/2.0\n"));
	for (size_t i = 0; i < sizeof(usual) / sizeof(usual[0]); i++) {
		if (has_header(str_of(lines), name_of(str_of(usual[i]))))
			continue;
		buf_putz(&b, usual[i]);
		buf_putc(&b, '\n');
	}
	buf_putz(&b, lines);
	if (*lines && !strstr(lines, "\n\n"))
		buf_put(&b, STR("\n"));
	if (!strstr(lines, "\n\n"))
		buf_put(&b, STR("\n"));
	*ret = NULL;
	text = buf_cstr(&b);
	int r = text ? parse_lines(ret, text, fault) : -ENOMEM;
	buf_done(&b);
	return r;
}

struct msg *invite_with(const char *lines)
{
	struct msg *m = NULL;
	struct msg_fault fault = { 0 };
	int r = parse_invite_with(&m, lines, &fault);

	if (r == -EBADMSG)
		fail_msg("refused: %d %s: %s", fault.code, fault.what, lines);
	if (r < 0)
		assert_true(oom_hit());
	return m;
}

int code_of_invite_with(const char *lines)
{
	CLEANUP(msg_free) struct msg *m = NULL;
	struct msg_fault fault = { 0 };
	int r = parse_invite_with(&m, lines, &fault);

	if (r == -ENOMEM)
		assert_true(oom_hit());
	return r == -EBADMSG ? fault.code : 0;
}

const char *text_of(struct buf *b)
{
	const char *z = buf_cstr(b);

	if (!z)
		assert_true(oom_hit());
	return z;
}
