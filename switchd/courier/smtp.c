#include "courier/smtp.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/rand.h"
#include "courier/wire.h"

/* RFC 5321 §4.5.3.1: a line has at most 998 octets before its end, a reply 512; some servers say more. */
enum { PATIENCE_MS = 30000, LINE_MAX_OCTETS = 900, REPLY_MAX = 8192, HOST_MAX = 255 };

/* ---- what is entered ---- */

int smtp_relay_parse(struct str text, struct str *ret_host, uint16_t *ret_port, struct err *err)
{
	struct str host = text;
	uint32_t port = SMTP_PORT;
	bool is_v6 = text.n > 0 && text.p[0] == '[';
	ptrdiff_t end = is_v6 ? str_chr(text, ']') : str_chr(text, ':');
	int r = is_v6 && end < 0 ? -EINVAL : 0;

	if (r == 0 && end >= 0) {
		struct str rest = str_skip(text, (size_t)end + (is_v6 ? 1 : 0));

		host = is_v6 ? str_head(str_skip(text, 1), (size_t)end - 1)
			     : str_head(text, (size_t)end);
		if (rest.n > 0 &&
		    (rest.p[0] != ':' || str_to_u32(str_skip(rest, 1), UINT16_MAX, &port) < 0))
			r = -EINVAL;
	}
	if (r == 0 && host.n > 0 && host.n <= HOST_MAX && port > 0 && !str_has_control(host) &&
	    str_chr(host, ' ') < 0 && str_chr(host, '/') < 0) {
		*ret_host = host;
		*ret_port = (uint16_t)port;
		return 0;
	}
	return err_set(err, ERR_BAD_VALUE, "", text,
		       "host or host:port, such as mail.example.com:25", "not a mail server");
}

