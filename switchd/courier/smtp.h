/*
 * smtp: hands one mail to a relay on the same site (RFC 5321): no TLS, no password, one recipient. For a thread that may wait.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

enum { SMTP_PORT = 25, SMTP_TEXT_MAX = 65536 };

struct smtp_mail {
	struct str host; /* the relay */
	uint16_t port;
	struct str from, to;
	struct str subject, text; /* any octets: what cannot stand in a mail is replaced */
};

/* "mail.example.com" or "mail.example.com:2525", "[2001:db8::1]:25". 0 or -EINVAL with *err. */
int smtp_relay_parse(struct str text, struct str *ret_host, uint16_t *ret_port, struct err *err);
/* name@host of plain characters, so that nothing of it is a command. 0 or -EINVAL with *err. */
int smtp_address_check(struct str text, struct err *err);
/* The code of the reply that text begins with, in one line or several; 0: it is not all there; -EINVAL: that is no reply. */
int smtp_reply(struct str text);
/* Head and body as they are sent, up to the dot. wall_ms: of Date. */
void smtp_put_mail(const struct smtp_mail *m, int64_t wall_ms, struct buf *out);
/* 0: the relay has taken it. Else negative errno with *err; -EPERM: it does not want it, and will not. end: as wire.h. */
int smtp_send(const struct smtp_mail *m, int end, struct err *err);