int smtp_address_check(struct str text, struct err *err)
{
	static const struct str allowed = STR_INIT("!#$%&'*+-/=?^_`{|}~.@");
	ptrdiff_t at = str_chr(text, '@');
	bool is = at > 0 && (size_t)at + 1 < text.n && text.n <= 254 &&
		  str_chr(str_skip(text, (size_t)at + 1), '@') < 0;

	for (size_t i = 0; is && i < text.n; i++) {
		char c = text.p[i];

		is = (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') ||
		     str_chr(allowed, c) >= 0;
	}
	return is ? 0
		  : err_set(err, ERR_BAD_VALUE, "", text, "an address such as noc@example.com",
			    "not a mail address");
}

/* ---- the mail ---- */

static const char *host_name(char out[HOST_MAX + 1])
{
	if (gethostname(out, HOST_MAX) < 0 || !out[0])
		return "localhost";
	out[HOST_MAX] = '\0';
	for (char *c = out; *c; c++) {
		if ((*c < '0' || *c > '9') && ((*c | 0x20) < 'a' || (*c | 0x20) > 'z') &&
		    *c != '-' && *c != '.')
			*c = '-';
	}
	return out;
}

static void put_date(int64_t wall_ms, struct buf *out)
{
	static const char days[] = "SunMonTueWedThuFriSat";
	static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	time_t at = (time_t)(wall_ms / 1000);
	struct tm t;

	if (!gmtime_r(&at, &t))
		return;
	buf_printf(out, "Date: %.3s, %d %.3s %d %02d:%02d:%02d +0000\r\n", days + 3 * t.tm_wday,
		   t.tm_mday, months + 3 * t.tm_mon, t.tm_year + 1900, t.tm_hour, t.tm_min,
		   t.tm_sec);
}

static void put_subject(struct str s, struct buf *out)
{
	buf_putz(out, "Subject: ");
	s = str_head(s, LINE_MAX_OCTETS);
	for (size_t i = 0; i < s.n; i++)
		buf_putc(out, s.p[i] < ' ' || s.p[i] > '~' ? '?' : s.p[i]);
	buf_putz(out, "\r\n");
}

/* A dot at the begin of a line gets another one; what is no text becomes a blank; lines are cut. */
static void put_text(struct str text, struct buf *out)
{
	struct str line;

	text = str_head(text, SMTP_TEXT_MAX);
	while (str_line(&text, &line)) {
		line = str_head(line, LINE_MAX_OCTETS);
		if (str_has_prefix(line, STR(".")))
			buf_putc(out, '.');
		for (size_t i = 0; i < line.n; i++)
			buf_putc(out, (unsigned char)line.p[i] < ' ' || line.p[i] == 0x7f
					      ? ' '
					      : line.p[i]);
		buf_putz(out, "\r\n");
	}
}

void smtp_put_mail(const struct smtp_mail *m, int64_t wall_ms, struct buf *out)
{
	char host[HOST_MAX + 1];

	put_date(wall_ms, out);
	buf_printf(out, "From: <%.*s>\r\nTo: <%.*s>\r\n", STR_ARG(m->from), STR_ARG(m->to));
	put_subject(m->subject, out);
	buf_printf(out, "Message-ID: <%016llx@%s>\r\n", (unsigned long long)rand_u64(),
		   host_name(host));
	buf_putz(out, "Auto-Submitted: auto-generated\r\nMIME-Version: 1.0\r\n"
		      "Content-Type: text/plain; charset=utf-8\r\n"
		      "Content-Transfer-Encoding: 8bit\r\n\r\n");
	put_text(m->text, out);
}

/* ---- the talk ---- */

int smtp_reply(struct str text)
{
	struct str line;
	int code = 0;

	while (str_chr(text, '\n') >= 0 && str_line(&text, &line)) {
		int here = 0;

		for (size_t i = 0; i < 3; i++) {
			if (i >= line.n || line.p[i] < '0' || line.p[i] > '9')
				return -EINVAL;
			here = 10 * here + (line.p[i] - '0');
		}
		if (here < 200 || here > 599 || (code && here != code))
			return -EINVAL;
		code = here;
		if (line.n == 3 || line.p[3] == ' ')
			return code;
		if (line.p[3] != '-')
			return -EINVAL;
	}
	return 0;
}

/* Its reply has to be of that hundred. */
static int expect(struct wire *w, int hundred, const char *to, struct err *err)
{
	CLEANUP(buf_done) struct buf reply = BUF_INIT;
	struct str said;
	int code = 0, r = 0;

	while (r == 0 && (code = smtp_reply(buf_str(&reply))) == 0)
		r = wire_read(w, &reply, REPLY_MAX);
	if (r < 0) {
		(void)err_set(err, ERR_STORE, "", STR(""), NULL, "%s: %s", to, strerror(-r));
		return r;
	}
	if (code / 100 == hundred)
		return 0;
	said = buf_str(&reply);
	(void)str_line(&said, &said);
	said = str_head(said, 80);
	if (str_has_control(said))
		said = STR("no reply of a mail server");
	(void)err_set(err, ERR_STORE, "", STR(""), NULL, "%s: %.*s", to, STR_ARG(said));
	return code / 100 == 5 ? -EPERM : -EPROTO;
}

static int say(struct wire *w, struct str line, int hundred, const char *to, struct err *err)
{
	int r = wire_send(w, line);

	if (r < 0) {
		(void)err_set(err, ERR_STORE, "", STR(""), NULL, "%s: %s", to, strerror(-r));
		return r;
	}
	return expect(w, hundred, to, err);
}

static int hand_over(struct wire *w, const struct smtp_mail *m, struct err *err)
{
	CLEANUP(buf_done) struct buf hello = BUF_INIT, from = BUF_INIT;
	CLEANUP(buf_done) struct buf to = BUF_INIT, mail = BUF_INIT;
	char host[HOST_MAX + 1];
	int r = expect(w, 2, "greeting", err);

	buf_printf(&hello, "EHLO %s\r\n", host_name(host));
	buf_printf(&from, "MAIL FROM:<%.*s>\r\n", STR_ARG(m->from));
	buf_printf(&to, "RCPT TO:<%.*s>\r\n", STR_ARG(m->to));
	smtp_put_mail(m, clock_wall_ms(), &mail);
	buf_putz(&mail, ".\r\n");
	if (buf_error(&hello) || buf_error(&from) || buf_error(&to) || buf_error(&mail))
		return -ENOMEM;
	if (r == 0)
		r = say(w, buf_str(&hello), 2, "EHLO", err);
	if (r == 0)
		r = say(w, buf_str(&from), 2, "MAIL", err);
	if (r == 0)
		r = say(w, buf_str(&to), 2, "RCPT", err);
	if (r == 0)
		r = say(w, STR("DATA\r\n"), 3, "DATA", err);
	if (r == 0)
		r = say(w, buf_str(&mail), 2, "the mail", err);
	if (r == 0)
		(void)wire_send(w, STR("QUIT\r\n"));
	return r;
}

int smtp_send(const struct smtp_mail *m, int end, struct err *err)
{
	struct wire w = { .fd = -1 };
	int r = wire_open(&w, m->host, m->port, end, PATIENCE_MS);

	if (r < 0)
		(void)err_set(err, ERR_STORE, "", m->host, NULL, "%.*s: %s",
			      STR_ARG(str_head(m->host, 80)), strerror(-r));
	else
		r = hand_over(&w, m, err);
	wire_close(&w);
	return r;
}
